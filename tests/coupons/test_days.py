"""Days that were counted: the audit holds them against the books, and what is imported into one has it counted anew."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

from backend.coupons import audit
from backend.coupons.commands import days
from backend.kernel import clock as kernel_clock
from backend.kernel import db
from backend.ledger import plans, service
from tests.coupons.test_statements import OPEN, SHARED, get_coupon, refund, sell, statement, today
from tests.support.books import connected, plan
from tests.support.coupons import CASH, make_template
from tests.support.members import register
from tests.support.staff import log_in
from tests.support.value import findings

ZONE = "Asia/Shanghai"
LOAD = "SELECT ledger_load($1, $2::text[]::jsonb[])"
ROWS = "SELECT * FROM coupon_day WHERE on_date = $1 ORDER BY what, name, template, unit, store_id"
TAMPERING = {
    "more taken": "UPDATE coupon_day SET plus = plus + 1 WHERE on_date = $1 AND what = 'taken'",
    "at another store": "UPDATE coupon_day SET store_id = 'S9' WHERE on_date = $1 AND what = 'booked'",
    "another bears it": "UPDATE coupon_day SET name = 'supplier/ME'"
    " WHERE on_date = $1 AND name = 'supplier/ACME' AND what = 'cost'",
    "less issued": "UPDATE coupon_day SET plus = 0, minus = 0 WHERE on_date = $1 AND name = 'house.coupons_issued'",
    "a line is gone": "DELETE FROM coupon_day WHERE on_date = $1 AND what = 'goods'",
    "a line too many": "INSERT INTO coupon_day SELECT zone, on_date, 'cost', 'store/S7', template, unit, store_id, 1, 0"
    " FROM coupon_day WHERE on_date = $1 AND what = 'taken'",
    "rows of a day that was not counted": "DELETE FROM coupon_day_done WHERE on_date = $1",
}


async def counted_day(client, office, chain, clock, *, ahead: int) -> tuple[date, str]:
    """A day of its own on which one coupon was issued, used and refunded in part, counted; and the offer's id."""
    clock.shift(timedelta(days=ahead))
    admin = await log_in(office, chain, "admin")
    offer = await make_template(admin, CASH | OPEN | {"face_fen": 999, "cost": SHARED}, per_member=20)
    day, phone = today(), await register(client)
    sale = await sell(client, chain.tills["S1"][0], phone, clock, await get_coupon(phone, offer), fen=12_000)
    await refund(client, chain.tills["S1"][0], sale, 4_000)
    clock.shift(timedelta(days=2))
    await days.count_days(clock.now())
    return day, offer["id"]


async def test_the_audit_finds_a_counted_day_that_somebody_changed(client, office, chain, clock, settings, books):
    day, offer = await counted_day(client, office, chain, clock, ahead=20)
    honest = [tuple(row) for row in await db.fetch(ROWS, day)]
    before = await findings(settings)

    found: dict[str, list[str]] = {}
    for what, tampering in TAMPERING.items():
        async with connected(settings, "postgres") as postgres:
            changing = postgres.transaction()
            await changing.start()
            assert await postgres.fetch(f"{tampering} RETURNING 1", day), what
            found[what] = [finding.what for finding in await audit.prove(postgres)]
            await changing.rollback()

    assert before == []
    assert [tuple(row) for row in await db.fetch(ROWS, day)] == honest
    assert {what: bool(of) for what, of in found.items()} == dict.fromkeys(TAMPERING, True)
    assert found["more taken"] == [f"taken {offer} uses S1 on {day} ({ZONE}): (1000, 333), books (999, 333)"]


async def test_what_is_imported_into_a_counted_day_has_it_counted_anew_and_once(
    client, office, chain, clock, settings, books
):
    day, offer = await counted_day(client, office, chain, clock, ahead=30)
    phone = await register(client)
    query: dict[str, Any] = {"from": day, "to": day}
    begin = kernel_clock.now() - timedelta(days=2)
    old = [
        plan(phone.member_id, *plans.issue_coupon(f"IMPORTED-{n}", offer, plans.USES, 1, expires_on=day), at=begin)
        for n in (1, 2, 3)
    ]
    async with connected(settings, "huiyuan_owner") as owner:
        await owner.execute(LOAD, [one.member_id for one in old], [plans.encode(one) for one in old])
    admin = await log_in(office, chain, "admin")
    stale = await statement(admin, **query)
    noticed = [finding.check for finding in await findings(settings)]

    early = await days.count_days(clock.now())
    await service.roll_up(ZONE)
    done = await asyncio.gather(*(days.count_days(clock.now()) for _ in range(4)))
    again = await days.count_days(clock.now())
    fresh = await statement(admin, **query)

    assert (stale["total"]["taken_fen"], fresh["total"]["taken_fen"]) == (999, 999)
    assert [[item["issued"] for item in found["items"]] for found in (stale, fresh)] == [[1], [4]]
    assert noticed == ["coupon_days"]
    assert (early, max(done), again) == (0, 1, 0)


async def test_a_day_that_an_older_release_counted_is_counted_once_more(client, office, chain, clock, books):
    day, _ = await counted_day(client, office, chain, clock, ahead=40)
    await service.roll_up(ZONE)
    rows = await db.fetch(ROWS, day)
    await db.pool().execute("UPDATE coupon_day_done SET entries = NULL WHERE on_date = $1", day)

    assert [await days.count_days(clock.now()) for _ in range(2)] == [1, 0]
    assert await db.fetch(ROWS, day) == rows
