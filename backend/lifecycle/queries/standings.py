"""Members' standings as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx

from ..types import Change, Standing

_standing = msgspec.json.Decoder(Standing)
_told = msgspec.json.Decoder(tuple[Change, ...])

_COLUMNS = "SELECT member_id, version, base, base_at, judge, standing, told, due_on FROM lifecycle_standing"


class Held(msgspec.Struct, frozen=True):
    """What is stored of a member: the base and its instant, the standing that followed, the steps that were told.

    ``version`` is that of the programme; 0: there was none, and no base.
    """

    member_id: int
    version: int
    base: Standing | None
    base_at: datetime
    judge: bool
    standing: Standing | None
    told: tuple[Change, ...]
    due_on: date | None


def _held(row: db.Record) -> Held:
    return Held(
        member_id=row["member_id"],
        version=row["version"],
        base=_standing.decode(row["base"]) if row["base"] else None,
        base_at=row["base_at"],
        judge=row["judge"],
        standing=_standing.decode(row["standing"]) if row["standing"] else None,
        told=_told.decode(row["told"]),
        due_on=row["due_on"],
    )


async def find_held(tx: Tx, member_ids: Sequence[int]) -> dict[int, Held]:
    """What is stored of these members, by id; the caller holds them."""
    rows = await db.fetch_in(tx, f"{_COLUMNS} WHERE member_id = ANY($1::bigint[])", list(member_ids))
    return {row["member_id"]: _held(row) for row in rows}


async def find_standing(member_id: int) -> Standing | None:
    """A member's standing, or None where no rules have looked at it."""
    row = await db.fetchrow(f"{_COLUMNS} WHERE member_id = $1 AND version > 0", member_id)
    return _held(row).standing if row else None


async def list_ending(today: date, last: date, limit: int) -> list[int]:
    """Members whose period ends by ``last`` and who were not told yet; the soonest first."""
    rows = await db.fetch(
        "SELECT member_id FROM lifecycle_standing WHERE until >= $1 AND until <= $2"
        " AND warned_for IS DISTINCT FROM until ORDER BY until, member_id LIMIT $3",
        today,
        last,
        limit,
    )
    return [row["member_id"] for row in rows]
