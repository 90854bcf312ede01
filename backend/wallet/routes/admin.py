"""Head office's calls about recharge offers."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from .. import queries, rules
from ..commands import expiry, offers
from ..schemas import AllOffersOut, ExpiriesOut, ExpiryIn, ExpiryOut, OfferIn
from ..types import Offer, PointsSource

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


_EXPIRY = "/v1/admin/points-expiry"


@router.get(_EXPIRY, guard=staff(Permission.POINTS_READ), summary="积分有效期")
async def list_expiry(caller: StaffCaller) -> ExpiriesOut:
    """How long points last, by what they come from, and what that means for those of today."""
    return await _expiries()


@router.put(
    f"{_EXPIRY}/{{source}}",
    guard=staff(Permission.POINTS_RULES),
    summary="设定积分有效期",
    errors=(NotFound, ValidationFailed),
)
async def say_expiry(caller: StaffCaller, source: str, body: ExpiryIn) -> ExpiriesOut:
    """From now on points of that source last so long; what was given before keeps its last day."""
    await expiry.say(_source(source), body)
    return await _expiries()


@router.delete(
    f"{_EXPIRY}/{{source}}", guard=staff(Permission.POINTS_RULES), summary="恢复默认有效期", errors=(NotFound,)
)
async def forget_expiry(caller: StaffCaller, source: str) -> ExpiriesOut:
    """Let the setting hold for that source again."""
    await expiry.forget(_source(source))
    return await _expiries()


def _source(name: str) -> PointsSource:
    found = next((source for source in PointsSource if source == name), None)
    if found is None:
        raise NotFound("there is no such source")
    return found


async def _expiries() -> ExpiriesOut:
    said, today = await queries.list_expiry(), clock.local_date(clock.now(), settings().timezone)
    items = []
    for source in PointsSource:
        holds = said.get(source) or queries.standard_expiry()
        items.append(
            ExpiryOut(
                source,
                holds.mode,
                holds.count,
                holds.month,
                holds.day,
                standard=source not in said,
                example=rules.last_day(holds, today),
            )
        )
    return ExpiriesOut(items)
