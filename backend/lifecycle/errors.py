"""Refusals of levels' rules, grants and runs."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class GrantEnded(DomainError):
    """This level that was given has ended already."""

    code = "level_grant_ended"
    kind = Kind.CONFLICT


class RunEnded(DomainError):
    """This run has ended already."""

    code = "level_run_ended"
    kind = Kind.CONFLICT


class RulesChanged(DomainError):
    """Somebody else changed the rules meanwhile; look at them again."""

    code = "level_rules_changed"
    kind = Kind.CONFLICT
