"""Pushes that nobody signed, that come again, or that are built to hurt: a stable code, nothing stored, memory flat."""

from __future__ import annotations

import asyncio
import resource
import uuid

import pytest

from backend.kernel import clock, db
from backend.wechat import callbacks
from tests.support.books import connected, fingerprint
from tests.support.chat import newest, work
from tests.wechat import platform

PATH = "/v1/wechat/push"
BOMB = (
    b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><xml><FromUserName>&j;</FromUserName></xml>"
)
MONSTERS = {
    "20,000 deep": b"<a>" * 20_000,
    "12,000 deep in JSON": b'{"a":' * 12_000,
    "an entity bomb": BOMB,
    "an outside entity": b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml><A>1</A></xml>',
    "30,000 elements": b"<xml>" + b"<a/>" * 15_000,
    "no XML": b"<xml>",
    "no message": b"{}",
}


def text(number: int, content: str = "余额", openid: str = "openid-bad") -> bytes:
    return (
        f"<xml><ToUserName>gh_0</ToUserName><FromUserName>{openid}</FromUserName>"
        f"<CreateTime>{clock.unix()}</CreateTime><MsgType>text</MsgType><Content>{content}</Content>"
        f"<MsgId>{number}</MsgId></xml>"
    ).encode()


@pytest.fixture
def signed(settings, monkeypatch):
    """Queries signed with this server's token."""
    monkeypatch.setattr(platform, "PUSH_TOKEN", settings.wechat_push_token)
    return lambda **how: platform.push_query(at=clock.now(), nonce=uuid.uuid4().hex, **how)


@pytest.mark.parametrize("body", MONSTERS.values(), ids=MONSTERS.keys())
async def test_a_monster_is_refused_with_a_stable_code(client, settings, signed, body):
    before = await fingerprint(settings)

    refused = await client.post(PATH, params=signed(), content=body)

    assert (refused.status_code, refused.json()["code"]) == (422, "notification_refused"), refused.text
    assert await fingerprint(settings) == before


async def test_what_is_larger_than_64_kib_is_refused_before_it_is_read(client, settings, signed):
    before = await fingerprint(settings)

    refused = await client.post(PATH, params=signed(), content=b"<xml>" + b"a" * 70_000)

    assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large")
    assert await fingerprint(settings) == before


async def test_monsters_take_no_memory(client, signed):
    """The server is this process: what a thousand of them leave behind is seen here."""
    for body in MONSTERS.values():
        await client.post(PATH, params=signed(), content=body)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for _ in range(20):
        answers = await asyncio.gather(
            *(client.post(PATH, params=signed(), content=body) for body in MONSTERS.values())
        )
        assert {answer.status_code for answer in answers} == {422}

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024  # KiB


async def test_a_forged_or_stale_push_is_refused(client, settings, signed):
    before = await fingerprint(settings)
    good = signed()
    forged = [
        good | {"signature": "0" * 40},
        good | {"nonce": "other"},
        good | {"timestamp": str(int(good["timestamp"]) - 301)},
        {},
    ]

    for query in forged:
        refused = await client.post(PATH, params=query, content=text(1))
        assert (refused.status_code, refused.json()["code"]) == (401, "signature_invalid")

    assert await fingerprint(settings) == before


async def test_a_replayed_push_changes_nothing_and_a_seen_signature_carries_nothing_else(client, settings, signed):
    query, body = signed(), text(5)
    assert (await client.post(PATH, params=query, content=body)).text == "success"
    await work(settings)
    before = await fingerprint(settings)

    again = [await client.post(PATH, params=query, content=body) for _ in range(3)]
    other = await client.post(PATH, params=query, content=text(6))

    assert [answer.text for answer in again] == ["success"] * 3
    assert (other.status_code, other.json()["code"]) == (401, "signature_invalid")
    assert await fingerprint(settings) == before


async def test_without_redis_a_message_that_comes_again_is_still_one(client, settings, signed, engines):
    engines.valkey.flush()
    first = await client.post(PATH, params=signed(), content=text(7))
    engines.valkey.flush()
    again = await client.post(PATH, params=signed(), content=text(7))

    assert (first.text, again.text) == ("success", "success")
    count = await db.fetchval(
        "SELECT count(*) FROM conversation_message WHERE conversation_id = $1 AND author = 'customer'",
        int(await newest()),
    )
    assert count <= 2


async def test_while_the_database_is_held_up_wechat_is_told_to_come_again(client, settings, signed, monkeypatch):
    """The time that WeChat waits is over before the lock is let go; the message is taken when it comes again."""
    openid = "openid-held-up"
    assert (await client.post(PATH, params=signed(), content=text(20, openid=openid))).text == "success"
    conversation_id = int(await newest())
    monkeypatch.setattr(callbacks, "ANSWER_S", 0.05)
    async with connected(settings, "huiyuan_owner") as other, other.transaction():
        await other.execute("SELECT FROM conversation WHERE id = $1 FOR UPDATE", conversation_id)
        late = await client.post(PATH, params=signed(), content=text(21, openid=openid))

    assert (late.status_code, late.json()["code"]) == (503, "unavailable")
    assert int(late.headers["retry-after"]) >= 1
    monkeypatch.undo()
    await callbacks.drain(10)
    monkeypatch.setattr(platform, "PUSH_TOKEN", settings.wechat_push_token)
    assert (await client.post(PATH, params=signed(), content=text(21, openid=openid))).text == "success"
    rows = await db.fetch(
        "SELECT seq FROM conversation_message WHERE conversation_id = $1 AND author = 'customer'", conversation_id
    )
    assert len(rows) == 2


async def test_a_database_that_is_gone_is_told_so_and_the_message_kept_when_it_is_back(
    client, settings, signed, engines
):
    name = db.connect_args(settings.database_url)["database"]
    engines.postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    answer = await client.post(PATH, params=signed(), content=text(30, openid="openid-gone"))
    for _ in range(40):
        if answer.status_code == 200:
            break
        assert answer.json()["code"] == "unavailable", answer.text
        await asyncio.sleep(0.1)
        answer = await client.post(PATH, params=signed(), content=text(30, openid="openid-gone"))

    assert answer.text == "success"
    rows = await db.fetch("SELECT text FROM conversation_message WHERE conversation_id = $1", int(await newest()))
    assert [row["text"] for row in rows] == ["余额"]
