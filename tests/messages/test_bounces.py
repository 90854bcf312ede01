"""Reports of mail servers: what they say of a letter of ours, and what is not read at all."""

from __future__ import annotations

import resource
from email import policy
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from backend.kernel import config, ids
from backend.messages.delivery import bounces, links
from backend.messages.delivery.bounces import Bounce, NotAReport
from backend.messages.types import Channel, delivery_id
from tests.kernel.http.conftest import make_settings

OF = delivery_id(ids.document_id("L", 42, 4711), Channel.EMAIL)


@pytest.fixture(autouse=True)
def key() -> None:
    config.use(make_settings())


def report(status: str, action: str = "failed", *, to: str | None = None, returned: str = "") -> bytes:
    """A mail server's report, as RFC 3464 has it."""
    outer = MIMEMultipart("report", report_type="delivery-status")
    outer["From"] = "MAILER-DAEMON@mail.example"
    outer["To"] = to if to is not None else f"bounces+{links.bounce_tag(OF)}@chain.example"
    outer["Subject"] = "Undelivered Mail Returned to Sender"
    outer.attach(MIMEText("I'm sorry to have to inform you", "plain"))
    status_part = MIMEBase("message", "delivery-status")
    per_message, per_recipient = EmailMessage(), EmailMessage()
    per_message["Reporting-MTA"] = "dns; mail.example"
    per_recipient["Final-Recipient"] = "rfc822; li.lei@mail.example"
    per_recipient["Action"] = action
    per_recipient["Status"] = status
    status_part.set_payload([per_message, per_recipient])
    outer.attach(status_part)
    headers = MIMEText(returned or "Subject: hello", "rfc822-headers")
    outer.attach(headers)
    return outer.as_bytes(policy=policy.SMTP)


@pytest.mark.parametrize(
    ("status", "action", "failed", "dead"),
    [
        ("5.1.1", "failed", True, True),
        ("5.0.0", "failed", True, True),
        ("5.2.1 (disabled)", "failed", True, True),
        ("5.2.2", "failed", True, False),
        ("5.7.1", "failed", True, False),
        ("4.4.7", "failed", True, False),
        ("4.4.1", "delayed", False, False),
        ("2.0.0", "delivered", False, False),
        ("5.1.1", "DELAYED", False, False),
    ],
)
def test_what_a_report_says(status: str, action: str, failed: bool, dead: bool) -> None:
    assert bounces.read(report(status, action)) == Bounce(OF, failed, dead, status.split(" ", maxsplit=1)[0])


def test_the_tag_may_stand_in_the_returned_headers_only() -> None:
    returned = f"Message-ID: <{links.bounce_tag(OF).upper()}@chain.example>"

    assert bounces.read(report("5.1.1", to="bounces@chain.example", returned=returned)).delivery_id == OF


def forged_tag() -> str:
    tag = links.bounce_tag(OF)
    return tag[:-1] + ("0" if tag[-1] != "0" else "1")


def nested(depth: int) -> bytes:
    inner: MIMEBase = MIMEText("x")
    for _ in range(depth):
        outer = MIMEMultipart("mixed")
        outer.attach(inner)
        inner = outer
    inner["To"] = f"bounces+{links.bounce_tag(OF)}@chain.example"
    return inner.as_bytes()


def other_letters_tag() -> str:
    return links.bounce_tag(delivery_id(ids.document_id("L", 43, 1), Channel.EMAIL))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: report("5.1.1", to=f"bounces+{forged_tag()}@chain.example"), "no_tag"),
        (lambda: report("5.1.1", to="bounces@chain.example"), "no_tag"),
        (lambda: report("5.1.1", returned=f"X: <{other_letters_tag()}@chain.example>"), "many_tags"),
        (lambda: report("5.1.1", returned=f"X: {links.bounce_tag(OF)}@ " * 60), "too_many_tags"),
        (lambda: report("hello"), "no_status"),
        (lambda: report("5.1.1", ""), "no_status"),
        (lambda: f"To: b+{links.bounce_tag(OF)}@chain.example\r\n\r\nI am on holiday".encode(), "no_report"),
        (lambda: report("5.1.1") + b"x" * bounces.MOST_BYTES, "too_large"),
        (lambda: nested(50), "too_deep"),
        (lambda: b"A: b\r\n" * 501 + report("5.1.1"), "too_many_headers"),
        (lambda: b"content-type: message/rfc822\r\n\r\n" * 30 + report("5.1.1"), "too_deep"),
        (lambda: b"", "no_tag"),
        (lambda: b"\xff\xfe\x00" * 100, "no_tag"),
    ],
)
def test_what_is_no_report_of_a_letter_of_ours_says_nothing(make, reason: str) -> None:
    with pytest.raises(NotAReport) as refused:
        bounces.read(make())

    assert refused.value.reason == reason


def test_a_monster_takes_no_memory() -> None:
    monster = (b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" * 20_000)[: bounces.MOST_BYTES]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for _ in range(50):
        with pytest.raises(NotAReport):
            bounces.read(monster)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024
