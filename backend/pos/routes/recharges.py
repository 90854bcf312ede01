"""Recharges at a till: signed by terminals."""

from __future__ import annotations

from backend.auth.errors import CodeExpired, CodeInvalid, CodeUsed
from backend.auth.guards import terminal
from backend.auth.types import TerminalCaller
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict, MemberInactive, OutcomeUnknown, Stale
from backend.overrides import errors as overrides
from backend.wallet.errors import (
    OfferUnavailable,
    RechargeDayLimitReached,
    RechargeNotReversible,
    RechargeSpent,
    StoredLimitReached,
)

from ..commands import recharges
from ..till_schemas import ReversalIn, ReversalOut, TillOffersIn, TillOffersOut, TillRechargeIn, TillRechargeOut

router = Router(tag="pos")

CODE = (CodeInvalid, CodeExpired, CodeUsed, RateLimited)
MONEY = (IdempotencyConflict, Stale, OutcomeUnknown)
_RECHARGES = "/v1/pos/recharges"


@router.post(
    "/v1/pos/recharge-offers",
    guard=terminal,
    summary="可用充值优惠",
    errors=(CodeInvalid, CodeExpired, NotFound, RateLimited, ValidationFailed),
)
async def list_offers(caller: TerminalCaller, body: TillOffersIn) -> TillOffersOut:
    """What a member may recharge here now; nothing is spent."""
    return await recharges.offers(body, caller)


@router.post(
    _RECHARGES,
    guard=terminal,
    status=201,
    idempotent=True,
    summary="收银台充值",
    errors=(
        *CODE,
        *MONEY,
        NotFound,
        MemberInactive,
        OfferUnavailable,
        StoredLimitReached,
        RechargeDayLimitReached,
        ValidationFailed,
    ),
)
async def create(caller: TerminalCaller, body: TillRechargeIn, idem: Idempotency) -> Answer[TillRechargeOut]:
    """Credit what the till was paid in cash or otherwise, with what the offer gives on top."""
    return await recharges.recharge(body, caller, idem)


@router.get(f"{_RECHARGES}/{{recharge_id}}", guard=terminal, summary="查询收银台充值", errors=(NotFound,))
async def get_recharge(caller: TerminalCaller, recharge_id: str) -> TillRechargeOut:
    """A recharge of this store's tills as it stands."""
    return await recharges.show(recharge_id, caller)


@router.post(
    f"{_RECHARGES}/{{recharge_id}}/reversal",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="充值冲正",
    errors=(
        *CODE,
        *MONEY,
        NotFound,
        RechargeNotReversible,
        RechargeSpent,
        overrides.OverrideNotAllowed,
        overrides.OverrideOwn,
        overrides.OverrideLimitExceeded,
        overrides.OverrideDayLimit,
        ValidationFailed,
    ),
)
async def reverse(caller: TerminalCaller, recharge_id: str, body: ReversalIn, idem: Idempotency) -> Answer[ReversalOut]:
    """Take back what this till recharged by mistake in this shift, while nothing of it was spent."""
    return await recharges.reverse(recharge_id, body, caller, idem)
