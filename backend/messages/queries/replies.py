"""Reads of what members wrote back."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import db

from ..types import Channel


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a member wrote back; ``at`` by the gateway's clock, ``taken_at`` by ours. ``letter_id``: to which letter."""

    id: str
    member_id: int
    channel: Channel
    text: str
    stop: bool
    at: datetime
    taken_at: datetime
    letter_id: str | None = None

    def __repr__(self) -> str:
        return f"<reply {self.id}>"


_REPLY = "SELECT id, member_id, channel, text, stop, at, taken_at, letter_id FROM message_reply"

_PAGE = (
    f"{_REPLY} WHERE ($1::timestamptz IS NULL OR (taken_at, id) < ($1, $2)) AND (stop <= $3::boolean)"  # noqa: S608
    " AND ($4::text IS NULL OR member_id IN (SELECT id FROM member WHERE store_id = $4))"
    " ORDER BY taken_at DESC, id DESC LIMIT $5"
)


async def find_reply(reply_id: str) -> Reply | None:
    """One reply, or None."""
    row = await db.fetchrow(f"{_REPLY} WHERE id = $1", reply_id)
    return _reply(row) if row else None


def _reply(row: db.Record) -> Reply:
    return Reply(**dict(row) | {"channel": Channel(row["channel"])})


async def list_of_letter(member_id: int, letter_id: str, *, limit: int) -> list[Reply]:
    """What a member answered to one letter, oldest first."""
    rows = await db.fetch(
        f"{_REPLY} WHERE member_id = $1 AND letter_id = $2 ORDER BY taken_at, id LIMIT $3", member_id, letter_id, limit
    )
    return [_reply(row) for row in rows]


async def list_replies(
    *, before: tuple[datetime, str] | None, limit: int, store_id: str | None, stops: bool
) -> list[Reply]:
    """Replies, newest first; of a store's members only where one is named, and stops only where asked for."""
    rows = await db.fetch(
        _PAGE,
        before[0] if before else None,
        before[1] if before else "",
        stops,
        store_id,
        limit,
    )
    return [_reply(row) for row in rows]
