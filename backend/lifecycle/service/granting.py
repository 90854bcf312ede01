"""Levels that are given: by hand, by a campaign, or bought; they add to what was reached, and never take away."""

from __future__ import annotations

from datetime import date

from backend.kernel import clock, db, ids
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members
from backend.members import service as member_service

from ..errors import GrantEnded
from ..types import Source, Why
from .looking import Because, look

# A merge wrote in front of the key of a grant whose it was before.
_UNDER = """
SELECT id FROM lifecycle_grant WHERE member_id = $1 AND regexp_replace(key, '^([0-9]+/)+', '') = $2"""
_FIND_UNDER = f"{_UNDER} AND ended_at IS NULL"
_KEEP_UNDER = """
UPDATE lifecycle_grant SET key = $3
 WHERE member_id = $1 AND regexp_replace(key, '^([0-9]+/)+', '') = $2 AND ended_at IS NULL"""


async def grant(
    tx: Tx,
    member_id: int,
    level: str,
    *,
    source: Source,
    reason: str,
    until: date | None,
    key: str,
    staff_id: int | None = None,
) -> str:
    """Give a member a level to the end of a day (None: for good), once for each ``key``; the grant's id.

    A level that is not above the member's own waits beneath it. ``NotFound`` for no member, ``invalid`` for no level,
    ``IdempotencyConflict`` for another grant under the same key.
    """
    if level not in await members.levels():
        raise invalid("/level", "there is no such level")
    await member_service.lock(tx, member_id)
    await look(tx, [member_id])  # what was reached without it is known from here on
    made = await db.fetch_in(
        tx,
        "INSERT INTO lifecycle_grant (member_id, id, key, level, source, reason, until, staff_id, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (member_id, key) DO NOTHING RETURNING id",
        member_id,
        ids.new_short("LG"),
        key,
        level,
        source.value,
        reason,
        until,
        staff_id,
        clock.now(),
    )
    if not made:
        (known,) = await db.fetch_in(
            tx, "SELECT id, level, until, reason FROM lifecycle_grant WHERE member_id = $1 AND key = $2", member_id, key
        )
        if (known["level"], known["until"], known["reason"]) != (level, until, reason):
            raise IdempotencyConflict
        return str(known["id"])
    grant_id = str(made[0]["id"])
    await look(tx, [member_id], Because(Why.GRANTED, grant_id, reason))
    return grant_id


async def grant_months(
    tx: Tx, member_id: int, level: str, months: int, *, source: Source, reason: str, key: str
) -> str:
    """Give a member a level for so many months from today, once for each ``key``; the grant's id. As ``grant``."""
    rows = await db.fetch_in(tx, _UNDER, member_id, key)
    if rows:
        return str(rows[0]["id"])  # told again on another day, it ends as it was said first
    until = clock.months_after(clock.local_date(clock.now(), settings().timezone), months)
    return await grant(tx, member_id, level, source=source, reason=reason, until=until, key=key)


async def end_granted(tx: Tx, member_id: int, key: str, *, reason: str) -> None:
    """Take away what was given under that key, where it was and is not over yet: what it was given for came back."""
    rows = await db.fetch_in(tx, _FIND_UNDER, member_id, key)
    if rows:
        await end_grant(tx, member_id, rows[0]["id"], staff_id=None, reason=reason)


async def keep_granted(tx: Tx, member_id: int, key: str, new_key: str) -> None:
    """Let what was given under a key, where it was and is not over yet, be given under another: for what goes on so."""
    await db.raw(tx).execute(_KEEP_UNDER, member_id, key, new_key)


async def end_grant(tx: Tx, member_id: int, grant_id: str, *, staff_id: int | None, reason: str) -> None:
    """Take a given level away before its time; ``GrantEnded`` where it is over already."""
    await member_service.lock(tx, member_id)
    rows = await db.fetch_in(
        tx, "SELECT ended_at FROM lifecycle_grant WHERE member_id = $1 AND id = $2", member_id, grant_id
    )
    if not rows:
        raise NotFound("there is no such grant")
    if rows[0]["ended_at"] is not None:
        raise GrantEnded
    await db.raw(tx).execute(
        "UPDATE lifecycle_grant SET ended_at = $3, ended_by = $4 WHERE member_id = $1 AND id = $2",
        member_id,
        grant_id,
        clock.now(),
        staff_id,
    )
    await look(tx, [member_id], Because(Why.GRANT_ENDED, grant_id, reason))
