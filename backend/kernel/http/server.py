"""Running an application: uvicorn with our limits, on a port or a socket that the caller brings.

At shutdown it stops accepting, finishes every request it accepted (for ``shutdown_grace_s`` at most), closes WebSockets
with 1012, then runs the application's own shutdown. When it *retires* (SIGQUIT; another process has taken over the
listening socket) it first lets every idle connection ask once more: see ``Server.retire``.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn

from backend.kernel.config import Settings

from .protocol import LimitedProtocol
from .websocket_protocol import LimitedWebSocket

KEEP_ALIVE_S = 75
"""An idle connection is kept this long; longer than the 60 s of the usual proxy, so that the proxy closes first."""

WEBSOCKET_MAX_BYTES = 64 * 1024

COLLECT_AFTER = (20_000, 20, 20)
"""Net new objects after which the young are looked at, and how many such looks before it is the older ones' turn."""


_DRAIN_LOOK_S = 0.05


class ServerFailed(Exception):
    """The server could not start; the log says why."""


def uvicorn_config(app: Any, settings: Settings, *, host: str = "127.0.0.1", port: int = 8000) -> uvicorn.Config:
    """How uvicorn runs the application."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=LimitedProtocol,
        ws=LimitedWebSocket,
        ws_max_size=WEBSOCKET_MAX_BYTES,
        ws_per_message_deflate=False,  # small messages; and no decompression bombs
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # kernel.http.request decides whom to believe
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )


class Server(uvicorn.Server):
    """A uvicorn server that tells when it is ready and leaves the process alive when it was told to stop."""

    def __init__(self, config: uvicorn.Config, *, drain_s: float = 0) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._drain_s = drain_s
        self._retiring = False
        self._hurry = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen."""
        await super().startup(sockets)
        self.ready.set()

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Begin the graceful shutdown; ``serve`` returns when it is done."""
        self.should_exit = True

    def retire(self) -> None:
        """Begin the shutdown that cuts nobody off, for a process whose successor accepts on the same socket.

        Nothing new is accepted. Every answer from now on says ``Connection: close`` and is the last of its connection;
        one that is idle is kept for ``drain_s``, so that a request just being sent is still answered. WebSockets are
        closed with 1012 (service restart). SIGTERM and SIGINT cut the waiting short.
        """
        self._retiring = True
        self.should_exit = True

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGINT and SIGTERM: stop now, also in the middle of retiring."""
        self._hurry = True
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain when retiring, then what uvicorn does: finish what is running, close the rest."""
        if self._retiring:
            await self._drain()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        for listening in self.servers:
            listening.close()
        deadline = time.monotonic() + self._drain_s
        # A connection may have been accepted without being in the list yet, so look at least twice.
        await self._retire_connections()
        while await self._retire_connections() and not self._hurry and time.monotonic() < deadline:
            pass

    async def _retire_connections(self) -> int:
        """Tell every open connection, and wait a moment; returns how many are left."""
        for connection in list(self.server_state.connections):
            connection.retire()  # type: ignore[union-attr]  # both protocols are ours
        await asyncio.sleep(_DRAIN_LOOK_S)
        return len(self.server_state.connections)

    async def run_until_stopped(self, sockets: list[socket.socket] | None, *, signals: bool) -> None:
        """Serve; with ``signals`` SIGINT and SIGTERM stop it (not raised again), SIGQUIT retires it."""
        try:
            if signals:
                asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, self.retire)
                with self.capture_signals():
                    await self._serve(sockets)
                    self._captured_signals.clear()
            else:
                await self._serve(sockets)
        except SystemExit:
            raise ServerFailed("the application did not start") from None


async def serve(
    app: Any,
    *,
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    sock: socket.socket | None = None,
    on_ready: Callable[[Server], object] | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGQUIT, then finish what was accepted; ``ServerFailed`` when it cannot start.

    Args:
        app: what ``build_app`` made.
        settings: limits and time-outs.
        host: where to listen, without ``sock``.
        port: 0 for any free one.
        sock: a listening socket, shared by worker processes.
        on_ready: called once when it listens.
    """
    server = Server(uvicorn_config(app, settings, host=host, port=port), drain_s=settings.drain_s)
    announcing = asyncio.create_task(_announce(server, on_ready))
    try:
        await server.run_until_stopped([sock] if sock else None, signals=True)
    finally:
        announcing.cancel()


async def _announce(server: Server, on_ready: Callable[[Server], object] | None) -> None:
    await server.ready.wait()
    _set_collector()
    if on_ready:
        on_ready(server)


def _set_collector() -> None:
    """Leave what was made at start-up out of every garbage collection, and collect less often.

    A process serves for weeks with the same few hundred thousand objects; a request makes hundreds that end with it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


@asynccontextmanager
async def running(
    app: Any, *, settings: Settings, host: str = "127.0.0.1", port: int = 0, sock: socket.socket | None = None
) -> AsyncIterator[Server]:
    """A server inside the running event loop for as long as the block lasts (tests, the demo); ``.port`` is real."""
    server = Server(uvicorn_config(app, settings, host=host, port=port), drain_s=settings.drain_s)
    serving = asyncio.create_task(server.run_until_stopped([sock] if sock else None, signals=False))
    ready = asyncio.create_task(server.ready.wait())
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        ready.cancel()
        await serving
        raise ServerFailed("the server ended before it was ready")
    try:
        yield server
    finally:
        server.stop()
        with suppress(asyncio.CancelledError):
            await serving
