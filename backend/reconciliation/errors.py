"""Refusals of reconciliation and clearing."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class BillDayRefused(DomainError):
    """WeChat has bills of the last 90 days, up to yesterday."""

    code = "bill_day_refused"
    kind = Kind.INVALID


class BillVanished(DomainError):
    """WeChat says that nothing was paid on that day, and gave us a bill of it before; nothing was changed."""

    code = "bill_vanished"
    kind = Kind.CONFLICT


class DifferenceConflict(DomainError):
    """Somebody changed this difference meanwhile; read it again."""

    code = "difference_conflict"
    kind = Kind.CONFLICT


class DifferenceEnded(DomainError):
    """This difference is resolved or gone already."""

    code = "difference_ended"
    kind = Kind.CONFLICT


class NothingToSettle(DomainError):
    """Up to that day everything is settled."""

    code = "nothing_to_settle"
    kind = Kind.CONFLICT


class SettlementTooEarly(DomainError):
    """That day is not over, or some of its purchases are not counted yet; try again in some minutes."""

    code = "settlement_too_early"
    kind = Kind.CONFLICT


class SettlementChanged(DomainError):
    """Since this was asked for more was counted, or it was settled already; ask for it anew."""

    code = "settlement_changed"
    kind = Kind.CONFLICT
