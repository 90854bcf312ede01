"""Statements of coupons: they add up to the ledger, whatever was sold and refunded, and show a manager one store."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

from backend.coupons.commands import days
from backend.kernel import clock as kernel_clock
from backend.kernel import db
from tests.support.coupons import CASH, TEMPLATES, VALUE, by_coupons, claim, log_in_again, make_template
from tests.support.members import register
from tests.support.staff import StaffSession, log_in

PATH = "/v1/admin/coupons/statements"
SHARED = [
    {"party": "head_office", "share_bp": 3_333},
    {"party": "store", "share_bp": 3_333},
    {"party": "supplier", "share_bp": 3_334, "code": "ACME"},
]
COUNTER = [{"party": "counter", "share_bp": 10_000, "code": "C-1"}]
OPEN = {"stacking": "joint", "min_spend_fen": 0}


def today() -> date:
    return kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")


def asked(path: str = PATH, **query: Any) -> str:
    query = {"from": today(), "to": today()} | query
    return f"{path}?" + "&".join(f"{name}={value}" for name, value in query.items())


async def statement(staff: StaffSession, **query: Any) -> dict[str, Any]:
    answer = await staff.get(asked(**query))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def pages(staff: StaffSession, **query: Any) -> list[dict[str, Any]]:
    """All lines, three at a time."""
    items: list[dict[str, Any]] = []
    cursor = None
    for _ in range(50):
        page = await statement(staff, limit=3, **query, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items
    raise AssertionError("no end of pages")


def costs(items: list[dict[str, Any]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for item in items:
        for part in item["cost"]:
            found[part["party"]] += part["fen"]
    return found


async def booked() -> dict[str, int]:
    rows = await db.fetch(
        "SELECT ref, (-sum(amount))::bigint AS fen FROM ledger_entry WHERE kind = 'house.coupon_cost'"
        " AND (at AT TIME ZONE 'Asia/Shanghai')::date = $1 GROUP BY ref",
        today(),
    )
    return {row["ref"]: row["fen"] for row in rows}


async def sell(client, till, phone, clock, *coupon_ids: str, fen: int) -> dict[str, Any]:
    clock.shift(timedelta(seconds=15))
    answer = await till.sell(client, phone.code(), fen=fen, tenders=by_coupons(*coupon_ids))
    assert answer.status_code == 201, answer.text
    sale: dict[str, Any] = answer.json()
    return sale


async def refund(client, till, sale: dict[str, Any], fen: int) -> dict[str, Any]:
    answer = await till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", {"amount_fen": fen, "reason": "unhappy"})
    assert answer.status_code == 201, answer.text
    given: dict[str, Any] = answer.json()
    return given


async def get_coupon(phone, template: dict[str, Any]) -> str:
    claimed = await claim(phone, template_id=template["id"])
    assert claimed.status_code == 201, claimed.text
    coupon_id: str = claimed.json()["id"]
    return coupon_id


def coupon_fen(tenders: list[dict[str, Any]]) -> int:
    return sum(tender["amount_fen"] for tender in tenders if tender["type"] == "coupon")


async def test_statements_of_random_sales_and_refunds_add_up_to_the_ledger(client, office, chain, clock, books):
    clock.shift(timedelta(days=3))  # a day on which nothing else was sold
    admin = await log_in(office, chain, "admin")
    dice = random.Random(20_260_704)
    offers = [
        await make_template(admin, CASH | OPEN | {"face_fen": 999, "cost": SHARED}, per_member=20),
        await make_template(admin, CASH | OPEN | {"face_fen": 501, "cost": SHARED, "refund": "forfeit"}, per_member=20),
        await make_template(admin, VALUE | OPEN | {"cost": COUNTER, "refund": "split"}, per_member=20),
    ]
    taken = given = drawn = 0
    for _ in range(8):
        phone = await register(client)
        till = chain.tills[dice.choice(["S1", "S2"])][0]
        coupons = [await get_coupon(phone, offer) for offer in dice.sample(offers, dice.randint(1, 3))]
        sale = await sell(client, till, phone, clock, *coupons, fen=dice.randint(3_000, 9_000))
        taken += coupon_fen(sale["tenders"])
        drawn += sale["payable_fen"]
        left = sale["payable_fen"]
        for _ in range(dice.randint(0, 3)):
            fen = dice.randint(1, left)
            left -= fen
            given += coupon_fen((await refund(client, till, sale, fen))["by_tender"])
            if not left:
                break

    ledger = {party: fen for party, fen in (await booked()).items() if fen}
    assert sum(ledger.values()) == taken - given > 0
    for by in ("template", "store", "party"):
        found = await statement(admin, by=by)
        total = found["total"]
        assert +costs(found["items"]) == ledger
        assert {part["party"]: part["fen"] for part in total["booked"] if part["fen"]} == ledger
        assert {part["party"]: part["fen"] for part in total["cost"] if part["fen"]} == ledger
        assert (total["taken_fen"], total["refunded_fen"], total["cost_fen"]) == (taken, given, taken - given)
        assert (total["sales"], total["sales_fen"]) == (8, drawn)
        assert sum(item["taken_fen"] for item in found["items"]) == taken
        assert sum(item["refunded_fen"] for item in found["items"]) == given
        assert await pages(admin, by=by) == found["items"]
    parts = [await statement(admin, by="template", store_id=store) for store in ("S1", "S2")]
    assert +sum((costs(part["items"]) for part in parts), Counter()) == ledger
    assert sum(part["total"]["sales_fen"] for part in parts) == drawn
    for item in (await statement(admin))["items"]:
        row = await db.fetchrow(
            "SELECT -sum(amount) FILTER (WHERE kind = 'house.coupons_issued') AS issued,"
            " sum(amount) FILTER (WHERE kind = 'house.coupons_used') AS used FROM ledger_entry WHERE ref = $1",
            item["template_id"],
        )
        assert (item["issued"], item["used"] - item["returned"]) == (row["issued"], row["used"])


async def test_a_line_says_what_became_of_a_template(client, chain, admin, phone, clock, books):
    offer = await make_template(admin, CASH | {"face_fen": 999, "cost": SHARED}, title="=1+1", per_member=5)
    first, _ = await get_coupon(phone, offer), await get_coupon(phone, offer)
    sale = await sell(client, chain.till, phone, clock, first, fen=12_000)
    await refund(client, chain.till, sale, 4_000)

    line = next(item for item in (await statement(admin))["items"] if item["template_id"] == offer["id"])
    owed = [item for item in (await statement(admin, by="party"))["items"] if item["template_id"] == offer["id"]]
    file = await admin.get(asked(f"{PATH}.csv"))

    assert line == {
        "template_id": offer["id"],
        "title": "=1+1",
        "unit": "uses",
        "store_id": None,
        "party": None,
        "issued": 2,
        "used": 1,
        "returned": 0,
        "expired": 0,
        "voided": 0,
        "taken_fen": 999,
        "refunded_fen": 333,
        "cost_fen": 666,
        "sales": 1,
        "sales_fen": 12_000,
        "net_fen": 11_001,
        "lines": 1,
        "lines_unknown": 1,
        "unknown_bp": 10_000,
        "goods_fen": 0,
        "margin_before_fen": 0,
        "margin_after_fen": 0,
        "cost": [
            {"party": "head_office", "fen": 222},
            {"party": "store/S1", "fen": 222},
            {"party": "supplier/ACME", "fen": 222},
        ],
    }
    assert [(item["party"], item["cost_fen"]) for item in owed] == [
        ("head_office", 222),
        ("store/S1", 222),
        ("supplier/ACME", 222),
    ]
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    read = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))
    rows = [row for row in read if row["template_id"] == offer["id"]]
    assert [(row["title"], row["taken_fen"], row["borne_by"], row["cost_fen"]) for row in rows] == [
        ("'=1+1", "999", "head_office", "222"),
        ("'=1+1", "", "store/S1", "222"),
        ("'=1+1", "", "supplier/ACME", "222"),
    ]


async def test_days_end_at_midnight_of_the_chain(client, chain, admin, phone, clock, books):
    offer = await make_template(admin, CASH | OPEN)
    coupon_id = await get_coupon(phone, offer)
    await sell(client, chain.till, phone, clock, coupon_id, fen=3_000)

    days = {
        shift: [
            item["used"]
            for item in (await statement(admin, **{"from": day, "to": day}))["items"]
            if item["template_id"] == offer["id"]
        ]
        for shift in (-1, 0, 1)
        for day in [today() + timedelta(days=shift)]
    }

    assert days == {-1: [], 0: [1], 1: []}


async def test_a_manager_sees_their_store_and_no_other(client, chain, admin, phone, clock, books):
    offer = await make_template(admin, CASH | OPEN | {"face_fen": 700, "cost": SHARED}, per_member=5)
    here = await get_coupon(phone, offer)
    await sell(client, chain.tills["S1"][0], phone, clock, here, fen=3_000)
    other = await register(client)
    await sell(client, chain.tills["S2"][0], other, clock, await get_coupon(other, offer), fen=4_000)
    manager = await log_in(client, chain, "manager-S1")

    line = next(item for item in (await statement(manager))["items"] if item["template_id"] == offer["id"])
    stores = (await statement(manager, by="store"))["items"]
    parties = {item["party"] for item in (await statement(manager, by="party"))["items"]}
    refused = [await manager.get(asked(path, store_id="S2")) for path in (PATH, f"{PATH}.csv")]

    assert (line["used"], line["taken_fen"], line["sales"], line["sales_fen"]) == (1, 700, 1, 3_000)
    assert (line["issued"], line["expired"], line["voided"]) == (None, None, None)
    assert {item["store_id"] for item in stores} == {"S1"}
    assert "store/S2" not in parties
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(404, "not_found")] * 2
    assert (await manager.get(f"{TEMPLATES}")).status_code == 403


async def test_a_range_has_an_end_and_at_most_a_year(admin):
    for query, pointer in (
        ({"from": "2026-03-02", "to": "2026-03-01"}, "/query/to"),
        ({"from": "2025-01-01", "to": "2026-01-02"}, "/query/to"),
        ({"from": "0001-01-01", "to": "0001-01-01"}, "/query/from"),
        ({"cursor": "!"}, "/query/cursor"),
    ):
        answer = await admin.get(asked(**query))
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), query
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    assert (await admin.get(asked(**{"from": "2025-01-01", "to": "2026-01-01"}))).status_code == 200
    assert (await admin.get(asked(store_id="S9"))).status_code == 404


async def test_margins_are_of_the_lines_whose_cost_was_known_when_they_were_sold(client, office, chain, clock, books):
    clock.shift(timedelta(days=9))  # a day on which nothing else was sold
    admin = await log_in(office, chain, "admin")
    articles = [{"sku": "6901", "cost_fen": 300}, {"sku": "none-of-ours", "cost_fen": 1}]
    known = await admin.client.put(
        "/v1/admin/articles/costs", json={"items": articles}, headers={"Authorization": f"Bearer {admin.access_token}"}
    )
    offers = [
        await make_template(admin, CASH | OPEN | {"face_fen": face}, per_member=2, title=f"减{face}")
        for face in (600, 300)
    ]
    lines = [
        {"sku": "6901", "qty": 2, "unit_price_fen": 1_000},  # 400 of 600 and 200 of 300 fen off these
        {"sku": "X-1", "qty": 1, "unit_price_fen": 1_000},
    ]
    till = chain.tills["S1"][0]
    phone = await register(client)
    both = [await get_coupon(phone, offer) for offer in offers]
    for coupon_ids in (both, [await get_coupon(phone, offers[0])]):
        clock.shift(timedelta(seconds=15))
        answer = await till.sell(client, phone.code(), lines=lines, tenders=by_coupons(*coupon_ids))
        assert answer.status_code == 201, answer.text
    await admin.client.put(
        "/v1/admin/articles/costs",
        json={"items": [{"sku": "6901", "cost_fen": None}]},
        headers={"Authorization": f"Bearer {admin.access_token}"},
    )

    found = await statement(admin)
    by_store = await statement(admin, by="store")
    by_party = await statement(admin, by="party")
    file = (await admin.get(asked(f"{PATH}.csv"))).content.decode("utf-8-sig")

    assert known.json() == {"changed": 1, "unknown": ["none-of-ours"]}
    names = ("sales", "sales_fen", "net_fen", "lines", "lines_unknown", "unknown_bp", "goods_fen")
    margins = ("margin_before_fen", "margin_after_fen")
    of = {item["template_id"]: [item[name] for name in (*names, *margins)] for item in found["items"]}
    assert of == {
        offers[0]["id"]: [2, 6_000, 4_800, 4, 2, 5_000, 1_200, 2_800, 2_000],
        offers[1]["id"]: [1, 3_000, 2_700, 2, 1, 5_000, 600, 1_400, 1_200],
    }
    whole = [2, 6_000, 4_500, 4, 2, 5_000, 1_200, 2_800, 1_800]
    assert [found["total"][name] for name in (*names, *margins)] == whole
    assert [by_store["items"][0][name] for name in (*names, *margins)] == whole
    assert {item[name] for item in by_party["items"] for name in (*names, *margins)} == {None}
    rows = list(csv.DictReader(io.StringIO(file)))
    assert sum(int(row["margin_after_fen"] or 0) for row in rows) == 3_200
    assert sum(int(row["goods_fen"] or 0) for row in rows) == 1_800
    assert "unknown_bp" not in rows[0]


async def test_days_that_were_counted_say_the_same_as_the_books(client, office, chain, clock, books):
    """Also of a sale that was refunded days later, and beside days that are not counted yet."""
    clock.shift(timedelta(days=40))
    admin = await log_in(office, chain, "admin")
    offer = await make_template(admin, CASH | OPEN | {"face_fen": 999, "cost": SHARED}, per_member=20)
    value = await make_template(admin, VALUE | OPEN | {"cost": COUNTER, "refund": "split"}, per_member=20)
    begin = today()
    phone = await register(client)
    coupons = [await get_coupon(phone, template) for template in (offer, value, offer, value)]
    first = await sell(client, chain.tills["S1"][0], phone, clock, *coupons[:2], fen=3_456)
    clock.shift(timedelta(days=2))
    await log_in_again(phone)
    await sell(client, chain.tills["S2"][0], phone, clock, *coupons[2:], fen=12_345)
    await refund(client, chain.tills["S1"][0], first, 1_234)
    await days.count_days(clock.now())
    early = await counted(begin)
    asked_for: list[dict[str, Any]] = [
        {"from": begin + timedelta(days=since), "to": begin + timedelta(days=until), "by": by} | store
        for since, until in ((0, 0), (0, 2), (2, 2))
        for by in ("template", "store", "party")
        for store in ({}, {"store_id": "S1"})
    ]
    admin = await log_in(office, chain, "admin")
    by_the_books = [await statement(admin, **query) for query in asked_for]

    clock.shift(timedelta(days=2))
    done = await days.count_days(clock.now()), await days.count_days(clock.now())
    admin = await log_in(office, chain, "admin")
    by_days = [await statement(admin, **query) for query in asked_for]
    await db.pool().execute("DELETE FROM coupon_day WHERE on_date = $1", begin)
    emptied = await statement(admin, **asked_for[0])
    await db.pool().execute("DELETE FROM coupon_day_done WHERE on_date = $1", begin)
    healed = await days.count_days(clock.now())

    assert early == [begin]
    assert (done, healed) == ((2, 0), 1)
    assert await counted(begin) == [begin + timedelta(days=day) for day in range(3)]
    assert by_days == by_the_books
    assert by_days[0]["total"]["taken_fen"] == 3_456
    assert (emptied["items"], emptied["total"]["taken_fen"]) == ([], 0)  # so it was read from there


async def counted(since: date) -> list[date]:
    rows = await db.fetch("SELECT on_date FROM coupon_day_done WHERE on_date >= $1 ORDER BY on_date", since)
    return [row["on_date"] for row in rows]
