"""Refusals of approvals."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class ApprovalOwn(DomainError):
    """Somebody else must decide this: you asked for it."""

    code = "approval_own"
    kind = Kind.CONFLICT


class ApprovalSameHands(DomainError):
    """Both logins may be one person's, who made one or reset its password a short time ago: somebody else decides."""

    code = "approval_same_hands"
    kind = Kind.CONFLICT


class ApprovalAskerGone(DomainError):
    """Who asked for this may not log in any more: reject it, and ask for it anew where it is still wanted."""

    code = "approval_asker_gone"
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
