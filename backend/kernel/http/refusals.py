"""Whole answers for requests that never became one: problem documents as bytes."""

from __future__ import annotations

from asyncio import WriteTransport
from functools import cache

import msgspec

from backend.kernel import metrics

from .problems import MEDIA_TYPE, title_of

_REFUSALS = {
    400: ("bad_request", "what was sent is not HTTP"),
    408: ("request_timeout", "the request's headers did not arrive in time"),
    431: ("headers_too_large", "the request's headers are too large"),
    503: ("unavailable", "too many large requests are under way; try again in a moment"),
}


def refuse(transport: WriteTransport, status: int) -> None:
    """Answer what never became a request, and count it."""
    metrics.REQUESTS.labels("(other)", "(refused)", str(status)).inc()
    transport.write(_whole(status))


@cache
def _whole(status: int) -> bytes:
    code, detail = _REFUSALS[status]
    title = title_of(status)
    problem = {"type": f"urn:huiyuan:problem:{code}", "title": title, "status": status, "code": code, "detail": detail}
    body = msgspec.json.encode(problem)
    head = (
        f"HTTP/1.1 {status} {title}\r\ncontent-type: {MEDIA_TYPE}\r\ncache-control: no-store\r\n"
        f"x-content-type-options: nosniff\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
    )
    if status == 503:
        head += "retry-after: 1\r\n"
    return head.encode() + b"\r\n" + body
