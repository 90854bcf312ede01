"""What sells most comes first, and what a store cannot sell now is left out."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from backend.kernel import clock, db, outbox
from backend.mall import shown
from backend.mall.commands import selling
from backend.mall.queries import products
from backend.stock import service as stock
from backend.stock.types import Piece, Wish
from tests.support.mall import open_mall, put
from tests.support.members import register
from tests.support.races import codes_of

PRODUCTS = "/v1/member/mall/products"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def mall(database, chain):
    await open_mall("S1", "S2")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(office, mall):
    return await register(office)


async def listed(phone, **query) -> list[str]:
    """The products that a phone is shown, page by page, one each."""
    shown.forget()
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        pairs = {"store_id": "S1", "limit": 1} | query | ({"cursor": cursor} if cursor else {})
        text = "&".join(f"{name}={value}" for name, value in pairs.items())
        answer = await phone.call("GET", f"{PRODUCTS}?{text}")
        assert answer.status_code == 200, answer.text
        ids += [item["id"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
    return ids


async def sold() -> dict[str, int]:
    rows = await db.fetch("SELECT id, sold_qty FROM mall_product WHERE sold_qty <> 0")
    return {row["id"]: row["sold_qty"] for row in rows}


async def sell(client, till, phone, *lines) -> str:
    (code,) = await codes_of(phone, 1)
    wanted = [{"sku": sku, "qty": qty, "unit_price_fen": 500} for sku, qty in lines]
    answer = await till.sell(client, code, lines=wanted, tenders=[{"type": "cash"}])
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def counted() -> int:
    await outbox.drain()
    return await selling.count_due()


async def test_what_was_sold_in_thirty_days_ranks_products(client, chain, phone, monkeypatch):
    sale = await sell(client, chain.till, phone, ("6902", 3), ("6901", 2), ("6902", 2), ("unheard-of", 9))
    await sell(client, chain.till, phone, ("6903", 3))
    back = {"lines": [{"line_no": 1, "qty": 2}], "reason": "x"}
    assert (await chain.till.post(client, f"/v1/pos/sales/{sale}/refunds", back)).status_code == 201

    first, again = await counted(), await counted()
    before = await sold()
    changed = await selling.rank()
    ranked, ids = await sold(), await listed(phone, sort="sold")

    assert (first, again, before, changed) == (3, 0, {}, 3)
    assert ranked == {"P-6902": 3, "P-6901": 2, "P-6903": 3}
    assert ids[:3] == ["P-6903", "P-6902", "P-6901"]
    assert len(ids) == len(set(ids)) == await db.fetchval("SELECT count(*) FROM mall_product")
    assert await selling.rank() == 0
    with monkeypatch.context() as patch:
        later = clock.now() + timedelta(days=30)
        patch.setattr(clock, "now", lambda: later)
        assert await selling.rank() == 3
    assert await sold() == {}
    await selling.rank()
    assert await sold() == ranked


async def test_a_cursor_of_another_order_is_none(phone):
    page = (await phone.call("GET", f"{PRODUCTS}?store_id=S1&sort=price&limit=1")).json()

    wrong = await phone.call("GET", f"{PRODUCTS}?store_id=S1&sort=sold&limit=1&cursor={page['next_cursor']}")

    assert (wrong.status_code, wrong.json()["code"]) == (422, "validation_failed")


async def test_what_a_store_cannot_sell_now_is_left_out(phone):
    await put("S1", "6901", 2, 10)
    await put("S1", "6902", 1, 10)
    await put("S2", "6903", 5, 10)
    async with db.transaction() as tx:
        until = clock.now() + timedelta(minutes=15)
        wish = Wish("D-in-stock", (Piece("S1", "6902", 1),), until)
        assert await stock.reserve_many(tx, [wish], at=clock.now()) == [None]
    promised = await listed(phone, in_stock="true")
    async with db.transaction() as tx:
        await stock.give_back_many(tx, ["D-in-stock"], at=clock.now())
    free = await listed(phone, in_stock="true")
    await db.pool().execute("UPDATE mall_article SET tracked = false WHERE sku = '6903'")
    untracked = await listed(phone, in_stock="true")

    assert promised == ["P-6901"]
    assert set(free) == {"P-6901", "P-6902"}
    assert set(untracked) == {"P-6901", "P-6902", "P-6903"}
    assert await listed(phone, in_stock="true", store_id="S2") == ["P-6903"]


@pytest.mark.parametrize("in_stock", [False, True])
async def test_the_rank_is_read_off_its_index_among_many_products(settings, in_stock):
    await db.pool().execute(
        "INSERT INTO mall_product (id, name, subtitle, category_id, description, pictures, axes, attributes, active,"
        " name_key, from_fen, version, created_at, updated_at, sold_qty)"
        " SELECT 'x' || n, 'x', '', (SELECT min(code) FROM mall_category), '', '[]', '[]', '{}', true, 'x', 100, 1,"
        "  now(), now(), n % 977 FROM generate_series(1, 20000) n ON CONFLICT DO NOTHING"
    )
    await db.pool().execute(
        "INSERT INTO mall_article (sku, name, category_id, unit_price_fen, active, product_id, spec, tracked)"
        " SELECT id, name, category_id, 100, true, id, '[]', true FROM mall_product WHERE id ~ '^x'"
        " ON CONFLICT DO NOTHING"
    )
    await db.pool().execute(
        "INSERT INTO mall_publication (channel, store_id, product_id, at)"
        " SELECT 'mall', 'S1', id, now() FROM mall_product WHERE id ~ '^x' ON CONFLICT DO NOTHING"
    )
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    await owner.execute(
        "INSERT INTO stock_level (place_id, sku, on_hand) SELECT 'S1', id, length(id) % 2 FROM mall_product"
        " WHERE id ~ '^x' ON CONFLICT DO NOTHING"
    )
    await owner.execute("ANALYZE mall_product, mall_article, mall_publication, stock_level")
    wanted = products.Wanted(store_id="S1", sort=products.Sort.SOLD, in_stock=in_stock)
    sql, values = await products.statement(wanted)

    plan = "\n".join(row[0] for row in await owner.fetch(f"EXPLAIN {sql}", *values))
    await owner.close()

    assert "mall_product_by_sold" in plan
    assert "Sort Key" not in plan
    assert ("stock_level" in plan) is in_stock
    assert "Seq Scan on stock_level" not in plan
