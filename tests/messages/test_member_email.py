"""A member's e-mail address: written to only after its code came back."""

from __future__ import annotations

import pytest

from backend.kernel import db
from backend.messages import channels
from backend.messages.channels import Outgoing, Refused, Sent, TryAgain
from backend.messages.types import Channel
from tests.support.books import fingerprint

EMAIL = "/v1/member/email"
pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")


def code_in(outgoing: Outgoing) -> str:
    return outgoing.body.partition("验证码是 ")[2][:6]


def other(code: str) -> str:
    return ("1" if code[0] != "1" else "2") + code[1:]


async def test_an_address_counts_when_its_code_came_back(phone, fake_channels):
    asked = await phone.call("PUT", EMAIL, {"email": "Li.Lei@Mail.Example"})
    (given,) = fake_channels[Channel.EMAIL].given
    waiting = await phone.call("GET", EMAIL)
    confirmed = await phone.call("POST", f"{EMAIL}/confirm", {"code": code_in(given)})

    assert (given.address, given.unsubscribe_url) == ("Li.Lei@mail.example", "")
    assert asked.json() == waiting.json()
    assert (waiting.json()["email_masked"], waiting.json()["pending_masked"]) == (None, "L***@mail.example")
    assert (confirmed.json()["email_masked"], confirmed.json()["pending_masked"]) == ("L***@mail.example", None)
    (row,) = await db.fetch("SELECT * FROM message_email WHERE member_id = $1", phone.member_id)
    assert "mail.example" not in str(dict(row))


async def test_the_old_address_counts_until_the_new_one_does(phone, fake_channels):
    given = fake_channels[Channel.EMAIL].given
    await phone.call("PUT", EMAIL, {"email": "a@mail.example"})
    await phone.call("POST", f"{EMAIL}/confirm", {"code": code_in(given[-1])})

    await phone.call("PUT", EMAIL, {"email": "b@mail.example"})
    between = (await phone.call("GET", EMAIL)).json()
    await phone.call("POST", f"{EMAIL}/confirm", {"code": code_in(given[-1])})
    after = (await phone.call("GET", EMAIL)).json()

    assert (between["email_masked"], between["pending_masked"]) == ("a***@mail.example", "b***@mail.example")
    assert (after["email_masked"], after["pending_masked"]) == ("b***@mail.example", None)


async def test_a_code_is_tried_five_times(phone, fake_channels):
    await phone.call("PUT", EMAIL, {"email": "a@mail.example"})
    code = code_in(fake_channels[Channel.EMAIL].given[-1])

    wrong = [await phone.call("POST", f"{EMAIL}/confirm", {"code": other(code)}) for _ in range(5)]
    right = await phone.call("POST", f"{EMAIL}/confirm", {"code": code})

    assert {(answer.status_code, answer.json()["code"]) for answer in [*wrong, right]} == {(422, "email_code_invalid")}
    assert (await phone.call("GET", EMAIL)).json()["email_masked"] is None


async def test_a_code_lives_a_quarter_of_an_hour_and_is_good_once(phone, fake_channels):
    given = fake_channels[Channel.EMAIL].given
    await phone.call("PUT", EMAIL, {"email": "a@mail.example"})
    await db.pool().execute("UPDATE message_email SET code_until = code_until - interval '15 minutes'")
    late = await phone.call("POST", f"{EMAIL}/confirm", {"code": code_in(given[-1])})
    await phone.call("PUT", EMAIL, {"email": "a@mail.example"})
    earlier = await phone.call("POST", f"{EMAIL}/confirm", {"code": code_in(given[0])})
    answers = [await phone.call("POST", f"{EMAIL}/confirm", {"code": code_in(given[-1])}) for _ in range(2)]

    assert (late.status_code, earlier.status_code) == (422, 422 if code_in(given[0]) != code_in(given[1]) else 200)
    assert [answer.status_code for answer in answers] == [200, 422]


async def test_what_is_no_address_gets_no_code(phone, fake_channels, settings):
    before = await fingerprint(settings)
    bad = [
        "li",
        "li@",
        "@mail.example",
        "li lei@mail.example",
        "a@mail.example\r\nBcc: e@evil.example",
        "李@mail.example",
    ]

    answers = [await phone.call("PUT", EMAIL, {"email": text}) for text in bad]

    assert {answer.status_code for answer in answers} == {422}
    assert fake_channels[Channel.EMAIL].given == []
    assert await fingerprint(settings) == before


async def test_codes_are_sent_five_times_an_hour(phone, fake_channels):
    answers = [await phone.call("PUT", EMAIL, {"email": "a@mail.example"}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert len(fake_channels[Channel.EMAIL].given) == 5


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [(Refused("unknown_address"), 422, "email_invalid"), (TryAgain(30.0), 503, "email_unavailable")],
)
async def test_a_code_that_cannot_be_sent_is_said_so(phone, fake_channels, answer, status, code):
    def refuse(_: Outgoing) -> Sent:
        raise answer

    fake_channels[Channel.EMAIL].answer = refuse

    got = await phone.call("PUT", EMAIL, {"email": "a@mail.example"})

    assert (got.status_code, got.json()["code"]) == (status, code)


async def test_without_a_mail_server_there_is_no_e_mail(phone, monkeypatch):
    monkeypatch.setattr(channels, "find", lambda channel: None)

    answer = await phone.call("PUT", EMAIL, {"email": "a@mail.example"})

    assert (answer.status_code, answer.json()["code"]) == (503, "email_unavailable")


async def test_an_address_is_forgotten_when_its_member_says_so(phone, fake_channels):
    await phone.call("PUT", EMAIL, {"email": "a@mail.example"})

    answers = [await phone.call("DELETE", EMAIL) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert await db.fetchval("SELECT count(*) FROM message_email WHERE member_id = $1", phone.member_id) == 0
