"""Tills that stand out, read from what was sold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from backend.coupons.service import mark_of, refusals
from backend.kernel import clock as kernel_clock
from backend.kernel import db
from tests.support.books import fingerprint
from tests.support.coupons import CASH, by_coupons, claim, give_coupon, make_template
from tests.support.members import register
from tests.support.staff import log_in

PATH = "/v1/admin/coupons/anomalies"


def asked(**query: str) -> str:
    today = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai").isoformat()
    return f"{PATH}?" + "&".join(f"{name}={value}" for name, value in ({"from": today, "to": today} | query).items())


async def coupon_sale(client, till, offer, clock, *, refund_after: timedelta, cashier: str | None = None) -> None:
    """A coupon sale whose refund comes after a while."""
    phone = await register(client)
    coupon_id = (await claim(phone, template_id=offer["id"])).json()["id"]
    sale = await till.sell(client, phone.code(), fen=3_000, tenders=by_coupons(coupon_id), cashier=cashier)
    clock.shift(refund_after)
    given = await till.post(
        client, f"/v1/pos/sales/{sale.json()['id']}/refunds", {"amount_fen": 1_000, "reason": "unhappy"}
    )
    assert given.status_code == 201, given.text


async def test_a_till_whose_coupon_sales_are_refunded_soon_is_listed(client, office, chain, admin, clock, books):
    offer = await make_template(admin, CASH | {"min_spend_fen": 0})
    now = kernel_clock.now()
    clock.shift(timedelta(days=2) - timedelta(hours=now.hour))  # a day with room for an hour
    for till, after in ((chain.tills["S1"][0], timedelta(minutes=1)), (chain.tills["S1"][1], timedelta(minutes=31))):
        for _ in range(3):
            await coupon_sale(client, till, offer, clock, refund_after=after)

    staff = {name: await log_in(office, chain, name) for name in ("admin", "manager-S1", "manager-S2")}
    listed = {name: (await session.get(asked())).json() for name, session in staff.items()}
    refused = await staff["manager-S2"].get(asked(store_id="S1"))
    long = await staff["admin"].get(asked(**{"from": "2026-01-01", "to": "2026-02-01"}))

    odd = {
        "store_id": "S1",
        "terminal_id": "S1-T1",
        "mark": None,
        "cashier": None,
        "reasons": ["refunded_soon"],
        "sales": 3,
        "coupon_sales": 3,
        "rate_bp": 10_000,
        "store_median_bp": None,
        "chain_median_bp": None,
        "refunded_soon": 3,
        "refused": 0,
        "retried": 0,
        "most_tries": 0,
        "cashiers": [],
    }
    assert listed["admin"] == listed["manager-S1"] == {"items": [odd], "more": False, "cashier_mark": None}
    assert listed["manager-S2"] == {"items": [], "more": False, "cashier_mark": None}
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert (long.status_code, long.json()["code"]) == (422, "validation_failed")


async def test_a_cashier_is_listed_for_all_tills_and_a_till_that_names_none(client, office, chain, admin, clock, books):
    """Somebody who spreads quick refunds over two tills is at neither of them seen."""
    offer = await make_template(admin, CASH | {"min_spend_fen": 0})
    clock.shift(timedelta(days=4) - timedelta(hours=kernel_clock.now().hour))  # a day of their own
    soon = timedelta(minutes=1)
    for number in range(3):
        await coupon_sale(client, chain.tills["S1"][number % 2], offer, clock, refund_after=soon, cashier="周")
    await coupon_sale(client, chain.tills["S1"][1], offer, clock, refund_after=soon)
    await coupon_sale(client, chain.tills["S1"][1], offer, clock, refund_after=timedelta(hours=1), cashier="吴")
    staff = await log_in(office, chain, "admin")

    listed = (await staff.get(asked(by="cashier"))).json()["items"]

    assert [(odd["terminal_id"], odd["cashier"], odd["mark"], odd["reasons"]) for odd in listed] == [
        (None, "周", mark_of("S1/周"), ["refunded_soon"]),
        ("S1-T2", None, None, ["no_cashier"]),
    ]
    assert [(odd["sales"], odd["coupon_sales"], odd["refunded_soon"]) for odd in listed] == [(3, 3, 3), (1, 1, 1)]


class Refused:
    """A till that tries a coupon far below its threshold, on a day with room for an hour."""

    def __init__(self, client, till, staff, phone, coupon_id, clock) -> None:
        self.client, self.till, self.staff, self.phone = client, till, staff, phone
        self.coupon_id, self.clock = coupon_id, clock

    async def attempt(self, *, cashier: str | None = None, named: str | None = None) -> str:
        """Ring up one sale; the code of the refusal."""
        self.clock.shift(timedelta(seconds=30))
        more = {"cashier": cashier} if cashier else {}
        tenders = by_coupons(named or self.coupon_id)
        answer = await self.till.sell(self.client, self.phone.code(), fen=900, tenders=tenders, **more)
        return answer.json()["code"]


@pytest.fixture
async def refused(client, office, chain, clock) -> Refused:
    clock.shift(timedelta(days=2) - timedelta(hours=kernel_clock.now().hour))
    staff, phone = await log_in(office, chain, "admin"), await register(client)
    await db.fetch("DELETE FROM coupon_refusal")
    return Refused(client, chain.tills["S2"][0], staff, phone, await give_coupon(staff, phone), clock)


async def counted() -> list[tuple[Any, ...]]:
    rows = await db.fetch(
        "SELECT store_id, terminal_id, code, tries, cashier <> '', coupon <> '' FROM coupon_refusal"
        " ORDER BY tries DESC, code, cashier <> ''"
    )
    return [tuple(row) for row in rows]


async def test_a_till_that_tries_a_refused_coupon_again_and_again_is_listed(settings, refused, books):
    await refused.attempt(named="C-none")
    before = await fingerprint(settings)

    codes = [await refused.attempt(cashier="周") for _ in range(9)]
    ten = [await refused.attempt(), await refused.attempt(cashier="吴")]

    listed = (await refused.staff.get(asked(store_id="S2", cashier="周"))).json()
    assert set(codes + ten) == {"coupon_below_threshold"}
    assert await fingerprint(settings) == before
    mark = mark_of("S2/周")
    assert listed["cashier_mark"] == mark
    (odd,) = listed["items"]
    assert (odd["terminal_id"], odd["reasons"], odd["sales"]) == ("S2-T1", ["tried_again"], 0)
    assert (odd["refused"], odd["retried"], odd["most_tries"]) == (12, 1, 11)
    assert odd["cashiers"] == [{"mark": mark, "refused": 9}, {"mark": mark_of("S2/吴"), "refused": 1}]
    people = (await refused.staff.get(asked(store_id="S2", by="cashier"))).json()["items"]
    assert [(one["mark"], one["terminal_id"], one["reasons"], one["refused"]) for one in people] == [
        (None, "S2-T1", ["no_cashier"], 2)
    ]


async def test_a_refusal_is_counted_without_the_coupon_the_member_or_the_name(refused):
    await refused.attempt(cashier="周建国")

    (row,) = await db.fetch("SELECT r::text FROM coupon_refusal r")
    assert "周" not in row[0]
    assert str(refused.phone.member_id) not in row[0]
    assert await counted() == [("S2", "S2-T1", "coupon_below_threshold", 1, True, True)]


async def test_of_one_till_and_day_only_so_many_coupons_are_told_apart(refused, monkeypatch):
    monkeypatch.setattr(refusals, "MOST_A_DAY", 2)

    for number in range(4):
        assert await refused.attempt(cashier="周", named=f"C-{number}") == "coupon_not_held"

    assert await counted() == [
        ("S2", "S2-T1", "coupon_not_held", 2, False, False),
        ("S2", "S2-T1", "coupon_not_held", 1, True, True),
        ("S2", "S2-T1", "coupon_not_held", 1, True, True),
    ]


async def test_a_refusal_that_cannot_be_counted_is_the_same_refusal(refused, monkeypatch):
    async def fail(*_: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(refusals, "_full", fail)

    assert await refused.attempt() == "coupon_below_threshold"
    assert await counted() == []


async def test_what_nobody_looks_at_any_more_is_dropped(refused):
    await refused.attempt()
    now = kernel_clock.now()

    await refusals.forget_refused(now + timedelta(days=refusals.KEPT_DAYS))
    assert len(await counted()) == 1
    await refusals.forget_refused(now + timedelta(days=refusals.KEPT_DAYS + 1))

    assert await counted() == []


async def test_a_cashiers_mark_needs_their_store(admin):
    answer = await admin.get(asked(cashier="周"))

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
