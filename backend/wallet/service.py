"""Writes of the wallet that take an open transaction (public)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.plans import POINTS_DEBT, Cap

from . import plans, queries
from .models import RechargeOffer
from .tills import REVERSAL_PREFIX, agree, reversal_plan, till_plan, till_refusal
from .types import Offer, PointsSource
from .warned import warn_each

__all__ = [
    "REVERSAL_PREFIX",
    "STORED_LIMIT",
    "agree",
    "create_offer",
    "give_points",
    "replace_offer",
    "reversal_plan",
    "stored_caps",
    "till_plan",
    "till_refusal",
    "warn_each",
]

STORED_LIMIT = plans.STORED_LIMIT
"""The refusal of ``stored_caps``."""


async def create_offer(tx: Tx, offer: Offer) -> None:
    """Add a recharge offer."""
    await RechargeOffer.create(using_db=tx, updated_at=clock.now(), **msgspec.structs.asdict(offer))


async def replace_offer(tx: Tx, offer: Offer) -> bool:
    """Change an offer as a whole; False where there is none. Recharges that were begun keep what they agreed."""
    fields = msgspec.structs.asdict(offer)
    offer_id = fields.pop("id")
    return bool(await RechargeOffer.filter(id=offer_id).using_db(tx).update(updated_at=clock.now(), **fields))


def stored_caps() -> tuple[Cap, ...]:
    """What a member may hold of stored value at most, for a plan that gives some; refused as ``STORED_LIMIT``."""
    return plans.stored_limit(settings())


async def give_points(
    tx: Tx, member_id: int, amount: int, *, scope: str, key: str, about: str, now: datetime, kind: str = plans.GIFT
) -> None:
    """Give points to an active member, once per scope and key; they last as rewards do.

    Raises ``Stale`` where the books have moved (``ledger.service.with_fresh_books``), ``MemberInactive``.
    """
    rules = settings()
    on = clock.local_date(now, rules.timezone)
    debt = (await ledger_queries.get_balances(member_id)).get(POINTS_DEBT, 0)
    plan = plans.gift(
        member_id,
        amount,
        kind=kind,
        scope=scope,
        key=key,
        about=about,
        debt=debt,
        expires_on=await queries.points_expire_on(PointsSource.REWARD, on),
        now=now,
        on=on,
    )
    await ledger.post_in(tx, plan)
