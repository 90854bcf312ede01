"""Reads of levels."""

from __future__ import annotations

import msgspec

from backend.kernel import db
from backend.kernel.errors import NotFound
from backend.kernel.kept import Kept

from ..types import Level, LevelState, Stage, Status

LEVELS_KEPT_S = 5.0


async def list_levels() -> list[Level]:
    """Every level as it stands in the database, lowest first."""
    rows = await db.fetch(
        "SELECT code, name, discount_bp, points_multiplier_bp, growth_from_fen, coalesce(benefits, '[]') AS benefits,"
        " coalesce(ruled, false) AS ruled FROM member_level ORDER BY growth_from_fen"
    )
    return [Level(**dict(row) | {"benefits": tuple(msgspec.json.decode(row["benefits"]))}) for row in rows]


async def _levels_by_code() -> dict[str, Level]:
    return {level.code: level for level in await list_levels()}


_levels = Kept(_levels_by_code, keep_s=LEVELS_KEPT_S)


async def levels() -> dict[str, Level]:
    """Every level by code, lowest first; at most five seconds old."""
    return await _levels.get()


def forget_levels() -> None:
    """Read the levels again at the next question: they were changed here."""
    _levels.forget()


async def get_level(code: str) -> Level:
    """One level, at most five seconds old; a new one is found at once."""
    known = await levels()
    if code not in known:
        forget_levels()
        known = await levels()
    return known[code]


LEVEL_STATES = """
SELECT id AS member_id, coalesce(own_level, level_id) AS own, lent_level AS lent,
       coalesce(level_locked, false) AS locked, growth_fen, status, stage, stage_since, created_at
  FROM member WHERE id = ANY($1::bigint[]) ORDER BY id"""


def level_state(row: db.Record) -> LevelState:
    """A member's levels from such a row."""
    stage = Stage(row["stage"]) if row["stage"] else None
    return LevelState(**dict(row) | {"status": Status(row["status"]), "stage": stage})


async def get_level_state(member_id: int) -> LevelState:
    """A member's levels and stage; ``NotFound`` for none."""
    row = await db.fetchrow(LEVEL_STATES, [member_id])
    if row is None:
        raise NotFound("there is no such member")
    return level_state(row)
