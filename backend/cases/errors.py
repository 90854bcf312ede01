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


class CaseGiftGiven(DomainError):
    """This case's customer was given something already; that is done once."""

    code = "case_gift_given"
    kind = Kind.CONFLICT


class CaseGiftLimit(DomainError):
    """This is more than you may give."""

    code = "case_gift_limit"
    kind = Kind.CONFLICT


class CaseWithoutMember(DomainError):
    """This case is no member's; nothing can be given."""

    code = "case_without_member"
    kind = Kind.CONFLICT


class CaseOwn(DomainError):
    """This is your own case; somebody else gives for it."""

    code = "case_own"
    kind = Kind.FORBIDDEN
