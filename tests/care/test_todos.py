"""To-dos and birthdays: who sees them, who does them, and what their end gives."""

from __future__ import annotations

import asyncio
import re
from datetime import date, timedelta
from uuid import uuid4

import pytest

from backend.care import queries
from backend.care.commands import running
from backend.care.queries.tasks import TASK, _where
from backend.care.types import TaskState
from backend.kernel import clock, db
from tests.support.books import fingerprint
from tests.support.care import PLANS, TASKS, born_today, points_of, started, today
from tests.support.cases import complain
from tests.support.members import register
from tests.support.suggestions import hire

pytestmark = pytest.mark.usefixtures("quiet")

BIRTHDAYS = "/v1/admin/birthdays"


async def of_store(phone, store_id: str | None) -> None:
    await db.fetchval("UPDATE member SET store_id = $2 WHERE id = $1", phone.member_id, store_id)


async def calls(admin, *phones, **fields) -> list[str]:
    """Open calls to these members, their ids in the members' order."""
    for phone in phones:
        await born_today(phone)
    plan_id = await started(admin, {"on": "birthday"}, how="call", due_days=0, **fields)
    await running.run_due(clock.now())
    found = {i["member"]["id"]: i["id"] for i in (await admin.get(f"{TASKS}?plan_id={plan_id}")).json()["items"]}
    return [found[phone.member["id"]] for phone in phones]


async def test_a_call_is_made_by_the_members_store_and_gives_its_gift_once(admin, manager, phone, books):
    await of_store(phone, "S1")
    (task_id,) = await calls(admin, phone, gift={"points": 20})
    one = f"{TASKS}/{task_id}"

    listed = (await manager.get(f"{TASKS}?status=open")).json()["items"]
    number = await manager.post(f"{one}/number")
    answers = await asyncio.gather(*(manager.post(f"{one}/done", {"note": "很高兴"}) for _ in range(4)))

    assert [(i["id"], i["status"], i["member"]["name_masked"], i["due_on"]) for i in listed] == [
        (task_id, "open", "王**", today().isoformat())
    ]
    assert number.json()["phone"].startswith("139")
    assert {(a.status_code, a.json()["status"], a.json()["note"]) for a in answers} == {(200, "done", "很高兴")}
    assert answers[0].json()["given"] == {"points": 20}
    assert await points_of(phone) == 20
    said = (await manager.get(f"{one}/changes")).json()["items"]
    assert [item["action"] for item in said] == ["number"]
    late = await manager.post(f"{one}/number")
    assert (late.status_code, late.json()["code"]) == (409, "care_task_conflict")


async def test_another_stores_task_is_not_there(admin, manager, client, phone, settings):
    await of_store(phone, "S2")
    other = await register(client)
    await of_store(other, None)
    ids = await calls(admin, phone, other)
    before = await fingerprint(settings)

    for task_id in ids:
        for method, path, body in (
            ("GET", "", None), ("POST", "/done", {}), ("POST", "/skip", {"note": "x"}), ("POST", "/assign", {}),
            ("POST", "/number", None), ("GET", "/changes", None),
        ):  # fmt: skip
            answer = await manager.call(method, f"{TASKS}/{task_id}{path}", body)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert not set(ids) & {item["id"] for item in (await manager.get(TASKS)).json()["items"]}
    assert (await manager.get(f"{TASKS}?store_id=S2")).status_code == 404
    assert (await manager.get(f"{BIRTHDAYS}?store_id=S2")).status_code == 404
    assert (await manager.get(f"{TASKS}/statistics?from=2026-01-01&to=2026-12-31&store_id=S2")).status_code == 404
    assert await fingerprint(settings) == before


async def test_a_todo_is_skipped_with_a_reason_and_handed_on(admin, manager, chain, office, phone, client):
    other = await register(client)
    await of_store(phone, "S1")
    await of_store(other, "S1")
    skipped, handed = await calls(admin, phone, other)
    body = {"username": f"c-{uuid4().hex[:6]}", "password": "correct horse", "role": "clerk", "store_id": "S2"}
    clerk = await admin.post("/v1/admin/staff", body)
    foreign = clerk.json()["staff"]["id"]
    own = (await db.fetchrow("SELECT id::text FROM auth_staff WHERE lower(username) = 'manager-s1'"))[0]

    assert (await manager.post(f"{TASKS}/{skipped}/skip", {"note": ""})).status_code == 422
    first = await manager.post(f"{TASKS}/{skipped}/skip", {"note": "不想被打扰"})
    again = await manager.post(f"{TASKS}/{skipped}/skip", {"note": "别的"})
    done = await manager.post(f"{TASKS}/{skipped}/done", {})
    refused = await manager.post(f"{TASKS}/{handed}/assign", {"staff_id": foreign})
    given = await manager.post(f"{TASKS}/{handed}/assign", {"staff_id": own})
    mine = (await manager.get(f"{TASKS}?mine=true")).json()["items"]
    back = await manager.post(f"{TASKS}/{handed}/assign", {})

    assert (first.json()["status"], again.json()["note"]) == ("skipped", "不想被打扰")
    assert (done.status_code, done.json()["code"]) == (409, "care_task_conflict")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/staff_id")
    assert (given.json()["owner_id"], [item["id"] for item in mine]) == (own, [handed])
    assert back.json()["owner_id"] is None


async def test_what_is_overdue_is_listed_and_counted(admin, manager, phone):
    await of_store(phone, "S1")
    (task_id,) = await calls(admin, phone)
    await db.fetchval("UPDATE care_task SET due_on = due_on - 1 WHERE id = $1", task_id)

    overdue = (await manager.get(f"{TASKS}?status=overdue")).json()["items"]
    period = f"from={today()}&to={today()}"
    numbers = (await manager.get(f"{TASKS}/statistics?{period}")).json()

    assert task_id in [item["id"] for item in overdue]
    assert {item["status"] for item in overdue} == {"overdue"}
    assert numbers["overdue"] == len(overdue)
    (kind,) = [k for k in numbers["kinds"] if (k["on"], k["how"]) == ("birthday", "call")]
    assert kind["overdue"] == len(overdue)
    for bad in ("from=2026-02-01&to=2026-01-01", "from=2024-01-01&to=2026-01-01", "from=x&to=2026-01-01"):
        assert (await manager.get(f"{TASKS}/statistics?{bad}")).status_code == 422


async def test_numbers_are_drawn_and_said_in_words(admin, manager, phone):
    await of_store(phone, "S1")
    plan_id = await started(
        admin, {"on": "registered"}, how="call", title="<回访>", audience={"member_nos": [phone.member["member_no"]]}
    )
    await running.run_due(clock.now())

    drawn = await manager.get(f"{TASKS}/statistics.svg?from={today()}&to={today()}")
    effect = await admin.get(f"{PLANS}/{plan_id}/effect.svg")
    refused = await manager.get(f"{PLANS}/{plan_id}/effect.svg")

    assert drawn.headers["content-type"] == "image/svg+xml"
    assert '<title id="t">关怀任务</title>' in drawn.text
    assert "入会后 · 电话" in drawn.text
    assert "&lt;回访&gt;：14 天内购买的会员" in effect.text
    assert "没有留出对照组，无法判断关怀是否有效。" in effect.text
    assert refused.status_code == 403
    painted = await admin.get(f"{PLANS}/{plan_id}/effect.png")
    assert painted.content.startswith(b"\x89PNG") or painted.json()["code"] == "chart_unavailable"


async def test_those_who_were_cared_for_most_are_named_masked(admin, manager, client, phone):
    await of_store(phone, "S1")
    for _ in range(2):
        (task_id,) = await calls(admin, phone)
        await db.fetchval("UPDATE care_plan SET state = 'ended'")
        assert (await manager.post(f"{TASKS}/{task_id}/done", {})).status_code == 200

    numbers = (await manager.get(f"{TASKS}/statistics?from={today()}&to={today()}")).json()

    assert numbers["most"][0] == {
        "member": {
            "id": phone.member["id"],
            "member_no": phone.member["member_no"],
            "name_masked": "王**",
            "level": phone.member["level"]["code"],
        },
        "times": 2,
    }


async def test_todays_birthdays_are_a_stores_list_with_what_there_is_to_do(admin, manager, client, phone):
    elsewhere, others = await register(client), [await register(client) for _ in range(2)]
    await of_store(elsewhere, "S2")
    await born_today(elsewhere)
    for one in (phone, *others):
        await of_store(one, "S1")
        await born_today(one, 1988)
    before = (await manager.get(BIRTHDAYS)).json()
    (task_id,) = await calls(admin, phone)

    page = (await manager.get(f"{BIRTHDAYS}?limit=2")).json()
    rest = (await manager.get(f"{BIRTHDAYS}?limit=2&cursor={page['next_cursor']}")).json()
    items = {item["member"]["id"]: item for item in page["items"] + rest["items"]}

    assert {item["task"] for item in before["items"]} == {None}
    assert set(items) == {one.member["id"] for one in (phone, *others)}
    assert items[phone.member["id"]]["task"]["id"] == task_id
    assert items[others[0].member["id"]]["turns"] == today().year - 1988
    assert rest["next_cursor"] is None
    text = (await manager.get(BIRTHDAYS)).text
    assert re.search(r"(?<!\d)1\d{10}(?!\d)", text) is None, "a telephone number"
    assert "王小明" not in text
    assert elsewhere.member["id"] in [i["member"]["id"] for i in (await admin.get(BIRTHDAYS)).json()["items"]]


async def test_who_was_born_on_29_february_has_it_on_the_28th_in_other_years(admin, phone):
    await db.fetchval("UPDATE member SET birthday = '2000-02-29' WHERE id = $1", phone.member_id)

    async def listed(on: str) -> int:
        return len((await admin.get(f"{BIRTHDAYS}?on={on}")).json()["items"])

    assert [await listed(on) for on in ("2027-02-28", "2027-03-01", "2028-02-28", "2028-02-29")] == [1, 0, 0, 1]
    assert (await admin.get(f"{BIRTHDAYS}?on=0001-01-01")).status_code == 422


async def test_the_plan_of_birthdays_is_there_from_the_beginning(admin):
    found = (await admin.get(f"{PLANS}/BIRTHDAY")).json()

    assert (found["title"], found["trigger"], found["how"], found["gift"]) == (
        "生日问候",
        {"on": "birthday"},
        "call",
        None,
    )
    assert date.fromisoformat(found["created_at"][:10]) <= today() + timedelta(days=1)


async def test_nothing_is_given_to_who_may_not_see_to_it(admin, manager, chain, office, phone, settings):
    """An auditor of the store reads figures; a case, a to-do, a plan or a box of theirs would lie there for good."""
    auditor, _ = await hire(office, chain, admin, f"a-{uuid4().hex[:6]}", "auditor", "S1")
    await of_store(phone, "S1")
    (todo,) = await calls(admin, phone)
    case = await complain(phone, store_id="S1")
    plan = {"title": "x", "trigger": {"on": "birthday"}, "how": "call", "owner_id": auditor}
    before = await fingerprint(settings)

    refused = [
        await manager.post(f"{TASKS}/{todo}/assign", {"staff_id": auditor}),
        await manager.post(f"/v1/admin/cases/{case['id']}/assign", {"staff_id": auditor, "version": 1}),
        await admin.post(PLANS, plan, key=uuid4().hex),
        await admin.post("/v1/admin/suggestion-boxes", {"title": "食堂", "administrators": [auditor]}),
    ]
    listed = (await manager.get("/v1/admin/cases/assignees")).json()["items"]

    assert [(one.status_code, one.json()["errors"][0]["pointer"]) for one in refused] == [
        (422, "/staff_id"), (422, "/staff_id"), (422, "/owner_id"), (422, "/administrators/0"),
    ]  # fmt: skip
    assert auditor not in {one["staff_id"] for one in listed}
    assert await fingerprint(settings) == before


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"state": TaskState.FAILED}, "care_task_failed"),
        ({"state": TaskState.OPEN, "store_id": "S1"}, "care_task_todo"),
        ({"owner_id": 7}, "care_task_of_owner"),
    ],
)
async def test_a_short_list_among_many_tasks_has_its_index(database, wanted, index):
    """Else it is looked for among all tasks of all years, whenever somebody opens the page."""
    where, arguments = _where(queries.Wanted(today=today(), **wanted))
    async with db.transaction() as tx:
        await db.raw(tx).execute("SET LOCAL enable_seqscan = off")
        await db.raw(tx).execute("SET LOCAL enable_bitmapscan = off")
        rows = await db.fetch_in(
            tx,
            f"EXPLAIN {TASK} WHERE {where} ORDER BY made_at DESC, id DESC LIMIT 51",
            *arguments,
        )

    plan = "\n".join(row[0] for row in rows)
    assert index in plan
    assert "Sort" not in plan
