"""What customers are given for a case: once, within the giver's bounds, told to them, and in the case's history."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from backend.cases.commands import ageing
from backend.kernel import clock as kernel_clock
from backend.kernel import config, db
from tests.support.books import fingerprint
from tests.support.cases import DESK, OWN, complain, do, walk_in
from tests.support.coupons import log_in_again, make_template
from tests.support.members import register
from tests.support.staff import log_in
from tests.support.suggestions import hire, own_id

pytestmark = pytest.mark.usefixtures("books")

GIFTS = f"{DESK}/gifts"
GIFT = {"points": 200, "reason": "配送晚了两小时"}


async def test_points_and_a_coupon_are_given_once_told_and_kept(admin, manager, phone):
    template = await make_template(admin, claim_by="nobody")
    await admin.call("PUT", f"{GIFTS}/{template['id']}")
    made = await complain(phone, store_id="S1")
    body = GIFT | {"template_id": template["id"], "version": 1}

    given = (await manager.post(f"{DESK}/{made['id']}/give", body)).json()
    again = await manager.post(f"{DESK}/{made['id']}/give", body)
    seen = (await phone.call("GET", f"{OWN}/{made['id']}")).json()
    await do(manager, made["id"], "answer", text="抱歉")
    more = await manager.post(f"{DESK}/{made['id']}/give", GIFT | {"version": 3})

    coupons = (await phone.call("GET", "/v1/member/coupons")).json()["items"]
    assert [coupon["id"] for coupon in coupons] == [given["given"]["coupon_id"]]
    assert given["given"] == {
        "points": 200,
        "coupon_id": coupons[0]["id"],
        "words": "200 积分、优惠券「满100减20」",
    }
    assert again.json() == given
    assert (seen["given"], seen["state"]) == (given["given"], "received")
    assert [(step["action"], step["text"]) for step in seen["steps"]][1:] == [("give", "配送晚了两小时")]
    assert (given["steps"][-1]["staff"], given["steps"][-1]["detail"]) == (
        "manager-s1",
        {"points": "200", "template_id": template["id"]},
    )
    assert (more.status_code, more.json()["code"]) == (409, "case_gift_given")
    assert (await phone.wallet())["points"]["available"] == 200
    lines = (await phone.call("GET", "/v1/member/wallet/entries?account=points")).json()["items"]
    assert [(line["amount"], line["title"]) for line in lines] == [(200, "反馈补偿")]
    letters = (await phone.call("GET", "/v1/member/inbox")).json()["items"]
    assert [item["title"] for item in letters] == ["您的反馈有答复了", "给您的补偿已到账"]
    assert "200 积分、优惠券「满100减20」" in letters[1]["body"]


async def test_of_gifts_at_once_one_is_given(admin, manager, phone):
    made = await complain(phone, store_id="S1")
    path = f"{DESK}/{made['id']}/give"

    answers = await asyncio.gather(
        *(manager.post(path, GIFT | {"version": 1}) for _ in range(4)),
        *(admin.post(path, GIFT | {"points": 300 + n, "version": 1}) for n in range(4)),
    )

    assert {answer.status_code for answer in answers} == {200, 409}
    (points,) = {answer.json()["given"]["points"] for answer in answers if answer.status_code == 200}
    assert (await phone.wallet())["points"]["available"] == points
    steps = (await manager.get(f"{DESK}/{made['id']}")).json()["steps"]
    assert [step["action"] for step in steps] == ["open", "give"]


async def test_what_may_not_be_given_is_refused_and_moves_nothing(client, chain, admin, manager, phone, settings):
    sold_out = await make_template(admin, claim_by="nobody", total=1)
    await admin.call("PUT", f"{GIFTS}/{sold_out['id']}")
    hidden = await make_template(admin, claim_by="nobody")
    first, closed = await complain(phone, store_id="S1"), await complain(phone, key="2", store_id="S1")
    await do(manager, first["id"], "give", template_id=sold_out["id"], reason="赔")
    await do(manager, closed["id"], "answer", text="好")
    await do(manager, closed["id"], "close", outcome="solved")
    made, foreign = await complain(phone, key="3", store_id="S1"), await complain(phone, key="4", store_id="S2")
    nobody = await walk_in(manager, key="nobody")
    frozen = await register(client)
    theirs = await complain(frozen, store_id="S1")
    assert (await admin.post(f"/v1/admin/members/{frozen.member_id}/freeze")).status_code == 200
    _, clerk = await hire(client, chain, admin, "clerk-S1", "clerk", "S1")
    before = await fingerprint(settings)

    async def give(who, case, version=1, **gift):
        answer = await who.post(f"{DESK}/{case['id']}/give", {"reason": "x", "version": version} | gift)
        return answer.status_code, answer.json()["code"]

    assert await give(manager, made) == (422, "validation_failed")
    assert await give(manager, made, points=1_001) == (409, "case_gift_limit")
    assert await give(clerk, made, points=201) == (409, "case_gift_limit")
    assert await give(admin, made, points=5_001) == (409, "case_gift_limit")
    assert await give(manager, made, template_id=sold_out["id"]) == (409, "coupon_sold_out")
    assert await give(manager, made, points=10, template_id=sold_out["id"]) == (409, "coupon_sold_out")
    assert await give(manager, made, template_id=hidden["id"]) == (422, "validation_failed")
    assert await give(admin, made, template_id="T0") == (422, "validation_failed")
    assert await give(manager, made, version=2, points=1) == (409, "case_conflict")
    assert await give(manager, foreign, points=1) == (404, "not_found")
    assert await give(manager, closed, version=3, points=1) == (409, "case_conflict")
    assert await give(manager, nobody, points=1) == (409, "case_without_member")
    assert await give(manager, theirs, points=1) == (409, "member_inactive")
    assert await give(manager, made, points=1, reason=" ") == (422, "validation_failed")
    assert await give(manager, made, points=0) == (422, "validation_failed")
    assert await give(manager, made, points=-1) == (422, "validation_failed")
    assert (await manager.call("PUT", f"{GIFTS}/{hidden['id']}")).status_code == 403
    assert (await admin.call("PUT", f"{GIFTS}/T0")).status_code == 422
    assert await fingerprint(settings) == before


async def test_nobody_gives_for_the_own_case(admin, manager, phone, settings):
    made = await complain(phone, store_id="S1")
    await db.fetchval(
        "UPDATE auth_staff SET member_id = $1 WHERE id = $2 RETURNING 1", phone.member_id, int(await own_id(manager))
    )

    refused = await manager.post(f"{DESK}/{made['id']}/give", GIFT | {"version": 1})
    others = await admin.post(f"{DESK}/{made['id']}/give", GIFT | {"version": 1})

    await db.fetchval("UPDATE auth_staff SET member_id = NULL WHERE id = $1 RETURNING 1", int(await own_id(manager)))
    assert (refused.status_code, refused.json()["code"]) == (403, "case_own")
    assert others.status_code == 200


async def test_somebody_gives_so_often_a_day_also_at_once(client, chain, phone, settings, clock):
    config.use(msgspec.structs.replace(settings, case_gifts_a_day="admin=9,manager=2,clerk=0"))
    clock.freeze(kernel_clock.now() + timedelta(days=2))
    await log_in_again(phone)
    mine, office = await log_in(client, chain, "manager-S1"), await log_in(client, chain, "admin")
    _, clerk = await hire(client, chain, office, "clerk-S1-2", "clerk", "S1")
    made = [await complain(phone, key=f"d{n}", store_id="S1") for n in range(5)]
    before = (await mine.get(GIFTS)).json()

    answers = await asyncio.gather(*(mine.post(f"{DESK}/{one['id']}/give", GIFT | {"version": 1}) for one in made[:4]))
    refused = await clerk.post(f"{DESK}/{made[4]['id']}/give", GIFT | {"version": 1})
    after = (await mine.get(GIFTS)).json()
    clock.freeze(kernel_clock.now() + timedelta(days=1))
    mine = await log_in(client, chain, "manager-S1")
    next_day = (await mine.get(GIFTS)).json()

    config.use(settings)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409, 409]
    assert refused.json()["code"] == "case_gift_limit"
    assert [one["gifts_left"] for one in (before, after, next_day)] == [2, 0, 2]
    await log_in_again(phone)
    assert (await phone.wallet())["points"]["available"] == 400


async def test_stores_are_offered_what_head_office_lets_them_give(admin, manager):
    template = await make_template(admin, title="道歉券", claim_by="nobody")

    for _ in range(2):
        await admin.call("PUT", f"{GIFTS}/{template['id']}")
    offered = (await manager.get(GIFTS)).json()
    await admin.call("DELETE", f"{GIFTS}/{template['id']}")
    later = (await manager.get(GIFTS)).json()["coupons"]

    assert {"template_id": template["id"], "title": "道歉券"} in offered["coupons"]
    assert offered["points"] == 1_000
    assert template["id"] not in [one["template_id"] for one in later]


async def test_what_was_given_is_in_the_figures_and_is_what_came_of_it(client, chain, phone, clock):
    clock.freeze(kernel_clock.now() + timedelta(days=30))
    await log_in_again(phone)
    mine = await log_in(client, chain, "manager-S1")
    made = await complain(phone, store_id="S1")
    await do(mine, made["id"], "give", **GIFT)
    await do(mine, made["id"], "answer", text="好")
    day = kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")

    total = (await mine.get(f"{DESK}/statistics?from={day}&to={day}")).json()["total"]
    table = (await mine.get(f"{DESK}/export?from={day}&to={day}")).text
    clock.freeze(kernel_clock.now() + timedelta(days=7))
    await ageing.close_answered()
    await log_in_again(phone)
    seen = (await phone.call("GET", f"{OWN}/{made['id']}")).json()

    assert (total["cases"], total["given"], total["points_given"]) == (1, 1, 200)
    assert "200 积分" in table
    assert (seen["state"], seen["outcome"]) == ("closed", "compensated")
