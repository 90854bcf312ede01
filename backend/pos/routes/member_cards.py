"""Member cards at a till: signed by terminals, with the member there."""

from __future__ import annotations

from backend.auth.errors import CodeExpired, CodeInvalid, CodeUsed
from backend.auth.guards import terminal
from backend.auth.types import TerminalCaller
from backend.identities.errors import IdentityMayNotSpend
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict, MemberInactive, OutcomeUnknown
from backend.membercards import errors

from ..commands import member_cards
from ..member_card_schemas import (
    CardQuoteIn,
    CardQuoteOut,
    GiveCardIn,
    HeldCardOut,
    LostCardIn,
    TakeCardIn,
    TillCardOut,
)

router = Router(tag="pos")

_CODE = (CodeInvalid, CodeExpired, RateLimited, ValidationFailed)
_MONEY = (*_CODE, CodeUsed, IdempotencyConflict, OutcomeUnknown, MemberInactive, IdentityMayNotSpend)
_CARDS = "/v1/pos/member-cards"


@router.post(
    f"{_CARDS}/quote",
    guard=terminal,
    summary="查询会员卡与发卡费用",
    errors=(*_CODE, errors.CardInvalid, errors.CardTaken),
)
async def quote(caller: TerminalCaller, body: CardQuoteIn) -> CardQuoteOut:
    """How the member's card stands, and what the one in the cashier's hand would cost; nothing is spent."""
    return await member_cards.quote(body, caller)


@router.post(
    _CARDS,
    guard=terminal,
    status=201,
    idempotent=True,
    summary="收银台发卡、补卡、收取押金与工本费",
    errors=(
        *_MONEY,
        errors.CardInvalid,
        errors.CardTaken,
        errors.CardEnded,
        errors.CardHeld,
        errors.CardElsewhere,
        errors.CardTypeClosed,
        errors.CardIssuerClosed,
        errors.CardDuesChanged,
    ),
)
async def give(caller: TerminalCaller, body: GiveCardIn, idem: Idempotency) -> Answer[TillCardOut]:
    """Give the member a card, or another in its place, and book deposit and fee; for the card they have, only these."""
    return await member_cards.give(body, caller, idem)


@router.post(
    f"{_CARDS}/return",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="收银台退卡并退还押金",
    errors=(*_MONEY, errors.CardInvalid, errors.CardConflict),
)
async def take_back(caller: TerminalCaller, body: TakeCardIn, idem: Idempotency) -> Answer[TillCardOut]:
    """Take a card back for good, and book the deposit that the member gets."""
    return await member_cards.take_back(body, caller, idem)


@router.post(
    f"{_CARDS}/lost",
    guard=terminal,
    summary="收银台挂失会员卡",
    errors=(*_CODE, NotFound, errors.CardConflict),
)
async def report_lost(caller: TerminalCaller, body: LostCardIn) -> HeldCardOut:
    """Let the member's card be good nowhere from now on; repeated, it changes nothing."""
    return await member_cards.report_lost(body, caller)
