"""Service cards at the till: used after a scan, undone where they were used."""

from __future__ import annotations

from backend.auth.errors import CodeExpired, CodeInvalid
from backend.auth.guards import terminal
from backend.auth.types import TerminalCaller
from backend.identities.errors import IdentityMayNotSpend
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import MemberInactive
from backend.passes import errors as refusals

from ..commands import passes
from ..schemas import PassUseIn, PassUseOut
from .pos import MONEY

router = Router(tag="pos")


@router.post(
    "/v1/pos/passes/{pass_id}/uses",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="核销次卡",
    errors=(
        *MONEY,
        NotFound,
        ValidationFailed,
        MemberInactive,
        CodeInvalid,
        CodeExpired,
        refusals.PassUsedUp,
        refusals.PassTooFewUses,
        refusals.PassExpired,
        refusals.PassVoid,
        IdentityMayNotSpend,
        refusals.PassOtherStore,
        refusals.PassOtherService,
        refusals.PassDayLimit,
        refusals.PassNotForUse,
        refusals.PassNeedsPhone,
    ),
)
async def use_pass(caller: TerminalCaller, pass_id: str, body: PassUseIn, idem: Idempotency) -> Answer[PassUseOut]:
    """Use a pass of the member who was scanned; the scan token stays good for its sale and for further uses."""
    return await passes.use_pass(pass_id, body, caller, idem)


@router.post(
    "/v1/pos/pass-uses/{use_id}/undo",
    guard=terminal,
    idempotent=True,
    summary="撤销核销",
    errors=(
        *MONEY,
        NotFound,
        refusals.PassUseUndone,
        refusals.PassUndoTooLate,
        refusals.PassExpired,
        refusals.PassVoid,
    ),
)
async def undo_use(caller: TerminalCaller, use_id: str, idem: Idempotency) -> Answer[PassUseOut]:
    """Take a use back, exactly and once, in the store that used and within its time."""
    return await passes.undo_use(use_id, caller, idem)
