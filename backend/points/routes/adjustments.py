"""Staff put points right."""

from __future__ import annotations

from backend.approvals.errors import ApprovalKeyReused, TooManyApprovals
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict, InsufficientBalance, OutcomeUnknown, Stale

from .. import views
from ..commands import adjustments
from ..schemas import AdjustedOut, AdjustIn, AdjustmentsOut, TakeBackIn, TakeBackOut

router = Router(tag="points")

_ADJUST = staff(Permission.POINTS_ADJUST)
_OF_MEMBER = "/v1/admin/members/{member_id}/points-adjustments"
LAST = 100


@router.post(
    _OF_MEMBER,
    guard=_ADJUST,
    status=201,
    idempotent=True,
    summary="调整积分",
    errors=(
        NotFound,
        ValidationFailed,
        IdempotencyConflict,
        InsufficientBalance,
        Stale,
        OutcomeUnknown,
        ApprovalKeyReused,
        TooManyApprovals,
    ),
)
async def adjust(caller: StaffCaller, member_id: str, body: AdjustIn, idem: Idempotency) -> Answer[AdjustedOut]:
    """Give or take points, once per key; above `HUIYUAN_POINTS_ADJUST_ALONE_MAX` a second person decides first."""
    member = await adjustments.reached(caller, member_id)
    done = await adjustments.adjust(body, member, caller, idem)
    status = "posted" if done.approval is None else done.approval.state.value
    out = AdjustedOut(done.id, status, done.approval.id if done.approval else None)
    return Answer(out, replayed=done.replayed)


@router.get(_OF_MEMBER, guard=_ADJUST, summary="积分调整记录", errors=(NotFound,))
async def list_adjustments(caller: StaffCaller, member_id: str) -> AdjustmentsOut:
    """What staff gave this member and took; a manager sees those of the own store's members."""
    member = await adjustments.reached(caller, member_id)
    found = await adjustments.list_adjustments(member.id, limit=LAST)
    return AdjustmentsOut([views.adjustment(document) for document in found])


@router.post(
    "/v1/admin/points-transfers/{transfer_id}/take-back",
    guard=_ADJUST,
    status=202,
    idempotent=True,
    summary="申请撤回转赠",
    errors=(NotFound, ValidationFailed, ApprovalKeyReused, TooManyApprovals),
)
async def take_back(caller: StaffCaller, transfer_id: str, body: TakeBackIn, idem: Idempotency) -> TakeBackOut:
    """Ask a second person to take a transfer between members back: all of it, to the lots that it came from."""
    approval = await adjustments.ask_back(transfer_id, body.text, caller, idem)
    return TakeBackOut(approval.id, approval.state.value)
