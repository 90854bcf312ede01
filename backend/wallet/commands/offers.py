"""Head office keeps the recharge offers."""

from __future__ import annotations

import msgspec

from backend.auth import queries as auth
from backend.kernel import db, ids, windows
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, invalid

from .. import service
from ..schemas import MOST_OFFER_ID, OfferIn
from ..types import Offer


async def create_offer(body: OfferIn) -> Offer:
    """Add an offer."""
    offer = await _checked(ids.new_short("O"), body)
    async with db.transaction() as tx:
        await service.create_offer(tx, offer)
    return offer


async def replace_offer(offer_id: str, body: OfferIn) -> Offer:
    """Change an offer as a whole; recharges that were begun keep what they agreed."""
    offer = await _checked(offer_id, body)
    async with db.transaction() as tx:
        if len(offer_id) > MOST_OFFER_ID or not await service.replace_offer(tx, offer):
            raise NotFound("there is no such offer")
    return offer


async def _checked(offer_id: str, body: OfferIn) -> Offer:
    windows.check(body.starts_at, body.ends_at)
    _check_limits(body)
    if body.bonus_valid_days and not body.bonus_fen:
        raise invalid("/bonus_valid_days", "there is no bonus")
    await auth.check_store(body.store_id, "/store_id")
    return Offer(id=offer_id, **msgspec.structs.asdict(body))


def _check_limits(body: OfferIn) -> None:
    """Refuse an offer that nobody could take: more than one recharge may be, or than a member may hold."""
    limits = settings()
    if body.pay_fen > limits.recharge_max_fen:
        raise invalid("/pay_fen", f"a recharge is {limits.recharge_max_fen} fen at most")
    if limits.recharge_day_max_fen and body.pay_fen > limits.recharge_day_max_fen:
        raise invalid("/pay_fen", f"a member recharges {limits.recharge_day_max_fen} fen a day at most")
    comes = body.pay_fen + (body.bonus_fen if limits.stored_limit_counts == "total" else 0)
    if limits.stored_limit_fen and comes > limits.stored_limit_fen:
        pointer = "/pay_fen" if body.pay_fen > limits.stored_limit_fen else "/bonus_fen"
        raise invalid(pointer, f"a member may hold {limits.stored_limit_fen} fen at most")
