"""The inbox of the phone: letters stand in it once, newest first, and are read by their member alone."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import live, outbox
from backend.kernel.paging import make_cursor
from backend.messages.types import Letter
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.messages import INBOX, inbox, write

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")


async def test_a_letter_about_ones_own_affair_stands_in_the_inbox_at_once_and_once(phone):
    letter = Letter(phone.member_id, "test.note", {"what": "到货了 {what}"}, "one", link="#/orders/1")

    first, second = await write(letter), await write(letter, letter)
    found = await inbox(phone)

    assert (first, second) == (1, 0)
    assert [(item["title"], item["body"], item["link"]) for item in found["items"]] == [
        ("提醒", "到货了 {what}", "#/orders/1")
    ]
    assert (found["unread"], found["next_cursor"]) == (1, None)
    assert found["items"][0]["read_at"] is None


async def test_of_letters_written_at_once_with_one_key_one_remains(phone):
    letter = Letter(phone.member_id, "test.note", {"what": "x"}, "race")

    written = await asyncio.gather(*(write(letter) for _ in range(5)))

    assert sorted(written) == [0, 0, 0, 0, 1]
    assert len((await inbox(phone))["items"]) == 1


async def test_pages_go_newest_first_and_unread_alone_can_be_asked_for(phone):
    for number in range(5):
        await write(Letter(phone.member_id, "test.note", {"what": str(number)}, f"n{number}"))

    first = await inbox(phone, "?limit=3")
    read = await phone.call("POST", f"{INBOX}/{first['items'][0]['id']}/read")
    again = await phone.call("POST", f"{INBOX}/{first['items'][0]['id']}/read")
    second = await inbox(phone, f"?limit=3&cursor={first['next_cursor']}")
    unread = await inbox(phone, "?unread=true")

    assert [item["body"] for item in first["items"] + second["items"]] == ["4", "3", "2", "1", "0"]
    assert second["next_cursor"] is None
    assert read.json()["read_at"] == again.json()["read_at"] is not None
    assert [item["body"] for item in unread["items"]] == ["3", "2", "1", "0"]
    assert (await phone.call("GET", f"{INBOX}/unread")).json() == {"unread": 4}


async def test_all_are_read_with_one_call(phone, client):
    other = await register(client)
    await write(*(Letter(one.member_id, "test.note", {"what": "a"}, "all") for one in (phone, other)))

    answer = await phone.call("POST", f"{INBOX}/read")

    assert answer.status_code == 204
    assert ((await inbox(phone))["unread"], (await inbox(other))["unread"]) == (0, 1)


async def test_anothers_letter_is_not_there_and_stays_unread(phone, client, settings):
    other = await register(client)
    await write(Letter(other.member_id, "test.note", {"what": "a"}, "mine"))
    letter_id = (await inbox(other))["items"][0]["id"]
    before = await fingerprint(settings)

    answers = [await phone.call("POST", f"{INBOX}/{name}/read") for name in (letter_id, "L0", "x" * 500)]
    cursors = [await phone.call("GET", f"{INBOX}?cursor={text}") for text in ("x", make_cursor("a", "b"))]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert [answer.status_code for answer in cursors] == [422] * 2
    assert await fingerprint(settings) == before


async def test_an_open_phone_hears_of_it(phone):
    async with live.subscribe(phone.member_id) as heard:
        await write(Letter(phone.member_id, "test.note", {"what": "a"}, "told"))
        await outbox.drain()
        message = await asyncio.wait_for(heard.get(), 5)

    item = (await inbox(phone))["items"][0]
    assert message == {"type": "message", "data": {"id": item["id"], "kind": "test.note", "title": "提醒"}}


async def test_a_letter_that_cannot_be_written_leaves_nothing(phone, settings):
    before = await fingerprint(settings)

    for letter, error in (
        (Letter(phone.member_id, "test.none", {}, "x"), KeyError),
        (Letter(phone.member_id, "test.note", {}, "x"), KeyError),
        (Letter(phone.member_id, "test.note", {"what": "x"}, "x", link="https://example.com/"), ValueError),
        (Letter(phone.member_id, "test.note", {"what": "x"}, "x" * 81), ValueError),
    ):
        with pytest.raises(error):
            await write(letter)

    assert await fingerprint(settings) == before
