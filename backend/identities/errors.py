"""Refusals of identification."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class IdentityDecided(DomainError):
    """This request is decided, or its time is over; ask again."""

    code = "identity_decided"
    kind = Kind.CONFLICT


class IdentityMayNotSpend(DomainError):
    """Who was identified this way may earn here, not spend; scan the code on their phone."""

    code = "identity_may_not_spend"
    kind = Kind.CONFLICT


class DocumentTaken(DomainError):
    """This document is another member's."""

    code = "document_taken"
    kind = Kind.CONFLICT
