"""Where pages of messages begin, and what a picture is called."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import ids
from backend.kernel.errors import invalid
from backend.kernel.paging import make_cursor, read_cursor

from .types import Message

MOST_SEQ = 2**31 - 1


def read(cursor: str | None) -> int | None:
    """The number before which a page goes on; ``ValidationFailed`` for what is no cursor of it."""
    if cursor is None:
        return None
    parts = read_cursor(cursor, 1)
    seq = ids.read_bigint(parts[0]) if parts else None
    if seq is None or seq > MOST_SEQ:
        raise invalid("/query/cursor", "not a cursor of this list")
    return seq


def cut(rows: Sequence[Message], limit: int) -> tuple[list[Message], str | None]:
    """A page of the rows, and the cursor where there is more."""
    page = list(rows[:limit])
    return page, make_cursor(str(page[-1].seq)) if len(rows) > limit else None


def read_picture(text: str) -> tuple[int, int] | None:
    """The conversation and the message that a picture's name says, or None for what is none."""
    first, _, second = text.partition("-")
    conversation_id, seq = ids.read_bigint(first), ids.read_bigint(second)
    return (conversation_id, seq) if conversation_id and seq and seq <= MOST_SEQ else None
