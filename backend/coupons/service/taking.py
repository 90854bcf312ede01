"""Taking a coupon back that was given for something which is undone."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.ledger.errors import InsufficientBalance

from .. import plans, queries
from ..errors import REFUSALS, CouponNotHeld, CouponUnavailable
from ..types import CouponState, Reason


async def list_of_source(tx: Tx, member_id: int, source: str) -> list[str]:
    """The coupons that a member has, or had, from a source, by id; at most a hundred."""
    rows = await db.fetch_in(
        tx, "SELECT id FROM coupon WHERE member_id = $1 AND source = $2 ORDER BY id LIMIT 100", member_id, source
    )
    return [row["id"] for row in rows]


async def take_unused(tx: Tx, member_id: int, coupon_id: str, *, now: datetime) -> None:
    """Make a coupon void of which nothing was used; one that is void already stays so. Else the reason is raised."""
    on = clock.local_date(now, settings().timezone)
    found = await queries.find_coupon(member_id, coupon_id, on)
    if found is None:
        raise CouponNotHeld
    if found.state is CouponState.VOID:
        return
    unit, whole = plans.worth(found.version.terms)
    if found.state is not CouponState.AVAILABLE:
        raise REFUSALS[Reason(found.state.value)]
    if found.balance < whole:
        raise CouponUnavailable
    try:
        await ledger.post_in(tx, plans.void(found.coupon, unit, whole, key=f"{coupon_id}:back", now=now, on=on))
    except InsufficientBalance:
        raise CouponUnavailable from None
