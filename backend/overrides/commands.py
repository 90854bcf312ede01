"""Head office says how much a role may authorise."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.kernel import clock, db, logging, trail
from backend.kernel.errors import NotFound

from . import queries
from .types import CASHIER, Limit

log = logging.get(__name__)


async def put_limit(limit: Limit, staff_id: int) -> Limit:
    """Say how much a role may authorise, from the next sale on; ``NotFound`` for no such role."""
    if limit.role != CASHIER:
        await auth.get_role(limit.role)
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO override_limit (role, sale_bp, sale_fen, day_fen, day_count, staff_id, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (role) DO UPDATE SET sale_bp = $2, sale_fen = $3,"
            " day_fen = $4, day_count = $5, staff_id = $6, updated_at = $7",
            *(limit.role, limit.sale_bp, limit.sale_fen, limit.day_fen, limit.day_count, staff_id, clock.now()),
        )
        trail.said(sale_bp=limit.sale_bp, sale_fen=limit.sale_fen, day_fen=limit.day_fen, day_count=limit.day_count)
    queries.forget_limits()
    return limit


async def end_limit(role: str, staff_id: int) -> None:
    """Let a role authorise nothing; of the cashier's own: let tills give what they like. ``NotFound`` for none."""
    async with db.transaction() as tx:
        gone = await db.fetch_in(tx, "DELETE FROM override_limit WHERE role = $1 RETURNING 1", role)
        if not gone:
            raise NotFound("there is no limit of this role")
    queries.forget_limits()
    log.info("overrides.limit_ended", role=role, staff_id=staff_id)
