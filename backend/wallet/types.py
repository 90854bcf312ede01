"""What a member has."""

from __future__ import annotations

from datetime import date

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
