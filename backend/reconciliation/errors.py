"""Refusals of reconciliation and clearing."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class BillDayRefused(DomainError):
    """WeChat has bills of the last 90 days, up to yesterday."""

    code = "bill_day_refused"
    kind = Kind.INVALID


class DifferenceConflict(DomainError):
    """Somebody changed this difference meanwhile; read it again."""

    code = "difference_conflict"
    kind = Kind.CONFLICT


class DifferenceEnded(DomainError):
    """This difference is resolved or gone already."""

    code = "difference_ended"
    kind = Kind.CONFLICT
