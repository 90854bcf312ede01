"""Card tokens: that a card's PIN was shown at a till or on a phone, signed; short enough for a tender's reference."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct

import msgspec

PREFIX = "gc."
PHONES = "phones"
"""What stands for the store where a member's phone is the till."""

_PAYLOAD = struct.Struct(">QI")
_TAG_BYTES = 16


class CardToken(msgspec.Struct, frozen=True):
    """Which card was shown, and until when (unix s) the token stands for it."""

    card_id: int
    expires_at: int


def seal(token: CardToken, terminal_id: str, store_id: str, key: bytes) -> str:
    """The token as text, good at this till of this store only."""
    payload = _PAYLOAD.pack(token.card_id, token.expires_at)
    text = base64.urlsafe_b64encode(payload + _tag(payload, terminal_id, store_id, key)).decode().rstrip("=")
    return PREFIX + text


def unseal(text: str, terminal_id: str, store_id: str, key: bytes) -> CardToken | None:
    """The token in a text that ``seal`` made with these, None for anything else."""
    encoded = text.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    payload, tag = raw[: _PAYLOAD.size], raw[_PAYLOAD.size :]
    if len(payload) != _PAYLOAD.size or not hmac.compare_digest(tag, _tag(payload, terminal_id, store_id, key)):
        return None
    return CardToken(*_PAYLOAD.unpack(payload))


def _tag(payload: bytes, terminal_id: str, store_id: str, key: bytes) -> bytes:
    signed = payload + f"{terminal_id}\n{store_id}".encode()
    return hmac.digest(key, signed, hashlib.sha256)[:_TAG_BYTES]
