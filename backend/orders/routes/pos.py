"""The till's calls: look up an order that waits in its store, hand it over."""

from __future__ import annotations

from backend.auth.guards import terminal
from backend.auth.types import TerminalCaller
from backend.kernel.errors import NotFound, RateLimited
from backend.kernel.http import Answer, Idempotency, Router

from .. import errors
from ..commands import pickups
from ..schemas.after import PickupIn, TillPickupOut
from ..views import after as views

router = Router(tag="pos")

_PICKUPS = "/v1/pos/pickups"
_CODE = (errors.PickupCodeInvalid, RateLimited)


@router.post(_PICKUPS, guard=terminal, summary="查询自提订单", errors=_CODE)
async def look_up(caller: TerminalCaller, body: PickupIn) -> TillPickupOut:
    """What waits in this store under a code that a member shows or says; binds nothing."""
    return await views.till_pickup(await pickups.look_up(body.code, caller))


@router.post(
    f"{_PICKUPS}/{{order_id}}/handover",
    guard=terminal,
    idempotent=True,
    summary="交付自提订单",
    errors=(NotFound, *_CODE, errors.PickupDone, errors.AfterSaleOpen, errors.OrderNotReceivable),
)
async def hand_over(caller: TerminalCaller, order_id: str, body: PickupIn, idem: Idempotency) -> Answer[TillPickupOut]:
    """Give an order out against its code, once; the same key again answers the same."""
    replayed = await pickups.hand_over(order_id, body.code, caller, idem)
    return Answer(await views.till_pickup(await pickups.look_up(body.code, caller)), replayed=replayed)
