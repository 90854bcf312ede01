"""Cursors of keyset pages: where the next page begins, opaque to clients."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta

from .errors import invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_CHARS = 128


def make_cursor(*parts: str) -> str:
    """The cursor for these parts of the last item's key; none of them has a slash."""
    return base64.urlsafe_b64encode("/".join(parts).encode()).decode().rstrip("=")


def read_cursor(cursor: str, count: int) -> list[str] | None:
    """The parts of a cursor, or None for what is none with so many."""
    if len(cursor) > _MOST_CHARS:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    parts = text.split("/")
    return parts if len(parts) == count and "\0" not in text else None  # no text of the database has a NUL


def instant_part(at: datetime) -> str:
    """An instant as a part of a cursor, exact to the microsecond."""
    return str((at - _EPOCH) // timedelta(microseconds=1))


def read_instant(part: str) -> datetime | None:
    """The instant of such a part, or None."""
    if not (part.isdigit() and part.isascii() and len(part) <= 17):
        return None
    return _EPOCH + timedelta(microseconds=int(part))


Place = tuple[datetime, str]
"""The time and the id of the last item of a page, where a list goes newest first."""


def place_cursor(at: datetime, item_id: str) -> str:
    """The cursor of a list that goes by time and id."""
    return make_cursor(instant_part(at), item_id)


def read_place(cursor: str | None) -> Place | None:
    """The place in such a list, None for its beginning; ``ValidationFailed`` for what is no cursor of it."""
    if cursor is None:
        return None
    parts = read_cursor(cursor, 2)
    at = read_instant(parts[0]) if parts else None
    if parts is None or at is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return at, parts[1]
