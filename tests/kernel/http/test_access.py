"""One line a request, many lines a write."""

from __future__ import annotations

import asyncio
import json

import pytest

from backend.kernel.http.access import AccessLog
from backend.kernel.http.request import Request

from .conftest import make_settings

PIPE_BUF = 4096


class Stream:
    """Standard error, remembering what was written at once."""

    def __init__(self) -> None:
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return len(text)


async def test_requests_answered_together_are_logged_in_few_writes_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    monkeypatch.setattr("sys.stderr", stream)
    log = AccessLog(make_settings(log_format="json"))
    scope = {"type": "http", "method": "OPTIONS", "path": "/", "headers": [(b"x-request-id", b"x" * 64)]}
    request = Request(scope)

    for status in range(400, 430):
        log.note(request, None, "/v1/pos/sales/{sale_id}/confirmation", status, 0.0)
    assert stream.writes == []
    await asyncio.sleep(0)

    assert [json.loads(line)["status"] for line in "".join(stream.writes).splitlines()] == list(range(400, 430))
    assert len(stream.writes) == 3
    assert max(map(len, stream.writes)) <= PIPE_BUF
