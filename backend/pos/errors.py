"""Refusals of the till."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class CodeInvalid(DomainError):
    """This is not a member code of ours; ask the member to show it again."""

    code = "code_invalid"
    kind = Kind.INVALID


class CodeExpired(DomainError):
    """This code is too old; ask the member to show the current one."""

    code = "code_expired"
    kind = Kind.INVALID


class CodeUsed(DomainError):
    """This code was used already; the next one appears within 15 seconds."""

    code = "code_used"
    kind = Kind.CONFLICT


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
