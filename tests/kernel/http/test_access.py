"""One line a request, many lines a write."""

from __future__ import annotations

import asyncio
import json

import pytest

from backend.kernel import metrics
from backend.kernel.http import Router, public
from backend.kernel.http.access import AccessLog
from backend.kernel.http.request import Request
from backend.kernel.http.routing import Route

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


async def test_of_a_private_route_nothing_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream()
    monkeypatch.setattr("sys.stderr", stream)
    log = AccessLog(make_settings(log_format="json", log_level="debug"))
    router = Router("x")

    @router.get("/v1/open-told", guard=public)
    async def told() -> None:
        """Noted."""

    @router.get("/v1/open-private", guard=public, private=True)
    async def private() -> None:
        """Not noted."""

    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})

    for route in router.routes:
        assert isinstance(route, Route)
        for status in (200, 404, 500):
            log.note(request, route, route.path, status, 0.0)
    await asyncio.sleep(0)

    assert [json.loads(line)["route"] for line in "".join(stream.writes).splitlines()] == ["/v1/open-told"] * 3
    assert b"/v1/open-told" in metrics.render()
    assert b"/v1/open-private" not in metrics.render()
