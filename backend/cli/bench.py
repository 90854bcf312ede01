"""``huiyuan bench``: one command a benchmark; each imports what it measures when it runs."""

from __future__ import annotations

import asyncio
import json as jsonlib
import os
import secrets
import shutil
import tempfile
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import socket

    from backend.bench.settle import Bench, Options, Outcome
    from backend.engines.embedded import Engines
    from backend.kernel.config import Settings

    from .supervisor import Supervisor

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

DATABASE = "huiyuan_bench"
_TERMINAL_RATE = "1000000"  # a till of the benchmark is a whole shop in a hurry
_GRACE_MARGIN_S = 5.0


@app.callback()
def main() -> None:
    """Measure the running program."""


@app.command()
def settle(
    *,
    seconds: Annotated[float, typer.Option(min=1, max=25, help="Length of a run; codes live 30 s.")] = 20,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="Runs of each; medians count.")] = 3,
    connections: Annotated[int, typer.Option(min=1, max=1024, help="Tills that ask at once.")] = 32,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
    data: Annotated[Path | None, typer.Option(help="Where the engines keep their files; a temporary place.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write everything measured to this file.")] = None,
) -> None:
    """Sales settled a second over HTTP, beside what PostgreSQL alone does with the same plans (pgbench)."""
    from backend.bench.settle import Options

    outcome = _settle(Options(seconds=seconds, rounds=rounds, connections=connections), workers, data)
    if outcome is None:
        raise typer.Exit(130)
    from backend.bench import report

    from .console import out

    report.show(outcome, out)
    if json is not None:
        json.write_text(jsonlib.dumps(report.as_json(outcome), indent=2) + "\n")
    if outcome.findings or outcome.failures:
        raise typer.Exit(1)


def _settle(options: Options, workers: int, data: Path | None) -> Outcome | None:
    """Engines, schema, servers; then the runs; then nothing is left. None when it was interrupted."""
    from backend.engines.embedded import Engines

    from .console import notice
    from .listen import listen
    from .supervisor import Supervisor, interruptible

    place = (data or Path(tempfile.mkdtemp(prefix="huiyuan-bench-", dir="/tmp"))).expanduser().resolve()
    supervisor = Supervisor(notice, grace_s=_GRACE_MARGIN_S)
    engines = Engines(place, notice)
    with interruptible(supervisor.stopping), listen("127.0.0.1", 0) as listening:
        try:
            settings = _prepare(engines, listening)
            bench = _start_servers(supervisor, engines, settings, listening, options, workers)
            return _measure(bench, options, workers)
        except KeyboardInterrupt:
            return None
        finally:
            supervisor.stopping.set()
            _stop(supervisor, engines, keep=data is not None)
            if data is None:
                shutil.rmtree(place, ignore_errors=True)


def _prepare(engines: Engines, listening: socket.socket) -> Settings:
    from backend.kernel import config

    from .console import step
    from .listen import address_of
    from .migrate import migrate

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
    settings = config.load({"HUIYUAN_RATE_TERMINAL_PER_MINUTE": _TERMINAL_RATE} | dict(os.environ) | given)
    config.use(settings)
    with step("Make the schema") as say:
        asyncio.run(migrate(settings, say))
    return settings


def _start_servers(
    supervisor: Supervisor,
    engines: Engines,
    settings: Settings,
    listening: socket.socket,
    options: Options,
    workers: int,
) -> Bench:
    """``huiyuan serve`` as in production, on the socket we hold."""
    from backend.bench.settle import Bench
    from backend.engines import datadir

    from .console import step
    from .demo import wait_until_ready
    from .listen import address_of
    from .supervisor import Child, command

    environ = datadir.environment(settings)
    supervisor.metrics = engines.data / "metrics"
    shutil.rmtree(supervisor.metrics, ignore_errors=True)
    supervisor.metrics.mkdir(mode=0o700)
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
    postgres, valkey = engines.postgres, engines.valkey
    assert postgres is not None
    assert valkey is not None
    assert postgres.child is not None
    assert valkey.child is not None
    host, port = address_of(listening)
    return Bench(
        settings,
        options,
        host=host,
        port=port,
        servers=lambda: [child.running.pid for child in children if child.running],
        postmaster=postgres.child.pid,
        valkey=valkey.child.pid,
        scratch=engines.data,
    )


def _measure(bench: Bench, options: Options, workers: int) -> Outcome:
    from backend.bench.settle import Outcome

    from .console import step

    with step("Load the chain and the first members") as say:
        asyncio.run(bench.load_first(say))
    with step("Try the server") as say:
        expected = bench.calibrate_server(say)
    with step("Try pgbench with 8, 16 and 32 clients") as say:
        tried = asyncio.run(bench.calibrate_floor(say))
    clients = max(tried, key=lambda number: tried[number])
    expected = max(expected, tried[clients])  # a first try on a busy machine says little; the floor is a bound
    with step("Load the other members") as say:
        asyncio.run(bench.load_rest(expected, say))
    outcome = Outcome(
        options=options, workers=workers, cpus=os.cpu_count() or 1, members=bench.members, calibration=dict(tried)
    )
    with step("One till alone") as say:
        outcome.lone = bench.lone_sale(say)
    for number in range(1, options.rounds + 1):
        with step(f"Run {number} of {options.rounds}: the server") as say:
            outcome.served.append(bench.serve(say, seconds=options.seconds, expected=expected))
        with step(f"Run {number} of {options.rounds}: pgbench") as say:
            floor = asyncio.run(bench.post(say, clients=clients, seconds=options.seconds, expected=tried[clients]))
            outcome.floors.append(floor)
            tried[clients] = max(tried[clients], floor.per_second)
    with step("Check the books") as say:
        outcome.findings, outcome.audited = asyncio.run(bench.audit(say))
    return outcome


def _stop(supervisor: Supervisor, engines: Engines, *, keep: bool) -> None:
    from .console import step

    with step("Stop"):
        try:
            supervisor.stop()
            if keep and engines.postgres is not None and engines.postgres.child is not None:
                engines.postgres.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE);")
        finally:
            engines.stop()
