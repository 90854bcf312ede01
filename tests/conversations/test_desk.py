"""Staff take a conversation, answer within WeChat's windows, pass it on and close it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest_asyncio

from backend.conversations import views
from backend.conversations.commands import desk as commands
from backend.conversations.commands import receive
from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.wechat.types import PushMessage
from tests.support.books import fingerprint
from tests.support.chat import DESK, Customer, newest, say, work
from tests.support.staff import StaffSession, log_in
from tests.support.suggestions import hire


@pytest_asyncio.fixture(loop_scope="session")
async def manager(office, chain) -> StaffSession:
    """Of S1."""
    return await log_in(office, chain, "manager-S1")


@pytest_asyncio.fixture(loop_scope="session")
async def other(office, chain) -> StaffSession:
    """Of S2."""
    return await log_in(office, chain, "manager-S2")


@pytest_asyncio.fixture(loop_scope="session")
async def at_home(phone, customer, settings) -> str:
    """A conversation of a member of S1 who waits for a person."""
    assert (await phone.call("PATCH", "/v1/member/profile", {"store_id": "S1"})).status_code == 200
    await customer.write("人工")
    await work(settings)
    return await newest()


async def get(who: StaffSession, path: str = "", **query: object) -> dict:
    answer = await who.get(f"{DESK}{path}?{'&'.join(f'{k}={v}' for k, v in query.items())}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def claimed(who: StaffSession, conversation_id: str) -> None:
    answer = await who.post(f"{DESK}/{conversation_id}/claim")
    assert (answer.status_code, answer.json()["state"]) == (200, "open"), answer.text


async def test_a_customer_waits_is_taken_answered_and_let_go(manager, customer: Customer, at_home, settings):
    waiting = await get(manager)
    (item,) = [item for item in waiting["items"] if item["id"] == at_home]
    assert (item["state"], item["customer"]["name"], item["unread"]) == ("waiting", "王**", 1)
    assert (item["last"]["text"], item["window"]["left"]) == ("正在为您转接人工客服，请稍候。", 4)

    await claimed(manager, at_home)
    said = (await say(manager, at_home, "您好，请讲")).json()

    assert (said["message"]["stage"], said["window"]["left"]) == ("sent", 3)
    assert (await customer.answers())[-1] == "您好，请讲"
    detail = await get(manager, f"/{at_home}")
    assert (detail["customer"]["name"], detail["unread"], detail["summary"]["stored_fen"]) == ("王小明", 0, 0)
    assert [item["id"] for item in (await get(manager, view="mine"))["items"]] == [at_home]
    await customer.write("余额")
    await work(settings)  # a person has the conversation: the robot is silent
    assert (await customer.answers())[-1] == "您好，请讲"
    closed = await manager.post(f"{DESK}/{at_home}/close")
    assert closed.json()["state"] == "closed"
    await customer.write("余额")
    await work(settings)
    assert (await customer.answers())[-1].startswith("您的储值余额为")


async def test_what_was_said_is_read_from_the_end_and_what_is_new_alone(manager, customer, at_home):
    await claimed(manager, at_home)
    first = await get(manager, f"/{at_home}/messages", limit=2)
    rest = await get(manager, f"/{at_home}/messages", cursor=first["next_cursor"])
    await customer.write("还在吗")
    new = await get(manager, f"/{at_home}/messages", after=first["items"][0]["id"])

    told = [(item["author"], item["note"] or item["text"]) for item in first["items"] + rest["items"]]
    assert told == [("system", "claimed"), ("robot", "正在为您转接人工客服，请稍候。"), ("customer", "人工")]
    assert [item["text"] for item in new["items"]] == ["还在吗"]


async def test_answers_are_counted_before_they_are_sent(manager, customer: Customer, at_home, clock, settings):
    await claimed(manager, at_home)
    answers = [await say(manager, at_home, f"第 {n} 条") for n in range(5)]

    assert [answer.status_code for answer in answers] == [201] * 4 + [409]
    assert answers[-1].json()["code"] == "reply_quota_spent"
    before = await fingerprint(settings)
    assert (await say(manager, at_home, "再来一条")).json()["code"] == "reply_quota_spent"
    assert await fingerprint(settings) == before
    clock.shift(timedelta(seconds=2))
    await customer.write("嗯")
    assert (await say(manager, at_home, "好的")).json()["window"]["left"] == 4


async def test_what_was_sent_before_we_heard_of_the_customers_word_counts_in_its_window(
    manager, customer: Customer, at_home, clock
):
    """WeChat begins the window when the customer writes; told of it later, we would send more than it takes."""
    await claimed(manager, at_home)
    wrote_at = kernel_clock.now()
    clock.shift(timedelta(seconds=5))
    for n in range(3):
        assert (await say(manager, at_home, f"第 {n} 条")).status_code == 201

    late = PushMessage(
        key="late",
        openid=customer.openid,
        kind="text",
        event="",
        content="还有",
        sent_at=wrote_at,
        fields={},
        sealed=False,
    )
    await receive.take(late)

    left = [(await say(manager, at_home, f"又 {n} 条")).status_code for n in range(3)]
    assert left == [201, 201, 409]


async def test_after_48_hours_nobody_answers_and_it_is_closed(manager, office, chain, at_home, clock, settings):
    await claimed(manager, at_home)
    clock.shift(timedelta(hours=48))
    again = await log_in(office, chain, "manager-S1")

    before = await fingerprint(settings)
    refused = await say(again, at_home, "还在吗")

    assert (refused.status_code, refused.json()["code"]) == (409, "reply_window_closed")
    assert await fingerprint(settings) == before
    assert await commands.close_over() >= 1
    row = await db.fetchrow("SELECT state, staff_id FROM conversation WHERE id = $1", int(at_home))
    assert tuple(row or ()) == ("closed", None)


async def test_an_answer_is_sent_once_however_often_it_is_asked_for(manager, customer: Customer, at_home):
    await claimed(manager, at_home)
    first = await say(manager, at_home, "您好", key="once")
    again = await say(manager, at_home, "您好", key="once")
    other = await say(manager, at_home, "别的", key="once")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (await customer.answers()).count("您好") == 1


async def test_only_who_has_it_answers_and_closes(manager, admin, at_home, settings):
    refused = await say(manager, at_home, "您好")
    assert (refused.status_code, refused.json()["code"]) == (409, "conversation_not_yours")
    await claimed(admin, at_home)
    before = await fingerprint(settings)

    for what in (say(manager, at_home, "您好"), manager.post(f"{DESK}/{at_home}/claim")):
        answer = await what
        assert answer.status_code == 409, answer.text

    assert await fingerprint(settings) == before


async def test_it_is_passed_on_to_a_colleague_who_may_see_the_customer(
    manager, other, admin, office, chain, at_home, settings
):
    auditor, _ = await hire(office, chain, admin, "auditor-s1", "auditor", "S1")
    views._able.forget()
    await claimed(manager, at_home)
    detail = await get(manager, f"/{at_home}")
    able = {colleague["username"]: colleague["id"] for colleague in detail["colleagues"]}
    stranger = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'manager-S2'")
    before = await fingerprint(settings)
    for nobody in (str(stranger), auditor, "4711", "x"):
        refused = await manager.post(f"{DESK}/{at_home}/transfer", {"staff_id": nobody})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/staff_id")
    assert await fingerprint(settings) == before

    given = await manager.post(f"{DESK}/{at_home}/transfer", {"staff_id": able["admin"]})
    assert (given.json()["state"], given.json()["staff"]["username"]) == ("open", "admin")
    assert (await admin.post(f"{DESK}/{at_home}/transfer", {})).json()["state"] == "waiting"
    assert not {"manager-S2", "auditor-s1"} & set(able)


async def test_a_store_sees_its_own_members_and_nobody_else_s(manager, other, admin, at_home, stranger: Customer):
    await stranger.write("人工")
    guests = await newest()

    assert {item["id"] for item in (await get(admin, limit=100))["items"]} >= {at_home, guests}
    assert at_home in {item["id"] for item in (await get(manager))["items"]}
    assert not {at_home, guests} & {item["id"] for item in (await get(other))["items"]}
    for who, what in ((other, at_home), (manager, guests)):
        assert (await who.get(f"{DESK}/{what}")).status_code == 404
        assert (await who.get(f"{DESK}/{what}/messages")).status_code == 404
        assert (await say(who, what, "您好")).status_code == 404


async def test_who_moves_to_another_store_is_its_staff_s_and_the_old_one_s_no_longer(manager, other, phone, at_home):
    await outbox.drain()  # that the member registered is known
    assert (await phone.call("POST", "/v1/member/profile", {"store_id": "S2"})).status_code == 200
    at_once = [await get(manager), await get(other)]

    await outbox.drain()

    assert at_home not in {item["id"] for item in at_once[0]["items"]}
    assert at_home not in {item["id"] for item in (await get(manager))["items"]}
    assert at_home in {item["id"] for item in (await get(other))["items"]}
    await claimed(other, at_home)
    assert (await phone.call("POST", "/v1/member/profile", {"store_id": "S1"})).status_code == 200
    assert at_home not in {item["id"] for item in (await get(other, view="mine"))["items"]}


async def test_a_card_is_sent_as_one_and_a_body_says_one_thing(manager, customer: Customer, at_home):
    await claimed(manager, at_home)
    path = f"{DESK}/{at_home}/messages"
    card = {"card": {"title": "我的优惠券", "page": "pages/coupons/index"}}

    sent = await manager.post(path, card, key=uuid.uuid4().hex)
    both = await manager.post(path, card | {"text": "x"}, key=uuid.uuid4().hex)
    none = await manager.post(path, {}, key=uuid.uuid4().hex)
    blank = await manager.post(path, {"text": "  "}, key=uuid.uuid4().hex)

    assert sent.json()["message"]["stage"] == "sent", sent.text
    last = (await customer.screen())[-1]
    assert (last["kind"], last["title"], last["page"]) == ("card", "我的优惠券", "pages/coupons/index")
    assert [answer.status_code for answer in (both, none, blank)] == [422] * 3


async def test_what_was_said_becomes_a_case_once(manager, phone, at_home, settings):
    path, body = f"{DESK}/{at_home}/case", {"kind": "complaint", "text": "酸奶过期", "priority": "high"}

    opened = await manager.post(path, body, key="c" * 255)
    again = await manager.post(path, body, key="c" * 255)
    other = await manager.post(path, body | {"text": "别的"}, key="c" * 255)

    assert (opened.status_code, again.status_code) == (201, 201), opened.text
    assert again.json() == opened.json()
    assert other.json()["code"] == "idempotency_conflict"
    case = await manager.get(f"/v1/admin/cases/{opened.json()['case_id']}")
    assert (case.status_code, case.json()["channel"], case.json()["store_id"]) == (200, "service", "S1"), case.text
    last = (await get(manager, f"/{at_home}/messages", limit=1))["items"][0]
    assert (last["note"], last["text"]) == ("case", opened.json()["case_id"])
    chat = (await phone.call("GET", "/v1/member/chat")).json()
    assert all(item["note"] != "case" for item in chat["items"])
