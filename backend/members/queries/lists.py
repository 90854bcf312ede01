"""Lists of members."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Sequence
from datetime import date, datetime

from backend.kernel import db

from .. import rules
from ..types import Member, Status
from .people import MEMBER, member_of, phone_index

LIST_LIMIT = 50


async def search_members(text: str | None, status: Status | None, *, store_id: str | None) -> list[Member]:
    """Members by their whole phone number or member number, or those of a status, newest first; at most 50.

    ``store_id`` keeps it to that store's members; None is for all of them.
    """
    conditions: list[str] = ["true"]
    arguments: list[str] = []
    if store_id is not None:
        arguments.append(store_id)
        conditions.append("store_id = $1")
    if text is not None:
        arguments += [text, phone_index(text) if rules.is_phone(text) else ""]
        conditions.append(f"(member_no = ${len(arguments) - 1} OR phone_index = ${len(arguments)})")
    if status is not None:
        conditions.append(f"status = '{status.value}'")  # in the text: the planner must see whether it is a rare one
    rows = await db.fetch(
        f"{MEMBER} WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, id LIMIT {LIST_LIMIT}", *arguments
    )
    return [await member_of(row) for row in rows]


_SEGMENT = (
    " FROM member WHERE status = 'active' AND ($1::text IS NULL OR store_id = $1)"
    " AND (cardinality($2::text[]) = 0 OR level_id = ANY($2))"
)


async def count_segment(store_id: str | None, levels: Sequence[str]) -> int:
    """How many active members a store and these levels have; None and nothing do not limit."""
    return int(await db.fetchval(f"SELECT count(*){_SEGMENT}", store_id, list(levels)))


async def list_segment(store_id: str | None, levels: Sequence[str], *, after: int, limit: int) -> list[int]:
    """The active members of a store and of these levels, by id, from above ``after``."""
    rows = await db.fetch(f"SELECT id{_SEGMENT} AND id > $3 ORDER BY id LIMIT $4", store_id, list(levels), after, limit)
    return [row["id"] for row in rows]


async def list_birthdays(on: date, *, after: int, limit: int, store_id: str | None = None) -> list[int]:
    """Active members who have their birthday on that day, by id, from above ``after``; of one store, if it is named.

    Who was born on 29 February has it on the 28th in a year without that day.
    """
    days = [on.month * 100 + on.day]
    if days == [228] and not isleap(on.year):
        days.append(229)
    rows = await db.fetch(
        "SELECT id FROM member"
        " WHERE extract(month FROM birthday)::int * 100 + extract(day FROM birthday)::int = ANY($1)"
        " AND birthday IS NOT NULL AND status = 'active' AND id > $2 AND ($4::text IS NULL OR store_id = $4)"
        " ORDER BY id LIMIT $3",
        days,
        after,
        limit,
        store_id,
    )
    return [row["id"] for row in rows]


async def list_registered(since: datetime, before: datetime, *, after: int, limit: int) -> list[int]:
    """Active members who became one from ``since`` until before ``before``, by id, from above ``after``."""
    rows = await db.fetch(
        "SELECT id FROM member WHERE created_at >= $1 AND created_at < $2 AND status = 'active' AND id > $3"
        " ORDER BY id LIMIT $4",
        since,
        before,
        after,
        limit,
    )
    return [row["id"] for row in rows]
