"""Refusals. A domain raises one of its ``DomainError`` classes; ``kernel.http`` alone turns its kind into a status."""

from __future__ import annotations

from enum import Enum

import msgspec


class Kind(Enum):
    """What sort of refusal it is; the HTTP status follows from it (see ``kernel.http.problems``)."""

    BAD_REQUEST = "bad_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    INVALID = "invalid"
    LIMITED = "limited"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


class FieldError(msgspec.Struct, frozen=True):
    """One field that was refused: a JSON pointer into the body (or ``/query/x``, ``/path/x``) and why."""

    pointer: str
    message: str


class DomainError(Exception):
    """Base of every refusal. The class docstring is the default ``detail``; it moves nothing.

    Attributes:
        code: stable, machine-readable; part of the contract once published.
        kind: decides the HTTP status.
        retry_after_s: seconds to wait before trying again, where that makes sense.
        extra: further members of the problem document (public, small, JSON).
    """

    code = "internal_error"
    kind = Kind.INTERNAL

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after_s: int | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip().split("\n")[0]
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.extra = extra or {}
        super().__init__(self.detail)


class ValidationFailed(DomainError):
    """The request does not have the shape this call needs."""

    code = "validation_failed"
    kind = Kind.INVALID


class NotFound(DomainError):
    """There is no such thing here."""

    code = "not_found"
    kind = Kind.NOT_FOUND


class Forbidden(DomainError):
    """This caller may not do that."""

    code = "forbidden"
    kind = Kind.FORBIDDEN


class Unauthenticated(DomainError):
    """The call needs valid credentials."""

    code = "unauthenticated"
    kind = Kind.UNAUTHENTICATED


class RateLimited(DomainError):
    """Too many requests; wait and try again."""

    code = "rate_limited"
    kind = Kind.LIMITED


class Unavailable(DomainError):
    """The service cannot answer right now; try again."""

    code = "unavailable"
    kind = Kind.UNAVAILABLE


def invalid(pointer: str, message: str) -> ValidationFailed:
    """A refusal of one field: ``invalid("/lines/0/qty", "must be at least 1")``."""
    return ValidationFailed(f"{pointer}: {message}", errors=(FieldError(pointer, message),))
