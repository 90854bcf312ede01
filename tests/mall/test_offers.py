"""What the mall sells at a store and for how much; and the brand by which coupons know an article."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from backend.demo import mall as demo
from backend.demo.load import _load_chain
from backend.kernel import clock, db
from backend.mall import queries
from backend.mall.commands import indexing
from backend.mall.types import PriceKind

SHIRT = "301001"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(database) -> datetime:
    """The demo's chain with its mall, without people."""
    now = clock.now()
    await _load_chain()
    async with db.transaction() as tx:
        await demo.load(tx, ["S001", "S002"], now)
    queries.forget_offers()
    queries.forget_classes()
    return now


async def sellable(*skus, store="S001", level="basic", now):
    return await queries.find_sellable(skus, store_id=store, level=level, now=now)


async def test_what_is_published_is_sold_with_all_that_orders_need(shop):
    found = await sellable(SHIRT, "no such", now=shop)

    shirt = found.pop(SHIRT)
    assert not found
    assert (shirt.product_id, shirt.name, shirt.spec) == ("P-SHIRT", "惠员纪念T恤", "白色 / S")
    assert (shirt.category, shirt.brand, shirt.rate_bp, shirt.weight_g) == ("goods", "huiyuan", 10_000, 260)
    assert (shirt.list_fen, shirt.price_fen, shirt.price_kind) == (7_900, 7_900, PriceKind.LIST)
    kind, small = await queries.find_image(shirt.picture.rsplit("/", 1)[1], small=True)
    assert (kind, small[:4], small[8:12]) == ("image/webp", b"RIFF", b"WEBP")


async def test_a_level_has_its_price_and_a_timed_one_ends_to_the_second(shop):
    cheap = "100004"
    black = (await sellable(SHIRT, level="black", now=shop))[SHIRT]
    week = shop + timedelta(days=7)
    timed, last, after = [
        (await sellable(cheap, now=at))[cheap] for at in (shop, week - timedelta(microseconds=1), week)
    ]

    assert (black.price_fen, black.price_kind, black.list_fen) == (6_320, PriceKind.LEVEL, 7_900)
    assert (timed.price_fen, timed.price_kind) == (timed.list_fen * 75 // 100, PriceKind.TIMED)
    assert timed.price_until == week == last.price_until
    assert (after.price_fen, after.price_kind, after.price_until) == (after.list_fen, PriceKind.LIST, None)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM mall_publication WHERE product_id = 'P-BAG' AND store_id = 'S001' AND channel = 'mall'",
        "UPDATE mall_article SET active = false WHERE sku = '302001'",
        "UPDATE mall_product SET active = false WHERE id = 'P-BAG'",
    ],
)
async def test_what_is_not_on_sale_at_the_store_is_not_sold(shop, sql):
    bag, tobacco = "302001", "100276"
    before = await sellable(bag, tobacco, now=shop)
    async with db.transaction() as tx:
        kept = await db.fetch_in(tx, "SELECT * FROM mall_publication WHERE product_id = 'P-BAG'")
        await db.raw(tx).execute(sql)
    queries.forget_offers()
    after = await sellable(bag, now=shop)
    elsewhere = await sellable(bag, store="S003", now=shop)
    await db.pool().execute("UPDATE mall_article SET active = true")
    await db.pool().execute("UPDATE mall_product SET active = true")
    await db.pool().execute(
        "INSERT INTO mall_publication (channel, store_id, product_id, at)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) ON CONFLICT DO NOTHING",
        *zip(*((r["channel"], r["store_id"], r["product_id"], r["at"]) for r in kept), strict=True),
    )
    queries.forget_offers()

    assert list(before) == [bag]
    assert after == {}
    assert elsewhere == {}


async def test_what_the_release_before_adds_is_found_at_once_by_its_name_and_soon_by_its_sound(shop):
    await db.pool().execute(
        "INSERT INTO mall_article (sku, barcode, name, category_id, unit_price_fen, active)"
        " VALUES ('old-1', '6999', '糖炒栗子', 'snack', 1500, true)"
    )

    before = [[a.sku for a in await queries.search_articles(text, 5)] for text in ("炒栗", "tclz")]
    read = await indexing.index_unread()
    after = [[a.sku for a in await queries.search_articles(text, 5)] for text in ("炒栗", "tclz", "old-1", "6999")]

    assert (before, read) == ([["old-1"], []], 1)
    assert after == [["old-1"]] * 4


async def test_tills_find_what_is_published_to_their_store(shop):
    everywhere = await queries.search_articles("tx", 50, store_id="S001")
    nowhere = await queries.search_articles("tx", 50, store_id="S003")

    assert {article.sku for article in everywhere} >= {SHIRT}
    assert nowhere == []
