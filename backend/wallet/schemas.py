"""Shapes of the wallet's calls. Source: CONTRACT, Member."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import Fen, FenOrZero

from .types import ExpiryMode, Offer, PointsSource, SpendOrder

MOST_OFFER_ID = 16
OfferId = Annotated[str, Meta(min_length=1, max_length=MOST_OFFER_ID, description="充值档位")]
PointsOrZero = Annotated[int, Meta(ge=0, le=10**9)]
Instant = Annotated[datetime, Meta(tz=True)]


class RechargeIn(Body):
    """An offer, or a free amount (which earns no offer): exactly one of them."""

    offer_id: OfferId | None = None
    amount_fen: Fen | None = None


class RechargeCreated(msgspec.Struct):
    """An open order; ``pay_params`` go to ``wx.requestPayment`` as they are."""

    id: str
    out_trade_no: str
    status: str
    pay_params: dict[str, str]


class RechargeOut(msgspec.Struct, omit_defaults=True):
    """How a recharge stands; once paid, ``bonus_fen`` and ``points`` are what was really given.

    ``refunded_fen`` of it went back to the payer; it is left out where nothing did.
    """

    id: str
    status: str
    pay_fen: int
    bonus_fen: int
    points: int
    refunded_fen: int = 0


class OfferOut(msgspec.Struct):
    """An offer as a phone shows it."""

    id: str
    pay_fen: int
    bonus_fen: int
    points: int
    first_only: bool


class OffersOut(msgspec.Struct):
    """The offers for this member now, in the order to show them.

    ``possible_fen``: how much more may come in today, gifts included, by the limits of stored value; null for any.
    """

    items: list[OfferOut]
    possible_fen: int | None = None


class OfferIn(Body):
    """An offer as head office writes it."""

    pay_fen: Fen
    bonus_fen: FenOrZero = 0
    points: PointsOrZero = 0
    first_only: bool = False
    bonus_valid_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    spend: SpendOrder = SpendOrder.BY_EXPIRY
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    store_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    active: bool = True
    sort: Annotated[int, Meta(ge=-10_000, le=10_000)] = 0


class AllOffersOut(msgspec.Struct):
    """Every offer there is or was."""

    items: list[Offer]


class EntriesQuery(Body):
    """Which account, and where to go on."""

    account: Literal["stored", "points", "rebate"]
    cursor: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class EntryOut(msgspec.Struct):
    """One transfer on that account, in fen or points; ``balance_after`` is what the account held then."""

    id: str
    at: datetime
    kind: str
    amount: int
    balance_after: int
    title: str
    reference: str | None


class EntriesOut(msgspec.Struct):
    """A page of a statement, newest first; ``next_cursor`` is null on the last one."""

    items: list[EntryOut]
    next_cursor: str | None


class ExpiryIn(Body):
    """How long points of a source last; what is earned already keeps its day.

    ``count``: months of ``month_end`` and ``months``, years of ``year_end``, months at least of ``fixed_day``.
    """

    mode: ExpiryMode
    count: Annotated[int, Meta(ge=0, le=120)] = 0
    month: Annotated[int, Meta(ge=1, le=12)] | None = None
    day: Annotated[int, Meta(ge=1, le=31)] | None = None


class ExpiryOut(msgspec.Struct):
    """How long points of a source last; ``standard``: as the setting says, because nobody said otherwise."""

    source: PointsSource
    mode: ExpiryMode
    count: int
    month: int | None
    day: int | None
    standard: bool
    example: date | None


class ExpiriesOut(msgspec.Struct):
    """How long points last, by source; ``example`` is the last day of what is given today."""

    items: list[ExpiryOut]
