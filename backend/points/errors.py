"""Refusals of earning rules, transfers and adjustments."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class PointsRuleConflict(DomainError):
    """The rule is in a state in which that cannot be done."""

    code = "points_rule_conflict"
    kind = Kind.CONFLICT
