"""Refusals of cases."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class CaseConflict(DomainError):
    """The case has changed meanwhile, or is in a state in which that cannot be done."""

    code = "case_conflict"
    kind = Kind.CONFLICT


class CaseFull(DomainError):
    """Enough was said in this case; open another one."""

    code = "case_full"
    kind = Kind.CONFLICT
