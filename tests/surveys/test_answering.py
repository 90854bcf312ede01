"""A member answers: what is saved, what is sent, once, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db
from backend.surveys.commands import forgetting
from backend.surveys.queries import counting
from tests.support.books import fingerprint
from tests.support.coupons import log_in_again
from tests.support.members import register
from tests.support.staff import log_in
from tests.support.surveys import MINE, NPS, SURVEYS, TASTE, WHY, count, gain, make_survey, move, pages, send, taste

pytestmark = pytest.mark.usefixtures("books")


async def test_a_survey_is_listed_answered_once_and_rewarded_once(admin, phone):
    survey = await make_survey(admin, reward={"points": 20})
    listed = (await phone.call("GET", MINE)).json()

    sent = await send(phone, survey, key="first")
    again = await send(phone, survey, key="first")
    other = await send(phone, survey, key="second")
    changed = await send(phone, survey, taste("bad"), key="first")

    assert [(item["id"], item["standing"], item["reward"]["points"]) for item in listed["items"]] == [
        (survey["id"], "open", 20)
    ]
    assert sent.status_code == 201, sent.text
    assert sent.json()["won"] == {"prize": None, "points": 20, "coupon": None}
    assert (await gain(phone, survey)) == {"prize": None, "points": 20, "coupon": None, "coupon_ids": [], "paid": True}
    assert again.json() == sent.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "survey_answered")
    assert (changed.status_code, changed.json()["code"]) == (409, "idempotency_conflict")
    assert (await phone.wallet())["points"]["available"] == 20
    after = (await phone.call("GET", MINE)).json()
    assert after["items"] == []
    assert [(item["id"], item["standing"]) for item in after["done"]] == [(survey["id"], "done")]
    assert await count(survey) == 1


async def test_what_is_saved_comes_back_on_another_phone_and_the_later_stays(admin, phone):
    survey = await make_survey(admin)
    path = f"{MINE}/{survey['id']}/progress"
    first = {"version": 1, "revision": 1, "page": 1, "answers": [{"question": "taste", "choices": ["good"]}]}

    saved = await phone.call("PUT", path, first)
    await log_in_again(phone)
    seen = (await phone.call("GET", f"{MINE}/{survey['id']}")).json()
    later = await phone.call("PUT", path, first | {"revision": 3, "answers": taste("bad")})
    late = await phone.call("PUT", path, first | {"revision": 2})

    assert saved.status_code == 200, saved.text
    assert (seen["standing"], seen["saved"]["page"]) == ("begun", 1)
    assert seen["saved"]["answers"] == [{"question": "taste", "choices": ["good"]}]
    assert later.json()["revision"] == late.json()["revision"] == 3
    assert late.json()["answers"] == taste("bad")
    await send(phone, survey)
    assert (await phone.call("PUT", path, first | {"revision": 4})).json()["code"] == "survey_answered"
    assert await db.fetchval("SELECT saved FROM survey_participation WHERE survey_id = $1", survey["id"]) is None


JUMPING: list[Any] = [
    {**TASTE, "jumps": [{"to": "why", "any_of": ["bad"]}]},
    {"id": "praise", "kind": "text", "title": "哪里好", "jumps": [{"to": "end"}]},
    WHY | {"required": True},
]

REFUSED: dict[str, tuple[list[Any], str]] = {
    "hidden": (
        [
            {"question": "taste", "choices": ["good"]},
            {"question": "praise", "text": "x"},
            {"question": "why", "text": "y"},
        ],
        "/answers/2/question",
    ),
    "unknown": ([{"question": "nothing", "text": "x"}], "/answers/0/question"),
    "missing": ([{"question": "taste", "choices": ["bad"]}], "/answers"),
    "blank": ([{"question": "taste", "choices": ["bad"]}, {"question": "why", "text": "  "}], "/answers"),
    "twice": ([{"question": "taste", "choices": ["bad"]}] * 2, "/answers/1/question"),
    "two of one": ([{"question": "taste", "choices": ["good", "bad"]}], "/answers/0/choices"),
    "no option": ([{"question": "taste", "choices": ["worse"]}], "/answers/0/choices"),
    "another field": ([{"question": "taste", "number": 1}], "/answers/0/number"),
    "a text of no option": ([{"question": "taste", "choices": ["bad"], "text": "x"}], "/answers/0/text"),
}


async def test_only_what_was_shown_is_answered_and_all_that_is_required(admin, phone, settings):
    survey = await make_survey(admin, *JUMPING)
    before = await fingerprint(settings)

    refused = {name: await send(phone, survey, answers) for name, (answers, _) in REFUSED.items()}

    told = {name: (answer.status_code, answer.json()["errors"][0]["pointer"]) for name, answer in refused.items()}
    assert told == {name: (422, pointer) for name, (_, pointer) in REFUSED.items()}
    assert await fingerprint(settings) == before
    right: list[Any] = [{"question": "taste", "choices": ["bad"]}, {"question": "why", "text": "太甜"}]
    assert (await send(phone, survey, right)).status_code == 201


async def test_closed_paused_foreign_and_early_surveys_take_nothing(client, admin, phone, settings):
    stranger = await register(client)
    foreign = await make_survey(admin, audience={"member_nos": [stranger.member["member_no"]]})
    closed, paused = await make_survey(admin), await make_survey(admin)
    early = await make_survey(admin, opens_at="2999-01-01T00:00:00Z")
    draft = await make_survey(admin, published=False)
    await move(admin, closed["id"], "close")
    await move(admin, paused["id"], "pause")
    before = await fingerprint(settings)

    async def outcome(survey):
        sent = await send(phone, survey, version=1)
        return sent.status_code, sent.json()["code"]

    assert await outcome(foreign) == (404, "not_found")
    assert await outcome(draft) == (404, "not_found")
    assert await outcome(closed) == await outcome(paused) == await outcome(early) == (409, "survey_closed")
    assert (await phone.call("GET", f"{MINE}/{foreign['id']}")).status_code == 404
    unopened = (await phone.call("GET", f"{MINE}/{early['id']}")).json()
    assert (unopened["standing"], unopened["content"]) == ("not_yet", {})  # nobody learns the questions before
    assert (await phone.call("GET", MINE)).json()["items"] == []
    assert await fingerprint(settings) == before
    assert (await send(stranger, foreign)).status_code == 201


async def test_the_closing_time_is_an_instant(admin, phone, clock):
    survey = await make_survey(admin, closes_at="2999-01-01T00:00:00Z")
    await db.pool().execute("UPDATE survey SET closes_at = $2 WHERE id = $1", survey["id"], kernel_clock.now())

    assert (await send(phone, survey)).json()["code"] == "survey_closed"
    assert await count(survey) == 0


async def test_a_new_version_is_answered_and_what_still_fits_is_kept(admin, phone):
    survey = await make_survey(admin)
    await phone.call("PUT", f"{MINE}/{survey['id']}/progress", {"version": 1, "revision": 1, "answers": taste()})
    body = {name: survey[name] for name in ("project_id", "title", "audience")}
    changed = {**TASTE, "options": TASTE["options"][1:]}
    await admin.call("PUT", f"{SURVEYS}/{survey['id']}", body | {"content": pages(changed, NPS)})
    assert (await phone.call("GET", f"{MINE}/{survey['id']}")).json()["version"] == 1
    newer = await move(admin, survey["id"], "publish")

    late = await send(phone, survey)
    seen = (await phone.call("GET", f"{MINE}/{survey['id']}")).json()

    assert newer["version"] == 2
    assert (late.status_code, late.json()["code"]) == (409, "survey_version_changed")
    assert seen["saved"]["answers"] == [{"question": "nps", "number": 9}]
    assert (await send(phone, newer, taste("bad"))).status_code == 201


async def test_right_answers_are_told_afterwards_only(admin, phone):
    quiz = {**TASTE, "reference": {"choices": ["good"], "score": 5, "note": "当然"}}
    number = {"id": "n", "kind": "number", "title": "几岁", "reference": {"at_least": 3, "at_most": 4, "score": 2}}
    content = pages(quiz, number) | {"reveal": "answers", "thanks": "谢谢"}
    survey = await make_survey(admin, content=content)
    shown = await phone.call("GET", f"{MINE}/{survey['id']}")

    sent = await send(phone, survey, [{"question": "taste", "choices": ["good"]}, {"question": "n", "number": 5}])

    assert "reference" not in shown.text
    assert "当然" not in shown.text
    told = sent.json()
    assert (told["score"], told["score_of"], told["thanks"]) == (5, 7, "谢谢")
    assert [(item["question"], item["right"], item["note"]) for item in told["rights"]] == [
        ("taste", True, "当然"),
        ("n", False, ""),
    ]


async def test_an_anonymous_answer_has_no_member_and_no_hour(client, chain, admin, phone, clock):
    survey = await make_survey(admin, anonymous=True, reward={"points": 5})
    clock.freeze(datetime(2027, 5, 1, 3, 4, 5, tzinfo=UTC))
    await log_in_again(phone)

    sent = await send(phone, survey, key="k")
    again = await send(phone, survey, key="k")

    assert (sent.status_code, again.json()) == (201, sent.json())
    answer = await db.fetchrow("SELECT * FROM survey_answer WHERE survey_id = $1", survey["id"])
    part = await db.fetchrow("SELECT * FROM survey_participation WHERE survey_id = $1", survey["id"])
    assert (answer["member_id"], answer["at"], answer["request_hash"]) == (None, None, None)
    assert (part["answer_id"], part["request_hash"], part["saved"]) == (None, None, None)
    assert (await phone.wallet())["points"]["available"] == 5
    admin = await log_in(client, chain, "admin")
    raw = (await admin.get(f"{SURVEYS}/{survey['id']}/answers")).json()["items"]
    assert [(item["member_no"], item["at"], item["store_id"], item["level"]) for item in raw] == [(None,) * 4]


async def test_what_has_enough_answers_of_the_member_s_level_is_not_begun_in_vain(admin, phone):
    survey = await make_survey(admin, quotas=[{"limit": 1, "level": "basic"}])
    assert (await send(await register(phone.client), survey)).status_code == 201

    listed = (await phone.call("GET", MINE)).json()["items"]
    found = (await phone.call("GET", f"{MINE}/{survey['id']}")).json()

    assert (listed, found["standing"]) == ([], "full")


async def test_what_was_saved_and_never_sent_is_forgotten_once_the_survey_is_over(admin, phone, clock):
    ends = (kernel_clock.now() + timedelta(days=1)).isoformat()
    closed, open_ = [await make_survey(admin, anonymous=True) for _ in range(2)]
    over = await make_survey(admin, closes_at=ends)
    body = {"version": 1, "revision": 1, "page": 1, "answers": taste()[:1]}
    for survey in (closed, over, open_):
        assert (await phone.call("PUT", f"{MINE}/{survey['id']}/progress", body)).status_code == 200
    await move(admin, closed["id"], "close")

    async def saved():
        rows = await db.fetch("SELECT survey_id FROM survey_participation WHERE saved IS NOT NULL")
        return {row["survey_id"] for row in rows} & {closed["id"], over["id"], open_["id"]}

    assert await forgetting.drop_saved() >= 1
    assert await saved() == {over["id"], open_["id"]}
    clock.shift(timedelta(days=1) + forgetting.UNUSED + timedelta(seconds=1))
    await forgetting.drop_saved()
    assert await saved() == {open_["id"]}
    assert await counting.count_begun(closed["id"]) == 1
