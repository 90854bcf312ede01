"""What gateways and mail servers report: receipts, replies and bounces, each once, none from anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import clock as kernel_clock
from backend.kernel import config, db, ids, redis
from backend.kernel.redis import RedisDown
from backend.members import queries as members
from backend.messages import channels, queries, service
from backend.messages.channels.email import Smtp
from backend.messages.commands.returns import is_stop
from backend.messages.delivery import links
from backend.messages.types import Builtin, Channel, Letter, Purpose, delivery_id
from tests.messages.test_bounces import report
from tests.support.books import fingerprint
from tests.support.gateways import Reporter
from tests.support.messages import agree, deliveries, work, write
from tests.support.smtp import mail_server

RECEIPTS, REPLIES, BOUNCES = "/v1/messages/sms/receipts", "/v1/messages/sms/replies", "/v1/messages/bounces"
MAILED = Builtin("test.mailed", Purpose.SERVICE, "来信", "{what}", channels=(Channel.EMAIL,))
service.declare(MAILED)
pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")


@pytest.fixture
def gateway(client: Any, settings: config.Settings) -> Reporter:
    return Reporter(client, "sms", settings.sms_secret)


@pytest.fixture
def mta(client: Any, settings: config.Settings) -> Reporter:
    return Reporter(client, "mail", settings.mail_report_secret)


def now() -> str:
    return kernel_clock.now().isoformat()


def receipt(of: str, state: str = "delivered", **more: object) -> dict[str, Any]:
    return {"items": [{"id": ids.new_short("R"), "delivery_id": of, "state": state, "at": now()} | more]}


def reply(number: str, text: str, id_: str = "") -> dict[str, Any]:
    return {"items": [{"id": id_ or ids.new_short("R"), "phone": number, "text": text, "at": now()}]}


async def number_of(member_id: int) -> str:
    found = await members.find_phone(member_id)
    assert found is not None
    return found


async def sent(member_id: int, template: str = "test.shipped", **values: str) -> str:
    """A letter that was sent; its id."""
    await write(Letter(member_id, template, values or {"no": "D1"}, ids.new_short("X")))
    await work()
    found: str = await db.fetchval(
        "SELECT id FROM message_letter WHERE member_id = $1 ORDER BY at DESC LIMIT 1", member_id
    )
    return found


async def test_a_receipt_moves_the_delivery_once(phone, gateway, fake_channels):
    of = delivery_id(await sent(phone.member_id), Channel.SMS)

    answers = [await gateway.post(RECEIPTS, receipt(of)) for _ in range(2)]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"taken": 1}), (200, {"taken": 0})]
    assert (await deliveries(phone.member_id))["sms"][0] == "delivered"


async def test_a_number_that_is_none_is_written_to_no_more(phone, gateway, fake_channels):
    of = delivery_id(await sent(phone.member_id), Channel.SMS)

    answer = await gateway.post(RECEIPTS, receipt(of, "failed", reason="number_invalid"))
    before = len(fake_channels[Channel.SMS].given)
    await write(Letter(phone.member_id, "test.shipped", {"no": "D2"}, "next"))
    await work()

    rows = await db.fetch(
        "SELECT state, reason FROM message_delivery WHERE member_id = $1 AND channel = 'sms'"
        " ORDER BY letter_id = $2 DESC",
        phone.member_id,
        of.rpartition("-")[0],
    )
    assert answer.json() == {"taken": 1}
    assert [tuple(row) for row in rows] == [("bounced", "number_invalid"), ("suppressed", "dead_address")]
    assert len(fake_channels[Channel.SMS].given) == before


async def test_another_failure_says_nothing_of_the_number(phone, gateway, fake_channels):
    of = delivery_id(await sent(phone.member_id), Channel.SMS)

    await gateway.post(RECEIPTS, receipt(of, "failed", reason="switched_off"))

    assert (await deliveries(phone.member_id))["sms"] == ("failed", "switched_off", 1)
    assert await queries.addresses.where(phone.member_id, Channel.SMS) == (await number_of(phone.member_id), "")


async def test_a_receipt_of_what_is_not_ours_changes_nothing(phone, gateway, settings, fake_channels):
    letter_id = await sent(phone.member_id)
    before = await fingerprint(settings)
    nobodys = [
        "",
        "x",
        letter_id,
        delivery_id(letter_id, Channel.INBOX),
        delivery_id(ids.new_document_id("L", 7), Channel.SMS),
        "A" * 64,
    ]

    answers = [await gateway.post(RECEIPTS, receipt(of)) for of in nobodys]

    assert [answer.json() for answer in answers] == [{"taken": 0}] * len(nobodys)
    assert await fingerprint(settings) == before


@pytest.mark.parametrize(
    "text", ["TD", "td", " T ", "退订", "回TD", "ＴＤ", "TD。", "TD退订", "回复TD退订！", "N", "stop"]
)
def test_who_asks_for_no_more(text):
    assert is_stop(text)


@pytest.mark.parametrize("text", ["", "TDX", "谢谢", "不退订", "T恤还有吗", "好的 TD 是什么", "N95"])
def test_who_asks_for_something_else(text):
    assert not is_stop(text)


async def test_a_reply_td_ends_what_needs_consent_on_sms_at_once_and_once(phone, gateway, admin):
    for channel in (Channel.SMS, Channel.EMAIL):
        await agree(phone.member_id, channel, Purpose.MARKETING)
    number, id_ = await number_of(phone.member_id), ids.new_short("R")

    answers = [await gateway.post(REPLIES, reply(number, "TD", id_)) for _ in range(3)]

    assert [answer.json()["taken"] for answer in answers] == [1, 0, 0]
    rows = await db.fetch("SELECT channel, purpose, granted FROM message_consent WHERE member_id = $1", phone.member_id)
    assert {(row["channel"], row["purpose"]): row["granted"] for row in rows} == {
        ("sms", "marketing"): False,
        ("sms", "care"): False,
        ("sms", "survey"): False,
        ("email", "marketing"): True,
    }
    found = (await admin.get("/v1/admin/messages/replies?stops=true")).json()["items"]
    assert [(item["text"], item["stop"]) for item in found if item["id"] == id_] == [("TD", True)]


async def test_other_replies_are_kept_for_staff_and_end_nothing(phone, gateway, admin):
    await agree(phone.member_id, Channel.SMS, Purpose.MARKETING)
    number = await number_of(phone.member_id)

    await gateway.post(REPLIES, reply(number, "荔枝多少钱？"))

    found = (await admin.get("/v1/admin/messages/replies")).json()["items"]
    assert (found[0]["text"], found[0]["member_id"]) == ("荔枝多少钱？", str(phone.member_id))
    assert await db.fetchval(
        "SELECT granted FROM message_consent WHERE member_id = $1 AND purpose = 'marketing'", phone.member_id
    )


async def test_a_reply_of_a_day_that_never_was_is_of_now(phone, gateway):
    """The gateway would send it again and again, and all replies with it."""
    number, id_ = await number_of(phone.member_id), ids.new_short("R")
    said = reply(number, "几点开门？", id_)
    said["items"][0]["at"] = "0001-01-01T00:00:00+14:00"

    answer = await gateway.post(REPLIES, said)

    assert (answer.status_code, answer.json()["taken"]) == (200, 1)
    assert await db.fetchval("SELECT at > now() - interval '1 hour' FROM message_reply WHERE id = $1", id_)


async def test_a_number_of_nobody_is_forgotten(gateway, settings):
    before = await fingerprint(settings)

    answer = await gateway.post(REPLIES, reply("19999999999", "TD"))

    assert answer.json() == {"taken": 0}
    assert await fingerprint(settings) == before


async def test_nobody_reports_who_did_not_sign(client, phone, gateway, mta, settings, fake_channels):
    of = delivery_id(await sent(phone.member_id), Channel.SMS)
    body = receipt(of)
    before = await fingerprint(settings)
    seconds = int(kernel_clock.now().timestamp())
    wrongs: list[dict[str, Any]] = [
        {"secret": "x" * 32},
        {"secret": ""},
        {"signature": "0" * 64},
        {"signature": "0" * 63},
        {"signed_body": b"{}"},
        {"target": REPLIES},
        {"target": RECEIPTS + "?x=1"},
        {"method": "PUT"},
        {"timestamp": seconds - 301},
        {"timestamp": seconds + 301},
        {"timestamp": "-1"},
        {"nonce": "short"},
        {"nonce": "n" * 65},
        {"nonce": "with,comma-and-more"},
        {"key": "mail"},
        {"key": "other"},
        {"header": ""},
        {"header": "Bearer x"},
    ]

    answers = [await gateway.post(RECEIPTS, body, **wrong) for wrong in wrongs]
    answers += [await mta.post(path, reply("13800000000", "TD")) for path in (RECEIPTS, REPLIES)]
    answers += [await gateway.post(BOUNCES, b"x")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "unauthenticated")}
    assert await fingerprint(settings) == before


async def test_a_request_is_good_once(phone, gateway, fake_channels):
    of = delivery_id(await sent(phone.member_id), Channel.SMS)
    body, nonce = receipt(of), "nonce-of-a-gateway-1"

    answers = await asyncio.gather(*(gateway.post(RECEIPTS, body, nonce=nonce) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


async def test_a_request_is_good_once_without_redis_too(phone, gateway, monkeypatch, fake_channels):
    of = delivery_id(await sent(phone.member_id), Channel.SMS)

    async def down(*_: object) -> None:
        raise RedisDown

    monkeypatch.setattr(redis, "call", down)
    body, nonce = receipt(of), "nonce-of-a-gateway-2"
    answers = [await gateway.post(RECEIPTS, body, nonce=nonce) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 401, 401]


async def test_where_no_secret_is_set_nobody_is_let_in(gateway, mta, settings):
    config.use(msgspec.structs.replace(settings, sms_secret="", mail_report_secret=""))
    answers = [await gateway.post(RECEIPTS, receipt("x"), secret=secret) for secret in ("", settings.sms_secret)]
    answers += [await mta.post(BOUNCES, b"x", secret=secret) for secret in ("", settings.mail_report_secret)]
    config.use(settings)

    assert [answer.status_code for answer in answers] == [401] * 4


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": [{"id": "r"}]},
        receipt("x") | {"more": 1},
        receipt("x", "lost"),
        receipt("x", "failed", reason="With Blanks"),
        {"items": receipt("x")["items"] * 101},
        b"?",
        b"[" * 20_000,
    ],
)
async def test_a_body_that_is_none_is_refused(gateway, settings, body):
    before = await fingerprint(settings)

    answer = await gateway.post(RECEIPTS, body)

    assert answer.status_code in (415, 422), answer.text
    assert await fingerprint(settings) == before


class Mailed:
    """A member whose e-mail is confirmed, and a letter that was sent there."""

    def __init__(self, phone: Any, letter_id: str, server: Any) -> None:
        self.phone, self.letter_id, self.server = phone, letter_id, server

    @property
    def tag(self) -> str:
        return links.bounce_tag(delivery_id(self.letter_id, Channel.EMAIL))

    def bounce(self, status: str, action: str = "failed") -> bytes:
        return report(status, action, to=f"bounces+{self.tag}@chain.example")

    async def state(self) -> tuple[str, str | None]:
        found = await deliveries(self.phone.member_id)
        return found["email"][0], found["email"][1]


@pytest_asyncio.fixture(loop_scope="session")
async def mailed(phone, settings, monkeypatch):
    async with mail_server() as server:
        driver = Smtp(
            msgspec.structs.replace(
                settings, smtp_url=f"smtp://127.0.0.1:{server.port}", mail_from="惠员便利 <service@chain.example>"
            )
        )
        monkeypatch.setattr(channels, "find", lambda channel: driver if channel is Channel.EMAIL else None)
        await confirm_email(phone, server)
        letter_id = await sent(phone.member_id, "test.mailed", what="您的发票开好了。")
        yield Mailed(phone, letter_id, server)
        await driver.aclose()


async def confirm_email(phone: Any, server: Any) -> None:
    address = f"m{phone.member_id}@mail.example"
    assert (await phone.call("PUT", "/v1/member/email", {"email": address})).status_code == 200
    code = server.taken[-1].text("plain").partition("验证码是 ")[2][:6]
    answer = await phone.call("POST", "/v1/member/email/confirm", {"code": code})
    assert answer.status_code == 200, answer.text


async def test_a_letter_goes_by_the_mail_server_to_the_address_that_was_confirmed(mailed):
    taken = mailed.server.taken[-1]

    assert taken.recipients == [f"m{mailed.phone.member_id}@mail.example"]
    assert "您的发票开好了。" in taken.text("plain")
    assert taken.return_path == f"service+{mailed.tag}@chain.example"
    assert await mailed.state() == ("sent", None)


async def test_a_hard_bounce_ends_letters_to_that_address(mailed, mta):
    answers = [await mta.post(BOUNCES, mailed.bounce("5.1.1")) for _ in range(2)]
    next_id = await sent(mailed.phone.member_id, "test.mailed", what="noch eine")

    assert [answer.json() for answer in answers] == [{"taken": 1}, {"taken": 0}]
    rows = await db.fetch(
        "SELECT letter_id, state, reason FROM message_delivery WHERE member_id = $1", mailed.phone.member_id
    )
    assert {row["letter_id"]: (row["state"], row["reason"]) for row in rows} == {
        mailed.letter_id: ("bounced", "unknown_address"),
        next_id: ("suppressed", "dead_address"),
    }
    shown = (await mailed.phone.call("GET", "/v1/member/email")).json()
    assert (shown["email_masked"], shown["dead"]) == ("m***@mail.example", True)


async def test_a_dead_address_lives_again_when_a_code_came_back_from_it(mailed, mta):
    await mta.post(BOUNCES, mailed.bounce("5.1.1"))

    await confirm_email(mailed.phone, mailed.server)
    await sent(mailed.phone.member_id, "test.mailed", what="noch eine")

    assert "noch eine" in mailed.server.taken[-1].text("plain")


@pytest.mark.parametrize(
    ("status", "action", "taken", "state"),
    [
        ("5.2.2", "failed", 1, ("bounced", "status_5.2.2")),
        ("4.4.7", "failed", 1, ("bounced", "status_4.4.7")),
        ("4.4.1", "delayed", 0, ("sent", None)),
    ],
)
async def test_other_reports_say_nothing_of_the_address(mailed, mta, status, action, taken, state):
    answer = await mta.post(BOUNCES, mailed.bounce(status, action))

    assert (answer.json(), await mailed.state()) == ({"taken": taken}, state)
    assert await queries.addresses.where(mailed.phone.member_id, Channel.EMAIL) != (None, "dead_address")


async def test_a_mail_that_is_no_report_of_ours_changes_nothing(mailed, mta, settings):
    before = await fingerprint(settings)
    monsters: list[Callable[[], bytes]] = [
        lambda: b"",
        lambda: b"To: x\r\n\r\nhello",
        lambda: report("5.1.1", to="bounces@chain.example"),
        lambda: mailed.bounce("5.1.1").replace(mailed.tag.encode(), mailed.tag[:-1].encode() + b"g"),
        lambda: b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" * 4000,
    ]

    answers = [await mta.post(BOUNCES, make()) for make in monsters]
    large = await mta.post(BOUNCES, b"x" * (256 * 1024 + 1))

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "bounce_unreadable")}
    assert (large.status_code, large.json()["code"]) == (413, "payload_too_large")
    assert await fingerprint(settings) == before
