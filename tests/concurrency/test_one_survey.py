"""Many answer one survey at once: each once, no quota and no prize is exceeded."""

from __future__ import annotations

import asyncio

import pytest_asyncio

from backend.kernel import db
from tests.support.members import register
from tests.support.races import at_once, outcomes
from tests.support.staff import StaffSession, log_in
from tests.support.surveys import SURVEYS, count, enter, make_survey, no_other_survey, send, taste  # noqa: F401
from tests.support.value import findings


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


async def test_one_member_sends_and_is_entered_many_times_at_once(client, admin, phone, settings):
    survey = await make_survey(admin, reward={"points": 10})

    number = phone.member["member_no"]
    same = [send(phone, survey, key="same") for _ in range(6)]
    others = [send(phone, survey) for _ in range(4)] + [enter(admin, survey, member_no=number) for _ in range(4)]
    answers = await at_once([*same, *others])

    assert await count(survey) == 1
    assert len({answer.status_code for answer in answers[:6]}) == 1  # one key has one answer
    assert sum(answer.status_code == 201 and "idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code != 201} <= {"survey_answered"}
    assert (await phone.wallet())["points"]["available"] == 10
    assert await findings(settings) == []


async def test_the_last_places_and_prizes_go_to_as_many_as_there_are(client, admin, settings):
    prizes = [
        {"title": "奖", "chance_bp": 9_999, "stock": 3, "points": 100},
        {"title": "谢", "chance_bp": 1, "points": 1},
    ]
    quotas = [{"limit": 4, "question": "taste", "choice": "bad"}]
    survey = await make_survey(admin, total=7, quotas=quotas, reward={"prizes": prizes})
    phones = [await register(client) for _ in range(14)]

    sent = await at_once(send(one, survey, taste("bad" if place % 2 else "good")) for place, one in enumerate(phones))

    assert outcomes(sent) == {201: 7, "survey_full": 7} or sum(answer.status_code == 201 for answer in sent) == 7
    taken = {item["key"]: item["taken"] for item in (await admin.get(f"{SURVEYS}/{survey['id']}")).json()["taken"]}
    bad = await db.fetchval("SELECT count(*) FROM survey_choice WHERE survey_id = $1 AND choice = 'bad'", survey["id"])
    assert taken == {"total": 7, "answer:taste:bad": bad}
    assert bad <= 4
    given = await db.fetch("SELECT given FROM survey_prize WHERE survey_id = $1 ORDER BY number", survey["id"])
    assert (given[0][0] <= 3, given[0][0] + given[1][0]) == (True, 7)
    assert await findings(settings) == []


async def test_the_same_paper_is_entered_at_once(admin):
    survey = await make_survey(admin)

    entered = await asyncio.gather(*(enter(admin, survey, key="paper") for _ in range(8)))

    assert {answer.json()["id"] for answer in entered} == {entered[0].json()["id"]}
    assert await count(survey) == 1
