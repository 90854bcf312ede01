"""What the database itself refuses of offers."""

from __future__ import annotations

import asyncpg
import pytest

from backend.kernel import db


@pytest.mark.parametrize(
    "change",
    [
        "pay_fen = 0",
        "pay_fen = 100000000001",
        "bonus_fen = -1",
        "points = -1",
        "bonus_valid_days = 0",
        "starts_at = now(), ends_at = now() - interval '1 day'",
    ],
)
async def test_the_database_refuses(offers, change):
    with pytest.raises(asyncpg.CheckViolationError):
        await db.pool().execute(f"UPDATE wallet_offer SET {change}")
