"""Levels."""

from __future__ import annotations

import asyncpg
import msgspec

from backend.kernel import db
from backend.kernel.errors import NotFound, invalid

from .. import queries
from ..errors import LevelExists
from ..schemas import LevelBody


async def create_level(code: str, level: LevelBody) -> None:
    """Add a level; members reach it with their next sale."""
    await _write_level(
        "INSERT INTO member_level (code, name, discount_bp, points_multiplier_bp, growth_from_fen, benefits)"
        " VALUES ($1, $2, $3, $4, $5, $6::jsonb) RETURNING code",
        code,
        level,
    )


async def change_level(code: str, level: LevelBody) -> None:
    """Replace a level; its members have the new terms within seconds."""
    await _write_level(
        "UPDATE member_level SET name = $2, discount_bp = $3, points_multiplier_bp = $4, growth_from_fen = $5,"
        " benefits = coalesce($6::jsonb, benefits) WHERE code = $1 RETURNING code",
        code,
        level,
    )


async def _write_level(sql: str, code: str, level: LevelBody) -> None:
    benefits = None if level.benefits is None else msgspec.json.encode(level.benefits).decode()
    try:
        async with db.transaction() as tx:
            written = await db.fetch_in(
                tx,
                sql,
                code,
                level.name,
                level.discount_bp,
                level.points_multiplier_bp,
                level.growth_from_fen,
                benefits,
            )
            if not written:
                raise NotFound("there is no such level")
            if not await db.fetch_in(tx, "SELECT 1 FROM member_level WHERE growth_from_fen = 0"):
                raise invalid("/growth_from_fen", "one level must begin at 0: new members have it")
    except asyncpg.UniqueViolationError:
        raise LevelExists from None
    queries.forget_levels()
