"""Shapes of recharges at a till."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import Fen

from .override_schemas import OverrideIn
from .schemas import BalancesOut, Code, Text

ScanTokenText = Annotated[str, Meta(min_length=1, max_length=400)]
MemberNo = Annotated[str, Meta(min_length=1, max_length=32)]


class WhoIn(Body, kw_only=True):
    """Whose: by the code on the phone, by a scan token (which a sale may still use), or by member number."""

    code: Code | None = None
    scan_token: ScanTokenText | None = None
    member_no: MemberNo | None = None


class TillRechargeIn(WhoIn, kw_only=True):
    """What is recharged, and by what the till was paid; ``reference`` is the till's own for that payment."""

    offer_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    amount_fen: Fen | None = None
    tender: Literal["cash", "external"] = "cash"
    reference: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    cashier: Text | None = None


class TillOffersIn(Body, kw_only=True):
    """Whose offers: by scan token or member number; nothing is spent."""

    scan_token: ScanTokenText | None = None
    member_no: MemberNo | None = None


class TillOfferOut(msgspec.Struct):
    """Pay so much, get that on top."""

    id: str
    pay_fen: int
    bonus_fen: int
    points: int


class TillOffersOut(msgspec.Struct):
    """What this member may take now; ``possible_fen`` is the most that may still be recharged, null without limit."""

    items: list[TillOfferOut]
    possible_fen: int | None


class TillRechargeOut(msgspec.Struct, kw_only=True):
    """A recharge at a till, for its receipt; ``reversed`` once it was taken back."""

    id: str
    status: Literal["paid", "reversed", "partly_refunded"]
    pay_fen: int
    bonus_fen: int
    points: int
    tender: str
    reference: str | None
    offer_id: str | None
    cashier: str | None
    member_no: str
    name_masked: str
    store_id: str
    terminal_id: str
    at: datetime
    balances: BalancesOut


class ReversalIn(Body, kw_only=True):
    """Who lets the till take it back."""

    override: OverrideIn
    cashier: Text | None = None


class ReversalOut(msgspec.Struct, kw_only=True):
    """What was taken back; the till gives ``pay_fen`` back by ``tender``."""

    id: str
    recharge_id: str
    tender: str
    pay_fen: int
    bonus_fen: int
    points: int
    at: datetime
    balances: BalancesOut
