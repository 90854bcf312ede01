"""Head office makes and changes promotions."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.auth import queries as auth
from backend.coupons.types import Scope
from backend.kernel import clock, db, ids, windows
from backend.kernel.errors import NotFound, invalid

from .. import queries
from ..errors import PromotionsFull
from ..schemas.orders import PromotionIn
from ..types import Promotion, PromotionKind, Tier

_INSERT = (
    "INSERT INTO orders_promotion (id, kind, title, scope, tiers, each, priority, starts_at, ends_at, active,"
    " updated_at, staff_id, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $11)"
)
_REPLACE = (
    "UPDATE orders_promotion SET kind = $2, title = $3, scope = $4, tiers = $5, each = $6, priority = $7,"
    " starts_at = $8, ends_at = $9, active = $10, updated_at = $11, staff_id = $12 WHERE id = $1 RETURNING id"
)
_RUNNING = "SELECT count(*) FROM orders_promotion WHERE active AND ends_at > $1"
_IN_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('orders_promotion', 0))"
"""Two at once must not both find room for one."""


async def create(body: PromotionIn, staff_id: int) -> Promotion:
    """Add a promotion; it holds in every process within five seconds."""
    await _check(body)
    made = _promotion(ids.new_short("A"), body)
    await _write(_INSERT, made, staff_id)
    return made


async def replace(promotion_id: str, body: PromotionIn, staff_id: int) -> Promotion:
    """Change a promotion as a whole; orders that were placed keep what they cost."""
    await _check(body)
    made = _promotion(promotion_id, body)
    if not await _write(_REPLACE, made, staff_id):
        raise NotFound("there is no such promotion")
    return made


async def _write(statement: str, made: Promotion, staff_id: int) -> Sequence[db.Record]:
    """Write it; ``PromotionsFull`` where it would be one of more than pricing reads."""
    now = clock.now()
    async with db.transaction() as tx:
        await db.raw(tx).execute(_IN_TURN)
        rows = await db.fetch_in(
            tx,
            statement,
            made.id,
            made.kind,
            made.title,
            msgspec.json.encode(made.scope).decode(),
            msgspec.json.encode(made.tiers).decode(),
            made.each,
            made.priority,
            made.starts_at,
            made.ends_at,
            made.active,
            now,
            staff_id,
        )
        ((running,),) = await db.fetch_in(tx, _RUNNING, now)
        if running > queries.MOST_PROMOTIONS and made.active and made.ends_at > now:
            raise PromotionsFull(extra={"most": queries.MOST_PROMOTIONS})
    queries.forget_promotions()
    return rows


def _promotion(promotion_id: str, body: PromotionIn) -> Promotion:
    scope = Scope(**msgspec.structs.asdict(body.scope))
    tiers = tuple(Tier(**msgspec.structs.asdict(tier)) for tier in body.tiers)
    fields = msgspec.structs.asdict(body) | {"scope": scope, "tiers": tiers}
    return Promotion(id=promotion_id, **fields)


async def _check(body: PromotionIn) -> None:
    windows.check(body.starts_at, body.ends_at)
    await auth.check_stores(body.scope.stores, "/scope/stores")
    for place, tier in enumerate(body.tiers):
        if bool(tier.off_fen) == bool(tier.off_bp):
            raise invalid(f"/tiers/{place}", "takes either off_fen or off_bp off")
        if body.kind is PromotionKind.OFFER and not (tier.from_fen or tier.from_pieces):
            raise invalid(f"/tiers/{place}", "an offer has a threshold")
    first = body.tiers[0]
    if body.kind is PromotionKind.ACTIVITY and (
        len(body.tiers) > 1 or first.from_fen or first.from_pieces or body.each
    ):
        raise invalid("/tiers", "an activity has one tier, without a threshold")
