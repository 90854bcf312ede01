"""Refusals of discounts."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class DiscountRuleConflict(DomainError):
    """That cannot be done to this rule as it stands."""

    code = "discount_rule_conflict"
    kind = Kind.CONFLICT
