"""Head office's calls about recharge offers."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from .. import queries
from ..commands import offers
from ..schemas import AllOffersOut, OfferIn
from ..types import Offer

router = Router(tag="wallet")


@router.get("/v1/admin/recharge-offers", guard=staff(Permission.RECHARGES_READ), summary="全部充值档位")
async def list_offers(caller: StaffCaller) -> AllOffersOut:
    """Every offer, also those that are over."""
    return AllOffersOut(await queries.list_offers())


@router.post(
    "/v1/admin/recharge-offers",
    guard=staff(Permission.RECHARGES_WRITE),
    status=201,
    summary="新增充值档位",
    errors=(ValidationFailed,),
)
async def create_offer(caller: StaffCaller, body: OfferIn) -> Offer:
    """Add an offer."""
    return await offers.create_offer(body)


@router.put(
    "/v1/admin/recharge-offers/{offer_id}",
    guard=staff(Permission.RECHARGES_WRITE),
    summary="修改充值档位",
    errors=(NotFound, ValidationFailed),
)
async def replace_offer(caller: StaffCaller, offer_id: str, body: OfferIn) -> Offer:
    """Change an offer as a whole; recharges that were begun keep what they agreed."""
    return await offers.replace_offer(offer_id, body)
