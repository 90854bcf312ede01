"""Refusals of any purchase, at a till or online."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class TendersMismatch(DomainError):
    """The tenders do not add up to what is payable."""

    code = "tenders_mismatch"
    kind = Kind.INVALID


class TenderUnsupported(DomainError):
    """Nothing is paid this way here; what the till took otherwise is ``external``."""

    code = "tender_unsupported"
    kind = Kind.INVALID


class RefundExceedsPaid(DomainError):
    """More would be given back than was paid."""

    code = "refund_exceeds_paid"
    kind = Kind.CONFLICT
