"""Refusals of the till."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class SaleNotRefundable(DomainError):
    """Only a completed sale can be refunded."""

    code = "sale_not_refundable"
    kind = Kind.CONFLICT


class SaleAlreadyCompleted(DomainError):
    """The sale is completed; refund it instead."""

    code = "sale_completed"
    kind = Kind.CONFLICT


class SaleNotWaiting(DomainError):
    """The sale does not wait for a confirmation any more."""

    code = "sale_not_waiting"
    kind = Kind.CONFLICT


class AccrualLimit(DomainError):
    """This terminal has given this member enough offline points for today."""

    code = "accrual_limit"
    kind = Kind.CONFLICT


class OccurredOutOfRange(DomainError):
    """The time of the sale is in the future or more than seven days ago."""

    code = "occurred_out_of_range"
    kind = Kind.INVALID
