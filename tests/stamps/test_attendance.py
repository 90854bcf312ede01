"""Checking in: a stamp a local day, in a row or in all; tasks that are each done once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backend.kernel import db, events
from backend.ledger.events import Recharged
from tests.support.books import fingerprint
from tests.support.coupons import coupons_of, log_in_again
from tests.support.staff import log_in
from tests.support.stamps import CAMPAIGNS, CARDS, Held, card, held, make_campaign, move, settle

pytestmark = pytest.mark.usefixtures("books")

TASKS = [
    {"code": "profile", "title": "完善资料", "on": "profile"},
    {"code": "recharge", "title": "首次充值", "on": "recharge"},
    {"code": "visit", "title": "到店参观"},
]


def noon(day: int) -> datetime:
    """Noon of that day where the shops are."""
    return datetime(2027, 5, day, 4, tzinfo=UTC)


async def check_in(phone, campaign):
    return await phone.call("POST", f"{CARDS}/{campaign['id']}/check-in")


async def test_each_local_day_is_stamped_once_and_the_last_brings_the_reward(admin, phone, clock):
    campaign = await make_campaign(admin, kind="attendance", goal=3)
    got = []

    # 23:30 and 00:30 where the shops are; then days later, for they need not be in a row
    for at in (datetime(2027, 5, 1, 15, 30, tzinfo=UTC), datetime(2027, 5, 1, 16, 30, tzinfo=UTC), noon(2), noon(9)):
        clock.freeze(at)
        await log_in_again(phone)
        got.append((await check_in(phone, campaign)).json())

    assert [(item["stamped"], item["card"]["have"]) for item in got] == [(True, 1), (True, 2), (False, 2), (True, 0)]
    assert got[3]["card"]["rewards"] == 1
    assert got[3]["card"]["checked_in"] is True
    assert [item["id"] for item in await coupons_of(phone)] == got[3]["coupon_ids"]


async def test_a_missed_day_loses_what_was_to_be_in_a_row(admin, phone, clock):
    campaign = await make_campaign(admin, kind="attendance", goal=3, earning={"in_a_row": True})

    async def on(day: int) -> tuple[int, int, int]:
        clock.freeze(noon(day))
        await log_in_again(phone)
        before = (await card(phone, campaign["id"]))["have"]
        after = (await check_in(phone, campaign)).json()["card"]
        return before, after["have"], after["rewards"]

    seen = [await on(day) for day in (1, 2, 4, 5, 6, 7)]

    assert seen == [(0, 1, 0), (1, 2, 0), (0, 1, 0), (1, 2, 0), (2, 0, 1), (0, 1, 1)]
    assert (await card(phone, campaign["id"]))["rule"] == "每天签到一次，连续 3 天得奖励"


async def test_tasks_are_ticked_off_by_what_members_do_and_by_staff(client, chain, admin, phone):
    campaign = await make_campaign(admin, kind="tasks", goal=3, per_member=1, earning={"tasks": TASKS})
    path = f"{CAMPAIGNS}/{campaign['id']}/members/{phone.member_id}"

    await phone.call("PATCH", "/v1/member/profile", {"birthday": "1990-01-02", "gender": "female"})
    await phone.call("PATCH", "/v1/member/profile", {"name": "王小红"})
    async with db.transaction() as tx:
        recharged = Recharged(member_id=phone.member_id, recharge_id="R1", pay_fen=100, bonus_fen=0, points=0)
        await events.publish(tx, recharged)
    await settle()
    two = await card(phone, campaign["id"])
    unknown = await admin.post(f"{path}/tasks", {"task": "other"})
    ticked = await admin.post(f"{path}/tasks", {"task": "visit"})
    again = await admin.post(f"{path}/tasks", {"task": "visit"})
    manager = await log_in(client, chain, "manager-S1")

    assert [(item["code"], item["done"]) for item in two["tasks"]] == [
        ("profile", True),
        ("recharge", True),
        ("visit", False),
    ]
    assert unknown.status_code == 404
    assert ticked.status_code == again.status_code == 200
    assert ticked.json() == again.json()
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 1)
    assert len(await coupons_of(phone)) == 1
    assert (await manager.get(path)).status_code == 404  # a member of no store is head office's
    changes = (await admin.get(f"{CAMPAIGNS}/{campaign['id']}/changes")).json()["items"]
    assert [item["action"] for item in changes] == ["tick", "activate", "create"]


async def test_who_may_not_check_in_is_told_why_and_nothing_moves(client, chain, admin, phone, settings):
    once = await make_campaign(admin, kind="attendance", goal=1, per_member=1)
    assert (await check_in(phone, once)).status_code == 200
    paused = await make_campaign(admin, kind="attendance", goal=2)
    await move(admin, paused["id"], "pause")
    gold = await make_campaign(admin, kind="attendance", goal=2, levels=["gold"])
    early = await make_campaign(admin, kind="attendance", goal=2, starts_at="2090-01-01T00:00:00Z")
    draft = await make_campaign(admin, kind="attendance", goal=2, active=False)
    sales = await make_campaign(admin)
    before = await fingerprint(settings)

    again = (await check_in(phone, once)).json()
    answers = [await check_in(phone, campaign) for campaign in (paused, gold, early, draft, sales)]

    assert again["stamped"] is False
    assert again["card"]["state"] == "complete"
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "campaign_not_running"),
        (409, "campaign_not_for_level"),
        (409, "campaign_not_running"),
        (404, "not_found"),
        (404, "not_found"),
    ]
    assert await fingerprint(settings) == before


async def test_a_complete_card_is_not_stamped_on_another_day(admin, phone, clock):
    campaign = await make_campaign(admin, kind="attendance", goal=1, per_member=1)
    clock.freeze(noon(1))
    await log_in_again(phone)
    await check_in(phone, campaign)

    clock.freeze(noon(2))
    await log_in_again(phone)
    refused = await check_in(phone, campaign)

    assert (refused.status_code, refused.json()["code"]) == (409, "campaign_card_complete")
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 1)
