"""Logs of everything that leaves the house and comes back hold no address, no text, no code."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from backend.kernel import db, ids
from backend.members import queries as members
from backend.messages import channels, service
from backend.messages.channels.email import Smtp
from backend.messages.channels.sms import Sms
from backend.messages.delivery import links
from backend.messages.types import Builtin, Channel, Letter, Purpose, delivery_id
from tests.messages.test_bounces import report
from tests.messages.test_returns import BOUNCES, REPLIES, confirm_email, receipt, reply
from tests.support import logs
from tests.support.gateways import Reporter
from tests.support.messages import work, write
from tests.support.smtp import mail_server

QUIET = Builtin("test.quiet", Purpose.SERVICE, "标题里的秘密", "正文里的{what}", channels=(Channel.EMAIL, Channel.SMS))
service.declare(QUIET)


@pytest.fixture
def logged(settings: Any) -> Iterator[None]:
    """Everything, as a program writes it; the mail server that it writes to is the test's, and so are its lines."""
    logging.getLogger("mail").setLevel(logging.CRITICAL)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    with logs.configured(msgspec.structs.replace(settings, log_level="debug")):
        yield


@pytest.mark.usefixtures("chain", "no_other_letter", "logged")
async def test_nothing_of_a_letter_is_in_the_log(phone: Any, client: Any, settings: Any, monkeypatch, capsys) -> None:
    number = await members.find_phone(phone.member_id)
    assert number is not None
    address = f"m{phone.member_id}@mail.example"
    async with mail_server() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        email = Smtp(msgspec.structs.replace(settings, smtp_url=url, mail_from="惠员便利 <service@chain.example>"))
        sms = Sms(settings)
        monkeypatch.setattr(channels, "find", lambda channel: {Channel.EMAIL: email, Channel.SMS: sms}.get(channel))
        await confirm_email(phone, server)
        code = server.taken[-1].text("plain").partition("验证码是 ")[2][:6]
        for answer in ("", "451 later", "550 5.1.1 no such user", "554 spam", "hang up"):
            if answer:
                server.next("RCPT", answer)
            await write(Letter(phone.member_id, "test.quiet", {"what": "秘密"}, ids.new_short("X")))
            await work()
        await client.put("/mock/sms/faults", json={"refuse": {number: "number_blocked"}, "receipt": "none"})
        await write(Letter(phone.member_id, "test.quiet", {"what": "秘密"}, ids.new_short("X")))
        await work()
        await client.put("/mock/sms/faults", json={})
        mta, gateway = (
            Reporter(client, "mail", settings.mail_report_secret),
            Reporter(client, "sms", settings.sms_secret),
        )
        letter_id = await db.fetchval("SELECT id FROM message_letter WHERE member_id = $1 LIMIT 1", phone.member_id)
        tag = links.bounce_tag(delivery_id(letter_id, Channel.EMAIL))
        for body in (b"x", report("5.1.1", to=f"bounces+{tag}@chain.example")):
            assert (await mta.post(BOUNCES, body)).status_code in (200, 422)
        assert (await gateway.post(REPLIES, reply(number, "回复里的秘密"))).status_code == 200
        assert (await gateway.post("/v1/messages/sms/receipts", receipt("x"))).status_code == 200
        await email.aclose()
        await sms.aclose()

    said = capsys.readouterr()
    text = said.out + said.err
    assert "messages.bounce_refused" in text
    for secret in (number, address, "mail.example", code, "秘密", tag):
        assert secret not in text, secret
