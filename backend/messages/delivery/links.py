"""The addresses in a letter: each is signed, says where it leads itself, and leads nowhere else.

A token is a MAC over what follows it: what it is for, the letter and its channel, the number of the link, and the
target. So a click needs no look-up to be answered, works as long as the key does, and nobody makes one that leads to a
place of his own choice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from enum import StrEnum

import msgspec

from backend.kernel import ids
from backend.kernel.vault import vault

from ..types import Channel, Purpose, delivery_id

_MAC_BYTES = 12
_CHANNELS = {Channel.EMAIL: b"e", Channel.SMS: b"s", Channel.WECHAT: b"w", Channel.INBOX: b"i", Channel.POST: b"p"}
_BY_LETTER = {letter: channel for channel, letter in _CHANNELS.items()}
_PURPOSE = "message.link"
_BOUNCE = "message.bounce"
_BOUNCE_MAC = 12  # hex digits: what comes back by mail must survive mailers that fold case
MOST_TOKEN = 1200
"""Characters of a token, its target included."""


class For(StrEnum):
    """What a token is good for; one for a thing is no good for another."""

    CLICK = "c"
    OPEN = "o"
    TRAP = "t"
    UNSUBSCRIBE = "u"


class Link(msgspec.Struct, frozen=True):
    """A token of ours: which letter it was in, by which channel, which of how many links it is, and the target."""

    kind: For
    letter_id: str
    channel: Channel
    number: int = 0
    of: int = 0
    target: str = ""

    @property
    def delivery_id(self) -> str:
        """The delivery that carried it."""
        return delivery_id(self.letter_id, self.channel)


def sign(link: Link) -> str:
    """The token of a link, base64url; ``ValueError`` for a target too long to be carried."""
    head = link.kind.value.encode() + _CHANNELS[link.channel] + bytes((link.number, link.of, len(link.letter_id)))
    said = head + link.letter_id.encode("ascii") + link.target.encode()
    token = base64.urlsafe_b64encode(_mac(said) + said).decode().rstrip("=")
    if len(token) > MOST_TOKEN:
        raise ValueError("the target is too long")
    return token


def read(token: str) -> Link | None:
    """What a token says, or None for one that we did not sign."""
    if len(token) > MOST_TOKEN or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    mac, said = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if len(said) < 5 or not hmac.compare_digest(mac, _mac(said)):
        return None
    end = 5 + said[4]
    return Link(
        kind=For(said[:1].decode()),
        letter_id=said[5:end].decode(),
        channel=_BY_LETTER[said[1:2]],
        number=said[2],
        of=said[3],
        target=said[end:].decode(),
    )


def unsubscribe_url(base_url: str, letter_id: str, channel: Channel, purpose: Purpose) -> str:
    """Where a letter is unsubscribed from; empty for what is about the member's own affair."""
    if purpose is Purpose.SERVICE:
        return ""
    token = sign(Link(For.UNSUBSCRIBE, letter_id, channel, target=purpose.value))
    return f"{base_url.rstrip('/')}/v1/m/{token}/unsubscribe"


def bounce_tag(of: str) -> str:
    """What names a delivery in the address its bounces go to: lower-case letters, digits and hyphens."""
    return f"{of.lower()}-{_bounce_mac(of)}"


def read_bounce_tag(tag: str) -> str | None:
    """The delivery that a tag names, however its case was folded; None for one that we did not make."""
    named, _, mac = tag.rpartition("-")
    letter_id, _, channel = named.rpartition("-")
    if len(letter_id) != ids.DOCUMENT_ID_LENGTH or channel.lower() != Channel.EMAIL or not tag.isascii():
        return None
    of = delivery_id(letter_id.upper(), Channel.EMAIL)
    return of if hmac.compare_digest(mac.lower().encode(), _bounce_mac(of).encode()) else None


def _mac(said: bytes) -> bytes:
    return hmac.digest(vault().derive(_PURPOSE), said, hashlib.sha256)[:_MAC_BYTES]


def _bounce_mac(of: str) -> str:
    return hmac.digest(vault().derive(_BOUNCE), of.encode(), hashlib.sha256).hex()[:_BOUNCE_MAC]
