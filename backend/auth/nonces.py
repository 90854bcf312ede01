"""Nonces of terminals: each good once. In Redis; without it in an unlogged table."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock, db, redis
from backend.kernel.redis import RedisDown

from . import rules


async def spend(terminal_id: str, nonce: str) -> bool:
    """Use a nonce; False where this terminal has used it before."""
    try:
        reply = await redis.call("SET", f"nonce:{terminal_id}:{nonce}", "1", "NX", "EX", rules.NONCE_KEPT_S)
    except RedisDown:
        return await _spend_in_table(terminal_id, nonce)
    return reply is not None and reply is not False


async def _spend_in_table(terminal_id: str, nonce: str) -> bool:
    inserted = await db.fetchval(
        "INSERT INTO auth_nonce (terminal_id, nonce, expires_at) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING RETURNING true",
        terminal_id,
        nonce,
        clock.now() + timedelta(seconds=rules.NONCE_KEPT_S),
    )
    return bool(inserted)


async def sweep() -> int:
    """Delete nonces whose time is over; returns how many."""
    gone = await db.fetch("DELETE FROM auth_nonce WHERE expires_at < $1 RETURNING 1", clock.now())
    return len(gone)
