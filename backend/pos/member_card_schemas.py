"""Shapes of member cards at a till."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import FenOrZero

from .schemas import Code, Text
from .till_schemas import ScanTokenText

CardNo = Annotated[str, Meta(pattern=r"^[0-9]{10,19}$(?!\n)", description="会员卡号", examples=["9001012345678903"])]
Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Tender = Literal["cash", "external"]
Action = Literal["issue", "replace", "pay", "none"]


class PresentIn(Body, kw_only=True):
    """The member who stands there: by the code on their phone, or a scan token (which a sale may still use)."""

    code: Code | None = None
    scan_token: ScanTokenText | None = None


class CardQuoteIn(PresentIn, kw_only=True):
    """What may be done with the card in the cashier's hand; without one, how the member's own stands."""

    card_no: CardNo | None = None


class PaidIn(PresentIn, kw_only=True):
    """How the till was paid, or pays; ``reference`` is the till's own for that payment."""

    card_no: CardNo
    tender: Tender = "cash"
    reference: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    cashier: Text | None = None


class GiveCardIn(PaidIn, kw_only=True):
    """The card that the member gets; ``replace`` where they have another. ``due_fen`` is what the quote said."""

    replace: bool = False
    due_fen: FenOrZero = 0
    reason: Reason | None = None


class TakeCardIn(PaidIn, kw_only=True):
    """The card that the member brings back, and why."""

    reason: Reason | None = None


class LostCardIn(PresentIn, kw_only=True):
    """Whose card is lost."""

    reason: Reason | None = None


class HeldCardOut(msgspec.Struct, kw_only=True):
    """The card that a member has; ``deposit_fen`` is held for it, ``due_fen`` still to be paid."""

    last4: str
    type_name: str
    state: str
    virtual: bool
    valid_until: date | None
    deposit_fen: int
    due_fen: int


class AskedCardOut(msgspec.Struct, kw_only=True):
    """The card in hand: what may be done with it, what is to be paid for that, and given back if it is brought back.

    ``action``: ``issue``, ``replace`` (the member has another), ``pay`` (theirs, something is due), or ``none``.
    """

    last4: str
    type_name: str
    action: Action
    deposit_fen: int
    fee_fen: int
    due_fen: int
    back_fen: int


class CardQuoteOut(msgspec.Struct, kw_only=True):
    """How the member's own card stands, and what may be done with the one in hand."""

    held: HeldCardOut | None
    card: AskedCardOut | None


class TillCardOut(msgspec.Struct, kw_only=True):
    """What was done with a card, and what the till took (or gave back) for it."""

    id: str
    action: Literal["given", "taken_back"]
    card_id: str
    last4: str
    type_name: str
    replaced: bool
    deposit_fen: int
    fee_fen: int
    total_fen: int
    tender: Tender
    reference: str | None
    cashier: str | None
    name_masked: str
    store_id: str
    terminal_id: str
    at: datetime
