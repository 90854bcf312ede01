"""Who is meant, and what members bought."""

from __future__ import annotations

from datetime import date
from typing import Any

from backend.kernel import clock, db
from backend.kernel.config import settings

from . import rules
from .types import Audience, Bought, Visits

MOST_AT_ONCE = 10_000


def _from(audience: Audience) -> tuple[str, list[Any]]:
    zone = settings().timezone
    today = clock.local_date(clock.now(), zone)
    texts, arguments = rules.conditions(audience, today=today, zone=clock.zone(zone))
    return f" FROM member m WHERE {' AND '.join(texts)}", arguments


async def list_members(audience: Audience, *, after: int, limit: int) -> list[int]:
    """The ids of members who are meant, ascending, from above ``after`` (0: from the beginning); at most ``limit``.

    Ask again with the last id until fewer come than were asked for: who begins to be meant meanwhile may be among
    them, nobody comes twice.
    """
    source, arguments = _from(audience)
    place = len(arguments) + 1
    sql = f"SELECT m.id{source} AND m.id > ${place} ORDER BY m.id LIMIT ${place + 1}"
    rows = await db.fetch(sql, *arguments, after, min(limit, MOST_AT_ONCE))
    return [row["id"] for row in rows]


async def count(audience: Audience) -> int:
    """How many members are meant now."""
    source, arguments = _from(audience)
    return int(await db.fetchval(f"SELECT count(*){source}", *arguments))


async def includes(audience: Audience, member_id: int) -> bool:
    """Whether this member is meant now."""
    source, arguments = _from(audience)
    return bool(await db.fetchval(f"SELECT true{source} AND m.id = ${len(arguments) + 1}", *arguments, member_id))


async def favourites(member_id: int, limit: int) -> list[Bought]:
    """The articles that a member bought most often, then most of, then last; as far as they were counted."""
    rows = await db.fetch(
        "SELECT sku, pieces, times, last_on FROM audience_bought WHERE member_id = $1"
        " ORDER BY times DESC, pieces DESC, last_on DESC, sku LIMIT $2",
        member_id,
        limit,
    )
    return [Bought(*row) for row in rows]


async def visits(member_id: int, since: date) -> Visits:
    """How often a member bought something since that day, of which something was kept, and when last and first."""
    row = await db.fetchrow(
        "SELECT count(*) FILTER (WHERE sold_on >= $2), max(sold_on), min(sold_on) FROM audience_sale"
        " WHERE member_id = $1 AND pieces <> '{}'",
        member_id,
        since,
    )
    return Visits(*row) if row else Visits(0, None, None)
