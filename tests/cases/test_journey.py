"""A case from the complaint to the stars: what its member sees, what staff do, what is refused."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import db
from tests.support.books import fingerprint
from tests.support.cases import DESK, OWN, complain, do
from tests.support.members import register
from tests.support.pictures import uploaded
from tests.support.suggestions import own_id

pytestmark = pytest.mark.usefixtures("books")


async def test_a_complaint_is_assigned_answered_reopened_confirmed_closed_and_rated(admin, manager, chain, phone):
    sale = (await chain.till.sell(phone.client, phone.code(), tenders=[{"type": "cash"}])).json()
    picture = await uploaded(phone, "#aa0000")
    me = await own_id(manager)

    made = await complain(phone, pictures=[picture], reference=sale["id"], sku="6901")
    path = f"{OWN}/{made['id']}"
    listed = (await manager.get(f"{DESK}?waiting=true")).json()["items"]
    await do(manager, made["id"], "assign", staff_id=me)
    await do(manager, made["id"], "start")
    noted = await manager.post(f"{DESK}/{made['id']}/notes", {"text": "供应商批次问题"}, key="n")
    answered = await do(manager, made["id"], "answer", text="已下架，请来店退款")
    seen = (await phone.call("GET", path)).json()
    reopened = await phone.call("POST", f"{path}/reopen", {"text": "还没退", "version": seen["version"]})
    again = await do(manager, made["id"], "answer", text="今天退")
    confirmed = await phone.call("POST", f"{path}/confirm", {"version": again["version"]})
    closed = await do(manager, made["id"], "close", outcome="compensated", compensation="送酸奶一盒")
    rated = await phone.call("PUT", f"{path}/rating", {"rating": 4, "text": "还行"})
    shown = (await manager.get(f"{DESK}/{made['id']}")).json()

    assert (made["state"], made["store"], made["reference"], made["sku"]) == (
        "received",
        "南京路店",
        sale["id"],
        "6901",
    )
    assert (await phone.client.get(made["steps"][0]["pictures"][0]["url"])).status_code == 200
    assert [item["id"] for item in listed] == [made["id"]]
    assert noted.json()["steps"][-1]["text"] == "供应商批次问题"
    assert (answered["state"], answered["assignee"]) == ("answered", "manager-s1")
    assert [step["action"] for step in seen["steps"]] == ["open", "assign", "start", "answer"]
    assert "staff" not in seen["steps"][1]
    assert (reopened.json()["state"], confirmed.json()["state"], closed["state"]) == ("reopened", "confirmed", "closed")
    assert (rated.json()["rating"], rated.json()["outcome"]) == (4, "compensated")
    assert rated.json()["compensation"] == "送酸奶一盒"
    assert [(step["version"], step["action"], step["state"], step["by"], step["staff"]) for step in shown["steps"]] == [
        (1, "open", "received", "member", None),
        (2, "assign", "assigned", "staff", "manager-s1"),
        (3, "start", "in_progress", "staff", "manager-s1"),
        (4, "note", "in_progress", "staff", "manager-s1"),
        (5, "answer", "answered", "staff", "manager-s1"),
        (6, "reopen", "reopened", "member", None),
        (7, "answer", "answered", "staff", "manager-s1"),
        (8, "confirm", "confirmed", "member", None),
        (9, "close", "closed", "staff", "manager-s1"),
        (10, "rate", "closed", "member", None),
    ]
    assert (shown["round"], shown["version"]) == (2, 10)
    letters = (await phone.call("GET", "/v1/member/inbox")).json()["items"]
    assert [item["title"] for item in letters] == ["您的反馈已办结", "您的反馈有答复了", "您的反馈有答复了"]
    assert {item["link"] for item in letters} == {f"#/case?{made['id']}"}


async def test_notes_are_the_staff_s(manager, phone):
    made = await complain(phone, store_id="S1")

    noted = await manager.post(f"{DESK}/{made['id']}/notes", {"text": "常客，先安抚"}, key="note")
    await do(manager, made["id"], "priority", priority="high")
    seen = await phone.call("GET", f"{OWN}/{made['id']}")

    assert noted.status_code == 201
    assert [step["action"] for step in seen.json()["steps"]] == ["open"]
    assert "安抚" not in seen.text


async def test_each_step_names_the_version_it_was_decided_on(manager, admin, phone):
    made = await complain(phone, store_id="S1")
    path = f"{DESK}/{made['id']}"

    first = await manager.post(f"{path}/answer", {"text": "好", "version": 1})
    again = await manager.post(f"{path}/answer", {"text": "好", "version": 1})
    other = await manager.post(f"{path}/answer", {"text": "不好", "version": 1})
    others = await admin.post(f"{path}/answer", {"text": "好", "version": 1})
    late = await phone.call("POST", f"{OWN}/{made['id']}/confirm", {"version": 1})

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert {(one.status_code, one.json()["code"]) for one in (other, others, late)} == {(409, "case_conflict")}
    assert (await manager.get(path)).json()["version"] == 2


async def test_of_steps_at_once_one_is_taken(manager, admin, phone):
    made = await complain(phone, store_id="S1")
    path = f"{DESK}/{made['id']}"

    answers = await asyncio.gather(
        manager.post(f"{path}/answer", {"text": "甲", "version": 1}),
        admin.post(f"{path}/answer", {"text": "乙", "version": 1}),
        manager.post(f"{path}/start", {"version": 1}),
        phone.call("POST", f"{OWN}/{made['id']}/messages", {"text": "还有"}, key="m"),
        phone.call("POST", f"{OWN}/{made['id']}/messages", {"text": "还有"}, key="m"),
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses[3:] == [201, 201]
    assert sorted(statuses[:3])[1:] == [409, 409]
    steps = (await manager.get(path)).json()["steps"]
    assert [step["version"] for step in steps] == list(range(1, len(steps) + 1))
    assert [step["action"] for step in steps].count("say") == 1
    assert len(steps) == 2 + (min(statuses[:3]) == 200)


async def test_what_is_out_of_turn_is_refused_and_moves_nothing(manager, phone, settings):
    made = await complain(phone, store_id="S1")
    before = await fingerprint(settings)
    own, desk = f"{OWN}/{made['id']}", f"{DESK}/{made['id']}"

    answers = [
        await phone.call("POST", f"{own}/confirm", {"version": 1}),
        await phone.call("POST", f"{own}/reopen", {"text": "x", "version": 1}),
        await phone.call("PUT", f"{own}/rating", {"rating": 5}),
        await manager.post(f"{desk}/close", {"outcome": "solved", "version": 1}),
    ]
    wrong = [
        await manager.post(f"{desk}/assign", {"staff_id": "4711", "version": 1}),
        await manager.post(f"{desk}/answer", {"text": " ", "version": 1}),
        await phone.call("PUT", f"{own}/rating", {"rating": 6}),
        await phone.call("POST", OWN, {"kind": "complaint", "text": "x", "store_id": "S9"}, key="x1"),
        await phone.call("POST", OWN, {"kind": "complaint", "text": "x", "sku": "none"}, key="x2"),
        await phone.call("POST", OWN, {"kind": "complaint", "text": "x", "reference": "S" + "0" * 26}, key="x3"),
        await phone.call("POST", OWN, {"kind": "rant", "text": "x"}, key="x4"),
        await phone.call("POST", OWN, {"kind": "praise", "text": "x" * 2001}, key="x5"),
    ]
    theirs = await phone.call("POST", OWN, {"kind": "praise", "text": "x", "pictures": ["a" * 64]}, key="x6")

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(409, "case_conflict")}
    assert {(one.status_code, one.json()["code"]) for one in wrong} == {(422, "validation_failed")}
    assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found")
    assert await fingerprint(settings) == before


async def test_another_s_case_is_not_there(manager, neighbour, phone, settings):
    made = await complain(phone, store_id="S1")
    stranger = await register(phone.client)
    before = await fingerprint(settings)
    own, desk = f"{OWN}/{made['id']}", f"{DESK}/{made['id']}"

    answers = [
        await stranger.call("GET", own),
        await stranger.call("POST", f"{own}/messages", {"text": "x"}, key="k"),
        await stranger.call("POST", f"{own}/confirm", {"version": 1}),
        await stranger.call("PUT", f"{own}/rating", {"rating": 1}),
        await neighbour.get(desk),
        await neighbour.post(f"{desk}/answer", {"text": "x", "version": 1}),
        await neighbour.post(f"{desk}/contact"),
        await neighbour.get(f"{DESK}?store_id=S1"),
    ]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "not_found")}
    assert await fingerprint(settings) == before
    assert made["id"] not in (await neighbour.get(DESK)).text
    assert made["id"] in (await manager.get(DESK)).text


async def test_a_case_of_no_store_is_head_office_s(admin, manager, phone):
    made = await complain(phone)

    assert (await manager.get(f"{DESK}/{made['id']}")).status_code == 404
    assert (await admin.get(f"{DESK}/{made['id']}")).status_code == 200


async def test_a_retry_gives_the_first_answer_and_another_body_is_refused(phone):
    made = await complain(phone, key="once")

    again = await phone.call("POST", OWN, {"kind": "complaint", "text": "牛奶过期了"}, key="once")
    other = await phone.call("POST", OWN, {"kind": "praise", "text": "好"}, key="once")
    answers = await asyncio.gather(
        *(phone.call("POST", OWN, {"kind": "opinion", "text": "同时"}, key="at-once") for _ in range(5))
    )

    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (made["id"], "true")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert len({one.json()["id"] for one in answers}) == 1
    assert len((await phone.call("GET", OWN)).json()["items"]) == 2


async def test_pages_go_on_where_the_last_one_ended(admin, phone):
    made = [(await complain(phone, f"第{n}次", key=f"p{n}"))["id"] for n in range(3)]
    first = (await phone.call("GET", f"{OWN}?limit=2")).json()
    rest = (await phone.call("GET", f"{OWN}?limit=2&cursor={first['next_cursor']}")).json()
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await admin.get(f"{DESK}?waiting=true&limit=2{cursor}")).json()
        seen += [item["due_at"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert [item["id"] for item in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None
    assert len(seen) >= 3
    assert seen == sorted(seen)


async def test_a_case_has_room_for_so_much_and_staff_can_still_end_it(manager, phone, monkeypatch):
    monkeypatch.setattr("backend.cases.rules.MOST_STEPS", 6)
    monkeypatch.setattr("backend.cases.rules.RESERVE", 3)
    made = await complain(phone, store_id="S1")
    path = f"{OWN}/{made['id']}/messages"

    said = [await phone.call("POST", path, {"text": "x"}, key=f"s{n}") for n in range(3)]
    await do(manager, made["id"], "answer", text="好")
    closed = await do(manager, made["id"], "close", outcome="explained")

    assert [one.status_code for one in said] == [201, 201, 409]
    assert said[2].json()["code"] == "case_full"
    assert closed["state"] == "closed"


async def test_what_happened_is_never_rewritten(phone):
    made = await complain(phone)

    for what in ("UPDATE feedback_step SET text = 'x'", "DELETE FROM feedback_step"):
        with pytest.raises(Exception, match="never rewritten"):
            async with db.transaction() as tx:
                await db.raw(tx).execute(f"{what} WHERE case_id = $1", made["id"])
