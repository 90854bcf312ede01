"""Head office keeps products: versions, states, and who did what."""

from __future__ import annotations

import asyncpg
import pytest

from backend.kernel import db
from tests.support.books import fingerprint
from tests.support.passes import CLUB, PARKING, PRODUCTS, WASHES, buy, line_of, make_pass_product, passes_of, scan


async def test_what_was_sold_keeps_its_terms(client, chain, admin, phone):
    product = await make_pass_product(admin)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product))

    changed = await admin.post(
        f"{PRODUCTS}/{product['id']}/versions", {"terms": WASHES | {"uses": 5}, "title": "洗车五次卡"}
    )

    assert (changed.status_code, changed.json()["version"], changed.json()["title"]) == (201, 2, "洗车五次卡")
    (card,) = await passes_of(phone)
    assert (card["title"], card["uses"]) == ("洗车三次卡", 3)
    assert (await admin.get(f"{PRODUCTS}/{product['id']}")).json()["terms"]["uses"] == 5


async def test_only_an_active_product_is_sold(client, chain, admin, phone, books):
    product = await make_pass_product(admin, active=False)
    token = (await scan(client, chain.till, phone))["scan_token"]
    sale = await buy(client, chain.till, token, line_of(product))

    paused = await admin.post(f"{PRODUCTS}/{product['id']}/pause")
    ended = await admin.post(f"{PRODUCTS}/{product['id']}/end")
    again = await admin.post(f"{PRODUCTS}/{product['id']}/activate")

    assert sale["status"] == "completed"
    assert await passes_of(phone) == []
    assert (paused.status_code, paused.json()["code"]) == (409, "pass_product_conflict")
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    assert (again.status_code, again.json()["code"]) == (409, "pass_product_conflict")
    changes = (await admin.get(f"{PRODUCTS}/{product['id']}/changes")).json()["items"]
    assert [change["action"] for change in changes] == ["end", "create"]


async def test_one_sku_is_one_product_and_a_product_keeps_its_kind(admin, settings):
    product = await make_pass_product(admin)
    before = await fingerprint(settings)

    same = await admin.post(PRODUCTS, {"sku": product["sku"], "title": "x", "terms": WASHES})
    other = await admin.post(f"{PRODUCTS}/{product['id']}/versions", {"terms": PARKING})

    assert (same.status_code, same.json()["code"]) == (409, "pass_product_conflict")
    assert (other.status_code, other.json()["code"]) == (409, "pass_product_conflict")
    assert await fingerprint(settings) == before


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        (PARKING | {"uses": 2}, "/terms/uses"),
        (WASHES | {"per_day": 2}, "/terms/per_day"),
        ({"kind": "timed"}, "/terms/days"),
        ({"kind": "discount", "days": 30}, "/terms/discount_bp"),
        (CLUB | {"stores": ["S1"]}, "/terms/stores"),
        (CLUB | {"services": ["洗车"]}, "/terms/services"),
        (WASHES | {"discount_bp": 500}, "/terms/discount_bp"),
        (WASHES | {"points_multiplier_bp": 20_000}, "/terms/points_multiplier_bp"),
        (WASHES | {"services": ["洗车", "洗车"]}, "/terms/services"),
    ],
)
async def test_refuses_terms_that_contradict_themselves(admin, terms, pointer):
    answer = await admin.post(PRODUCTS, {"sku": "K-bad", "title": "x", "terms": terms})

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_products_come_page_by_page(admin):
    made = [await make_pass_product(admin, active=False) for _ in range(3)]

    first = (await admin.get(f"{PRODUCTS}?state=draft&limit=2")).json()
    second = (await admin.get(f"{PRODUCTS}?state=draft&limit=2&cursor={first['next_cursor']}")).json()

    listed = [item["id"] for item in first["items"] + second["items"]]
    assert listed[:3] == [item["id"] for item in reversed(made)]
    assert (await admin.get(f"{PRODUCTS}?cursor=x")).status_code == 422


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pass_product SET state = 'open'",
        "UPDATE pass_card SET kind = 'free'",
        "UPDATE pass_card SET expires_on = valid_from - 1",
        "UPDATE pass_card SET ended_as = 'lost', ended_at = now()",
        "UPDATE pass_card SET ended_as = 'void'",
        "UPDATE pass_card SET paid_fen = -1",
    ],
)
async def test_the_database_refuses(admin, statement):
    product = await make_pass_product(admin)
    await db.pool().execute(
        "INSERT INTO pass_card (member_id, id, product_id, version, kind, source, uses, paid_fen, issued_at,"
        " valid_from) VALUES (1, $1, $1, 1, 'counted', 'test', 1, 0, now(), now()::date)",
        product["id"],
    )

    with pytest.raises(asyncpg.CheckViolationError):
        await db.pool().execute(statement)

    await db.pool().execute("DELETE FROM pass_card WHERE member_id = 1")


async def test_what_was_promised_and_who_changed_it_is_never_rewritten(admin):
    await make_pass_product(admin)

    for statement in ("UPDATE pass_product_version SET title = 'x'", "DELETE FROM pass_change"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await db.pool().execute(statement)
