"""``serve`` and ``worker``: the processes of a production system (and of the demo)."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from backend.kernel import config
from backend.kernel.config import Settings

from .listen import address_of, listen
from .supervisor import Child, Supervisor, command, interruptible, metrics_directory


def run(*, host: str, port: int, workers: int, fd: int | None) -> None:
    """Serve until SIGTERM or SIGINT; accepted requests are finished. Several workers share one socket."""
    settings = config.settings()
    if fd is not None:
        _serve(socket.socket(fileno=fd), settings)
        return
    listening = listen(host, port)
    where = "http://{}:{}".format(*address_of(listening))
    print(f"huiyuan: {workers} server process{'es' if workers > 1 else ''} on {where}", flush=True)
    if workers == 1:
        _serve(listening, settings)
    else:
        _supervise(listening, workers, settings)


def run_worker() -> None:
    """Run the relay and the jobs until SIGTERM or SIGINT; what has begun is finished."""
    import uvloop

    from backend.kernel import logging
    from backend.worker import run as work

    settings = config.settings()
    logging.configure(settings)
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(settings))


def _serve(listening: socket.socket, settings: Settings) -> None:
    import uvloop

    from backend.app import create_app, resources
    from backend.kernel import logging
    from backend.kernel.http.server import serve

    async def run() -> None:
        # Opened here and not by the server's lifespan, which would make a traceback of a setting that is wrong.
        async with resources(settings):
            await serve(create_app(settings), settings=settings, sock=listening)

    logging.configure(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def _supervise(listening: socket.socket, workers: int, settings: Settings) -> None:
    supervisor = Supervisor(lambda text: print(f"huiyuan: {text}", flush=True), grace_s=settings.shutdown_grace_s + 5)
    with tempfile.TemporaryDirectory(prefix="huiyuan-metrics-") as own, interruptible(supervisor.stopping) as started:
        environ = {"PROMETHEUS_MULTIPROC_DIR": own} | dict(os.environ)
        supervisor.metrics = metrics_directory(Path(environ["PROMETHEUS_MULTIPROC_DIR"]))
        try:
            for number in range(1, workers + 1):
                serve = command("serve", "--fd", str(listening.fileno()))
                supervisor.add(Child(f"server {number}", serve, environ, pass_fds=(listening.fileno(),)))
            started()
            supervisor.run()
        except KeyboardInterrupt:
            pass
        finally:
            supervisor.stop()
