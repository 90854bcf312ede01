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


class IdentityCodeInvalid(DomainError):
    """This is not the code that the member was sent, or its time is over."""

    code = "identity_code_invalid"
    kind = Kind.INVALID

    def __init__(self, tries_left: int) -> None:
        super().__init__(extra={"tries_left": tries_left})


class IdentityCodeLocked(DomainError):
    """Too many wrong codes, or too many were sent; wait, or ask anew."""

    code = "identity_code_locked"
    kind = Kind.LIMITED


class IdentitySmsUnavailable(DomainError):
    """This chain sends no codes by SMS, or none for that."""

    code = "identity_sms_unavailable"
    kind = Kind.CONFLICT


class DocumentTaken(DomainError):
    """This document is another member's."""

    code = "document_taken"
    kind = Kind.CONFLICT
