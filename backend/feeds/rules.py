"""How deliveries are signed and repeated, and what a subscriber may see: pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

KEY_BYTES = 32
SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - how such secrets begin, none itself
KEY_PREFIX = "hyfeed_"
OVERLAP = timedelta(hours=24)
"""How long the key or secret before the last change stays good."""

KEPT = timedelta(days=400)
"""How long entries can be asked for."""

LOST = 1_000_000_000
"""More numbers than a database can have forgotten that it gave, when it came back from an earlier moment."""

DELIVERIES_KEPT = timedelta(days=30)
"""How long calls of subscribers' addresses can be looked at."""

GIVE_UP_AFTER = timedelta(days=3)
"""A subscriber whose address has failed for so long is called no more."""

_WAITS_S = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400)


def digest_of(key: str) -> bytes:
    """What is stored of a subscriber's key: 32 random bytes need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def printed_secret(secret: bytes) -> str:
    """A signing secret as the subscriber keeps it. Source: Standard Webhooks, "Secret serialization"."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, delivery_id: str, at: int, body: bytes) -> str:
    """The signature of one delivery: ``v1,`` and base64 of the HMAC-SHA256 over id, time and body.

    Args:
        at: unix seconds, as in ``webhook-timestamp``.

    Source: Standard Webhooks, "Signature scheme" (symmetric).
    """
    signed = f"{delivery_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def signatures(secrets: Iterable[bytes], delivery_id: str, at: int, body: bytes) -> str:
    """One signature for each secret that is good now, by spaces, the newest first."""
    return " ".join(signature(secret, delivery_id, at, body) for secret in secrets)


def wait_after(tries: int, jitter: float) -> timedelta:
    """How long to wait after so many failed calls in a row: 5 s to 4 h, a tenth more or less.

    Args:
        jitter: 0..1, random.
    """
    seconds = _WAITS_S[min(max(tries, 1), len(_WAITS_S)) - 1]
    return timedelta(seconds=seconds * (0.9 + 0.2 * jitter))


def gives_up(failing_since: datetime | None, now: datetime, status: int | None) -> bool:
    """Whether a subscriber is called no more: its address says so (410), or has failed for days."""
    return status == 410 or (failing_since is not None and now - failing_since >= GIVE_UP_AFTER)


SHARING = "third_party"
"""The field that says whether a member agrees that other companies are told of them; without it they never did."""

AGREED = "yes"


def is_over(field: str, after: object, *, erased: bool) -> bool:
    """Whether a change ends what another company may know of a member: taken back, erased, or part of another.

    ``erased``: what the change said was taken with its member, so that it may be the very one that says so.
    """
    if erased:
        return field in (SHARING, "status")
    return (field == SHARING and after != AGREED) or (field == "status" and after in ("erased", "merged"))


def seen(field: str, allowed: Collection[str]) -> bool:
    """Whether a subscriber with these fields sees this one; ``attributes`` stands for every extension attribute."""
    return field in allowed or (field.startswith("attributes.") and "attributes" in allowed)


def is_address(url: str) -> bool:
    """Whether a subscriber's address can be one at all; whether it may be called is judged at each call."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and parts.username is None
        and parts.password is None
        and not parts.fragment
        and (port is None or 0 < port < 65_536)
        and url.isascii()
        and url.isprintable()
        and " " not in url
    )
