"""Staff enter answers from paper and telephone, marked as such; and sales invite."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.kernel import db, events, outbox
from backend.ledger.events import SaleCompleted
from tests.support.books import fingerprint
from tests.support.coupons import log_in_again
from tests.support.members import register
from tests.support.staff import log_in
from tests.support.surveys import MINE, SURVEYS, count, enter, make_survey, move, send, taste

pytestmark = pytest.mark.usefixtures("books")


async def test_what_is_entered_says_who_did_and_from_what_and_counts_once(client, chain, admin, phone):
    survey = await make_survey(admin, reward={"points": 3})
    clerk = await log_in(client, chain, "manager-S2")

    entered = await enter(clerk, survey, key="k", medium="telephone", member_no=phone.member["member_no"])
    again = await enter(clerk, survey, key="k", medium="telephone", member_no=phone.member["member_no"])
    conflict = await enter(clerk, survey, key="k")
    twice = await enter(admin, survey, member_no=phone.member["member_no"])
    by_phone = await send(phone, survey)

    assert entered.status_code == 201, entered.text
    assert (again.json(), again.headers["idempotency-replayed"]) == (entered.json(), "true")
    assert conflict.json()["code"] == "idempotency_conflict"
    assert twice.json()["code"] == by_phone.json()["code"] == "survey_answered"
    assert (await phone.wallet())["points"]["available"] == 3
    (raw,) = (await admin.get(f"{SURVEYS}/{survey['id']}/answers")).json()["items"]
    assert (raw["medium"], raw["entered_by"], raw["store_id"]) == ("telephone", entered.json()["entered_by"], "S2")
    assert raw["member_no"] == phone.member["member_no"]


async def test_answers_of_strangers_count_and_reward_nobody(admin):
    survey = await make_survey(admin, reward={"points": 3})

    assert [(await enter(admin, survey)).status_code for _ in range(2)] == [201, 201]
    assert await count(survey) == 2


async def test_what_cannot_be_entered(admin, phone, settings):
    anonymous = await make_survey(admin, anonymous=True)
    foreign = await make_survey(admin, audience={"registered_until": "2001-01-01"})
    running = await make_survey(admin)
    draft = await make_survey(admin, published=False)
    closed = await make_survey(admin)
    await move(admin, closed["id"], "close")
    number = phone.member["member_no"]
    frozen = await register(phone.client)
    assert (await admin.post(f"/v1/admin/members/{frozen.member_id}/freeze")).status_code == 200
    before = await fingerprint(settings)

    async def outcome(survey, **fields):
        answer = await enter(admin, survey, **fields)
        return answer.status_code, answer.json()["code"]

    assert await outcome(anonymous, store_id="S404") == (404, "not_found")
    assert await outcome(anonymous, member_no=number) == (422, "validation_failed")
    assert await outcome(foreign, member_no=number) == (422, "validation_failed")
    assert await outcome(running, member_no=frozen.member["member_no"]) == (422, "validation_failed")
    assert await outcome(foreign, member_no="100000000000") == (422, "validation_failed")
    assert await outcome(foreign, version=2) == (422, "validation_failed")
    assert await outcome(foreign, answers=[]) == (422, "validation_failed")
    assert await outcome(draft) == await outcome(closed) == (409, "survey_closed")
    assert await fingerprint(settings) == before


async def test_paper_of_an_earlier_version_is_entered_as_such(admin):
    survey = await make_survey(admin)
    body = {name: survey[name] for name in ("project_id", "title")} | {
        "content": {"pages": survey["content"]["pages"][1:]}
    }
    await admin.call("PUT", f"{SURVEYS}/{survey['id']}", body)
    await move(admin, survey["id"], "publish")

    old = await enter(admin, survey, version=1)
    new = await enter(admin, survey)

    assert (old.status_code, new.status_code) == (201, 422)
    versions = (await admin.get(f"{SURVEYS}/{survey['id']}/statistics")).json()["versions"]
    assert versions == [{"key": "1", "answers": 1}]


async def test_the_quota_is_exact_whoever_answers(admin, phone):
    survey = await make_survey(admin, total=2, quotas=[{"limit": 1, "question": "taste", "choice": "bad"}])
    await enter(admin, survey, answers=taste("bad"))

    bad = await send(phone, survey, taste("bad"))
    good = await send(phone, survey)
    more = await enter(admin, survey)

    assert (bad.status_code, bad.json()["code"]) == (409, "survey_full")
    assert good.status_code == 201
    assert more.json()["code"] == "survey_full"
    assert await count(survey) == 2


async def sold(phone, store_id="S1", fen=5_000):
    async with db.transaction() as tx:
        sale = SaleCompleted(member_id=phone.member_id, sale_id="S1", store_id=store_id, payable_fen=fen)
        await events.publish(tx, sale)
    await outbox.drain()


async def test_a_sale_invites_its_buyer_for_some_days_and_not_too_often(admin, phone, clock):
    after = {"within_days": 7, "every_days": 30, "min_fen": 1_000, "store_ids": ["S1"]}
    survey = await make_survey(admin, after_sale=after)

    async def is_invited():
        await log_in_again(phone)
        return (await phone.call("GET", f"{MINE}/{survey['id']}")).status_code == 200

    assert not await is_invited()
    await sold(phone, store_id="S2")
    await sold(phone, fen=999)
    assert not await is_invited()
    await sold(phone)
    assert await is_invited()
    clock.shift(timedelta(days=8))
    await sold(phone)
    assert not await is_invited()
    clock.shift(timedelta(days=23))
    await sold(phone)
    assert await is_invited()
    assert (await send(phone, survey)).status_code == 201
    assert await db.fetchval("SELECT store_id FROM survey_answer WHERE survey_id = $1", survey["id"]) == "S1"


async def test_a_later_sale_asks_anew_and_the_first_answer_alone_is_rewarded(admin, phone, clock):
    survey = await make_survey(admin, after_sale={"within_days": 7, "every_days": 30}, reward={"points": 5})

    async def standing():
        await log_in_again(phone)
        return (await phone.call("GET", f"{MINE}/{survey['id']}")).json()

    await sold(phone)
    first = await send(phone, survey, taste("good", 9), key="first")
    clock.shift(timedelta(days=29))
    await sold(phone)
    too_soon, twice = await standing(), await send(phone, survey)
    clock.shift(timedelta(days=1))
    await sold(phone)
    anew = await standing()
    late = await send(phone, survey, taste("good", 9), key="first")  # a phone that never heard of its first answer
    second = await send(phone, survey, taste("bad", 2), key="second")
    third = await send(phone, survey)

    assert (first.status_code, first.json()["won"]["points"]) == (201, 5)
    assert (too_soon["standing"], twice.json()["code"]) == ("done", "survey_answered")
    assert (anew["standing"], anew["reward"], anew["gain"]) == ("open", None, None)
    assert (late.json(), late.headers["idempotency-replayed"]) == (first.json(), "true")
    assert (second.status_code, second.json()["won"]) == (201, None)
    assert third.json()["code"] == "survey_answered"
    assert (await phone.wallet())["points"]["available"] == 5
    done = (await phone.call("GET", MINE)).json()["done"]
    assert [(one["id"], (one["gain"] or {}).get("points")) for one in done] == [(survey["id"], None), (survey["id"], 5)]
    assert await count(survey) == 2

    clock.shift(timedelta(days=30))
    await sold(phone)
    assert (await standing())["standing"] == "open"
    clock.shift(timedelta(days=8))
    assert (await standing())["standing"] == "done"  # too late for a third; what was answered is still to be seen
    assert (await send(phone, survey)).json()["code"] == "survey_answered"
