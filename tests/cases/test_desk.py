"""Walk-in customers, deadlines, to-dos, what the clock does, and figures."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from backend.cases import service
from backend.cases.commands import ageing
from backend.cases.types import Actor, By, CaseChannel, CaseKind, NewCase
from backend.kernel import clock, db
from tests.support.books import fingerprint
from tests.support.cases import DESK, OWN, complain, do, walk_in
from tests.support.coupons import log_in_again
from tests.support.members import random_phone, register
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("books")


async def test_a_walk_in_customer_s_number_is_sealed_shown_on_demand_and_claimed(admin, manager, phone, settings):
    number = random_phone()
    contact = {"name": "李雷", "phone": number, "consent": True}

    made = await walk_in(manager, contact=contact)
    again = await manager.post(
        DESK, {"kind": "complaint", "channel": "shop", "text": "排队太久", "contact": contact}, key="w"
    )
    listed = next(item for item in (await manager.get(DESK)).json()["items"] if item["id"] == made["id"])
    told = await manager.post(f"{DESK}/{made['id']}/contact")
    twice = await manager.post(f"{DESK}/{made['id']}/contact")
    nobody = (await phone.call("POST", f"{OWN}/claim")).json()["items"]
    owner = await register(phone.client, phone=number)
    claimed = (await owner.call("POST", f"{OWN}/claim")).json()["items"]
    nothing = (await owner.call("POST", f"{OWN}/claim")).json()["items"]
    seen = (await owner.call("GET", f"{OWN}/{made['id']}")).json()

    assert again.headers["idempotency-replayed"] == "true"
    assert (made["channel"], made["store_id"], made["has_contact"]) == ("shop", "S1", True)
    assert listed["customer"] == f"李** ****{number[-4:]}"
    assert told.json() == twice.json() == {"name": "李雷", "phone": number}
    rows = await db.fetch("SELECT c::text AS row FROM feedback_case c WHERE id = $1", made["id"])
    assert number not in rows[0]["row"]
    assert "李雷" not in rows[0]["row"]
    assert nobody == nothing == []
    assert [item["id"] for item in claimed] == [made["id"]]
    assert [step["action"] for step in seen["steps"]] == ["open"]
    shown = (await manager.get(f"{DESK}/{made['id']}")).json()
    assert [step["action"] for step in shown["steps"]] == ["open", "contact", "claim"]
    assert shown["member_id"] == str(owner.member_id)


async def test_what_staff_cannot_write_down_is_refused(manager, phone, settings):
    contact = {"name": "李雷", "phone": "13900000000", "consent": True}
    body = {"kind": "praise", "channel": "phone", "text": "好"}
    before = await fingerprint(settings)

    answers = [
        await manager.post(DESK, body | {"store_id": "S2"}, key="1"),
        await manager.post(DESK, body | {"channel": "miniapp"}, key="2"),
        await manager.post(DESK, body | {"contact": contact | {"consent": False}}, key="3"),
        await manager.post(DESK, body | {"contact": contact | {"phone": "123"}}, key="4"),
        await manager.post(DESK, body | {"contact": contact, "member_no": phone.member["member_no"]}, key="5"),
        await manager.post(DESK, body | {"member_no": "0000"}, key="6"),
    ]

    assert [one.status_code for one in answers] == [404, 422, 422, 422, 422, 422]
    assert await fingerprint(settings) == before


async def test_a_member_s_call_is_written_down_in_the_member_s_list(admin, phone):
    made = await walk_in(admin, key="m", channel="phone", member_no=phone.member["member_no"], store_id="S2")

    assert made["customer"].endswith(phone.member["member_no"])
    assert [item["id"] for item in (await phone.call("GET", OWN)).json()["items"]] == [made["id"]]


async def test_other_domains_open_cases_on_their_own_transaction(phone, manager):
    new = NewCase(
        kind=CaseKind.CONSULTATION,
        channel=CaseChannel.SERVICE,
        text="聊天转来",
        member_id=phone.member_id,
        store_id="S1",
        by=Actor(By.CLOCK),
    )
    async with db.transaction() as tx:
        case_id = await service.open(tx, new, at=clock.now())

    assert (await manager.get(f"{DESK}/{case_id}")).json()["steps"][0]["by"] == "clock"


AT = datetime(2027, 3, 1, 1, tzinfo=UTC)


async def test_an_overdue_case_is_the_manager_s_and_then_head_office_s_once_each(
    client, chain, admin, manager, phone, clock
):
    clock.freeze(AT)
    await log_in_again(phone)
    made = await complain(phone, store_id="S1")
    own = await complain(phone, key="no-store")

    async def todos_at(hours: float) -> tuple[list[str], list[str]]:
        clock.freeze(AT + timedelta(hours=hours))
        await ageing.escalate()
        await ageing.escalate()
        mine, theirs = await log_in(client, chain, "manager-S1"), await log_in(client, chain, "admin")
        lists = [(await who.get(f"{DESK}/todos")).json()["items"] for who in (mine, theirs)]
        wanted = {made["id"], own["id"]}
        return tuple([item["case"]["id"] for item in one if item["case"]["id"] in wanted] for one in lists)  # type: ignore[return-value]

    assert await todos_at(23.9) == ([], [])
    assert await todos_at(24) == ([made["id"]], [own["id"]])
    assert await todos_at(47.9) == ([made["id"]], [own["id"]])
    first, second = await todos_at(48)
    assert (first, sorted(second)) == ([made["id"]], sorted([made["id"], own["id"]]))

    mine = await log_in(client, chain, "manager-S1")
    neighbour = await log_in(client, chain, "manager-S2")
    assert made["id"] not in (await neighbour.get(f"{DESK}/todos")).text
    overdue = (await mine.get(f"{DESK}?overdue=true")).json()["items"]
    assert made["id"] in [item["id"] for item in overdue]
    answered = await do(mine, made["id"], "answer", text="抱歉")
    assert [step["detail"] for step in answered["steps"] if step["action"] == "escalate"] == [
        {"level": "manager"},
        {"level": "office"},
    ]
    assert await todos_at(48) == ([], [own["id"]])


async def test_a_reopened_case_is_due_anew(client, chain, phone, clock):
    clock.freeze(AT)
    await log_in_again(phone)
    made = await complain(phone, store_id="S1")
    mine = await log_in(client, chain, "manager-S1")
    urgent = await do(mine, made["id"], "priority", priority="urgent")
    answered = await do(mine, made["id"], "answer", text="好")
    clock.freeze(AT + timedelta(days=3))
    await log_in_again(phone)

    again = await phone.call("POST", f"{OWN}/{made['id']}/reopen", {"text": "没有", "version": answered["version"]})
    mine = await log_in(client, chain, "manager-S1")
    shown = (await mine.get(f"{DESK}/{made['id']}")).json()

    assert urgent["due_at"] == "2027-03-01T07:00:00Z"
    assert again.json()["state"] == "reopened"
    assert (shown["due_at"], shown["round"]) == ("2027-03-04T07:00:00Z", 2)


async def test_the_clock_closes_what_is_answered_and_forgets_numbers(client, chain, phone, clock):
    clock.freeze(AT)
    await log_in_again(phone)
    mine = await log_in(client, chain, "manager-S1")
    made, waiting = await complain(phone, store_id="S1"), await complain(phone, key="2", store_id="S1")
    sealed = await walk_in(mine, key="s", contact={"name": "韩梅", "phone": random_phone(), "consent": True})
    for case_id in (made["id"], sealed["id"]):
        await do(mine, case_id, "answer", text="好")
    clock.freeze(AT + timedelta(days=7, seconds=-1))
    early = await ageing.close_answered()
    clock.freeze(AT + timedelta(days=7))
    closed = await ageing.close_answered()
    again = await ageing.close_answered()
    await log_in_again(phone)
    seen = (await phone.call("GET", f"{OWN}/{made['id']}")).json()

    assert (early, closed, again) == (0, 2, 0)
    assert (seen["state"], seen["outcome"], seen["may_reopen"]) == ("closed", None, True)
    assert (await phone.call("GET", f"{OWN}/{waiting['id']}")).json()["state"] == "received"
    letters = (await phone.call("GET", "/v1/member/inbox")).json()["items"]
    assert [item["title"] for item in letters] == ["您的反馈已办结", "您的反馈有答复了"]
    clock.freeze(AT + timedelta(days=7 + 14))
    await log_in_again(phone)
    late = await phone.call("POST", f"{OWN}/{made['id']}/reopen", {"text": "x", "version": seen["version"]})
    assert (late.status_code, late.json()["code"]) == (409, "case_conflict")
    clock.freeze(AT + timedelta(days=7 + 180))
    assert await ageing.forget_contacts() == 1
    mine = await log_in(client, chain, "manager-S1")
    shown = (await mine.get(f"{DESK}/{sealed['id']}")).json()
    assert (shown["has_contact"], shown["customer"]) == (False, "")


async def test_what_cannot_be_closed_keeps_none_of_the_others_open(client, chain, phone, clock):
    clock.freeze(AT + timedelta(days=400))
    await log_in_again(phone)
    mine = await log_in(client, chain, "manager-S1")
    stuck, other = await complain(phone, store_id="S1"), await complain(phone, key="2", store_id="S1")
    for case_id in (stuck["id"], other["id"]):
        await do(mine, case_id, "answer", text="好")
    async with db.transaction() as tx:  # where its next step would stand
        await db.raw(tx).execute(
            "INSERT INTO feedback_step SELECT case_id, 3, action, state, by, staff_id, text, pictures, detail, NULL,"
            " NULL, at FROM feedback_step WHERE case_id = $1 AND version = 2",
            stuck["id"],
        )
    clock.freeze(AT + timedelta(days=407))

    await ageing.close_answered()

    states = await db.fetch("SELECT id, state FROM feedback_case WHERE member_id = $1", phone.member_id)
    assert {row["id"]: row["state"] for row in states} == {stuck["id"]: "answered", other["id"]: "closed"}


async def test_a_member_who_rates_without_end_keeps_no_case_open(client, chain, phone, clock):
    clock.freeze(AT + timedelta(days=500))
    await log_in_again(phone)
    mine = await log_in(client, chain, "manager-S1")
    made = await complain(phone, store_id="S1")
    await do(mine, made["id"], "answer", text="好")
    path = f"{OWN}/{made['id']}/rating"

    statuses = [(await phone.call("PUT", path, {"rating": 1 + n % 5})).status_code for n in range(200)]

    clock.freeze(AT + timedelta(days=507))
    assert set(statuses) == {200, 409}
    assert await ageing.close_answered() == 1


async def test_figures_by_kind_store_and_person(client, chain, phone, clock):
    day = datetime(2027, 6, 1, 2, tzinfo=UTC)
    clock.freeze(day)
    await log_in_again(phone)
    made = [await complain(phone, f"=第{n}", key=f"f{n}", store_id="S1") for n in range(4)]
    for number, one in enumerate(made[:3]):
        clock.freeze(day + timedelta(hours=number + 1))
        mine = await log_in(client, chain, "manager-S1")
        await do(mine, one["id"], "answer", text="好")
    clock.freeze(day + timedelta(hours=5))
    mine = await log_in(client, chain, "manager-S1")
    await do(mine, made[0]["id"], "close", outcome="solved", compensation="=1+1")
    await log_in_again(phone)
    await phone.call("PUT", f"{OWN}/{made[0]['id']}/rating", {"rating": 5})
    await phone.call("PUT", f"{OWN}/{made[1]['id']}/rating", {"rating": 4})
    span = "from=2027-06-01&to=2027-06-01"

    by_kind = (await mine.get(f"{DESK}/statistics?{span}")).json()
    by_staff = (await mine.get(f"{DESK}/statistics?{span}&by=staff")).json()["items"]
    office = await log_in(client, chain, "admin")
    by_store = (await office.get(f"{DESK}/statistics?{span}&by=store")).json()["items"]
    elsewhere = await mine.get(f"{DESK}/statistics?{span}&store_id=S2")
    table = list(
        csv.reader(io.StringIO((await mine.get(f"{DESK}/statistics/file?{span}")).content.decode("utf-8-sig")))
    )
    book = openpyxl.load_workbook(io.BytesIO((await mine.get(f"{DESK}/export?{span}&format=xlsx")).content))
    clerk = await mine.get(f"{DESK}/statistics?from=2027-06-02&to=2027-06-01")
    chart = await mine.get(f"{DESK}/statistics/chart?{span}")

    (line,) = by_kind["items"]
    assert line == {
        "key": "complaint",
        "label": "投诉",
        "cases": 4,
        "waiting": 1,
        "overdue": 0,
        "answered": 3,
        "closed": 1,
        "reopened": 0,
        "given": 0,
        "points_given": 0,
        "rated": 2,
        "rating": 4.5,
        "answer_p50_s": 7200,
        "answer_p90_s": 10080,
        "close_p50_s": 18000,
        "close_p90_s": 18000,
    }
    assert by_kind["total"] == line | {"key": "", "label": "合计"}
    assert [(item["label"], item["cases"]) for item in by_staff] == [("manager-s1", 3), ("未分配", 1)]
    assert [(item["label"], item["cases"]) for item in by_store] == [("南京路店", 4)]
    assert (elsewhere.status_code, clerk.status_code) == (404, 422)
    assert chart.headers["content-type"] == "image/svg+xml"
    assert "投诉：4 件，2.0 小时" in chart.text
    assert table[1][:6] == ["投诉", "4", "1", "0", "3", "1"]
    assert table[2][0] == "合计"
    rows = list(book.active.iter_rows(values_only=True))
    assert len(rows) == 5
    assert {row[-1] for row in rows[1:]} == {f"'=第{n}" for n in range(4)}
    assert "'=1+1" in {row[-3] for row in rows[1:]}
