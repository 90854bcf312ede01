"""Refusals of approvals."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class ApprovalOwn(DomainError):
    """Somebody else must decide this: you asked for it."""

    code = "approval_own"
    kind = Kind.CONFLICT


class ApprovalSameHands(DomainError):
    """One of the two logins was made, or its password reset, by the other a short time ago: somebody else decides."""

    code = "approval_same_hands"
    kind = Kind.CONFLICT


class ApprovalNotOwn(DomainError):
    """Only who asked for this may take it back."""

    code = "approval_not_own"
    kind = Kind.CONFLICT


class ApprovalDecided(DomainError):
    """This was decided already."""

    code = "approval_decided"
    kind = Kind.CONFLICT


class ApprovalExpired(DomainError):
    """Nobody decided this in time; ask anew."""

    code = "approval_expired"
    kind = Kind.CONFLICT


class ApprovalKeyReused(DomainError):
    """This key was used for another request."""

    code = "idempotency_conflict"
    kind = Kind.CONFLICT


class TooManyApprovals(DomainError):
    """Too much that this person asked for waits already; have it decided first."""

    code = "too_many_approvals"
    kind = Kind.CONFLICT
