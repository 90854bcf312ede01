"""What a member has, and what becomes of a recharge."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec


class StoredValue(msgspec.Struct, frozen=True):
    """Stored value in fen: what was paid in and what was given on top."""

    total_fen: int
    principal_fen: int
    bonus_fen: int


class ExpiringPoints(msgspec.Struct, frozen=True):
    """Points whose last day is ``on`` (local date)."""

    points: int
    on: date


class PointsBalance(msgspec.Struct, frozen=True):
    """Points; ``available`` is less what is owed after refunds, so it may be negative."""

    available: int
    pending: int
    expiring: list[ExpiringPoints]


class Wallet(msgspec.Struct, frozen=True):
    """A member's value."""

    stored: StoredValue
    points: PointsBalance
    rebate_fen: int


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Pay ``pay_fen``, get ``bonus_fen`` and ``points`` on top.

    ``first_only``: on a member's first recharge. ``bonus_valid_days``: the bonus expires so many days after the
    payment; None is never. ``store_id``: for members of that store; None is for all.
    """

    id: str
    pay_fen: int
    bonus_fen: int = 0
    points: int = 0
    first_only: bool = False
    bonus_valid_days: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    store_id: str | None = None
    active: bool = True
    sort: int = 0


class RechargeStatus(StrEnum):
    """How a recharge stands. ``refunding``: paid after it was closed, on the way back to the payer."""

    PENDING = "pending"
    PAID = "paid"
    CLOSED = "closed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class RechargeBody(msgspec.Struct, frozen=True, kw_only=True):
    """The value part of a recharge's document: what was agreed when it was opened.

    What is not paid at ``pay_until`` is closed.
    """

    pay_fen: int
    bonus_fen: int = 0
    points: int = 0
    offer_id: str | None = None
    first_only: bool = False
    bonus_valid_days: int | None = None
    pay_until: datetime | None = None


class RechargeProgress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a recharge. ``bonus_fen`` and ``points`` are what was really given with the payment.

    ``tries`` counts what was asked of WeChat by the clock: since it was opened, and anew since its payment came late.
    """

    pay_params: dict[str, str] | None = None
    transaction_id: str | None = None
    bonus_fen: int | None = None
    points: int | None = None
    tries: int = 0
