"""A letter as an e-mail: text and HTML of the same words, with what mail programs need to file and unsubscribe it.

Source: RFC 5322, RFC 2045–2049, RFC 2369 and RFC 8058 (List-Unsubscribe), RFC 3834 (Auto-Submitted).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html import escape

import msgspec

from backend.kernel.config import Settings

from ..channels import Outgoing, Refused
from ..types import Channel, Purpose
from . import links
from .links import For, Link

MOST_LINKS = 20
"""Addresses of one letter that are followed; those after them stand in it as they are."""

_WEB = re.compile(r"https?://[^\s<>\"'，。；！？、（）《》【】]+")
_TRAILING = ".,;:!?)]}"
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")


class Sender(msgspec.Struct, frozen=True):
    """Who writes: name and address, where bounces go, the public address of this server, and of the phone pages."""

    name: str
    address: str
    bounces: str
    base_url: str
    pages_url: str
    follows: bool = True


def sender_of(settings: Settings) -> Sender:
    """Who writes, by the settings."""
    name, address = parseaddr(settings.mail_from)
    return Sender(
        name=name or settings.chain_name,
        address=address,
        bounces=settings.mail_bounces or address,
        base_url=settings.base_url.rstrip("/"),
        pages_url=(settings.phone_url or settings.base_url).rstrip("/"),
        follows=settings.message_tracking,
    )


class Mail(msgspec.Struct, frozen=True):
    """What is handed to the mail server: the return path, the recipient, and the message with CRLF."""

    return_path: str
    recipient: str
    content: bytes

    def __repr__(self) -> str:
        return f"<mail {len(self.content)} bytes>"


def mailbox(text: str) -> str | None:
    """An e-mail address with its domain in ASCII and lower case, or None for what no mail server would take."""
    local, at, domain = text.strip().rpartition("@")
    if not at or not _LOCAL.match(local) or len(local) > 64:
        return None
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return f"{local}@{ascii_domain}" if _DOMAIN.match(ascii_domain) and len(ascii_domain) <= 253 else None


def one_line(text: str) -> str:
    """Text for a header: one line, without characters that nobody sees."""
    return " ".join(_UNSEEN.sub(" ", text).split())


def return_path(sender: Sender, delivery_id: str) -> str:
    """The address that bounces of this delivery come to, which names it (VERP)."""
    local, _, domain = sender.bounces.rpartition("@")
    return f"{local}+{links.bounce_tag(delivery_id)}@{domain}"


def compose(outgoing: Outgoing, sender: Sender, at: datetime) -> Mail:
    """The letter as it is sent; ``Refused`` for an address that no mail server would take."""
    recipient = mailbox(outgoing.address)
    if recipient is None:
        raise Refused("unknown_address", bounced=True)
    letter_id = outgoing.delivery_id.rpartition("-")[0]
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address(one_line(sender.name), addr_spec=sender.address)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = one_line(outgoing.title)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{links.bounce_tag(outgoing.delivery_id)}@{sender.address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if outgoing.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{outgoing.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if outgoing.purpose is not Purpose.SERVICE:
        message["Precedence"] = "bulk"
    followed = Followed(letter_id, Channel.EMAIL, sender, targets_of(outgoing, sender))
    # base64 throughout: no line can end early, begin with a dot or be too long.
    page = page_of(sender, outgoing.link) if outgoing.link else ""
    message.set_content(_plain(outgoing, followed, page), cte="base64")
    message.add_alternative(_html(outgoing, followed, page), subtype="html", cte="base64")
    return Mail(return_path(sender, outgoing.delivery_id), recipient, message.as_bytes())


def targets_of(outgoing: Outgoing, sender: Sender) -> list[str]:
    """Where the letter's links lead, each once: its page of the phone first, then the addresses of its text."""
    page = [page_of(sender, outgoing.link)] if outgoing.link else []
    return list(dict.fromkeys(page + targets_in(outgoing.body)))[:MOST_LINKS]


def targets_in(text: str) -> list[str]:
    """The web addresses of a text."""
    return [match[0].rstrip(_TRAILING) for match in _WEB.finditer(text)]


def page_of(sender: Sender, link: str) -> str:
    """The public address of a page of the phone."""
    return f"{sender.pages_url}/{link}"


class Followed:
    """The links of one letter: by what address each goes, so that we hear of it."""

    def __init__(self, letter_id: str, channel: Channel, sender: Sender, targets: list[str]) -> None:
        self._letter_id = letter_id
        self._channel = channel
        self._sender = sender
        self._numbers = {target: number for number, target in enumerate(targets, 1)}

    def __call__(self, target: str) -> str:
        """Where a link to ``target`` goes by; the target itself where it is not followed."""
        number = self._numbers.get(target)
        return target if number is None else self._address(For.CLICK, number, target) or target

    def pixel(self) -> str:
        """The picture that says the letter was opened."""
        address = self._address(For.OPEN, 0, "")
        return f"{address}.gif" if address else ""

    def trap(self) -> str:
        """The link that nobody sees: who follows it is a machine."""
        return self._address(For.TRAP, 0, "")

    def _address(self, kind: For, number: int, target: str) -> str:
        if not self._sender.follows:
            return ""
        try:
            token = links.sign(Link(kind, self._letter_id, self._channel, number, len(self._numbers), target))
        except ValueError:
            return ""
        return f"{self._sender.base_url}/v1/m/{token}"


def with_addresses(text: str, shown: Callable[[str], str], other: Callable[[str], str]) -> str:
    """The text, each web address in it replaced by ``shown`` of it and what is between by ``other`` of that."""
    parts, begin = [], 0
    for match in _WEB.finditer(text):
        address = match[0].rstrip(_TRAILING)
        parts += [other(text[begin : match.start()]), shown(address)]
        begin = match.start() + len(address)
    return "".join([*parts, other(text[begin:])])


def _plain(outgoing: Outgoing, followed: Followed, page: str) -> str:
    lines = [with_addresses(outgoing.body, followed, str)]
    if page:
        lines += ["", f"查看详情：{followed(page)}"]
    if outgoing.unsubscribe_url:
        lines += ["", f"不想再收到这类邮件？退订：{outgoing.unsubscribe_url}"]
    return "\n".join(lines)


def _html(outgoing: Outgoing, followed: Followed, page: str) -> str:
    def anchor(address: str) -> str:
        return f'<a href="{escape(followed(address))}" style="color:#0b7a5b">{escape(address)}</a>'

    def written(text: str) -> str:
        return escape(text).replace("\n", "<br>")

    body = with_addresses(outgoing.body, anchor, written)
    parts = [f'<p style="margin:0 0 16px">{body}</p>']
    if page:
        parts.append(
            f'<p style="margin:0 0 16px"><a href="{escape(followed(page))}" style="display:inline-block;'
            'padding:10px 20px;background:#0b7a5b;color:#fff;border-radius:6px;text-decoration:none">查看详情</a></p>'
        )
    if outgoing.unsubscribe_url:
        parts.append(
            '<p style="margin:24px 0 0;font-size:12px;color:#6b6b70">不想再收到这类邮件？'
            f'<a href="{escape(outgoing.unsubscribe_url)}" style="color:#6b6b70">退订</a></p>'
        )
    if trap := followed.trap():
        parts.append(f'<a href="{trap}" style="display:none" tabindex="-1" aria-hidden="true" rel="nofollow"></a>')
    if pixel := followed.pixel():
        parts.append(f'<img src="{pixel}" width="1" height="1" alt="" style="display:block">')
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(one_line(outgoing.title))}</title></head>"
        "<body style=\"margin:0;padding:24px;font:16px/1.6 system-ui,'PingFang SC','Microsoft YaHei',sans-serif;"
        f'color:#1c1c1e">{"".join(parts)}</body></html>'
    )
