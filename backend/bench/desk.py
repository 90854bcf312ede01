"""Somebody of head office who asks, one request after the other, on a connection that is kept."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from typing import Any

import msgspec

from backend.auth import service as auth
from backend.auth.types import Role
from backend.kernel import db

NAME, PASSWORD = "bench-desk", "a password of the benchmark"


async def hire() -> int:
    """Somebody of head office for the desk; their id."""
    hashed = await auth.hash_secret(PASSWORD)
    async with db.transaction() as tx:
        return await auth.create_staff(tx, username=NAME, password_hash=hashed, role=Role.ADMIN)


class Desk:
    """A login and a connection that is kept."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=30)
        body = msgspec.json.encode({"username": NAME, "password": PASSWORD})
        status, answer = self._send("POST", "/v1/admin/login", body, {})
        if status != 200:
            raise RuntimeError(f"the desk cannot log in: {answer[:200]!r}")
        self._headers = {"Authorization": f"Bearer {msgspec.json.decode(answer)['access_token']}"}

    def ask(self, count: int, method: str, path: str, body: bytes | None, good: Callable[[Any], bool]) -> list[float]:
        """Ask so often, one after the other; the seconds of each, after a few that warm up.

        An answer that is not ``good`` ends the benchmark.
        """
        times = []
        for _ in range(count + count // 10):
            began = time.perf_counter()
            status, answer = self._send(method, path, body, self._headers)
            times.append(time.perf_counter() - began)
            if status != 200 or not good(msgspec.json.decode(answer)):
                raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
        return times[count // 10 :]

    def call(self, method: str, path: str, body: Any) -> Any:
        """Once, with a body; the answer of what was done."""
        status, answer = self._send(method, path, msgspec.json.encode(body), self._headers)
        if status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
        return msgspec.json.decode(answer)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        kind = {"Content-Type": "application/json"} if body is not None else {}
        self._connection.request(method, path, body, {**headers, **kind})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
