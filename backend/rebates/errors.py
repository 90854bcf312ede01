"""Refusals of schemes, runs and statements."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class RebateSchemeConflict(DomainError):
    """The scheme is in a state in which that cannot be done."""

    code = "rebate_scheme_conflict"
    kind = Kind.CONFLICT


class RebateRunConflict(DomainError):
    """The run is in a state in which that cannot be done."""

    code = "rebate_run_conflict"
    kind = Kind.CONFLICT


class RebateRunOpen(DomainError):
    """Another run's statements are not closed yet: close or cancel it first."""

    code = "rebate_run_open"
    kind = Kind.CONFLICT


class RebatePeriodOpen(DomainError):
    """The period is not over, or the one before it has no closed statements yet."""

    code = "rebate_period_open"
    kind = Kind.CONFLICT


class RebatePeriodDone(DomainError):
    """The period has its run already."""

    code = "rebate_period_done"
    kind = Kind.CONFLICT
