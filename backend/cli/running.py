"""A whole system for one command: embedded engines, a fresh schema and ``huiyuan serve`` processes, gone afterwards."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from backend.bench.system import System
from backend.engines import datadir
from backend.engines.embedded import Engines
from backend.kernel import config
from backend.kernel.config import Settings

from .console import notice, step
from .demo import wait_until_ready
from .listen import address_of, listen
from .migrate import migrate
from .supervisor import Child, Supervisor, command, interruptible, metrics_directory

DATABASE = "huiyuan_bench"
_GRACE_MARGIN_S = 5.0


@contextmanager
def running(data: Path | None, workers: int, environ: Mapping[str, str] | None = None) -> Iterator[System]:
    """Engines, schema and servers as in production; then nothing is left.

    Args:
        data: where the engines keep their files; a temporary place that is removed where it is None.
        workers: server processes.
        environ: settings other than the defaults (``HUIYUAN_*``); those of our own environment win.

    SIGINT and SIGTERM raise ``KeyboardInterrupt`` in the body; the stop is orderly all the same.
    """
    place = (data or Path(tempfile.mkdtemp(prefix="huiyuan-bench-", dir="/tmp"))).expanduser().resolve()
    supervisor = Supervisor(notice, grace_s=_GRACE_MARGIN_S)
    engines = Engines(place, notice)
    with interruptible(supervisor.stopping), listen("127.0.0.1", 0) as listening:
        try:
            settings = _prepare(engines, listening, environ or {})
            yield _start_servers(supervisor, engines, settings, listening, workers)
        finally:
            supervisor.stopping.set()
            _stop(supervisor, engines, keep=data is not None)
            if data is None:
                shutil.rmtree(place, ignore_errors=True)


def _prepare(engines: Engines, listening: socket.socket, environ: Mapping[str, str]) -> Settings:
    with step("Start PostgreSQL and Valkey"):
        engines.start()
        assert engines.postgres is not None
        engines.postgres.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);")
        engines.postgres.sql(f"CREATE DATABASE {DATABASE} OWNER huiyuan_owner;")
    urls = engines.urls(DATABASE)
    given = {
        "HUIYUAN_DATABASE_URL": urls["database"],
        "HUIYUAN_MIGRATE_DATABASE_URL": urls["owner"],
        "HUIYUAN_REDIS_URL": urls["redis"],
        "HUIYUAN_BASE_URL": "http://{}:{}".format(*address_of(listening)),
        "HUIYUAN_MASTER_KEYS": "bench:" + urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="),
    }
    settings = config.load(dict(environ) | dict(os.environ) | given)
    config.use(settings)
    with step("Make the schema") as say:
        asyncio.run(migrate(settings, say))
    return settings


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
