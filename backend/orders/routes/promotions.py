"""Head office's calls about activities and threshold offers."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from .. import queries
from ..commands import promotions
from ..errors import PromotionsFull
from ..schemas.orders import PromotionIn, PromotionsOut
from ..types import Promotion

router = Router(tag="orders")

_PROMOTIONS = "/v1/admin/mall/promotions"


@router.get(_PROMOTIONS, guard=staff(Permission.PROMOTIONS_MANAGE), summary="商城活动")
async def list_promotions(caller: StaffCaller) -> PromotionsOut:
    """The newest promotions, also those that are over."""
    return PromotionsOut(await queries.list_promotions())


@router.post(
    _PROMOTIONS,
    guard=staff(Permission.PROMOTIONS_MANAGE),
    status=201,
    summary="新建商城活动",
    errors=(ValidationFailed, PromotionsFull),
)
async def create_promotion(caller: StaffCaller, body: PromotionIn) -> Promotion:
    """Add an activity or a threshold offer."""
    return await promotions.create(body, caller.staff_id)


@router.put(
    f"{_PROMOTIONS}/{{promotion_id}}",
    guard=staff(Permission.PROMOTIONS_MANAGE),
    summary="修改商城活动",
    errors=(NotFound, ValidationFailed, PromotionsFull),
)
async def replace_promotion(caller: StaffCaller, promotion_id: str, body: PromotionIn) -> Promotion:
    """Change a promotion as a whole; orders that were placed keep what they cost."""
    return await promotions.replace(promotion_id, body, caller.staff_id)
