"""The till's calls: look up a gift that waits in its store, hand it over."""

from __future__ import annotations

from backend.auth.guards import terminal
from backend.auth.types import TerminalCaller
from backend.kernel.errors import NotFound, RateLimited
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import Stale

from .. import errors, views
from ..commands import handing
from ..schemas import PickupIn, TillGiftOut

router = Router(tag="pos")

_PICKUPS = "/v1/pos/gift-pickups"
_CODE = (errors.GiftCodeInvalid, RateLimited)


@router.post(_PICKUPS, guard=terminal, summary="查询待领礼品", errors=_CODE)
async def look_up(caller: TerminalCaller, body: PickupIn) -> TillGiftOut:
    """What waits in this store under a gift's code; binds nothing."""
    who = f"terminal:{caller.terminal_id}"
    return await views.till_gift(await handing.look_up(body.code, store_id=caller.store_id, who=who))


@router.post(
    f"{_PICKUPS}/{{redemption_id}}/handover",
    guard=terminal,
    idempotent=True,
    summary="交付礼品",
    errors=(NotFound, Stale, *_CODE, errors.GiftHandedOver, errors.RedemptionConflict),
)
async def hand_over(
    caller: TerminalCaller, redemption_id: str, body: PickupIn, idem: Idempotency
) -> Answer[TillGiftOut]:
    """Give a gift out against its code, once; the same key again answers the same."""
    done, replayed = await handing.hand_over_at_till(redemption_id, body.code, caller, idem)
    return Answer(await views.till_gift(done), replayed=replayed)
