"""Refusals that any route can give before its handler is reached."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class BadRequest(DomainError):
    """The request cannot be understood."""

    code = "bad_request"
    kind = Kind.BAD_REQUEST


class IdempotencyKeyRequired(DomainError):
    """This call needs an Idempotency-Key header."""

    code = "idempotency_key_required"
    kind = Kind.BAD_REQUEST


class MethodNotAllowed(DomainError):
    """This address does not know that method; the Allow header lists those it knows."""

    code = "method_not_allowed"
    kind = Kind.METHOD_NOT_ALLOWED

    def __init__(self, allow: str) -> None:
        super().__init__()
        self.allow = allow


class RequestTimeout(DomainError):
    """The request did not arrive in time."""

    code = "request_timeout"
    kind = Kind.TIMEOUT


class PayloadTooLarge(DomainError):
    """The request body is larger than this server takes."""

    code = "payload_too_large"
    kind = Kind.TOO_LARGE


class UnsupportedMediaType(DomainError):
    """The body must be JSON in UTF-8: Content-Type application/json."""

    code = "unsupported_media_type"
    kind = Kind.UNSUPPORTED_MEDIA


class UnsupportedEncoding(UnsupportedMediaType):
    """Request bodies are taken as they are, never compressed: leave Content-Encoding away."""


class InternalError(DomainError):
    """Something went wrong on our side; the request id leads to it."""

    code = "internal_error"
    kind = Kind.INTERNAL


class ClientGone(Exception):
    """The client hung up before its request was complete; nobody waits for an answer."""
