"""Scan tokens: what a scan found, signed, so that the same scan gives the same token without a table."""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec

_TAG_BYTES = 16


class ScanToken(msgspec.Struct, frozen=True, array_like=True):
    """A spent code: whose, of which device and step, where it was read, and until when it stands for it (unix s).

    ``suspect``: somebody was guessing at the device's handle, so the sale waits for the phone.
    ``earn_only``: who it is was confirmed so that what would be spent waits for the phone; device 0 is such a request.
    """

    member_id: int
    device_id: int
    step: int
    terminal_id: str
    store_id: str
    expires_at: int
    suspect: bool = False
    earn_only: bool = False


def seal(token: ScanToken, key: bytes) -> str:
    """The token as text; equal tokens are equal texts."""
    payload = msgspec.msgpack.encode(token)
    return base64.urlsafe_b64encode(payload + _tag(payload, key)).decode().rstrip("=")


def unseal(text: str, key: bytes) -> ScanToken | None:
    """The token in a text that ``seal`` made with this key, None for anything else."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    payload, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
    if not payload or not hmac.compare_digest(tag, _tag(payload, key)):
        return None
    return msgspec.msgpack.decode(payload, type=ScanToken)


def _tag(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)[:_TAG_BYTES]
