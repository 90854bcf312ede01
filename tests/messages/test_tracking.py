"""Links of letters: they lead where they say, people and machines are told apart, and only a press unsubscribes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db, ids
from backend.messages.delivery import links
from backend.messages.delivery.links import For, Link
from backend.messages.types import Channel, Letter, Purpose
from tests.support.books import fingerprint
from tests.support.messages import agree, work, write

PERSON = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50"}
SCANNER = {"User-Agent": "Barracuda Sentinel (EE)"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
pytestmark = pytest.mark.usefixtures("chain", "no_other_letter", "fake_channels")


async def sent_letter(member_id: int) -> str:
    """A letter by SMS that was sent just now; its id."""
    await write(Letter(member_id, "test.shipped", {"no": "D1"}, ids.new_short("X")))
    await work()
    letter_id: str = await db.fetchval(
        "SELECT letter_id FROM message_delivery WHERE member_id = $1 AND channel = 'sms' AND state = 'sent'"
        " ORDER BY sent_at DESC LIMIT 1",
        member_id,
    )
    return letter_id


def address(
    letter_id: str, kind: For = For.CLICK, number: int = 1, of: int = 3, target: str = "https://a.example/x"
) -> str:
    return f"/v1/m/{links.sign(Link(kind, letter_id, Channel.SMS, number, of, target))}"


async def state(letter_id: str) -> tuple[str, bool, bool]:
    """The delivery's state, and whether it counts as opened and as clicked."""
    row = await db.fetchrow("SELECT * FROM message_delivery WHERE letter_id = $1 AND channel = 'sms'", letter_id)
    assert row is not None
    return row["state"], row["opened_at"] is not None, row["clicked_at"] is not None


async def touches(letter_id: str) -> list[tuple[str, bool]]:
    rows = await db.fetch("SELECT kind, machine FROM message_touch WHERE letter_id = $1 ORDER BY seq", letter_id)
    return [(row["kind"], row["machine"]) for row in rows]


async def test_a_click_leads_where_the_letter_said_and_counts(client, phone):
    letter_id = await sent_letter(phone.member_id)

    answer = await client.get(address(letter_id), headers=PERSON)

    assert (answer.status_code, answer.headers["location"]) == (302, "https://a.example/x")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert await state(letter_id) == ("clicked", True, True)


async def test_a_target_in_chinese_is_written_as_addresses_are(client, phone):
    letter_id = await sent_letter(phone.member_id)

    answer = await client.get(address(letter_id, target="https://a.example/活动?a=1&b=%20#x"), headers=PERSON)

    assert answer.headers["location"] == "https://a.example/%E6%B4%BB%E5%8A%A8?a=1&b=%20#x"


async def test_a_picture_that_was_asked_for_says_opened(client, phone):
    letter_id = await sent_letter(phone.member_id)

    ours = await client.get(address(letter_id, For.OPEN, 0) + ".gif", headers=PERSON)
    others = [await client.get(path + ".gif", headers=PERSON) for path in ("/v1/m/AAAA", address(letter_id))]

    assert (ours.status_code, ours.headers["content-type"], len(ours.content)) == (200, "image/gif", 43)
    assert [answer.status_code for answer in others] == [404, 404]
    assert await state(letter_id) == ("opened", True, False)


async def test_nobody_makes_a_link_that_leads_elsewhere(client, phone, settings):
    letter_id = await sent_letter(phone.member_id)
    ours = address(letter_id)
    before = await fingerprint(settings)
    tries = [
        "/v1/m/https:%2F%2Fevil.example",
        "/v1/m/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ours[:-4] + "AAAA",
        ours.replace("/v1/m/", "/v1/m/A"),
        address(letter_id, For.OPEN, 0),  # a token for another thing
        address(letter_id, For.UNSUBSCRIBE, 0, 0, "marketing"),
    ]

    answers = [await client.get(path, headers=PERSON) for path in tries]

    assert [(answer.status_code, answer.headers.get("location")) for answer in answers] == [(404, None)] * len(tries)
    assert await fingerprint(settings) == before


async def test_a_link_of_a_letter_that_is_gone_leads_on_and_counts_nothing(client, settings):
    before = await fingerprint(settings)

    answer = await client.get(address(ids.new_document_id("L", 9)), headers=PERSON)

    assert answer.status_code == 302
    assert await fingerprint(settings) == before


@pytest.mark.parametrize(("method", "headers"), [("GET", SCANNER), ("HEAD", PERSON), ("GET", {"User-Agent": ""})])
async def test_who_says_it_is_a_machine_counts_as_one(client, phone, method, headers):
    letter_id = await sent_letter(phone.member_id)

    answer = await client.request(method, address(letter_id), headers=headers)

    assert answer.status_code == 302
    assert await state(letter_id) == ("delivered", False, False)
    assert await touches(letter_id) == [("click", True)]


async def test_a_scan_of_all_links_takes_back_what_its_first_link_was_counted_as(client, phone):
    letter_id = await sent_letter(phone.member_id)

    await client.get(address(letter_id, number=1), headers=PERSON)
    first = await state(letter_id)
    await client.get(address(letter_id, number=2), headers=PERSON)

    assert first == ("clicked", True, True)
    assert await state(letter_id) == ("delivered", False, False)
    assert await touches(letter_id) == [("click", True), ("click", True)]


async def test_a_person_after_a_scan_is_counted(client, phone, clock):
    letter_id = await sent_letter(phone.member_id)
    for number in (1, 2, 3):
        await client.get(address(letter_id, number=number), headers={"User-Agent": "Mozilla/5.0 (Windows) Chrome/140"})

    clock.shift(timedelta(hours=1))
    await client.get(address(letter_id, number=2), headers=PERSON)

    assert await state(letter_id) == ("clicked", True, True)
    assert [machine for _, machine in await touches(letter_id)] == [True, True, True, False]


async def test_who_follows_the_link_that_nobody_sees_is_a_machine(client, phone, clock):
    letter_id = await sent_letter(phone.member_id)
    clock.shift(timedelta(hours=1))

    await client.get(address(letter_id), headers=PERSON)
    answer = await client.get(address(letter_id, For.TRAP, 0, 3, ""), headers=PERSON)

    assert (answer.status_code, answer.headers["location"]) == (302, str(client.base_url).rstrip("/"))
    assert await state(letter_id) == ("delivered", False, False)


async def test_touches_of_one_letter_are_bounded(client, phone, monkeypatch):
    monkeypatch.setattr("backend.messages.delivery.machines.MOST_TOUCHES", 3)
    letter_id = await sent_letter(phone.member_id)

    for _ in range(6):
        assert (await client.get(address(letter_id), headers=PERSON)).status_code == 302

    assert len(await touches(letter_id)) == 3


async def test_a_click_before_the_answer_of_the_channel_is_not_lost(client, phone):
    """The member is quicker than the worker's note that it was sent."""
    letter_id = await sent_letter(phone.member_id)
    await db.pool().execute(
        "UPDATE message_delivery SET state = 'sending', sent_at = NULL WHERE letter_id = $1 AND channel = 'sms'",
        letter_id,
    )

    await client.get(address(letter_id), headers=PERSON)

    assert (await state(letter_id))[0] == "clicked"


async def test_a_letter_of_which_nobody_knew_whether_it_went_has_arrived(client, phone):
    letter_id = await sent_letter(phone.member_id)
    await db.pool().execute(
        "UPDATE message_delivery SET state = 'failed', reason = 'outcome_unknown'"
        " WHERE letter_id = $1 AND channel = 'sms'",
        letter_id,
    )

    await client.get(address(letter_id), headers=SCANNER)

    assert await state(letter_id) == ("delivered", False, False)


def unsubscribing(letter_id: str, purpose: Purpose = Purpose.MARKETING) -> str:
    base = "http://x"
    return links.unsubscribe_url(base, letter_id, Channel.SMS, purpose).removeprefix(base)


async def granted(member_id: int) -> set[str]:
    rows = await db.fetch("SELECT channel, purpose FROM message_consent WHERE member_id = $1 AND granted", member_id)
    return {f"{row['channel']}/{row['purpose']}" for row in rows}


async def consenting(phone: Any) -> str:
    """A member who agreed to a few things, and a letter."""
    for channel, purpose in (
        (Channel.SMS, Purpose.MARKETING),
        (Channel.SMS, Purpose.CARE),
        (Channel.EMAIL, Purpose.CARE),
    ):
        await agree(phone.member_id, channel, purpose)
    return ids.new_document_id("L", phone.member_id)


async def press(client: httpx.AsyncClient, path: str, body: str) -> httpx.Response:
    return await client.post(path, content=body, headers=FORM)


async def test_the_mailboxs_button_ends_that_purpose_on_that_channel(client, phone):
    path = unsubscribing(await consenting(phone))

    answers = [await press(client, path, "List-Unsubscribe=One-Click") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert await granted(phone.member_id) == {"sms/care", "email/care"}
    rows = await db.fetch("SELECT by FROM message_consent_change WHERE member_id = $1 AND NOT granted", phone.member_id)
    assert [row["by"] for row in rows] == ["link"]


async def test_the_page_asks_first_and_may_end_all_of_a_channel(client, phone):
    path = unsubscribing(await consenting(phone))

    for method in ("GET", "HEAD"):
        page = await client.request(method, path, headers=SCANNER)
        assert page.status_code == 200
    before = await granted(phone.member_id)
    page = await client.get(path)
    done = await press(client, path, "scope=channel")

    assert before == {"sms/marketing", "sms/care", "email/care"}
    assert "退订惠员便利的优惠活动短信？" in page.text
    assert "script" not in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "已退订" in done.text
    assert await granted(phone.member_id) == {"email/care"}


async def test_what_is_no_press_of_a_button_ends_nothing(client, phone, settings):
    letter_id = await consenting(phone)
    path = unsubscribing(letter_id)
    before = await fingerprint(settings)

    refused = [
        await press(client, path, body)
        for body in (
            "",
            "x",
            "scope=all",
            "List-Unsubscribe=yes",
            "scope=purpose&scope=channel",
            "a=1&b=2&c=3&d=4&e=5",
            "锁",
        )
    ]
    forged = [
        await press(client, wrong, "scope=purpose")
        for wrong in ("/v1/m/AAAA/unsubscribe", address(letter_id) + "/unsubscribe", path.replace("/v1/m/", "/v1/m/A"))
    ]
    gone = await client.get("/v1/m/AAAA/unsubscribe")
    large = await press(client, path, "scope=purpose&x=" + "a" * 2000)

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(422, "validation_failed")}
    assert {(answer.status_code, answer.json()["code"]) for answer in forged} == {(404, "not_found")}
    assert (gone.status_code, large.status_code) == (404, 413)
    assert await fingerprint(settings) == before


async def test_a_letter_that_is_due_after_it_was_unsubscribed_is_not_sent(client, phone, fake_channels):
    await consenting(phone)
    await write(Letter(phone.member_id, "test.news", {"what": "荔枝"}, "late"))

    await press(client, unsubscribing(ids.new_document_id("L", phone.member_id)), "List-Unsubscribe=One-Click")
    await work()

    assert fake_channels[Channel.SMS].given == []


async def test_letters_carry_the_link_that_ends_them(client, phone, fake_channels, clock):
    clock.freeze(kernel_clock.now().replace(hour=4))  # noon in Shanghai: no quiet hours
    await agree(phone.member_id, Channel.SMS, Purpose.MARKETING)
    await write(
        Letter(phone.member_id, "test.news", {"what": "荔枝"}, "n"),
        Letter(phone.member_id, "test.shipped", {"no": "D1"}, "s"),
    )
    await work()

    urls = {outgoing.purpose: outgoing.unsubscribe_url for outgoing in fake_channels[Channel.SMS].given}
    assert urls[Purpose.SERVICE] == ""
    path = urls[Purpose.MARKETING].removeprefix(str(client.base_url).rstrip("/"))
    assert (await press(client, path, "List-Unsubscribe=One-Click")).status_code == 200
    assert await granted(phone.member_id) == set()
