"""Head office keeps the catalogue; a store's manager publishes at the own store; every change is written down."""

from __future__ import annotations

import asyncio
from importlib import import_module
from io import BytesIO

import pytest
import pytest_asyncio
from PIL import Image

from backend.kernel import clock, db
from backend.mall import shown
from backend.mall.commands import indexing, media
from tests.support.members import register
from tests.support.staff import log_in

MALL = "/v1/admin/mall"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def manager(office, chain):
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def phone(office, chain):
    return await register(office)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def shelves(admin):
    for path, body in (
        ("categories/clothes", {"name": "服装"}),
        ("categories/shirts", {"name": "衬衫", "parent": "clothes"}),
        ("brands/hills", {"name": "山谷"}),
        ("supplier-categories/textile", {"name": "纺织"}),
        ("suppliers/SUP9", {"name": "织造厂", "category": "textile", "contact": "老王", "phone": "021-5555"}),
        ("attributes/fabric", {"name": "面料", "kind": "choice", "choices": ["棉", "麻"], "filtered": True}),
        ("attributes/washable", {"name": "可机洗", "kind": "flag"}),
    ):
        answer = await admin.call("PUT", f"{MALL}/{path}", body)
        assert answer.status_code == 204, answer.text


def shirt(**changes):
    return {
        "name": "亚麻衬衫",
        "category": "shirts",
        "brand": "hills",
        "axes": [{"name": "颜色", "values": ["白", "蓝"]}, {"name": "尺码", "values": ["S", "M"]}],
        "attributes": {"fabric": "麻", "washable": True},
        "skus": [
            {
                "sku": f"LIN-{color}{size}",
                "spec": [name, size],
                "unit_price_fen": 19_900,
                "supplier": "SUP9",
                "level_prices": {"basic": 18_800} if size == "S" else None,
            }
            for color, name in (("W", "白"), ("B", "蓝"))
            for size in ("S", "M")
        ],
    } | changes


async def everything() -> list:
    return [
        await db.fetch(f"SELECT t::text FROM mall_{table} t ORDER BY 1")
        for table in ("product", "article", "level_price", "timed_price", "publication", "category", "change")
    ]


async def put(admin, spu, body):
    return await admin.call("PUT", f"{MALL}/products/{spu}", body)


async def test_a_product_is_kept_published_found_and_withdrawn(admin, manager, phone):
    made = await put(admin, "LIN", shirt())
    unpublished = await phone.call("GET", "/v1/member/mall/products/LIN?store_id=S1")
    published = await manager.call("PUT", f"{MALL}/stores/S1/publications", {"channel": "mall", "publish": ["LIN"]})
    elsewhere = await manager.call("PUT", f"{MALL}/stores/S2/publications", {"channel": "mall", "publish": ["LIN"]})
    page = (await phone.call("GET", "/v1/member/mall/products?store_id=S1&q=ymcs&attributes=fabric:麻")).json()
    product = (await phone.call("GET", "/v1/member/mall/products/LIN?store_id=S1")).json()
    listed = (await manager.get(f"{MALL}/products?q=亚麻")).json()
    withdrawn = await manager.call("PUT", f"{MALL}/stores/S1/publications", {"channel": "mall", "withdraw": ["LIN"]})
    gone = await phone.call("GET", "/v1/member/mall/products/LIN?store_id=S1")

    assert (made.status_code, made.json()["version"], len(made.json()["skus"])) == (200, 1, 4)
    assert unpublished.status_code == 404
    assert (published.json(), elsewhere.status_code) == ({"published": 1, "withdrawn": 0}, 404)
    assert [item["id"] for item in page["items"]] == ["LIN"]
    assert {sku["sku"]: sku["price_fen"] for sku in product["skus"]}["LIN-WS"] == 18_800
    assert {item["id"]: item["published"] for item in listed["items"]}["LIN"] == ["mall"]
    assert (withdrawn.json(), gone.status_code) == ({"published": 0, "withdrawn": 1}, 404)
    changes = (await admin.get(f"{MALL}/changes?kind=store&ref=S1")).json()["items"]
    assert [change["action"] for change in changes] == ["publish", "publish"]


async def test_articles_change_places_and_what_is_left_out_is_no_longer_sold(admin):
    made = (await put(admin, "SWAP", shirt(skus=[
        {"sku": "SW-1", "spec": ["白", "S"], "unit_price_fen": 100, "barcode": "111"},
        {"sku": "SW-2", "spec": ["蓝", "S"], "unit_price_fen": 200, "barcode": "222"},
        {"sku": "SW-3", "spec": ["蓝", "M"], "unit_price_fen": 50},
    ]))).json()  # fmt: skip
    swapped = await put(admin, "SWAP", shirt(version=made["version"], skus=[
        {"sku": "SW-1", "spec": ["蓝", "S"], "unit_price_fen": 100, "barcode": "222"},
        {"sku": "SW-2", "spec": ["白", "S"], "unit_price_fen": 200, "barcode": "111"},
    ]))  # fmt: skip

    left = await db.fetch("SELECT product_id, active FROM mall_article WHERE sku = 'SW-3'")
    assert swapped.status_code == 200, swapped.text
    assert {sku["sku"]: (sku["spec"], sku["barcode"]) for sku in swapped.json()["skus"]} == {
        "SW-1": (["蓝", "S"], "222"),
        "SW-2": (["白", "S"], "111"),
    }
    assert [tuple(row) for row in left] == [(None, False)]
    assert await db.fetchval("SELECT from_fen FROM mall_product WHERE id = 'SWAP'") == 100


async def test_a_product_that_is_sent_again_is_there_already(admin):
    """The answer to the first try was lost; whoever tries again has the version that they read."""
    body = shirt(skus=[{"sku": "AGAIN-1", "spec": ["白", "S"], "unit_price_fen": 100}])
    made = await put(admin, "AGAIN", body)
    dearer = body | {"version": 1, "skus": [body["skus"][0] | {"unit_price_fen": 120}]}
    changed = await put(admin, "AGAIN", dearer)
    before = await everything()

    again = await put(admin, "AGAIN", dearer)
    too_late = await put(admin, "AGAIN", body | {"version": 1})
    less = await put(admin, "AGAIN", dearer | {"skus": [dearer["skus"][0] | {"sku": "AGAIN-2"}]})

    assert [answer.status_code for answer in (made, changed, again, too_late, less)] == [200, 200, 200, 409, 409]
    assert again.json() == changed.json()
    assert {answer.json()["code"] for answer in (too_late, less)} == {"product_changed"}
    assert await everything() == before


REFUSED = [
    (shirt(), 409, "product_changed"),  # it is there
    (shirt(version=99), 409, "product_changed"),
    ({"category": "none"}, 422, "/category"),
    ({"brand": "none"}, 422, "/brand"),
    ({"attributes": {"fabric": "丝"}}, 422, "/attributes"),
    ({"attributes": {"washable": "yes"}}, 422, "/attributes"),
    ({"attributes": {"none": 1}}, 422, "/attributes"),
    ({"pictures": ["0" * 64]}, 422, "/pictures"),
    ({"axes": [{"name": "颜色", "values": ["白", "蓝"]}]}, 422, "/skus/0/spec"),
    ({"skus": [{"sku": "X-1", "spec": ["白", "S"], "unit_price_fen": 1}] * 2}, 422, "/skus/1/spec"),
    ({"skus": [{"sku": "6901", "spec": ["白", "S"], "unit_price_fen": 0}]}, 422, "/skus/0/unit_price_fen"),
    ({"skus": [{"sku": "SW-1", "spec": ["白", "S"], "unit_price_fen": 1}]}, 422, "/skus/0/sku"),
    ({"skus": [{"sku": "X-1", "spec": ["白", "S"], "unit_price_fen": 1, "barcode": "690000000001"}]}, 422,
     "/skus/0/barcode"),
    ({"skus": [{"sku": "X-1", "spec": ["白", "S"], "unit_price_fen": 1, "supplier": "none"}]}, 422, "/skus/0/supplier"),
    ({"skus": [{"sku": "X-1", "spec": ["白", "S"], "unit_price_fen": 1, "level_prices": {"none": 1}}]}, 422,
     "/skus/0/levels"),
    ({"name": "a\u0000b"}, 422, "/name"),
    ({"skus": []}, 422, "/skus"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "status", "where"), REFUSED)
async def test_a_product_with_a_mistake_is_refused_and_nothing_changes(admin, change, status, where):
    await put(admin, "SWAP2", shirt(skus=[{"sku": "SW2-1", "spec": ["白", "S"], "unit_price_fen": 100}]))
    version = (await admin.get(f"{MALL}/products/SWAP2")).json()["version"]
    before = await everything()

    body = change if "skus" in change and "name" in change else shirt(version=version) | change
    refused = await put(admin, "SWAP2", body)

    assert refused.status_code == status, refused.text
    problem = refused.json()
    assert where in (problem["code"], *(error["pointer"] for error in problem.get("errors", [])))
    assert await everything() == before


def fresh(body):
    """The same as a new product, with an article of its own."""
    return body | {"version": None, "skus": [body["skus"][0] | {"sku": "RN-1"}]}


async def test_of_two_who_change_a_product_at_once_one_is_told(admin):
    made = (await put(admin, "RACE", shirt(skus=[{"sku": "R-1", "spec": ["白", "S"], "unit_price_fen": 1}]))).json()
    bodies = [
        shirt(version=made["version"], skus=[{"sku": "R-1", "spec": ["白", "S"], "unit_price_fen": fen}])
        for fen in (100, 200, 300)
    ]

    answers = await asyncio.gather(*(put(admin, "RACE", body) for body in bodies))

    new = await asyncio.gather(*(put(admin, "RACE-NEW", fresh(body)) for body in bodies))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert sorted(answer.status_code for answer in new) == [200, 409, 409]


async def test_categories_never_go_round_and_what_is_named_stays(admin):
    circle = await admin.call("PUT", f"{MALL}/categories/clothes", {"name": "服装", "parent": "shirts"})
    itself = await admin.call("PUT", f"{MALL}/categories/clothes", {"name": "服装", "parent": "clothes"})
    unknown = await admin.call("PUT", f"{MALL}/categories/clothes", {"name": "服装", "parent": "none"})
    used = [
        await admin.call("DELETE", f"{MALL}/{path}")
        for path in ("categories/clothes", "categories/shirts", "brands/hills", "supplier-categories/textile")
    ]
    kind = await admin.call("PUT", f"{MALL}/attributes/fabric", {"name": "面料", "kind": "number"})
    nothing = await admin.call("DELETE", f"{MALL}/brands/none")

    assert {answer.status_code for answer in (circle, itself, unknown)} == {422}
    assert {(answer.status_code, answer.json()["code"]) for answer in (*used, kind)} == {(409, "still_in_use")}
    assert nothing.status_code == 404


async def test_a_renamed_brand_finds_its_products_by_the_new_name(admin):
    await admin.call("PUT", f"{MALL}/brands/hills", {"name": "云岭"})
    await indexing.index_unread()
    found = (await admin.get(f"{MALL}/products?q=yunling")).json()
    await admin.call("PUT", f"{MALL}/brands/hills", {"name": "山谷"})

    assert {"SWAP"} <= {item["id"] for item in found["items"]}


async def test_timed_prices_begin_and_end_and_are_bounded(admin):
    now = clock.now()
    window = {"starts_at": (now.replace(year=now.year - 1)).isoformat(), "ends_at": "2999-01-01T00:00:00Z"}
    made = await admin.post(f"{MALL}/timed-prices", window | {"items": [{"sku": "6901", "price_fen": 150}]})
    (price_id,) = made.json()["ids"]
    running = (await admin.get(f"{MALL}/timed-prices?sku=6901")).json()["items"]
    before = await everything()
    refused = [
        await admin.post(f"{MALL}/timed-prices", body)
        for body in (
            window | {"items": [{"sku": "6901", "price_fen": 1}, {"sku": "none", "price_fen": 1}]},
            window | {"items": [{"sku": "6901", "price_fen": 1}] * 20},
            window | {"ends_at": "2001-01-01T00:00:00Z", "items": [{"sku": "6901", "price_fen": 1}]},
            window | {"starts_at": "0001-01-01T00:00:00Z", "items": [{"sku": "6901", "price_fen": 1}]},
            window | {"ends_at": "9999-12-31T23:59:59-12:00", "items": [{"sku": "6901", "price_fen": 1}]},
        )
    ]  # fmt: skip
    unchanged = await everything() == before
    ended = [await admin.post(f"{MALL}/timed-prices/{price_id}/end") for _ in range(2)]

    assert [item["id"] for item in running] == [price_id]
    assert ({answer.status_code for answer in refused}, unchanged) == ({422}, True)
    assert {answer.status_code for answer in ended} == {204}
    assert (await admin.get(f"{MALL}/timed-prices?sku=6901")).json()["items"] == []


async def test_timed_prices_of_mistyped_years_are_mended_and_end(admin):
    """As they could be written once: the list could not be read with one, and who would end it was answered 500."""
    windows = {
        "early": ("0001-01-01 00:00:00+00 BC", "2999-01-01 00:00:00+00"),
        "late": ("2026-01-01 00:00:00+00", "9999-12-31 23:59:59+00"),
        "over": ("0001-01-01 00:00:00+00", "0026-01-01 00:00:00+00"),
        "ours": ("2026-01-01 00:00:00+00", "2999-12-31 00:00:00+00"),
    }
    for name, (starts_at, ends_at) in windows.items():
        await db.pool().execute(
            "INSERT INTO mall_timed_price (id, sku, price_fen, starts_at, ends_at, staff_id)"
            f" VALUES ('{name}', '6901', 150, '{starts_at}', '{ends_at}', 1)"
        )

    unmended = await admin.post(f"{MALL}/timed-prices/early/end")
    await db.pool().execute("UPDATE mall_timed_price SET ends_at = '2999-01-01 00:00:00+00' WHERE id = 'early'")
    await db.pool().execute(import_module("backend.mall.migrations.0009_years").MEND)
    listed = (await admin.get(f"{MALL}/timed-prices?sku=6901")).json()["items"]
    ended = [await admin.post(f"{MALL}/timed-prices/{one['id']}/end") for one in listed]

    assert [(one["id"], one["starts_at"], one["ends_at"]) for one in listed] == [
        ("early", "2000-01-01T00:00:00Z", "2999-01-01T00:00:00Z"),
        ("late", "2026-01-01T00:00:00Z", "2999-12-31T23:59:59Z"),
        ("ours", "2026-01-01T00:00:00Z", "2999-12-31T00:00:00Z"),
    ]
    assert {one.status_code for one in (unmended, *ended)} == {204}
    assert (await admin.get(f"{MALL}/timed-prices?sku=6901")).json()["items"] == []


def picture(kind: str = "PNG", size=(30, 20), mode: str = "RGB", **options) -> bytes:
    out = BytesIO()
    Image.new(mode, size, "#336699").save(out, kind, **options)
    return out.getvalue()


async def upload(staff, data: bytes):
    return await staff.client.post(
        f"{MALL}/media",
        content=data,
        headers={"authorization": f"Bearer {staff.access_token}", "content-type": "image/png"},
    )


async def test_pictures_are_drawn_anew_and_shown_of_stores(admin, manager, phone):
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "secret place", 6  # turned by a quarter
    sent = picture("JPEG", exif=exif) + b"<script>after the picture</script>"
    kept = await upload(manager, sent)
    again = await upload(admin, sent)
    plan = {"items": [{"media_id": kept.json()["id"], "kind": "plan", "title": "一楼"}]}
    put_own = await manager.call("PUT", f"{MALL}/stores/S1/pictures", plan)
    put_other = await manager.call("PUT", f"{MALL}/stores/S2/pictures", plan)
    shop = (await phone.call("GET", "/v1/member/mall/stores")).json()["items"][0]
    served = (await phone.client.get(shop["pictures"][0]["picture"]["url"])).content

    assert (kept.status_code, kept.json()["id"]) == (201, again.json()["id"])
    assert (kept.json()["width"], kept.json()["height"]) == (20, 30)
    assert (put_own.status_code, put_other.status_code) == (200, 404)
    assert shop["pictures"][0]["kind"] == "plan"
    assert b"secret" not in served
    assert b"script" not in served
    assert Image.open(BytesIO(served)).format == "WEBP"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + b"\0" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
        picture()[:40],
        picture("GIF"),
        picture("BMP"),
        picture("PNG", size=(7_000, 6_000), mode="1"),  # quickly made
    ],
    ids=["empty", "gif header", "svg", "cut off", "gif", "bmp", "too many pixels"],
)
async def test_what_is_no_picture_is_refused(admin, data):
    before = await db.fetchval("SELECT count(*) FROM mall_media")

    refused = await upload(admin, data)

    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")
    assert await db.fetchval("SELECT count(*) FROM mall_media") == before


async def test_pictures_that_nothing_shows_are_forgotten_after_two_days(admin, phone):
    used = (await upload(admin, picture(size=(11, 11)))).json()["id"]
    unused = (await upload(admin, picture(size=(12, 12)))).json()["id"]
    banner = await admin.post(f"{MALL}/banners", {"title": "上新", "picture": used})
    never = {"title": "下", "picture": used, "ends_at": "9999-12-31T23:59:59Z"}
    assert (await admin.post(f"{MALL}/banners", never)).status_code == 422
    first = await media.drop_unused()
    await db.pool().execute("UPDATE mall_media SET at = at - interval '3 days'")
    await media.drop_unused()

    left = {row["id"] for row in await db.fetch("SELECT id FROM mall_media")}
    assert (first, used in left, unused in left) == (0, True, False)
    shown.forget()
    home = (await phone.call("GET", "/v1/member/mall/home?store_id=S1")).json()
    assert [item["title"] for item in home["banners"]] == ["上新"]
    removed = await admin.call("DELETE", f"{MALL}/banners/{banner.json()['id']}")
    assert removed.status_code == 204
