"""How long what lasts, how many there may be, and the forms of tokens and names. No I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Iterable
from datetime import timedelta

import msgspec

from .control import MOST_DEVICES, MOST_SESSIONS
from .types import Permission, Role, Scope

ACCESS_TTL = timedelta(minutes=15)
REFRESH_TTL = timedelta(days=30)
"""A member's session ends when it is not refreshed for this long."""

STAFF_TTL = timedelta(hours=12)
"""A staff session ends this long after the login, refreshed or not."""

KEPT_AFTER_END = timedelta(days=30)
MAX_SESSIONS = MOST_SESSIONS
"""Living sessions of one identity; the one longest unused ends when another begins."""

MAX_DEVICES = MOST_DEVICES
"""Living enrolled devices of one member; those of sessions are bounded by the sessions."""

HANDLE_DIGITS = 9
HANDLE_GRACE = timedelta(seconds=60)
SKEW_S = 300
NONCE_KEPT_S = 600

INVITED = timedelta(hours=72)
RESET_WITHIN = timedelta(hours=24)
RECOVERY_CODES = 10
MOST_ROLES = 50
MOST_INVITATIONS = 200
"""That wait at once."""

TOTP_STEP_S = 30

TERMINAL_HEADER = re.compile(
    r"(?i:HUIYUAN-HMAC-SHA256) terminal=([A-Za-z0-9_-]{1,32}), ?timestamp=([0-9]{1,12}), ?nonce=([!-~]{8,64}), ?"
    r"signature=([0-9a-f]{64})\Z"
)
"""Terminal, timestamp, nonce, signature; in this order, which is the published one."""

BEARER = re.compile(r"(?i:Bearer) ([A-Za-z0-9_.-]{1,2000})\Z")

_HEAD = struct.Struct(">Q24s")
_TAG_BYTES = 16


class RefreshToken(msgspec.Struct, frozen=True):
    """A refresh token taken apart."""

    session_id: int
    digest: bytes


def make_refresh_token(key: bytes, session_id: int, random: bytes) -> tuple[str, bytes]:
    """A refresh token and the digest to store.

    It is the session's id, 24 random bytes and a tag under ``key``. The tag lets a dead token be told from a made-up
    one for ever, without a row for each; the digest alone says which is alive.
    """
    head = _HEAD.pack(session_id, random)
    token = base64.urlsafe_b64encode(head + _tag(key, head)).decode().rstrip("=")
    return token, hashlib.sha256(token.encode()).digest()


def read_refresh_token(key: bytes, token: str) -> RefreshToken | None:
    """The session a token is of, and its digest; None for what we never gave out."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    head, tag = raw[: _HEAD.size], raw[_HEAD.size :]
    if len(raw) != _HEAD.size + _TAG_BYTES or not hmac.compare_digest(_tag(key, head), tag):
        return None
    session_id, _ = _HEAD.unpack(head)
    return RefreshToken(session_id, hashlib.sha256(token.encode()).digest())


def _tag(key: bytes, head: bytes) -> bytes:
    return hmac.digest(key, head, "sha256")[:_TAG_BYTES]


def signed_text(method: str, target: str, timestamp: str, nonce: str, idempotency_key: str, body: bytes) -> bytes:
    """What a terminal signs. Source: the contract, section POS."""
    body_hash = hashlib.sha256(body).hexdigest()
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n{idempotency_key}\n{body_hash}".encode("latin-1")


def signature_matches(secret: bytes, text: bytes, signature: str) -> bool:
    """Whether the lower-case hex signature is that of the text; in constant time."""
    return hmac.compare_digest(hmac.digest(secret, text, "sha256").hex(), signature)


def permissions_of(role: str, granted: Iterable[str], withheld: Iterable[str]) -> frozenset[Permission]:
    """What a role holds: what the release gives a built-in one, with head office's changes; ``admin`` holds all.

    Only the changes are stored, so what a release adds reaches the built-in roles by itself. Codes that this release
    does not know (of a later one) are held by nobody.
    """
    if role == Role.ADMIN:
        return frozenset(Permission)
    more, less = frozenset(granted), frozenset(withheld)
    return frozenset(one for one in Permission if (role in one.holders or one in more) and one not in less)


def held(role: str, store_id: str | None, granted: Iterable[str], withheld: Iterable[str]) -> frozenset[Permission]:
    """What somebody with this role holds where they work: nothing of head office's in a store."""
    found = permissions_of(role, granted, withheld)
    return found if store_id is None else frozenset(one for one in found if not one.office)


def fits(scope: Scope, store_id: str | None) -> bool:
    """Whether a role of this scope is held in that store, or in head office where there is none."""
    return scope is Scope.ANY or (scope is Scope.OFFICE) == (store_id is None)
