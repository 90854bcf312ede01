"""Spot codes: a spot's id, and a tag that only the chain can make of it.

A code hangs on a table for everybody to see, so it is no secret and proves no presence: the tag keeps anybody from
naming a table whose code they have not seen. Guessing one: 2^-96 a try.
"""

from __future__ import annotations

import base64
import hmac

PARAMETER = "spot"
"""The query parameter of the page's address that carries it."""

_TAG_BYTES = 12
_MOST_CHARS = 64


def make(spot_id: str, secret: bytes) -> str:
    """The code of the spot; ``secret`` are at least 12 bytes of its own."""
    return f"{spot_id}.{_tag(secret)}"


def spot_of(code: str) -> str | None:
    """Whose code it says it is, or None for what cannot be one."""
    spot_id, dot, tag = code.partition(".")
    fits = len(code) <= _MOST_CHARS and spot_id.isascii() and spot_id.isalnum() and tag.isascii()
    return spot_id if dot and fits else None


def is_genuine(code: str, secret: bytes) -> bool:
    """Whether the code's tag is the one of that secret; in constant time."""
    return hmac.compare_digest(code.partition(".")[2].encode(), _tag(secret).encode())


def link(base_url: str, code: str) -> str:
    """What is printed: the page's address with the code, which phones, WeChat and mini-programs all can open."""
    return f"{base_url.rstrip('/')}/?{PARAMETER}={code}"


def _tag(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret[:_TAG_BYTES]).decode()
