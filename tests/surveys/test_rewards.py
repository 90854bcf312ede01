"""What an answer is given: once, as promised or drawn, and later where it cannot be had at once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from backend.kernel import db
from backend.kernel.db import pool
from backend.ledger import service as ledger
from backend.members.holding import sql_to_strip
from backend.surveys.commands import rewards
from backend.surveys.holdings import HOLDING
from backend.surveys.rules.publishing import pick
from backend.surveys.types import Prize
from tests.support.coupons import coupons_of, make_template
from tests.support.members import register
from tests.support.stamps import GIFT
from tests.support.surveys import enter, gain, make_survey, send

pytestmark = pytest.mark.usefixtures("books")

PRIZES = [
    {"title": "大奖", "chance_bp": 9_999, "stock": 2, "points": 1_000},
    {"title": "谢谢参与", "chance_bp": 1, "points": 1},
]


async def test_a_coupon_is_given_as_a_reward(admin, phone):
    template = await make_template(admin, GIFT, claim_by="nobody", title="问卷礼", per_member=None)
    survey = await make_survey(admin, reward={"template_id": template["id"]})

    won = (await send(phone, survey)).json()["won"]

    got = await gain(phone, survey)
    assert (won["coupon"], got["paid"]) == ("问卷礼", True)
    assert [item["id"] for item in await coupons_of(phone)] == got["coupon_ids"]


async def test_a_reward_that_has_run_out_is_paid_when_there_is_more_and_once(admin, phone, clock):
    template = await make_template(admin, GIFT, claim_by="nobody", title="问卷礼", per_member=None, total=1)
    survey = await make_survey(admin, reward={"template_id": template["id"]})
    other = await register(phone.client)
    await send(other, survey)

    sent = await send(phone, survey, key="k")
    assert (sent.status_code, (await gain(phone, survey))["paid"]) == (201, False)
    path = f"/v1/admin/coupons/templates/{template['id']}/offer"
    await admin.call("PUT", path, {"claim_by": "nobody", "per_member": None, "total": 5})
    assert await rewards.pay_due() == 0  # it was tried just now
    clock.shift(timedelta(minutes=11))
    tried = await rewards.pay_due(), await rewards.pay_due()

    assert tried == (1, 0)
    (coupon,) = [item["template_id"] for item in await _coupons(phone)]
    assert coupon == template["id"]


async def test_what_cannot_be_had_for_days_is_tried_less_often(admin, phone, clock):
    template = await make_template(admin, GIFT, claim_by="nobody", title="问卷礼", per_member=None, total=1)
    survey = await make_survey(admin, reward={"template_id": template["id"]})
    await send(await register(phone.client), survey)
    await send(phone, survey)
    clock.shift(timedelta(minutes=11))
    assert await rewards.pay_due() == 1
    clock.shift(timedelta(days=3))
    assert await rewards.pay_due() == 1

    clock.shift(timedelta(hours=5))
    assert await rewards.pay_due() == 0
    clock.shift(timedelta(hours=1, seconds=1))
    assert await rewards.pay_due() == 1


async def test_a_reward_that_waits_ends_with_its_member(phone, admin):
    survey = await make_survey(admin, reward={"points": 7})
    async with db.transaction() as tx:
        await ledger.set_member_status(tx, phone.member_id, active=False)
    await enter(admin, survey, member_no=phone.member["member_no"])
    (table,) = [one for one in HOLDING.tables if one.name == "survey_participation"]

    await db.pool().execute(sql_to_strip(table), phone.member_id)
    await db.pool().execute("UPDATE survey_participation SET tried_at = NULL WHERE member_id = $1", phone.member_id)

    await rewards.pay_due()

    row = await db.fetchrow("SELECT outcome, tried_at FROM survey_participation WHERE member_id = $1", phone.member_id)
    assert (row["outcome"], row["tried_at"]) == (None, None)


async def _coupons(phone):
    rows = await db.fetch("SELECT template_id FROM coupon WHERE member_id = $1", phone.member_id)
    return [dict(row) for row in rows]


async def test_a_frozen_member_s_reward_waits(admin, phone):
    survey = await make_survey(admin, reward={"points": 7})
    entered = await enter(admin, survey, member_no=phone.member["member_no"])
    assert entered.status_code == 201, entered.text
    assert (await phone.wallet())["points"]["available"] == 7

    other = await register(phone.client)
    async with db.transaction() as tx:
        await ledger.set_member_status(tx, other.member_id, active=False)
    entered = await enter(admin, survey, member_no=other.member["member_no"])
    waiting = await pool().fetchval(
        "SELECT paid FROM survey_participation WHERE member_id = $1 AND survey_id = $2", other.member_id, survey["id"]
    )

    assert (entered.status_code, waiting) == (201, False)


async def test_no_prize_is_given_more_often_than_there_are(client, admin):
    survey = await make_survey(admin, reward={"prizes": PRIZES})
    phones = [await register(client) for _ in range(5)]

    gains = [(await send(phone, survey)).json()["won"] for phone in phones]

    won = Counter((one["prize"], one["points"]) for one in gains)
    assert won["大奖", 1_000] <= 2
    assert won["大奖", 1_000] + won["谢谢参与", 1] == 5
    rows = await pool().fetch(
        "SELECT stock, given FROM survey_prize WHERE survey_id = $1 ORDER BY number", survey["id"]
    )
    assert [tuple(row) for row in rows] == [(2, won["大奖", 1_000]), (None, won["谢谢参与", 1])]
    assert (await phones[0].wallet())["points"]["available"] == gains[0]["points"]


def test_every_number_draws_one_prize_as_often_as_its_chance_says():
    prizes = [Prize(title=str(chance), chance_bp=chance, points=1) for chance in (1, 4_999, 5_000)]

    drawn = Counter(pick(prizes, number) for number in range(10_000))

    assert drawn == {0: 1, 1: 4_999, 2: 5_000}


async def test_what_was_paid_is_not_paid_again(admin, phone):
    survey = await make_survey(admin, reward={"points": 9})
    await send(phone, survey)

    again = [await rewards.pay(survey["id"], phone.member_id) for _ in range(2)]

    assert again == [None, None]
    assert (await phone.wallet())["points"]["available"] == 9
