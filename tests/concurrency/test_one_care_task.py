"""One task of care, one chapter, one announcement: what happens at the same moment happens once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest_asyncio

from backend.care.commands import carrying, judging, running
from backend.kernel import clock, db
from tests.support.care import TASKS, born_today, points_of, started, today
from tests.support.members import register
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings

CHAPTERS = "/v1/admin/handbook/chapters"
ALL = "/v1/admin/announcements"


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


async def test_two_birthday_plans_carried_out_at_once_give_one_gift(admin: StaffSession, client, settings):
    phones = [await register(client) for _ in range(6)]
    for phone in phones:
        await born_today(phone)
    meant = {"member_nos": [phone.member["member_no"] for phone in phones]}
    first = await started(admin, {"on": "birthday"}, template="care.birthday", gift={"points": 10}, audience=meant)
    made = await admin.post(
        "/v1/admin/care-plans",
        {
            "title": "第二份", "trigger": {"on": "birthday"}, "how": "letter", "template": "care.greeting", "hour": 0,
            "gift": {"points": 100}, "audience": meant,
        },
        key=uuid4().hex,
    )  # fmt: skip
    await admin.post(f"/v1/admin/care-plans/{made.json()['id']}/start", {"beside_other_gifts": True})

    await asyncio.gather(*(running.run_due(clock.now()) for _ in range(4)))
    await asyncio.gather(*(carrying.carry_out_due() for _ in range(4)))
    await carrying.carry_out_due()

    both = [first, made.json()["id"]]
    states = await db.fetch(
        "SELECT plan_id, state, count(*) FROM care_task WHERE plan_id = ANY($1) GROUP BY 1, 2", both
    )
    assert {(row[1], row[2]) for row in states} == {("sent", 6)}
    assert len(states) == 2
    assert {await points_of(phone) for phone in phones} <= {10, 100}
    assert await db.fetchval("SELECT count(*) FROM care_birthday_gift WHERE year = $1", today().year) == 6
    assert await db.fetchval("SELECT made FROM care_run WHERE plan_id = $1", first) == 6
    assert await findings(settings) == []


async def test_done_and_skipped_at_once_is_one_of_them_and_the_gift_goes_with_it(admin: StaffSession, client, settings):
    phone = await register(client)
    meant = {"member_nos": [phone.member["member_no"]]}
    plan_id = await started(admin, {"on": "registered"}, how="call", gift={"points": 7}, audience=meant)
    await running.run_due(clock.now())
    task_id = await db.fetchval("SELECT id FROM care_task WHERE plan_id = $1", plan_id)
    done = [admin.post(f"{TASKS}/{task_id}/done", {"note": "好"}) for _ in range(4)]
    skipped = [admin.post(f"{TASKS}/{task_id}/skip", {"note": "不"}) for _ in range(4)]

    answers = await asyncio.gather(*(call for pair in zip(done, skipped, strict=True) for call in pair))

    state = await db.fetchval("SELECT state FROM care_task WHERE id = $1", task_id)
    assert Counter(answer.status_code for answer in answers) == {200: 4, 409: 4}
    assert {answer.json()["status"] for answer in answers if answer.status_code == 200} == {state}
    assert await points_of(phone) == (7 if state == "done" else 0)
    assert await findings(settings) == []


async def test_two_who_judge_at_once_judge_the_same(admin: StaffSession, client):
    phone = await register(client)
    meant = {"member_nos": [phone.member["member_no"]]}
    plan_id = await started(admin, {"on": "registered"}, how="call", window_days=1, audience=meant)
    await running.run_due(clock.now())

    await asyncio.gather(*(judging.judge_due(clock.now() + timedelta(days=2)) for _ in range(3)))

    rows = await db.fetch("SELECT bought, spent_fen, judged_at IS NOT NULL FROM care_task WHERE plan_id = $1", plan_id)
    assert [tuple(row) for row in rows] == [(False, 0, True)]


async def test_one_draft_is_published_once_and_an_announcement_is_read_while_it_is_withdrawn(
    admin: StaffSession, client
):
    phone = await register(client)
    made = await admin.post(CHAPTERS, {"title": "一", "body": "文"}, key=uuid4().hex)
    path = f"{CHAPTERS}/{made.json()['id']}/publish"
    published = await asyncio.gather(*(admin.post(path, {"revision": 1}) for _ in range(4)))
    keyed = [admin.post(ALL, {"title": "x", "body": "x"}, key="at-once") for _ in range(4)]
    same = await asyncio.gather(*keyed)
    (id_,) = {answer.json()["id"] for answer in same}
    await asyncio.gather(*(admin.post(f"{ALL}/{id_}/publish", {"revision": 1}) for _ in range(3)))

    read = [phone.call("POST", f"/v1/member/announcements/{id_}/read") for _ in range(4)]
    answers = await asyncio.gather(*read, admin.post(f"{ALL}/{id_}/withdraw"))

    assert Counter(answer.status_code for answer in published) == {200: 4}
    assert {answer.status_code for answer in answers} <= {204, 404, 200}
    told = any(answer.status_code == 204 for answer in answers)
    assert await db.fetchval("SELECT count(*) FROM notice_receipt WHERE announcement_id = $1", id_) == int(told)
    assert [item["action"] for item in (await admin.get(f"{ALL}/{id_}/changes")).json()["items"]] == [
        "withdraw", "publish", "create",
    ]  # fmt: skip
