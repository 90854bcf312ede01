"""A whole system for one command: embedded engines, a fresh schema and ``huiyuan serve`` processes, gone afterwards."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from backend.bench.system import System
from backend.engines import datadir
from backend.engines.embedded import Engines
from backend.kernel import config
from backend.kernel.config import Settings

from .console import notice, step
from .demo import wait_until_ready
from .listen import address_of, listen
from .migrate import migrate
from .process import command
from .supervisor import Child, Supervisor, interruptible, metrics_directory

DATABASE = "huiyuan_bench"
_GRACE_MARGIN_S = 5.0


@contextmanager
def running(
    data: Path | None,
    workers: int,
    environ: Mapping[str, str] | None = None,
    *,
    postgres: Mapping[str, str] | None = None,
    wechat: bool = False,
) -> Iterator[System]:
    """Engines, schema and servers as in production; then nothing is left.

    Args:
        data: where the engines keep their files; a temporary place that is removed where it is None.
        workers: server processes.
        environ: settings other than the defaults (``HUIYUAN_*``); those of our own environment win.
        postgres: settings of PostgreSQL other than the demo's.
        wechat: also a simulated WeChat, in a process of its own.

    SIGINT and SIGTERM raise ``KeyboardInterrupt`` in the body; the stop is orderly all the same.
    """
    place = (data or Path(tempfile.mkdtemp(prefix="huiyuan-bench-", dir="/tmp"))).expanduser().resolve()
    supervisor = Supervisor(notice, grace_s=_GRACE_MARGIN_S)
    engines = Engines(place, notice, postgres=postgres)
    _raise_limit()
    with interruptible(supervisor.stopping), listen("127.0.0.1", 0) as listening, listen("127.0.0.1", 0) as platform:
        try:
            settings = _prepare(engines, listening, platform, environ or {})
            if wechat:
                _start_wechat(supervisor, engines, settings, platform)
            yield _start_servers(supervisor, engines, settings, listening, workers)
        finally:
            supervisor.stopping.set()
            _stop(supervisor, engines, keep=data is not None)
            if data is None:
                shutil.rmtree(place, ignore_errors=True)


def _raise_limit() -> None:
    """As many open files as we may have: every socket is one, here and in the servers that inherit the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _prepare(
    engines: Engines, listening: socket.socket, platform: socket.socket, environ: Mapping[str, str]
) -> Settings:
    with step("Start PostgreSQL and Valkey"):
        engines.start()
        assert engines.postgres is not None
        engines.postgres.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);")
        engines.postgres.sql(f"CREATE DATABASE {DATABASE} OWNER huiyuan_owner;")
    base_url = "http://{}:{}".format(*address_of(listening))
    wechat_url = "http://{}:{}".format(*address_of(platform))
    given = {"HUIYUAN_LOG_FORMAT": "json"} | dict(environ) | dict(os.environ)
    # The demo's keys and its WeChat, but a server in production: nothing is mounted into it.
    settings = msgspec.structs.replace(
        datadir.demo_settings(engines.data, engines.urls(DATABASE), base_url, given),
        demo=False,
        wechat_api_url=wechat_url,
        wechat_pay_url=wechat_url,
    )
    config.use(settings)
    with step("Make the schema") as say:
        asyncio.run(migrate(settings, say))
    return settings


def _start_wechat(supervisor: Supervisor, engines: Engines, settings: Settings, platform: socket.socket) -> None:
    fd = platform.fileno()
    command_line = [sys.executable, "-m", "backend.bench.wechat", str(fd)]
    environ = datadir.environment(settings)
    supervisor.add(Child("wechat", command_line, environ, engines.data / "wechat.log", (fd,)))


def _start_servers(
    supervisor: Supervisor, engines: Engines, settings: Settings, listening: socket.socket, workers: int
) -> System:
    """``huiyuan serve`` as in production, on the socket we hold."""
    environ = datadir.environment(settings)
    supervisor.metrics = metrics_directory(engines.data / "metrics")
    environ["PROMETHEUS_MULTIPROC_DIR"] = str(supervisor.metrics)
    fd = listening.fileno()
    children = [
        Child(f"server {number}", command("serve", "--fd", str(fd)), environ, engines.data / "server.log", (fd,))
        for number in range(1, workers + 1)
    ]
    with step(f"Start {workers} server process{'es' if workers > 1 else ''}"):
        for child in children:
            supervisor.add(child)
        wait_until_ready(supervisor, listening)
    host, port = address_of(listening)
    return System(
        settings=settings,
        host=host,
        port=port,
        servers=lambda: [child.running.pid for child in children if child.running],
        engines=engines,
        scratch=engines.data,
    )


def _stop(supervisor: Supervisor, engines: Engines, *, keep: bool) -> None:
    with step("Stop"):
        try:
            supervisor.stop()
            if keep and engines.postgres is not None and engines.postgres.child is not None:
                engines.postgres.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);")
        finally:
            engines.stop()
