"""What members write back belongs to the letter that they answered, and staff see it."""

from __future__ import annotations

import asyncio

import pytest

from backend.members.queries import find_phone
from backend.messages.channel_schemas import ReplyIn
from backend.messages.commands import returns
from backend.messages.commands.replying import MOST_AN_HOUR
from backend.messages.types import Letter
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.messages import INBOX, inbox, work, write
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")


async def first(phone):
    await write(Letter(phone.member_id, "test.note", {"what": "还满意吗？"}, "asked"))
    return (await inbox(phone))["items"][0]["id"]


async def test_an_answer_in_the_inbox_is_kept_once_and_staff_see_it(phone, admin, client, chain):
    letter_id = await first(phone)
    path = f"{INBOX}/{letter_id}/replies"

    answers = await asyncio.gather(*(phone.call("POST", path, {"text": "很满意"}, key="k") for _ in range(3)))
    other = await phone.call("POST", path, {"text": "不满意"}, key="k")
    await phone.call("POST", path, {"text": "下次再来"}, key="l")

    assert [answer.status_code for answer in answers] == [201] * 3
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    own = (await phone.call("GET", path)).json()["items"]
    assert [item["text"] for item in own] == ["很满意", "下次再来"]
    seen = (await admin.get("/v1/admin/messages/replies")).json()["items"][:2]
    assert [(item["text"], item["channel"], item["letter_id"]) for item in seen] == [
        ("下次再来", "inbox", letter_id),
        ("很满意", "inbox", letter_id),
    ]
    stranger = await log_in(client, chain, "manager-S2")
    assert (await stranger.get("/v1/admin/messages/replies")).json()["items"] == []


async def test_an_sms_is_an_answer_to_what_was_sent_last(phone, admin, fake_channels, clock):
    number = await find_phone(phone.member_id) or ""
    for once in ("old", "new"):
        await write(Letter(phone.member_id, "test.shipped", {"no": once}, once))
        await work()
    reply = ReplyIn(id=f"r-{phone.member_id}", phone=number, text="收到", at=clock.now())

    taken = [await returns.take_replies([reply]) for _ in range(2)]

    letters = (await admin.get(f"/v1/admin/messages/members/{phone.member_id}/letters")).json()["items"]
    assert taken == [1, 0]
    assert [(item["body"], item["replies"]) for item in letters] == [("new 已发货。", 1), ("old 已发货。", 0)]
    assert [(one["channel"], one["state"]) for one in letters[0]["deliveries"]] == [
        ("inbox", "delivered"),
        ("sms", "sent"),
    ]


async def test_anothers_letter_cannot_be_answered_and_nobody_answers_without_end(phone, client, settings):
    letter_id = await first(phone)
    stranger = await register(client)
    path = f"{INBOX}/{letter_id}/replies"
    for number in range(MOST_AN_HOUR):
        assert (await phone.call("POST", path, {"text": str(number)}, key=f"n{number}")).status_code == 201
    before = await fingerprint(settings)

    refused = [
        await stranger.call("POST", path, {"text": "x"}, key="x"),
        await stranger.call("GET", path),
        await phone.call("POST", path, {"text": "x"}, key="more"),
        await phone.call("POST", path, {"text": "x" * 501}, key="long"),
        await phone.call("POST", path, {"text": ""}, key="none"),
        await phone.call("POST", path, {"text": "x"}),
    ]
    again = await phone.call("POST", path, {"text": "0"}, key="n0")

    assert [answer.status_code for answer in refused] == [404, 404, 429, 422, 422, 400]
    assert again.status_code == 201  # what was kept is answered, however many there are
    assert await fingerprint(settings) == before


async def test_letters_of_a_member_page_for_staff(phone, admin):
    for number in range(3):
        await write(Letter(phone.member_id, "test.note", {"what": str(number)}, str(number)))
    path = f"/v1/admin/messages/members/{phone.member_id}/letters?limit=2"

    page = (await admin.get(path)).json()
    rest = (await admin.get(f"{path}&cursor={page['next_cursor']}")).json()

    assert [item["body"] for item in page["items"] + rest["items"]] == ["2", "1", "0"]
    assert rest["next_cursor"] is None
