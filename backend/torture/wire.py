"""HTTP/1.1 over kept connections, doing as little as can be done; and losing connections where a fault wants it."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import msgspec

ANSWER_WITHIN_S = 12.0
_LOST = (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError, ValueError)


class NoAnswer(Exception):
    """Nobody knows whether the request was carried out."""


class Answer(msgspec.Struct, frozen=True):
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body) if self.body else None

    @property
    def code(self) -> str:
        """The ``code`` of a problem document, or what there is instead."""
        try:
            return str(self.json["code"])
        except (msgspec.DecodeError, KeyError, TypeError):
            return f"status_{self.status}"


class Client:
    """One address and its kept connections.

    Attributes:
        cut_percent: of 100 requests so many lose their connection, half sent or unanswered.
        stall_s: one request in twenty stops for so long when half of it is sent.
    """

    def __init__(self, host: str, port: int, seed: int) -> None:
        self._host, self._port = host, port
        self._random = Random(f"wire:{seed}")
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.cut_percent = 0
        self.stall_s = 0.0

    async def send(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """One request; ``NoAnswer`` where the connection was lost or nothing came within 12 s."""
        lines = [f"{method} {target} HTTP/1.1", f"host: {self._host}", f"content-length: {len(body)}"]
        if body and "content-type" not in headers:
            lines.append("content-type: application/json")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        line = None
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                line = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
                await self._write(line[1], data)
                answer = await _read(line[0])
        except BaseException as error:
            if line is not None:
                line[1].transport.abort()
            if isinstance(error, _LOST):
                raise NoAnswer from error
            raise
        if answer.headers.get("connection") == "close":
            line[1].close()
        else:
            self._idle.append(line)
        return answer

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        chance = self._random.random() * 100
        if chance < self.cut_percent:
            writer.write(data[: len(data) // 2] if chance < self.cut_percent / 2 else data)
            await asyncio.sleep(self._random.random() * 0.01)
            raise EOFError
        if self.stall_s and chance > 95:
            writer.write(data[: len(data) // 2])
            await asyncio.sleep(self.stall_s)
            data = data[len(data) // 2 :]
        writer.write(data)

    def close(self) -> None:
        """Drop every kept connection."""
        for _, writer in self._idle:
            writer.transport.abort()
        self._idle.clear()


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
    status, length = int(head[0][9:12]), int(headers.get("content-length", "0"))
    return Answer(status, headers, await reader.readexactly(length) if length else b"")


def unlike(first: Answer | None, again: Answer) -> str:
    """The first place where two answers differ, with both values; empty where they are the same."""
    if first is None or (first.good and not again.good):
        return f"{again.status} {again.code}"
    return _unlike(first.json, again.json, "")


def _unlike(first: Any, again: Any, place: str) -> str:
    if isinstance(first, dict) and isinstance(again, dict) and first.keys() == again.keys():
        return next((told for name in first if (told := _unlike(first[name], again[name], f"{place}.{name}"))), "")
    if isinstance(first, list) and isinstance(again, list) and len(first) == len(again):
        pairs = enumerate(zip(first, again, strict=True))
        return next((told for n, (one, other) in pairs if (told := _unlike(one, other, f"{place}[{n}]"))), "")
    return "" if first == again else f"{place} {first!r}, then {again!r}"
