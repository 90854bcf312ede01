"""The till's calls: signed by terminals."""

from __future__ import annotations

from backend.auth.guards import terminal
from backend.auth.types import TerminalCaller
from backend.kernel.errors import NotFound, RateLimited
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import Claimed, IdempotencyConflict, InsufficientBalance, Stale

from .. import errors
from ..commands import activations, charges, checks
from ..schemas import (
    ActivateIn,
    ActivationOut,
    ChargeIn,
    ChargeOut,
    ChargeRefundIn,
    ChargeRefundOut,
    ChargesOut,
    ChargesQuery,
    CheckIn,
    CheckOut,
    UndoIn,
    UndoneOut,
)

router = Router(tag="gift-cards")

GUESS = (errors.GiftCardInvalid, errors.GiftCardLocked, RateLimited)
PAYS = (
    errors.GiftCardNotActive,
    errors.GiftCardFrozen,
    errors.GiftCardClosed,
    errors.GiftCardExpired,
    errors.GiftCardUnbound,
)
MONEY = (IdempotencyConflict, Stale)
_CHARGES = "/v1/pos/gift-cards/charges"


@router.post(
    "/v1/pos/gift-cards/activate",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="激活礼品卡",
    errors=(
        *MONEY,
        errors.GiftCardInvalid,
        RateLimited,
        errors.GiftCardActivated,
        errors.GiftCardClosed,
        errors.GiftCardProductEnded,
        errors.GiftCardAmount,
    ),
)
async def activate(caller: TerminalCaller, body: ActivateIn, idem: Idempotency) -> Answer[ActivationOut]:
    """Load a card with what it is sold for in this order; it is worth nothing before."""
    return await activations.activate(body, caller, idem)


@router.post(
    "/v1/pos/gift-cards/activations/{activation_id}/undo",
    guard=terminal,
    idempotent=True,
    summary="撤销激活",
    errors=(
        *MONEY,
        NotFound,
        errors.GiftCardUndone,
        errors.GiftCardOwned,
        errors.GiftCardSpent,
        errors.GiftCardFrozen,
        errors.GiftCardClosed,
    ),
)
async def undo_activation(
    caller: TerminalCaller, activation_id: str, idem: Idempotency, body: UndoIn | None = None
) -> Answer[UndoneOut]:
    """Take an activation back while all of it is on the card, which is closed then: sell another one."""
    return await activations.undo(activation_id, caller, idem)


@router.post(
    "/v1/pos/gift-cards/check", guard=terminal, summary="查验礼品卡", errors=(*GUESS, *PAYS, errors.GiftCardNamed)
)
async def check(caller: TerminalCaller, body: CheckIn) -> CheckOut:
    """What is on a card, and a token to pay with at this till: as a sale's tender, or by a charge without a member."""
    return await checks.check(body.card_no, body.pin, caller)


@router.post(
    _CHARGES,
    guard=terminal,
    status=201,
    idempotent=True,
    summary="礼品卡收款（非会员）",
    errors=(
        *MONEY,
        *PAYS,
        errors.GiftCardNamed,
        NotFound,
        Claimed,
        InsufficientBalance,
        errors.GiftCardTokenInvalid,
        errors.GiftCardTokenExpired,
    ),
)
async def charge(caller: TerminalCaller, body: ChargeIn, idem: Idempotency) -> Answer[ChargeOut]:
    """Take an amount off a card for a customer who is no member; once for each card of an order."""
    return await charges.charge(body, caller, idem)


@router.get(_CHARGES, guard=terminal, summary="按单号查询礼品卡收款")
async def list_charges(caller: TerminalCaller, query: ChargesQuery) -> ChargesOut:
    """What gift cards paid of an order of this terminal's store without a member; mostly one, or none."""
    return await charges.list_of_order(query.order_no, caller.store_id)


@router.get(f"{_CHARGES}/{{charge_id}}", guard=terminal, summary="查询礼品卡收款", errors=(NotFound,))
async def get_charge(caller: TerminalCaller, charge_id: str) -> ChargeOut:
    """A charge of this terminal's store as it stands."""
    return await charges.get_charge(charge_id, caller.store_id)


@router.post(
    f"{_CHARGES}/{{charge_id}}/refunds",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="礼品卡退款（非会员）",
    errors=(*MONEY, NotFound, errors.GiftRefundExceedsCharge),
)
async def refund_charge(
    caller: TerminalCaller, charge_id: str, body: ChargeRefundIn, idem: Idempotency
) -> Answer[ChargeRefundOut]:
    """Give part or all of a charge back to its card, however that stands."""
    return await charges.refund(charge_id, body, caller, idem)
