"""``serve`` and ``worker``: the processes of a production system (and of the demo)."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from backend.kernel import config
from backend.kernel.config import Settings, SettingsError

from .listen import address_of, listen
from .process import become, command
from .supervisor import Child, Supervisor, interruptible, metrics_directory

_OPEN_FILES = 16_384
"""More than the connections that a process keeps open, where the hard limit allows it."""


def run(*, host: str, port: int, workers: int, fd: int | None, ready_fd: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT; accepted requests are finished. Several workers share one socket.

    Args:
        host: where to listen.
        port: 0 for a free one.
        workers: processes; with more than one SIGHUP replaces them, one after the other.
        fd: a listening socket handed down by a supervisor, instead of the above.
        ready_fd: a pipe on which a successor says that it serves; it does not begin to before all is there.
    """
    if fd is not None:  # as the supervisor of an earlier release starts its children
        become("serve", "--fd", str(fd), *([] if ready_fd is None else ["--ready-fd", str(ready_fd)]))
    settings = config.settings()
    listening = listen(host, port)
    where = "http://{}:{}".format(*address_of(listening))
    print(f"huiyuan: {workers} server process{'es' if workers > 1 else ''} on {where}", flush=True)
    if workers == 1:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is somebody to answer
        listening.set_inheritable(True)
        become("serve", "--alone", "--fd", str(listening.fileno()))
    _supervise(listening, workers, settings)


def run_worker() -> None:
    """Run the relay and the jobs until SIGTERM or SIGINT; what has begun is finished."""
    become("worker")


def serve_on(fd: int, *, ready_fd: int | None, alone: bool) -> None:
    """Serve on this listening socket in this process.

    Args:
        fd: the socket.
        ready_fd: as above.
        alone: no supervisor started it.
    """
    # A supervisor's children leave it to the supervisor.
    signal.signal(signal.SIGHUP, _cannot_reload if alone else signal.SIG_IGN)
    _serve(socket.socket(fileno=fd), config.settings(), ready_fd)


def work() -> None:
    """Be the worker in this process."""
    import uvloop

    from backend.kernel import logging
    from backend.worker import run as work

    settings = config.settings()
    logging.configure(settings)
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(settings))


def _serve(listening: socket.socket, settings: Settings, ready_fd: int | None = None) -> None:
    import uvloop

    from backend.app import create_app, resources
    from backend.kernel import logging
    from backend.kernel.http.server import serve

    async def run() -> None:
        # Opened here and not by the server's lifespan, which would make a traceback of a setting that is wrong.
        async with resources(settings):
            if ready_fd is not None:
                await _check_schema()
            await serve(
                create_app(settings), settings=settings, sock=listening, on_ready=lambda _: _say_ready(ready_fd)
            )

    logging.configure(settings)
    _allow_open_files()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


async def _check_schema() -> None:
    """A successor of a newer release must not take over before its migrations were applied."""
    from backend.kernel import db, migrations

    if lacking := await migrations.missing(db.fetch):
        raise SettingsError(f"migrations not applied: {', '.join(lacking[:5])}; run `huiyuan migrate`, then reload")


def _cannot_reload(_signal: int, _frame: object) -> None:
    print("huiyuan: nothing was reloaded: one process cannot replace itself, serve with --workers 2", flush=True)


def _say_ready(ready_fd: int | None) -> None:
    if ready_fd is not None:
        os.write(ready_fd, b"1")
        os.close(ready_fd)


def _allow_open_files() -> None:
    """With the usual soft limit of 1,024 a thousand idle sockets would shut everybody out."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _supervise(listening: socket.socket, workers: int, settings: Settings) -> None:
    supervisor = Supervisor(lambda text: print(f"huiyuan: {text}", flush=True), grace_s=settings.shutdown_grace_s + 5)
    with tempfile.TemporaryDirectory(prefix="huiyuan-metrics-") as own, interruptible(supervisor.stopping) as started:
        environ = {"PROMETHEUS_MULTIPROC_DIR": own} | dict(os.environ)
        supervisor.metrics = metrics_directory(Path(environ["PROMETHEUS_MULTIPROC_DIR"]))
        supervisor.retire_s = settings.drain_s + supervisor.grace_s

        def want_reload(_signal: int, _frame: object) -> None:
            supervisor.reload_wanted = True

        signal.signal(signal.SIGHUP, want_reload)
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
