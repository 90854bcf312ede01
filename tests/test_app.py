"""The application put together, on a real port."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import msgspec
import pytest

from backend import app
from backend.kernel import config
from backend.kernel.http.protocol import MAX_HEADER_BYTES
from tests.support.server import Server


def test_no_domain_with_routes_is_forgotten():
    root = Path(app.__file__).parent
    found = {f"backend.{path.parent.name}.routes" for path in root.glob("*/routes*") if path.stem == "routes"}

    assert found == set(app.ROUTES)


async def test_is_ready_on_a_migrated_database(client: httpx.AsyncClient):
    answer = await client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "migrations": "ok", "redis": "ok"}}


async def test_serves_the_pages_and_the_simulator(client: httpx.AsyncClient):
    phone = await client.get("/")
    pos = await client.get("/pos")
    session = await client.get("/mock/wechat/sns/jscode2session", params={"js_code": "demo-a"})

    assert phone.headers["content-type"].startswith("text/html")
    assert pos.headers["content-type"].startswith("text/html")
    assert session.status_code == 200


@pytest.mark.parametrize(("console", "served"), [(True, 200), (False, 404)])
async def test_outside_of_the_demo_the_console_alone_is_served(settings, console, served):
    made = app.create_app(msgspec.structs.replace(settings, demo=False, console=console))
    config.use(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=made), base_url="http://shop.test") as client:
        found = {path: (await client.get(path)).status_code for path in ("/admin", "/static/admin/main.js")}
        others = {(await client.get(path)).status_code for path in ("/", "/pos", "/static/pos/main.js", "/mock/wechat")}

    assert set(found.values()) == {served}
    assert others == {404}


KEY_PATTERN = r'"pattern":"^[\\x21-\\x7e]+$"'
"""Of the header ``Idempotency-Key``, which holds no line break."""


async def test_no_pattern_lets_a_line_break_through_at_its_end(client: httpx.AsyncClient):
    """Python's ``$`` matches before a last line break too; the published patterns are the ones that are enforced."""
    document = (await client.get("/openapi.json")).text.replace(KEY_PATTERN, "")

    patterns = set(re.findall(r'"pattern":"((?:[^"\\]|\\.)*)"', document))

    assert len(patterns) > 5
    assert [pattern for pattern in patterns if not pattern.endswith("$(?!\\\\n)")] == []


async def talk(server: Server, *pieces: bytes, pause_s: float = 0) -> bytes:
    """Send pieces over a bare connection and return all that comes back."""
    host, _, port = server.base_url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()


async def test_headers_without_end_are_refused(server: Server):
    long = b"GET / HTTP/1.1\r\nhost: x\r\nx-filler: "

    # The last byte is one too many: nothing is left unread, or the connection would be reset behind the answer.
    answer = await talk(server, long.ljust(MAX_HEADER_BYTES, b"a"), b"b")

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"code":"headers_too_large"' in answer


async def test_a_client_that_dawdles_with_its_headers_is_refused(server: Server):
    config.use(msgspec.structs.replace(server.settings, header_timeout_s=0.1))
    try:
        answer = await talk(server, b"GET / HTTP/1.1\r\nhost: ")
    finally:
        config.use(server.settings)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in answer


async def test_a_client_that_connects_and_says_nothing_is_let_go(server: Server):
    config.use(msgspec.structs.replace(server.settings, header_timeout_s=0.1))
    try:
        answer = await talk(server)
    finally:
        config.use(server.settings)

    assert answer == b""


async def test_what_is_not_http_is_refused_with_a_problem(server: Server):
    answer = await talk(server, b"\x16\x03\x01 hello\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in answer
