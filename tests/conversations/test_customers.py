"""Guests who register, the chat that is opened, pictures, cards, and WeChat's own customer service."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backend.conversations.commands import pictures, sending
from backend.kernel import db, live, outbox
from backend.wechat import service as wechat
from backend.wechat.errors import WechatUnavailable
from tests.support.chat import DESK, Customer, newest, work
from tests.support.members import random_phone, register
from tests.support.pictures import picture


async def state_of(conversation_id: str) -> tuple[object, ...]:
    row = await db.fetchrow("SELECT member_id, store_id, state FROM conversation WHERE id = $1", int(conversation_id))
    return tuple(row or ())


async def test_a_guest_who_registers_finds_the_conversation_again(client, chain, settings):
    who = "guest-joins"
    customer = Customer(client, f"openid-{who}")
    await customer.write("你们几点开门")
    conversation_id = await newest()
    assert await state_of(conversation_id) == (None, None, "robot")
    tokens = (await client.post("/v1/member/login", json={"js_code": f"demo-{who}"})).json()
    body = {"phone_code": f"phone-{random_phone()}", "name": "客人", "store_id": "S1", "consents": ["terms", "privacy"]}
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    made = await client.post("/v1/member/register", json=body, headers=headers)
    await outbox.drain()

    assert await state_of(conversation_id) == (int(made.json()["id"]), "S1", "robot")
    chat = (await client.get("/v1/member/chat", headers=headers)).json()
    assert [item["text"] for item in chat["items"]] == ["你们几点开门"]


async def test_openids_are_kept_sealed(phone, customer):
    await customer.write("余额")

    for row in await db.fetch("SELECT c::text AS row FROM conversation c"):
        assert phone.openid not in row["row"]
    for row in await db.fetch("SELECT args::text AS row FROM procrastinate_jobs"):
        assert phone.openid not in row["row"]


async def test_who_opens_the_chat_is_welcomed_once_within_half_a_day(customer: Customer, settings, clock):
    for _ in range(2):
        await customer.enter(session_from="order")
        await work(settings)
    assert [text[:3] for text in await customer.answers()] == ["您好，"]

    clock.shift(timedelta(hours=13))
    await customer.enter()
    await work(settings)

    assert len(await customer.answers()) == 2


async def test_an_entry_that_comes_again_is_one(customer: Customer, settings, clock, engines):
    """By the database, where Redis has forgotten it."""
    clock.freeze(clock.now())
    for _ in range(3):
        await customer.enter(mode="plain")
        engines.valkey.flush()

    rows = await db.fetchval(
        "SELECT count(*) FROM conversation_message WHERE conversation_id = $1", int(await newest())
    )
    assert rows == 1


async def test_other_events_are_nobody_s_message(client, settings):
    before = await db.fetchval("SELECT count(*) FROM conversation")

    told = await client.post("/mock/wechat/push", json={"openid": "o-x", "msg_type": "event", "content": "subscribe"})

    assert told.json()["body"] == "success"
    assert await db.fetchval("SELECT count(*) FROM conversation") == before


async def test_a_picture_is_fetched_and_drawn_anew_and_a_person_asked_for(phone, customer: Customer, admin, settings):
    await customer.show(picture("JPEG", (1800, 40), exif=b"Exif\x00\x00secret"))
    await work(settings)
    conversation_id = await newest()

    assert (await state_of(conversation_id))[2] == "waiting"
    found = (await admin.get(f"{DESK}/{conversation_id}/messages")).json()["items"]
    (item,) = [item for item in found if item["kind"] == "picture"]
    shown = await phone.client.get(item["picture"]["url"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
    assert b"secret" not in shown.content
    small = await phone.client.get(item["picture"]["small_url"])
    assert len(small.content) < len(shown.content)
    for wrong in (item["picture"]["url"][:-1] + "!", item["picture"]["url"].replace("until=", "until=9")):
        assert (await phone.client.get(wrong)).status_code == 404
    chat = (await phone.call("GET", "/v1/member/chat")).json()
    assert any(entry["picture"] for entry in chat["items"])


@pytest.mark.parametrize(
    ("data", "reason"), [(b"\x89PNG no picture", "not_a_picture"), (b"GIF89a" + b"x" * 90, "not_a_picture")]
)
async def test_what_is_no_picture_is_lost_and_said_so(customer: Customer, settings, data, reason):
    await customer.show(data)
    await work(settings)

    row = await db.fetchrow(
        "SELECT stage, reason FROM conversation_message WHERE conversation_id = $1 AND kind = 'picture'",
        int(await newest()),
    )
    assert tuple(row or ()) == ("lost", reason)


async def test_a_picture_that_nobody_fetched_in_three_days_is_lost(customer: Customer, clock):
    await customer.show(picture())
    conversation_id = int(await newest())
    clock.shift(timedelta(days=3, minutes=1))

    assert await pictures.fetch_again() >= 1

    row = await db.fetchrow(
        "SELECT stage, reason FROM conversation_message WHERE conversation_id = $1 AND kind = 'picture'",
        conversation_id,
    )
    assert tuple(row or ()) == ("lost", "media_gone")


async def test_what_a_process_that_died_was_sending_is_given_up_whatever_else_is_under_way(customer: Customer, admin):
    """It may have arrived: it is not sent again, and pictures that wait for WeChat do not stand before it."""
    await customer.write("人工")
    conversation_id = int(await newest())
    await db.pool().execute(UNDER_WAY, conversation_id)

    assert await sending.give_up_stuck() == 1

    rows = await db.fetch(
        "SELECT seq, stage, reason FROM conversation_message WHERE conversation_id = $1 AND seq >= 1000"
        " AND stage <> 'fetching' ORDER BY seq",
        conversation_id,
    )
    assert [tuple(row) for row in rows] == [(1000, "unknown", "cut_short"), (1001, "sending", "")]
    assert await sending.give_up_stuck() == 0
    await db.pool().execute("DELETE FROM conversation_message WHERE seq >= 1000")


UNDER_WAY = """
INSERT INTO conversation_message (conversation_id, seq, author, kind, stage, media_id, at)
SELECT $1, 1000 + n, CASE WHEN n < 2 THEN 'robot' ELSE 'customer' END, CASE WHEN n < 2 THEN 'text' ELSE 'picture' END,
       CASE WHEN n < 2 THEN 'sending' ELSE 'fetching' END, n::text,
       now() - CASE n WHEN 0 THEN interval '90 s' WHEN 1 THEN interval '5 s' ELSE interval '1 h' END
  FROM generate_series(0, 600) AS n"""
"""One since a minute and a half, one since a moment, and 599 pictures from before."""


async def test_a_picture_that_wechat_does_not_hand_out_holds_no_other_up(customer: Customer, clock, monkeypatch):
    for _ in range(2):
        await customer.show(picture())
    conversation_id = int(await newest())
    media = [row[0] for row in await db.fetch(PICTURES, conversation_id)]
    download = wechat.download_media

    async def stingy(media_id: str) -> bytes:
        if media_id == media[0]:
            raise WechatUnavailable
        return await download(media_id)

    monkeypatch.setattr(wechat, "download_media", stingy)
    clock.shift(timedelta(minutes=31))

    await pictures.fetch_again()

    assert [row[1] for row in await db.fetch(PICTURES, conversation_id)] == ["fetching", "received"]


PICTURES = (
    "SELECT media_id, stage FROM conversation_message WHERE conversation_id = $1 AND kind = 'picture' ORDER BY seq"
)


async def test_staff_answer_with_a_picture_once(customer: Customer, admin, settings):
    await customer.write("人工")
    conversation_id = await newest()
    await admin.post(f"{DESK}/{conversation_id}/claim")
    headers = {"Authorization": f"Bearer {admin.access_token}", "Content-Type": "image/png", "Idempotency-Key": "p1"}
    path = f"{DESK}/{conversation_id}/pictures"

    first = await admin.client.post(path, content=picture(), headers=headers)
    again = await admin.client.post(path, content=picture(), headers=headers)
    other = await admin.client.post(path, content=picture(color="red"), headers=headers)
    svg = await admin.client.post(
        path, content=b"<svg onload='x'/>", headers=headers | {"Content-Type": "image/svg+xml"}
    )
    fake = await admin.client.post(path, content=b"<svg onload='x'/>", headers=headers | {"Idempotency-Key": "p2"})

    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert first.json()["message"]["stage"] == "sent"
    assert again.json()["message"]["id"] == first.json()["message"]["id"]
    assert other.json()["code"] == "idempotency_conflict"
    assert (svg.status_code, fake.status_code) == (415, 422)
    sent = [item for item in await customer.screen() if item["from"] == "service" and item["kind"] == "picture"]
    assert len(sent) == 1
    seen = await customer.client.get(f"/mock/wechat/media/{sent[0]['media_id']}")
    assert seen.headers["content-type"] == "image/jpeg"


async def test_a_card_of_the_customer_s_is_shown_as_one(customer: Customer, admin):
    await customer.post("messages", {"card": {"title": "苹果", "page": "pages/product/index?spu=P-1"}})

    found = (await admin.get(f"{DESK}/{await newest()}/messages")).json()["items"]
    assert found[-1]["card"] == {"title": "苹果", "page": "pages/product/index?spu=P-1"}


@pytest.mark.parametrize("mode", ["plain", "safe"])
@pytest.mark.parametrize("form", ["xml", "json"])
async def test_wechat_s_own_service_goes_on_where_staff_say_so(customer: Customer, admin, settings, mode, form):
    await customer.write("余额", mode=mode, format=form)
    conversation_id = await newest()
    assert (await admin.post(f"{DESK}/{conversation_id}/wechat")).json()["state"] == "wechat"

    told = await customer.write("你好", mode=mode, format=form, msg_id=991)
    again = await customer.write("你好", mode=mode, format=form, msg_id=991)
    entered = await customer.enter(mode=mode, format=form)
    await work(settings)

    assert told["encrypted"] == (mode == "safe")
    assert told["reply"]["MsgType"] == again["reply"]["MsgType"] == "transfer_customer_service"
    assert (told["reply"]["ToUserName"], told["reply"]["FromUserName"]) == (customer.openid, "gh_0123456789ab")
    assert entered["body"] == "success"
    assert "没有完全明白" not in "".join(await customer.answers())
    assert (await admin.post(f"{DESK}/{conversation_id}/claim")).json()["state"] == "open"
    assert (await customer.write("还在吗", mode=mode, format=form))["body"] == "success"


async def test_what_wechat_s_own_service_had_a_day_ago_is_the_robot_s_again(customer: Customer, admin, settings, clock):
    await customer.write("余额")
    await admin.post(f"{DESK}/{await newest()}/wechat")
    await customer.write("你好")
    clock.shift(timedelta(hours=25))

    told = await customer.write("积分")
    await work(settings)

    assert told["body"] == "success"
    assert (await customer.answers())[-1].startswith("您的可用积分为")


async def test_an_open_phone_hears_of_every_answer(phone, customer: Customer, settings):
    async with live.subscribe(phone.member_id) as heard:
        await customer.write("余额")
        await work(settings)

        events = [heard.get_nowait() for _ in range(heard.qsize())]

    assert [event["type"] for event in events] == ["chat", "chat"]
    chat = (await phone.call("GET", "/v1/member/chat?limit=1")).json()
    assert (chat["state"], chat["items"][0]["author"]) == ("robot", "robot")
    rest = (await phone.call("GET", f"/v1/member/chat?cursor={chat['next_cursor']}")).json()
    assert [item["author"] for item in rest["items"]] == ["me"]


async def test_a_member_who_waits_is_told_how_many_are_before(client, chain, admin, settings):
    first, second = await register(client), await register(client)
    for phone in (first, second):
        await Customer(client, phone.openid).write("人工")

    chats = [(await phone.call("GET", "/v1/member/chat")).json() for phone in (first, second)]

    assert chats[1]["ahead"] == chats[0]["ahead"] + 1
    assert [chat["state"] for chat in chats] == ["waiting", "waiting"]
