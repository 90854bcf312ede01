"""The bills come by the clock: once they can be had, and again where they do not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg

from backend.kernel import clock as kernel_clock
from backend.reconciliation import queries, rules
from backend.reconciliation.commands import bills
from backend.reconciliation.types import BillState
from tests.support import recharge

BASE = "/v1/admin/reconciliation"
DAY = timedelta(days=1)


async def test_the_job_takes_each_bill_once_it_can_be_had_and_asks_again_where_it_does_not_come(
    client, phone, admin, clock, lies
):
    clock.shift(-5 * DAY)
    order = await recharge.begin(phone, amount_fen=1_000)
    await recharge.pay(client, order["id"])
    await recharge.in_state(phone, order["id"], "paid")
    day = rules.day_of(kernel_clock.now())
    await lies(spoilt=True)
    clock.freeze(rules.bill_due(day) - timedelta(seconds=1))
    assert await bills.take_due(clock.now()) == 7, "the empty days before"
    assert (await _day(admin, day))["state"] == "waiting"

    clock.freeze(rules.bill_due(day))
    await bills.take_due(clock.now())
    refused = await _day(admin, day)
    assert (refused["state"], refused["tries"]) == ("waiting", 1)
    again = await admin.post(f"{BASE}/days", {"day": str(day)})
    assert (again.status_code, again.json()["code"]) == (503, "unavailable")

    await lies()
    await bills.take_due(clock.now())
    assert (await _day(admin, day))["state"] == "waiting", "not before its time"
    clock.freeze(rules.bill_due(day) + timedelta(minutes=11))
    assert await bills.take_due(clock.now()) == 1
    assert (await _day(admin, day))["state"] == "taken"
    assert await bills.take_due(clock.now()) == 0


async def _day(admin, day) -> Any:
    answer = await admin.get(f"{BASE}/days?from={day}&to={day}")
    found = answer.json()["items"]
    return found[0] if found else None


async def test_days_that_a_click_left_behind_are_asked_for_too(admin, clock):
    await bills.take_due(clock.now())
    clock.shift(10 * DAY)
    day = rules.day_of(kernel_clock.now()) - DAY
    await bills.take_again(day)

    for _ in range(2):
        await bills.take_due(clock.now())

    asked = [one.state != BillState.WAITING for one in await queries.list_bills(day - 9 * DAY, day)]
    assert asked == [True] * 10


async def test_a_bill_at_which_the_job_fails_stops_no_later_one(admin, clock, monkeypatch):
    clock.shift(20 * DAY)
    while await bills.take_due(clock.now()):
        pass
    clock.shift(2 * DAY)
    last = rules.day_of(kernel_clock.now()) - DAY
    keep = bills.keep

    async def odd(day, bill, now):
        if day == last - DAY:
            raise asyncpg.DataError("a value that no column holds")
        await keep(day, bill, now)

    monkeypatch.setattr(bills, "keep", odd)

    assert await bills.take_due(clock.now()) == 1

    found = {one.day: one for one in await queries.list_bills(last - DAY, last)}
    assert (found[last].state, found[last - DAY].state, found[last - DAY].tries) == ("empty", "waiting", 1)
