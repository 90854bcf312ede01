"""Reads of announcements: what a member is shown, and what staff see of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from backend.audience import queries as audiences
from backend.audience.types import Audience
from backend.kernel import db
from backend.kernel.paging import Place
from backend.members import queries as members
from backend.members.types import Member

from ..types import Announcement, AnnouncementState, Reader, Shown
from .shared import blocks_of

MOST_UNREAD = 99
MOST_ASKED = 30
"""Unread announcements with conditions of which a statement cannot judge: more are not counted."""

ROUNDS = 5
"""How often a page is read on when others' announcements stand between."""

ANNOUNCEMENT = (
    "SELECT id, store_id, state, title, summary, body, blocks, cover, audience, pinned, starts_at, ends_at, version,"
    " created_by, created_at, updated_at, published_at FROM notice_announcement"
)
_audience = msgspec.json.Decoder(Audience).decode


def announcement_of(row: db.Record) -> Announcement:
    """A row of ``ANNOUNCEMENT``."""
    return Announcement(
        **dict(row)
        | {
            "state": AnnouncementState(row["state"]),
            "blocks": blocks_of(row["blocks"]),
            "audience": _audience(row["audience"]),
        }
    )


async def find_announcement(announcement_id: str) -> Announcement | None:
    """An announcement as it stands, or None."""
    row = await db.fetchrow(f"{ANNOUNCEMENT} WHERE id = $1", announcement_id)
    return announcement_of(row) if row else None


_STATUSES = {
    "draft": "state = 'draft'",
    "scheduled": "state = 'published' AND starts_at > $1",
    "live": "state = 'published' AND starts_at <= $1 AND (ends_at IS NULL OR ends_at > $1)",
    "over": "state = 'published' AND ends_at <= $1",
    "withdrawn": "state = 'withdrawn'",
}


async def list_announcements(
    status: str | None, store_id: str | None, now: datetime, *, after: Place | None, limit: int
) -> list[tuple[Announcement, int]]:
    """Announcements with their readers, the newest change first; ``store_id`` keeps it to that store's own."""
    rows = await db.fetch(
        f"{ANNOUNCEMENT} a WHERE {_STATUSES[status] if status else 'true'} AND $1::timestamptz IS NOT NULL"
        " AND ($2::text IS NULL OR store_id = $2)"
        " AND ($3::timestamptz IS NULL OR (updated_at, id) < ($3, $4)) ORDER BY updated_at DESC, id DESC LIMIT $5",
        now,
        store_id,
        *(after or (None, None)),
        limit,
    )
    found = [announcement_of(row) for row in rows]
    counts = await db.fetch(
        "SELECT announcement_id, count(*) FROM notice_receipt WHERE announcement_id = ANY($1) GROUP BY 1",
        [item.id for item in found],
    )
    readers = {row[0]: row[1] for row in counts}
    return [(item, readers.get(item.id, 0)) for item in found]


async def count_readers(announcement_id: str) -> int:
    """How many members have read it."""
    return int(await db.fetchval("SELECT count(*) FROM notice_receipt WHERE announcement_id = $1", announcement_id))


async def list_readers(
    announcement_id: str, *, after: tuple[datetime, int] | None, limit: int, store_id: str | None
) -> tuple[list[Reader], tuple[datetime, int] | None]:
    """Who has read it, the last first, and where to go on, None at the end.

    ``store_id`` keeps it to that store's members.
    """
    rows = await db.fetch(
        "SELECT member_id, read_at FROM notice_receipt WHERE announcement_id = $1"
        " AND ($2::timestamptz IS NULL OR (read_at, member_id) < ($2, $3)) ORDER BY read_at DESC, member_id DESC"
        " LIMIT $4",
        announcement_id,
        *(after or (None, None)),
        limit + 1,
    )
    named = await members.list_masked(row["member_id"] for row in rows[:limit])
    readers = [
        Reader(one.id, one.member_no, one.name_masked, row["read_at"])
        for row in rows[:limit]
        if (one := named.get(row["member_id"])) is not None and store_id in (None, one.store_id)
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return readers, (last["read_at"], last["member_id"]) if last else None


# ---------------------------------------------------------------------------------------------------- a member's

Standing = tuple[bool, datetime, str]
"""Where an announcement stands in a member's list: pinned, since when, its id."""

_MEANT = """
  FROM notice_announcement a LEFT JOIN notice_receipt r ON r.member_id = $1 AND r.announcement_id = a.id
 WHERE a.state = 'published' AND a.starts_at <= $2 AND (a.ends_at IS NULL OR a.ends_at > $2)
   AND (a.levels = '[]'::jsonb OR a.levels ? $3) AND (a.stores = '[]'::jsonb OR a.stores ? $4::text)"""
_SHOWN = (
    f"SELECT a.id, a.title, a.summary, a.cover, a.pinned, a.starts_at, a.narrow, a.audience,"
    f" r.read_at IS NOT NULL AS read{_MEANT}"
)
_PAGE = (
    f"{_SHOWN} AND ($5::boolean IS NULL OR (a.pinned, a.starts_at, a.id) < ($5, $6, $7))"
    " ORDER BY a.pinned DESC, a.starts_at DESC, a.id DESC LIMIT $8"
)
_UNREAD = f"SELECT a.narrow, a.audience{_MEANT} AND r.read_at IS NULL LIMIT {MOST_UNREAD}"


def _for(member: Member, now: datetime) -> tuple[Any, ...]:
    return member.id, now, member.level.code, member.store_id


async def _is_meant(row: db.Record, member_id: int) -> bool:
    return not row["narrow"] or await audiences.includes(_audience(row["audience"]), member_id)


async def list_shown(
    member: Member, now: datetime, *, after: Standing | None, limit: int
) -> tuple[list[Shown], Standing | None]:
    """What is announced to a member, the pinned first, then the newest; and where to go on, None at the end."""
    found: list[Shown] = []
    place = after
    for _ in range(ROUNDS):
        rows = await db.fetch(_PAGE, *_for(member, now), *(place or (None, None, None)), limit + 1)
        for row in rows[:limit]:
            if len(found) == limit:
                return found, place
            place = (row["pinned"], row["starts_at"], row["id"])
            if await _is_meant(row, member.id):
                found.append(_shown(row))
        if len(rows) <= limit:
            return found, None
        if len(found) == limit:
            break
    return found, place


def _shown(row: db.Record) -> Shown:
    return Shown(
        id=row["id"],
        title=row["title"],
        summary=row["summary"],
        cover=row["cover"],
        pinned=row["pinned"],
        starts_at=row["starts_at"],
        read=row["read"],
    )


async def find_shown(member: Member, announcement_id: str, now: datetime) -> Shown | None:
    """One announcement as this member is shown it now, or None."""
    row = await db.fetchrow(f"{_SHOWN} AND a.id = $5", *_for(member, now), announcement_id)
    return _shown(row) if row is not None and await _is_meant(row, member.id) else None


async def count_unread(member: Member, now: datetime) -> int:
    """How many announcements this member is shown and has not read; 99 stands for more."""
    rows = await db.fetch(_UNREAD, *_for(member, now))
    plain = [row for row in rows if not row["narrow"]]
    asked = [row for row in rows if row["narrow"]][:MOST_ASKED]
    return len(plain) + sum([await _is_meant(row, member.id) for row in asked])
