"""Reads of what members wrote back."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import db

from ..types import Channel


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a member wrote back; ``at`` by the gateway's clock, ``taken_at`` by ours."""

    id: str
    member_id: int
    channel: Channel
    text: str
    stop: bool
    at: datetime
    taken_at: datetime

    def __repr__(self) -> str:
        return f"<reply {self.id}>"


async def list_replies(
    *, before: tuple[datetime, str] | None, limit: int, store_id: str | None, stops: bool
) -> list[Reply]:
    """Replies, newest first; of a store's members only where one is named, and stops only where asked for."""
    rows = await db.fetch(
        "SELECT id, member_id, channel, text, stop, at, taken_at FROM message_reply"
        " WHERE ($1::timestamptz IS NULL OR (taken_at, id) < ($1, $2)) AND (stop <= $3::boolean)"
        " AND ($4::text IS NULL OR member_id IN (SELECT id FROM member WHERE store_id = $4))"
        " ORDER BY taken_at DESC, id DESC LIMIT $5",
        before[0] if before else None,
        before[1] if before else "",
        stops,
        store_id,
        limit,
    )
    return [Reply(**dict(row) | {"channel": Channel(row["channel"])}) for row in rows]
