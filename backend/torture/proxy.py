"""A unix socket in front of another one, whose connections can be cut or made to wait."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

_ENOUGH = 256 * 1024
"""Bytes that may wait before whoever sends them is told to stop."""


class Proxy:
    """Passes bytes between ``listen`` and ``target`` both ways."""

    def __init__(self, listen: Path, target: Path) -> None:
        self._listen = listen
        self._target = target
        self._server: asyncio.Server | None = None
        self._ends: set[_End] = set()
        self.passing = asyncio.Event()
        self.passing.set()

    async def open(self) -> None:
        """Begin to listen."""
        self._listen.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _End(self), str(self._listen))

    async def connect(self, client: _End) -> None:
        """Open the other side of a connection; where it cannot be, the client's is lost too."""
        loop = asyncio.get_running_loop()
        try:
            await self.passing.wait()
            await loop.create_unix_connection(lambda: _End(self, client), str(self._target))
        except OSError:
            client.abort()

    def cut(self) -> int:
        """Lose every connection, whatever is on it; returns how many ends that were."""
        ends = list(self._ends)
        for end in ends:
            end.abort()
        return len(ends)

    async def stall(self, seconds: float) -> None:
        """Let nothing pass for so long; afterwards everything arrives that was sent meanwhile."""
        self.passing.clear()
        for end in self._ends:
            end.pause()
        await asyncio.sleep(seconds)
        self.passing.set()
        for end in list(self._ends):
            end.resume()

    async def close(self) -> None:
        """Stop listening and lose what is open."""
        if self._server is not None:
            self._server.close()
        self.cut()

    def note(self, end: _End, *, here: bool) -> None:
        """An end was connected, or is gone."""
        (self._ends.add if here else self._ends.discard)(end)


class _End(asyncio.Protocol):
    """One end of a connection; what it receives goes to the other one."""

    def __init__(self, proxy: Proxy, other: _End | None = None) -> None:
        self._proxy = proxy
        self._other = other
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(_ENOUGH)
        self._proxy.note(self, here=True)
        if self._other is None:
            self._opening = asyncio.create_task(self._proxy.connect(self))
        else:
            self._other.join(self)

    def join(self, other: _End) -> None:
        """The other side is there: give it what came early."""
        self._other = other
        if self._transport is None or self._transport.is_closing():
            other.abort()
            return
        for data in self._early:
            other.write(data)
        self._early.clear()

    def data_received(self, data: bytes) -> None:
        if self._other is None:
            self._early.append(data)
        else:
            self._other.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._proxy.note(self, here=False)
        if self._other is not None:
            self._other.finish()

    def write(self, data: bytes) -> None:
        """Send on."""
        if self._transport is not None:
            self._transport.write(data)

    def finish(self) -> None:
        """The other end is gone: send what is left, then close."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Be gone at once."""
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Take nothing more for a while."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Take what has come."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        if self._other is not None:
            self._other.pause()

    def resume_writing(self) -> None:
        if self._other is not None and self._proxy.passing.is_set():
            self._other.resume()
