"""Who is meant, and what members bought."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.ledger import queries as ledger

from . import rules
from .types import Audience, Bought, Visits

MOST_AT_ONCE = 10_000


def _from(audience: Audience, after: int = 0) -> tuple[str, list[Any]]:
    zone = settings().timezone
    today = clock.local_date(clock.now(), zone)
    texts, arguments = rules.conditions(audience, today=today, zone=clock.zone(zone), after=after)
    return f" FROM member m WHERE {' AND '.join(texts)}", arguments


async def list_members(
    audience: Audience, *, after: int, limit: int, joined_until: datetime | None = None
) -> list[int]:
    """The ids of members who are meant, ascending, from above ``after`` (0: from the beginning); at most ``limit``.

    Ask again with the last id until fewer come than were asked for: who begins to be meant meanwhile may be among
    them, nobody comes twice. Ids are given by chance, so whoever goes through an audience for long says until when one
    must have joined (``joined_until``): of who joins meanwhile half would be among them.
    """
    source, arguments = _from(audience, after)
    place = len(arguments) + 1
    since = f" AND m.created_at <= ${place + 2}" if joined_until is not None else ""
    sql = f"SELECT m.id{source} AND m.id > ${place}{since} ORDER BY m.id LIMIT ${place + 1}"
    given = [] if joined_until is None else [joined_until]
    rows = await db.fetch(sql, *arguments, after, min(limit, MOST_AT_ONCE), *given)
    return [row["id"] for row in rows]


async def count(audience: Audience) -> int:
    """How many members are meant now."""
    source, arguments = _from(audience)
    return int(await db.fetchval(f"SELECT count(*){source}", *arguments))


async def includes(audience: Audience, member_id: int) -> bool:
    """Whether this member is meant now."""
    source, arguments = _from(audience)
    return bool(await db.fetchval(f"SELECT true{source} AND m.id = ${len(arguments) + 1}", *arguments, member_id))


async def among(audience: Audience, member_ids: Sequence[int]) -> set[int]:
    """Those of these members who are meant now."""
    source, arguments = _from(audience)
    rows = await db.fetch(f"SELECT m.id{source} AND m.id = ANY(${len(arguments) + 1})", *arguments, list(member_ids))
    return {row["id"] for row in rows}


_LAST_BOUGHT = """
SELECT DISTINCT b.member_id FROM audience_bought b
 WHERE b.last_on = $1 AND b.member_id > $2 AND (cardinality($3::text[]) = 0 OR b.sku = ANY($3))
   AND NOT EXISTS (SELECT FROM member m WHERE m.id = b.member_id AND m.unprofiled)"""
_NOT_SINCE = " AND NOT EXISTS (SELECT FROM audience_bought c WHERE c.member_id = b.member_id AND c.last_on > $1)"


async def list_last_bought(
    on: date, skus: Sequence[str] = (), *, and_nothing_since: bool = False, after: int, limit: int
) -> list[int]:
    """Members who bought one of these articles (or anything) for the last time on that day, by id, above ``after``.

    Who said no to being chosen so is left out; with ``and_nothing_since`` whoever has bought anything since then, too.
    """
    since = _NOT_SINCE if and_nothing_since else ""
    rows = await db.fetch(f"{_LAST_BOUGHT}{since} ORDER BY b.member_id LIMIT $4", on, after, list(skus), limit)
    return [row["member_id"] for row in rows]


MOST_PURCHASES = 200
"""Of one member and kind, the last ones, that are looked at for what they spent lately."""


async def get_spent(member_id: int, since: datetime, until: datetime) -> tuple[int, int]:
    """In how many purchases a member bought from after ``since`` up to ``until``, and for how much they kept (fen)."""
    times = spent = 0
    for kind in ("sale", "order"):
        for one in await ledger.list_documents(member_id, kind, states=sorted(rules.BOUGHT), limit=MOST_PURCHASES):
            fen = rules.spent_fen(one.state, one.body, one.progress) if since < one.at <= until else 0
            times, spent = times + (fen > 0), spent + fen
    return times, spent


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
