"""What time does: a warning before the last day, the end after it, and how the end is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.coupons import queries
from backend.coupons.commands import ageing
from backend.coupons.events import CouponEnded, CouponReturned
from backend.coupons.types import CouponState
from backend.kernel import db, events, outbox
from backend.kernel.clock import local_date
from backend.ledger import plans, service
from backend.ledger import queries as ledger
from backend.ledger.plans import Plan
from tests.support.coupons import CASH, VALUE, claim, coupons_of, log_in_again, make_template

pytestmark = pytest.mark.usefixtures("books")

SHORT = {"validity": {"days": 5}}


async def test_a_coupon_is_good_on_its_last_day_and_expires_after_it(admin, phone, clock):
    counted = (await claim(phone, template_id=(await make_template(admin, CASH | SHORT))["id"])).json()
    value = (await claim(phone, template_id=(await make_template(admin, VALUE | SHORT))["id"])).json()
    both = [counted["id"], value["id"]]

    clock.shift(timedelta(days=4))
    await ageing.expire_coupons(clock.now())
    on_last_day = await ledger.find_refs(phone.member_id, "coupon", both)
    clock.shift(timedelta(days=1))
    await log_in_again(phone)
    before = [item["id"] for item in await coupons_of(phone, "expired")]
    usable = await coupons_of(phone)
    moved = await ageing.expire_coupons(clock.now())
    again = await ageing.expire_coupons(clock.now())
    await outbox.drain()

    assert [on_last_day[ref].balance for ref in both] == [1, 5_000]
    assert (sorted(before), usable) == (sorted(both), [])  # over is over, also before the books say so
    assert moved >= 1
    assert again == 0
    left = await db.fetch(
        "SELECT balance FROM ledger_account WHERE member_id = $1 AND ref = ANY($2)", phone.member_id, both
    )
    assert [row["balance"] for row in left] == [0, 0]
    booked = await db.fetch(
        "SELECT ref, unit, amount FROM ledger_entry WHERE member_id = $1 AND kind = 'house.coupons_expired'",
        phone.member_id,
    )
    assert sorted((row["unit"], row["amount"]) for row in booked) == [("fen", 5_000), ("uses", 1)]
    expired = await coupons_of(phone, "expired")
    assert sorted(item["id"] for item in expired) == sorted(both)
    assert {item["state"] for item in expired} == {"expired"}
    assert all(item["ended_at"] for item in expired)
    assert await coupons_of(phone) == []
    assert await queries.list_held(phone.member_id, local_date(clock.now(), "Asia/Shanghai")) == []


async def test_only_what_is_over_is_taken(admin, phone, clock):
    over = (await claim(phone, template_id=(await make_template(admin, CASH | SHORT))["id"])).json()
    good = (await claim(phone, template_id=(await make_template(admin, CASH))["id"])).json()

    clock.shift(timedelta(days=5))
    await ageing.expire_coupons(clock.now())
    await log_in_again(phone)

    assert [item["id"] for item in await coupons_of(phone)] == [good["id"]]
    assert [item["id"] for item in await coupons_of(phone, "expired")] == [over["id"]]


async def test_a_coupon_is_warned_of_once(admin, phone, clock):
    coupon = (await claim(phone, template_id=(await make_template(admin, CASH | SHORT))["id"])).json()

    async def warn() -> list[str]:
        await ageing.warn_of_expiry(clock.now())
        rows = await db.fetch(
            "SELECT body->>'coupon_id' AS id FROM outbox WHERE name = 'CouponExpiring' AND member_id = $1",
            phone.member_id,
        )
        return [row["id"] for row in rows]

    early = await warn()
    clock.shift(timedelta(days=1))
    due, again = await warn(), await warn()

    assert early == []
    assert due == again == [coupon["id"]]


async def use(member_id: int, coupon: dict[str, object], amount: int, *, key: str, clock) -> None:
    """Post what a sale posts of a coupon."""
    now = clock.now()
    await service.post(
        Plan(
            member_id=member_id,
            kind="coupon_used",
            at=now,
            on=local_date(now, "Asia/Shanghai"),
            scope="test",
            key=key,
            hash="00" * 32,
            legs=plans.use_coupon(str(coupon["id"]), str(coupon["template_id"]), str(coupon["unit"]), amount),
        )
    )


async def publish(event: events.Event) -> None:
    async with db.transaction() as tx:
        await events.publish(tx, event)
    await outbox.drain()


async def test_how_a_coupon_ended_is_shown_and_taken_back_when_it_returns(admin, phone, clock):
    coupon = (await claim(phone, template_id=(await make_template(admin))["id"])).json()
    ended = CouponEnded(
        member_id=phone.member_id, coupon_id=coupon["id"], state=CouponState.USED, at=clock.now(), by="S-1"
    )
    await publish(ended)  # too early: something is left
    early = await coupons_of(phone)
    await use(phone.member_id, coupon, 1, key=f"use-{coupon['id']}", clock=clock)
    moment = await coupons_of(phone, "used")
    await publish(ended)
    used = await coupons_of(phone, "used")
    (lot,) = await db.fetch(
        "SELECT lot_id FROM ledger_lot WHERE member_id = $1 AND ref = $2", phone.member_id, coupon["id"]
    )
    await publish(CouponReturned(member_id=phone.member_id, coupon_id=coupon["id"]))  # too early
    still = await coupons_of(phone, "used")
    now = clock.now()
    await service.post(
        Plan(
            member_id=phone.member_id,
            kind="coupon_returned",
            at=now,
            on=local_date(now, "Asia/Shanghai"),
            scope="test",
            key=f"return-{coupon['id']}",
            hash="00" * 32,
            legs=plans.return_coupon(coupon["id"], coupon["template_id"], "uses", 1, lot_id=lot["lot_id"]),
        )
    )
    await publish(CouponReturned(member_id=phone.member_id, coupon_id=coupon["id"]))

    assert [item["id"] for item in early] == [coupon["id"]]
    assert [(item["state"], item["used_in"]) for item in moment] == [("used", None)]
    assert [(item["state"], item["used_in"]) for item in used] == [("used", "S-1")]
    assert used == still
    assert [(item["state"], item["ended_at"]) for item in await coupons_of(phone)] == [("available", None)]
    assert await coupons_of(phone, "used") == []


async def test_what_is_left_of_a_value_coupon_is_shown(admin, phone, clock):
    coupon = (await claim(phone, template_id=(await make_template(admin, VALUE))["id"])).json()

    await use(phone.member_id, coupon, 1_200, key=f"use-{coupon['id']}", clock=clock)

    (shown,) = await coupons_of(phone)
    assert (shown["state"], shown["balance"]) == ("available", 3_800)
    (held,) = await queries.list_held(phone.member_id, local_date(clock.now(), "Asia/Shanghai"))
    assert held.balance == 3_800
