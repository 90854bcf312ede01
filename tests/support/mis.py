"""Another system of the chain: takes webhooks, and checks their signatures by its own reading of Standard Webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from secrets import token_hex
from typing import Any

from tests.support.staff import StaffSession


async def make_subscriber(
    admin: StaffSession, fields: Sequence[str] = ("status",), url: str | None = None, *, partner: bool = False
) -> dict[str, Any]:
    """A subscriber of head office's making, with its key and its secret."""
    body = {"name": f"mis-{token_hex(6)}", "fields": [*fields], "url": url, "partner": partner}
    made = await admin.post("/v1/admin/feeds/subscribers", body)
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


class Mis:
    """Answers each call with the next of ``answers``, then with 204; ``calls`` holds what it was sent.

    ``meanwhile`` is done between taking a call and answering it.
    """

    def __init__(self) -> None:
        self.port = 0
        self.answers: list[int | None] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    @property
    def url(self) -> str:
        """Where it is called."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def batches(self) -> list[dict[str, Any]]:
        """The bodies, read."""
        return [json.loads(body) for _, body in self.calls]

    @property
    def told(self) -> list[dict[str, Any]]:
        """Every entry of every call, in order."""
        return [item for batch in self.batches for item in batch["data"]]

    def is_signed(self, call: int, secret: str) -> bool:
        """Whether one call carries a signature by this secret."""
        headers, body = self.calls[call]
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        good = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(good, one) for one in headers["webhook-signature"].split())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request of a connection, and close it."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:-2])
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.calls.append((headers, body))
            if self.meanwhile is not None:
                await self.meanwhile()
            status = self.answers.pop(0) if self.answers else 204
            if status is not None:  # None: the line is cut
                where = "location: http://127.0.0.1:1/\r\n" if 300 <= status < 400 else ""
                writer.write(f"HTTP/1.1 {status} x\r\n{where}content-length: 0\r\nconnection: close\r\n\r\n".encode())
                await writer.drain()
        finally:
            writer.close()
