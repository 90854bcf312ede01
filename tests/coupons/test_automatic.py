"""Coupons that come by themselves: on registering, recharging, buying, reaching a level, and on the birthday."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest_asyncio

from backend.coupons import queries
from backend.coupons.commands import automatic, rewards
from backend.kernel import db, events, outbox
from backend.kernel.jobs import runner
from backend.ledger.events import Recharged, SaleCompleted
from backend.members import queries as members
from backend.members.events import LevelReached
from tests.support.coupons import CASH, TEMPLATES, by_coupons, counts, coupons_of, make_template
from tests.support.members import register
from tests.support.value import findings, give


@pytest_asyncio.fixture(loop_scope="session")
async def given(admin, settings):
    """Make a template that is issued by itself; ended afterwards. ``settle`` does what the worker does."""
    made = []

    async def template(*triggers: dict[str, object], **offer: Any):
        await settle(settings)  # nothing of before is due any more
        found = await make_template(admin, claim_by="nobody", per_member=None, triggers=list(triggers), **offer)
        queries.forget_offered()
        made.append(found)
        return found

    yield template
    for found in made:
        await admin.post(f"{TEMPLATES}/{found['id']}/end")
    assert await findings(settings) == []


async def settle(settings) -> None:
    await outbox.drain()
    await automatic.issue_due()
    await runner.run_waiting(settings)


async def publish(*happened: events.Event) -> None:
    async with db.transaction() as tx:
        await events.publish_many(tx, happened)


async def sold(client, chain, phone, *, steps_ago: int = 0, **sale: Any) -> dict[str, Any]:
    answer = await chain.till.sell(client, phone.code(steps_ago=steps_ago), **sale)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def refund(client, chain, sale, fen: int):
    answer = await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", {"amount_fen": fen, "reason": "退货"})
    assert answer.status_code == 201, answer.text
    return answer


async def test_a_new_member_finds_a_coupon(given, client, chain, settings):
    template = await given({"on": "registration"})

    phone = await register(client)
    await settle(settings)

    (coupon,) = await coupons_of(phone)
    assert coupon["template_id"] == template["id"]
    source = await db.fetchval("SELECT source FROM coupon WHERE id = $1", coupon["id"])
    assert source == "auto:registration"


async def test_a_sale_of_enough_is_rewarded_once(given, client, chain, phone, settings):
    template = await given({"on": "sale", "min_fen": 5_000})
    await give(phone.member_id, principal=20_000)

    small = await chain.till.sell(client, phone.code(), fen=4_999)
    assert small.status_code == 201, small.text
    await settle(settings)
    assert await coupons_of(phone) == []
    completed = SaleCompleted(member_id=phone.member_id, sale_id="S-enough", store_id="S1", payable_fen=5_000)
    for _ in range(2):  # an event may come again
        await publish(completed)
        await settle(settings)

    assert [item["template_id"] for item in await coupons_of(phone)] == [template["id"]]
    assert (await counts(template["id"])).issued == 1


async def test_what_coupons_paid_of_a_sale_does_not_count(given, phone, settings):
    template = await given({"on": "sale", "min_fen": 5_000})
    bought = {"member_id": phone.member_id, "store_id": "S1", "payable_fen": 6_000}

    await publish(SaleCompleted(sale_id="S-little", coupon_fen=1_001, **bought))
    await settle(settings)
    assert await coupons_of(phone) == []
    await publish(SaleCompleted(sale_id="S-enough", coupon_fen=1_000, **bought))
    await settle(settings)

    assert [item["template_id"] for item in await coupons_of(phone)] == [template["id"]]


async def test_a_reward_goes_with_the_sale_it_was_for(given, client, chain, phone, settings):
    template = await given({"on": "sale", "min_fen": 5_000})
    sale = await sold(client, chain, phone, fen=6_000, tenders=[{"type": "cash"}])
    await settle(settings)
    (coupon,) = await coupons_of(phone)

    await refund(client, chain, sale, 1_000)
    await settle(settings)
    kept = await coupons_of(phone)
    await refund(client, chain, sale, 1)
    await settle(settings)
    gone = await phone.call("GET", f"/v1/member/coupons/{coupon['id']}")
    again = await rewards.take_back(phone.member_id, sale["id"])

    assert [item["id"] for item in kept] == [coupon["id"]]
    assert (await coupons_of(phone), gone.json()["state"], again) == ([], "void", 0)
    assert (await counts(template["id"])).issued == 1  # what is void gives nothing back to the total


async def test_a_reward_that_was_used_stays_and_is_gone_when_it_comes_back(given, client, chain, phone, settings):
    template = await given({"on": "sale", "min_fen": 15_000}, terms=CASH | {"refund": "return"})
    first = await sold(client, chain, phone, steps_ago=1, fen=15_000, tenders=[{"type": "cash"}])
    await settle(settings)
    (coupon,) = await coupons_of(phone)
    second = await sold(client, chain, phone, fen=10_000, tenders=by_coupons(coupon["id"]))

    await refund(client, chain, first, first["payable_fen"])
    await settle(settings)
    used = await phone.call("GET", f"/v1/member/coupons/{coupon['id']}")
    returned = await refund(client, chain, second, second["payable_fen"])
    await settle(settings)
    gone = await phone.call("GET", f"/v1/member/coupons/{coupon['id']}")

    assert returned.json()["coupons_returned"] == [{"id": coupon["id"], "state": "available"}]
    assert (used.json()["state"], gone.json()["state"]) == ("used", "void")
    assert (await counts(template["id"])).issued == 1


async def test_what_a_refunded_sale_is_due_does_not_come(given, client, chain, phone, settings):
    await given({"on": "sale"})
    sale = await sold(client, chain, phone, fen=150, tenders=[{"type": "cash"}])
    await outbox.drain()
    await refund(client, chain, sale, sale["payable_fen"])
    await outbox.drain()
    await rewards.take_back(phone.member_id, sale["id"])

    assert await db.fetchval("SELECT count(*) FROM coupon_due WHERE member_id = $1", phone.member_id) == 0
    assert await coupons_of(phone) == []


async def test_a_recharge_and_a_level_are_rewarded(given, phone, settings):
    recharge = await given({"on": "recharge", "min_fen": 10_000})
    gold = await given({"on": "level", "level": "gold"})
    any_level = await given({"on": "level"})

    await publish(
        Recharged(member_id=phone.member_id, recharge_id="R1", pay_fen=9_999, bonus_fen=0, points=0),
        Recharged(member_id=phone.member_id, recharge_id="R2", pay_fen=10_000, bonus_fen=0, points=0),
        LevelReached(member_id=phone.member_id, level="silver"),
        LevelReached(member_id=phone.member_id, level="gold"),
    )
    await settle(settings)

    got = sorted(item["template_id"] for item in await coupons_of(phone))
    assert got == sorted([recharge["id"], gold["id"], any_level["id"], any_level["id"]])


async def test_what_nobody_may_have_any_more_is_dropped(given, phone, settings):
    template = await given({"on": "sale"}, total=1)
    bought = [
        SaleCompleted(member_id=phone.member_id, sale_id=f"S-{number}", store_id="S1", payable_fen=1)
        for number in range(3)
    ]

    await publish(*bought)
    await settle(settings)

    assert len(await coupons_of(phone)) == 1
    assert (await counts(template["id"])).issued == 1
    assert await db.fetchval("SELECT count(*) FROM coupon_due") == 0


async def test_a_template_that_does_not_run_gives_nothing(given, admin, phone, settings):
    template = await given({"on": "sale"})
    await admin.post(f"{TEMPLATES}/{template['id']}/pause")

    await publish(SaleCompleted(member_id=phone.member_id, sale_id="S-paused", store_id="S1", payable_fen=1))
    await settle(settings)

    assert await coupons_of(phone) == []


async def test_a_birthday_is_kept_once_a_year_and_made_up_for(given, client, chain, settings):
    template = await given({"on": "birthday"})
    born = {}
    for day in (date(1990, 3, 9), date(1985, 3, 10), date(1999, 3, 11), date(2001, 4, 10)):
        born[day] = await register(client)
        await born[day].call("PATCH", "/v1/member/profile", {"birthday": day.isoformat()})

    async def at(day: int, hour: int = 4) -> dict[date, int]:
        await automatic.note_birthdays(datetime(2027, 3, day, hour, tzinfo=UTC))
        await settle(settings)
        held = "SELECT count(*) FROM coupon WHERE template_id = $1 AND member_id = $2"
        return {d: await db.fetchval(held, template["id"], phone.member_id) for d, phone in born.items()}

    first, again = await at(9), await at(9, hour=9)
    later = await at(12)  # nobody worked on the 10th and 11th

    assert list(first.values()) == list(again.values()) == [1, 0, 0, 0]
    assert list(later.values()) == [1, 1, 1, 0]


async def test_who_was_born_on_leap_day_has_a_birthday_every_year(client, chain, phone):
    await phone.call("PATCH", "/v1/member/profile", {"birthday": "1996-02-29"})

    async def is_among(on: date) -> bool:
        return phone.member_id in await members.list_birthdays(on, after=0, limit=500)

    assert await is_among(date(2027, 2, 28))
    assert not await is_among(date(2028, 2, 28))
    assert await is_among(date(2028, 2, 29))
    assert not await is_among(date(2027, 3, 1))
