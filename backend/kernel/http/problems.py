"""Refusals on the wire: RFC 9457 problem documents. The only place where a status is chosen."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from backend.kernel.errors import DomainError, FieldError, Kind

from .errors import MethodNotAllowed
from .types import Response

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[Kind, int] = {
    Kind.BAD_REQUEST: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD_NOT_ALLOWED: 405,
    Kind.TIMEOUT: 408,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED_MEDIA: 415,
    Kind.INVALID: 422,
    Kind.LIMITED: 429,
    Kind.INTERNAL: 500,
    Kind.UNAVAILABLE: 503,
}


def status_of(error: DomainError) -> int:
    """The status of a refusal."""
    return STATUS_OF[error.kind]


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a request was refused. `code` is stable; `detail` is for people; further members may follow."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str = ""
    errors: tuple[FieldError, ...] = ()


def title_of(status: int) -> str:
    """The status in words."""
    return HTTPStatus(status).phrase


def document(error: DomainError, request_id: str = "") -> dict[str, Any]:
    """The problem document of a refusal; ``extra`` members never hide the standard ones."""
    status = STATUS_OF[error.kind]
    problem = Problem(
        type=f"urn:huiyuan:problem:{error.code}",
        title=title_of(status),
        status=status,
        code=error.code,
        detail=error.detail,
        instance=f"urn:huiyuan:request:{request_id}" if request_id else "",
        errors=error.errors,
    )
    members: dict[str, Any] = msgspec.to_builtins(problem)
    return {**error.extra, **members}


def response(error: DomainError, request_id: str = "", challenge: str = "Bearer") -> Response:
    """The whole answer for a refusal, with the headers its status asks for; ``challenge`` is for a 401."""
    body = document(error, request_id)
    status = body["status"]
    headers = [(b"content-type", MEDIA_TYPE.encode())]
    retry_after_s = error.retry_after_s
    if retry_after_s is None and error.kind in (Kind.LIMITED, Kind.UNAVAILABLE):
        retry_after_s = 1
    if retry_after_s is not None:
        headers.append((b"retry-after", str(retry_after_s).encode()))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", error.allow.encode()))
    if error.kind is Kind.UNAUTHENTICATED:
        headers.append((b"www-authenticate", challenge.encode()))
    return Response(status=status, body=msgspec.json.encode(body), headers=headers)
