"""The phone's mall over HTTP: pages, search, filters, a product's page, its pictures."""

from __future__ import annotations

import asyncpg
import pytest
import pytest_asyncio

from backend.demo import mall as demo
from backend.demo.load import _copy_rules
from backend.kernel import clock, db, searching
from backend.kernel.paging import make_cursor
from backend.mall import shown
from backend.mall.queries import products
from backend.mall.queries.classes import _FOUND
from tests.support.members import register

MALL = "/v1/member/mall"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def mall(database, chain):
    """The demo's mall, at the chain's first store only."""
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM mall_article")
        await db.raw(tx).execute("DELETE FROM mall_category")
        await _copy_rules(db.raw(tx))
        await demo.load(tx, ["S1"], clock.now())
    shown.forget()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def phone(office, mall):
    """One member for the whole module: nothing here changes anything of them."""
    return await register(office)


async def listed(phone, **query) -> list[dict]:
    """All products that a phone is shown, page by page."""
    items, cursor = [], None
    while True:
        pairs = {"store_id": "S1", "limit": 50} | query | ({"cursor": cursor} if cursor else {})
        answer = await phone.client.get(f"{MALL}/products", params=pairs, headers=bearer(phone))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def bearer(phone) -> dict[str, str]:
    return {"authorization": f"Bearer {phone.access_token}"}


@pytest.mark.parametrize("sort", ["newest", "price", "-price", "name"])
async def test_pages_have_every_product_once_and_in_order(phone, sort):
    items = await listed(phone, sort=sort, limit=37)

    ids = [item["id"] for item in items]
    keys = {row["id"]: row for row in await db.fetch("SELECT * FROM mall_product")}
    wanted = {
        "newest": lambda id_: (-keys[id_]["created_at"].timestamp(),),
        "price": lambda id_: (keys[id_]["from_fen"],),
        "-price": lambda id_: (-keys[id_]["from_fen"],),
        "name": lambda id_: (keys[id_]["name_key"].encode(),),
    }[sort]
    assert len(ids) == len(set(ids)) == 278  # 300 less the tobacco's 25, and three goods
    assert [wanted(id_) for id_ in ids] == sorted(wanted(id_) for id_ in ids)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"q": "纪念T恤"}, {"惠员纪念T恤"}),
        ({"q": "jntx"}, {"惠员纪念T恤"}),
        ({"q": "fanbu"}, {"惠员帆布袋"}),
        ({"q": "301007"}, {"惠员纪念T恤"}),
        ({"q": "惠员", "category": "living"}, {"惠员纪念T恤", "惠员帆布袋", "惠员保温杯"}),
        ({"q": "惠员", "category": "food"}, set()),
        ({"brand": "huiyuan", "min_fen": 7_900}, {"惠员纪念T恤", "惠员保温杯"}),
        ({"brand": "huiyuan", "max_fen": 7_899}, {"惠员帆布袋"}),
        ({"category": "fruit", "q": "苹果", "brand": "maker1"}, {"江南苹果"}),
        ({"category": "no-such"}, set()),
        ({"q": "、。"}, set()),
        ({"store_id": "S2"}, set()),
        ({"category": "tobacco"}, set()),
    ],
)
async def test_products_are_found(phone, query, names):
    assert {item["name"] for item in await listed(phone, **query)} == names


async def test_attributes_and_offers_are_filters(phone):
    cold = await listed(phone, attributes="storage:冷藏,origin:海南", category="fruit")
    offers = await listed(phone, on_offer=True)

    rows = await db.fetch(
        "SELECT id FROM mall_product WHERE category_id = 'fruit' AND attributes->>'origin' = '海南' ORDER BY id"
    )
    assert sorted(item["id"] for item in cold) == [row["id"] for row in rows] != []
    assert {item["price_kind"] for item in offers} == {"timed"}
    assert all(item["price_fen"] < item["list_fen"] and item["price_until"] for item in offers)


async def test_a_product_shows_each_choice_with_this_members_price(phone, client):
    golden = await register(client)
    await db.pool().execute("UPDATE member SET level_id = 'black' WHERE id = $1", golden.member_id)

    plain = (await phone.call("GET", f"{MALL}/products/P-SHIRT?store_id=S1")).json()
    black = (await golden.call("GET", f"{MALL}/products/P-SHIRT?store_id=S1")).json()
    item = next(item for item in await listed(golden, q="纪念") if item["id"] == "P-SHIRT")

    assert [axis["name"] for axis in plain["axes"]] == ["颜色", "尺码"]
    assert len(plain["skus"]) == 12
    assert [plain["skus"][0][key] for key in ("spec", "list_fen", "price_fen", "price_kind")] == [
        ["白色", "S"],
        7_900,
        7_742,  # two percent off for the lowest level
        "level",
    ]
    assert [black["skus"][0][key] for key in ("price_fen", "price_kind")] == [6_320, "level"]
    assert (item["price_fen"], item["several"]) == (6_320, True)
    assert plain["brand"] == {"code": "huiyuan", "name": "惠员"}


async def test_pictures_are_kept_for_good_and_not_sent_twice(phone):
    product = (await phone.call("GET", f"{MALL}/products/P-BAG?store_id=S1")).json()
    url = product["pictures"][0]["small_url"]

    first = await phone.client.get(url)
    again = await phone.client.get(url, headers={"if-none-match": first.headers["etag"]})
    none = await phone.client.get(f"/v1/media/{'0' * 64}")

    assert (first.status_code, first.headers["content-type"]) == (200, "image/webp")
    assert "immutable" in first.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")
    assert (none.status_code, none.json()["code"]) == (404, "not_found")


async def test_home_and_filters_say_what_there_is(phone):
    home = (await phone.call("GET", f"{MALL}/home?store_id=S1")).json()
    filters = (await phone.call("GET", f"{MALL}/filters")).json()
    stores = (await phone.call("GET", f"{MALL}/stores")).json()

    assert [node["code"] for node in home["categories"]][:3] == ["food", "drink", "living"]
    assert "tobacco" not in str(home["categories"])
    assert len(home["offers"]) == len(home["newest"]) == 10
    assert [item["code"] for item in filters["attributes"]] == ["origin", "storage"]
    assert [store["id"] for store in stores["items"]] == ["S1", "S2"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("products", 422),
        ("products?store_id=S1&limit=51", 422),
        ("products?store_id=S1&cursor=bm9uZQ", 422),
        ("products?store_id=S1&sort=price&cursor=" + make_cursor("price", "220", "P-SHIRT\0"), 422),
        ("products?store_id=S1&sort=sales", 422),
        ("products?store_id=S1&attributes=origin", 422),
        ("products?store_id=S1&attributes=secret:1", 422),
        ("products?store_id=S1&min_fen=-1", 422),
        ("products?store_id=S1&q=%27%3A*%20%26%20!a", 200),
        ("products/P-SHIRT?store_id=S2", 404),
        ("products/100276?store_id=S1", 404),
        ("products/no-such?store_id=S1", 404),
    ],
)
async def test_what_makes_no_sense_or_is_not_there_is_refused(phone, path, status):
    assert (await phone.call("GET", f"{MALL}/{path}")).status_code == status


async def test_searches_use_their_index_among_many_articles(settings):
    await db.pool().execute(
        "INSERT INTO mall_product (id, name, subtitle, category_id, description, pictures, axes, attributes, active,"
        " name_key, from_fen, version, created_at, updated_at, terms)"
        " SELECT 'x' || n, 'x', '', 'snack', '', '[]', '[]', '{}', true, 'x' || n, 100, 1, now(), now(),"
        "  array_to_tsvector(ARRAY[chr(19968 + n % 5000), chr(19968 + n % 5000) || chr(19968 + n % 317), 'w' || n])"
        "  FROM generate_series(1, 20000) n"
    )
    await db.pool().execute(
        "INSERT INTO mall_article (sku, name, category_id, unit_price_fen, active, terms, name_key)"
        " SELECT id, name, category_id, 100, true, terms, name_key FROM mall_product WHERE id ~ '^x'"
    )
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    await owner.execute("ANALYZE mall_product, mall_article, mall_publication")
    sql, values = await products.statement(products.Wanted(store_id="S1", query=searching.query_of("纪念")))

    page = await owner.fetch(f"EXPLAIN {sql}", *values)
    till = await owner.fetch(f"EXPLAIN {_FOUND}", "纪念", searching.query_of("纪念"), "%纪念%", 20, "S1")
    await owner.close()

    assert "mall_product_terms" in "\n".join(row[0] for row in page)
    plan = "\n".join(row[0] for row in till)
    assert all(index in plan for index in ("mall_article_terms", "mall_article_unread"))
    assert "Seq Scan on mall_article" not in plan
