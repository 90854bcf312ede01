"""Reads of a member's letters."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.paging import Place

from ..types import InboxLetter, Purpose

_LETTER = "SELECT id, member_id, template, purpose, title, body, link, shown_at AS at, read_at FROM message_letter"


def _letter(row: db.Record) -> InboxLetter:
    return InboxLetter(**dict(row) | {"purpose": Purpose(row["purpose"])})


async def list_inbox(member_id: int, *, before: Place | None, limit: int, unread: bool = False) -> list[InboxLetter]:
    """What stands in a member's inbox, newest first, from below ``before``."""
    rows = await db.fetch(
        f"{_LETTER} WHERE member_id = $1 AND shown_at IS NOT NULL"
        " AND ($2::timestamptz IS NULL OR (shown_at, id) < ($2, $3::text)) AND (NOT $5 OR read_at IS NULL)"
        " ORDER BY shown_at DESC, id DESC LIMIT $4",
        member_id,
        *(before or (None, None)),
        limit,
        unread,
    )
    return [_letter(row) for row in rows]


async def find_letter(member_id: int, letter_id: str) -> InboxLetter | None:
    """One letter of the inbox, or None."""
    row = await db.fetchrow(
        f"{_LETTER} WHERE member_id = $1 AND id = $2 AND shown_at IS NOT NULL", member_id, letter_id
    )
    return _letter(row) if row else None


async def count_unread(member_id: int) -> int:
    """How many letters of the inbox were not read."""
    return int(
        await db.fetchval(
            "SELECT count(*) FROM message_letter WHERE member_id = $1 AND shown_at IS NOT NULL AND read_at IS NULL",
            member_id,
        )
    )
