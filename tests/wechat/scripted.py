"""A server that answers what a test tells it to, and remembers what it was sent; for how WeChat fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec


@dataclass
class Received:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Scripted:
    """Give answers to ``will``; the last one is repeated. A callable makes its answer from the request."""

    base_url: str = ""
    received: list[Received] = field(default_factory=list)
    _answers: list[bytes | Callable[[Received], bytes]] = field(default_factory=list)

    def will(self, *answers: bytes | Callable[[Received], bytes]) -> None:
        """Answer so from now on; ``b""`` hangs up."""
        self._answers = list(answers)
        self.received.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
                }
                request = Received(
                    method, target, headers, await reader.readexactly(int(headers.get("content-length", 0)))
                )
                self.received.append(request)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                data = answer(request) if callable(answer) else answer
                if not data:
                    return
                writer.write(data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


def answer(status: int, value: object = None, headers: dict[str, str] | None = None) -> bytes:
    """An HTTP answer; a value that is not bytes goes as JSON."""
    body = value if isinstance(value, bytes) else b"" if value is None else msgspec.json.encode(value)
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name}: {text}" for name, text in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """The server, on a free port of this machine."""
    script = Scripted()
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield script
    finally:
        server.close()
