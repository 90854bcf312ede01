"""Writes of the wallet that take an open transaction (public)."""

from __future__ import annotations

import msgspec

from backend.kernel import clock
from backend.kernel.db import Tx

from .models import RechargeOffer
from .types import Offer


async def create_offer(tx: Tx, offer: Offer) -> None:
    """Add a recharge offer."""
    await RechargeOffer.create(using_db=tx, updated_at=clock.now(), **msgspec.structs.asdict(offer))


async def replace_offer(tx: Tx, offer: Offer) -> bool:
    """Change an offer as a whole; False where there is none. Recharges that were begun keep what they agreed."""
    fields = msgspec.structs.asdict(offer)
    offer_id = fields.pop("id")
    return bool(await RechargeOffer.filter(id=offer_id).using_db(tx).update(updated_at=clock.now(), **fields))
