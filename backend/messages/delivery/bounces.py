"""Reports of mail servers about mail that did not arrive, read within bounds.

Anybody can write a mail to the address that bounces go to. What counts is the tag: it stands in the return path and in
the Message-ID of what we sent, and nobody makes one for a letter that was not sent to him. Who holds one can say of no
other address than his own that it is dead.

Source: RFC 3464 (delivery status notifications), RFC 3463 (status codes), RFC 6522 (multipart/report).
"""

from __future__ import annotations

import re
from email import policy
from email.message import Message
from email.parser import BytesParser

import msgspec

from . import links

MOST_BYTES = 256 * 1024
MOST_PARTS = 20
MOST_DEPTH = 6
MOST_HEADERS = 500
MOST_TAGS = 50

_TAG = re.compile(rb"\b([0-9A-Za-z]{27}-[Ee][Mm][Aa][Ii][Ll]-[0-9A-Fa-f]{12})@")
_BOUNDARY = re.compile(rb"boundary\s*=", re.IGNORECASE)
_NESTED = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_HEADER = re.compile(rb"^[!-9;-~]+:", re.MULTILINE)
_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")


class NotAReport(Exception):
    """This is no mail that says what became of one of ours; ``reason`` says why, for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Bounce(msgspec.Struct, frozen=True):
    """What a report says of one delivery: not now (``failed`` is False), or never, and whether the address is dead."""

    delivery_id: str
    failed: bool
    dead: bool
    status: str


def is_dead_address(kind: int, subject: int, detail: int) -> bool:
    """Whether an enhanced status says that the mailbox is not there, so that no other letter arrives there either.

    A full mailbox, a refused content, a policy say nothing of the next letter.
    """
    if kind != 5:
        return False
    return subject in (0, 1) or (subject, detail) in ((2, 0), (2, 1), (4, 1), (4, 4))


def read(raw: bytes) -> Bounce:
    """What a mail to the bounces' address says; ``NotAReport`` where that is nothing we can believe."""
    _refuse_monsters(raw)
    delivery_id = _tagged(raw)
    try:
        message = BytesParser(policy=policy.compat32).parsebytes(raw)
        blocks = _status_blocks(message)
    except (RecursionError, LookupError, ValueError, AssertionError):
        raise NotAReport("unreadable") from None
    for block in blocks:
        action = str(block.get("Action", "")).strip().lower()
        status = _STATUS.match(str(block.get("Status", "")))
        if action and status:
            code = (int(status[1]), int(status[2]), int(status[3]))
            failed = action == "failed"
            return Bounce(delivery_id, failed, failed and is_dead_address(*code), ".".join(map(str, code)))
    raise NotAReport("no_status")


def _refuse_monsters(raw: bytes) -> None:
    """Before anything is parsed: so large, so deep, so many."""
    if len(raw) > MOST_BYTES:
        raise NotAReport("too_large")
    if len(_BOUNDARY.findall(raw)) > MOST_DEPTH or len(_NESTED.findall(raw)) > MOST_PARTS:
        raise NotAReport("too_deep")
    if len(_HEADER.findall(raw)) > MOST_HEADERS:
        raise NotAReport("too_many_headers")


def _tagged(raw: bytes) -> str:
    """The one delivery whose tag the mail carries."""
    found = set()
    for count, match in enumerate(_TAG.finditer(raw)):
        if count >= MOST_TAGS:
            raise NotAReport("too_many_tags")
        if named := links.read_bounce_tag(match[1].decode()):
            found.add(named)
    if len(found) != 1:
        raise NotAReport("no_tag" if not found else "many_tags")
    return found.pop()


def _status_blocks(message: Message) -> list[Message]:
    """The blocks of the report's machine-readable part: one for the message, one for each recipient."""
    if message.get_content_type() != "multipart/report":
        raise NotAReport("no_report")
    for count, part in enumerate(message.walk()):
        if count > MOST_PARTS:
            raise NotAReport("too_many_parts")
        if part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            return [block for block in blocks if isinstance(block, Message)] if isinstance(blocks, list) else []
    return []
