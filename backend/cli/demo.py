"""``huiyuan demo``: engines, schema, demo chain, servers and worker on one machine, from one command."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.engines import datadir, process
from backend.engines.embedded import Engines, write_private
from backend.engines.errors import EngineError
from backend.kernel import config
from backend.kernel.config import SettingsError

from .console import notice, out, step
from .listen import address_of, listen
from .process import command
from .supervisor import Child, Supervisor, interruptible, metrics_directory

if TYPE_CHECKING:
    from backend.kernel.config import Settings

_READY_WITHIN_S = 60.0
_ENGINE_PATIENCE_S = 30.0
_GRACE_MARGIN_S = 5.0  # more than the children give themselves, so that killing them is the exception


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    host: str
    port: int
    data: Path
    fresh: bool
    empty: bool
    workers: int


def run(options: Options) -> None:
    """Start everything, say where it is, and stay until Ctrl-C or SIGTERM; then stop it all in order."""
    data = options.data.expanduser().resolve()
    supervisor = Supervisor(notice, grace_s=_GRACE_MARGIN_S)
    engines = Engines(data, notice)
    with (
        interruptible(supervisor.stopping) as started,
        listen(options.host, options.port) as listening,
        _mail_socket() as mail,
    ):
        try:
            settings = _prepare(engines, listening, mail, options)
            chain = _load_chain(settings, empty=options.empty)
            with step("Start the servers and the worker"):
                start_processes(supervisor, settings, listening, options.workers)
                _start_mailbox(supervisor, settings, mail)
                wait_until_ready(supervisor, listening)
            _write_demo_json(data, settings, chain)
            started()
            _welcome(settings.base_url, data, next(iter(chain["terminals"]), None))
            supervisor.watch = Keeper(engines).look
            supervisor.run()
        except KeyboardInterrupt:
            pass
        finally:
            supervisor.stopping.set()
            _stop(supervisor, engines, data)


def _mail_socket() -> socket.socket:
    """Where the demo's mail server listens: on this machine only, whatever ``--host`` says."""
    return listen("127.0.0.1", 0)


def _prepare(engines: Engines, listening: socket.socket, mail: socket.socket, options: Options) -> Settings:
    """Engines up, secrets made or read, schema up to date; returns the settings everything runs with."""
    engines.lock()
    if options.fresh:
        with step("Delete what an earlier demo left"):
            engines.erase()
    (engines.data / "demo.json").unlink(missing_ok=True)
    first = not (engines.data / "postgres").exists()
    with step("Make and start PostgreSQL and Valkey" if first else "Start PostgreSQL and Valkey"):
        meanwhile = threading.Thread(target=_meanwhile, args=(engines.data,))
        meanwhile.start()
        engines.start()  # in this thread: the engines end when the thread that started them does
        meanwhile.join()
        base_url = "http://{}:{}".format(*address_of(listening))
        settings = datadir.with_mailbox(
            datadir.demo_settings(engines.data, engines.urls(), base_url, environ=os.environ), address_of(mail)
        )
        config.use(settings)
    from .migrate import migrate

    with step("Bring the schema up to date") as say:
        asyncio.run(migrate(settings, say))
    return settings


def _meanwhile(data: Path) -> None:
    """While PostgreSQL makes its files: make the keys, and import what comes next."""
    with suppress(SettingsError):  # a damaged file is reported by whoever needs it
        datadir.secrets_of(data)
    import_module("backend.cli.migrate")
    import_module("tortoise.migrations.executor")


def _load_chain(settings: Settings, *, empty: bool) -> dict[str, Any]:
    """Load the demo chain where it is missing; returns its terminals and staff with their secrets."""
    if empty:
        return {"terminals": [], "staff": []}
    from backend.demo.load import load

    with step("Load the demo chain") as say:
        return asyncio.run(load(settings, say))


def start_processes(supervisor: Supervisor, settings: Settings, listening: socket.socket, workers: int) -> None:
    """Start so many servers on one socket, and the worker; their logs and figures go to the data directory."""
    data = Path(settings.demo_data)
    supervisor.grace_s = settings.shutdown_grace_s + _GRACE_MARGIN_S
    environ = datadir.environment(settings)
    supervisor.metrics = metrics_directory(data / "metrics")
    environ["PROMETHEUS_MULTIPROC_DIR"] = str(supervisor.metrics)
    fd = listening.fileno()
    for name in ("server.log", "worker.log", "mailbox.log"):
        process.trim(data / name)
    for number in range(1, workers + 1):
        serve = command("serve", "--fd", str(fd))
        supervisor.add(Child(f"server {number}", serve, environ, log=data / "server.log", pass_fds=(fd,)))
    supervisor.add(Child("worker", command("worker"), environ, log=data / "worker.log"))


def _start_mailbox(supervisor: Supervisor, settings: Settings, mail: socket.socket) -> None:
    """The mail server in a process of its own, after the worker, so that it takes the worker's last letter."""
    data, fd = Path(settings.demo_data), mail.fileno()
    line = command("mailbox", "--fd", str(fd))
    supervisor.add(Child("mailbox", line, datadir.environment(settings), log=data / "mailbox.log", pass_fds=(fd,)))


def wait_until_ready(supervisor: Supervisor, listening: socket.socket) -> None:
    """Until ``/readyz`` says 200. A child that cannot start is an error at once, with the end of its log."""
    host, port = address_of(listening)
    deadline = time.monotonic() + _READY_WITHIN_S
    last = "no answer"
    while time.monotonic() < deadline:
        supervisor.look()
        supervisor.fail_if_crashing()
        connection = http.client.HTTPConnection(host.strip("[]"), port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            last = answer.read(500).decode(errors="replace")
            if answer.status == http.client.OK:
                return
        except OSError as error:
            last = str(error)
        finally:
            connection.close()
        time.sleep(0.02)
    raise EngineError(f"the servers were not ready after {_READY_WITHIN_S:.0f} s: {last}")


def _write_demo_json(data: Path, settings: Settings, chain: dict[str, Any]) -> None:
    """What a client of the demo needs to know (mode 0600): it appears when everything is ready."""
    document = {
        "base_url": settings.base_url,
        "terminals": chain["terminals"],
        "staff": chain["staff"],
        "gift_cards": chain.get("gift_cards", []),
        "shoppers": chain.get("shoppers", []),
        "wechat": datadir.wechat_part(settings),
    }
    write_private(data / "demo.json", json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _welcome(base_url: str, data: Path, terminal: dict[str, Any] | None) -> None:
    from rich.panel import Panel
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_row("会员手机页  phone", f"[bold]{base_url}/[/bold]")
    table.add_row("收银台      POS", f"[bold]{base_url}/pos[/bold]")
    table.add_row("管理后台    console", f"[bold]{base_url}/admin[/bold]")
    table.add_row("演示邮箱    mailbox", f"[bold]{base_url}/mock/mail/[/bold]")
    table.add_row("接口文档    API", f"[bold]{base_url}/docs[/bold]")
    table.add_row("", "")
    if terminal is not None:
        table.add_row("终端编号    till", f"[bold]{terminal['id']}[/bold]")
        table.add_row("终端密钥    secret", f"[bold]{terminal['secret']}[/bold]")
    table.add_row("[dim]terminals, staff[/dim]", f"[dim]{data / 'demo.json'}[/dim]")
    table.add_row("[dim]logs[/dim]", f"[dim]{data / 'server.log'}, worker.log[/dim]")
    out.print(Panel(table, title="惠员 Huiyuan", subtitle="Ctrl-C stops everything", expand=False, padding=(1, 2)))


class Keeper:
    """Starts engines again that have ended; one that does not start is tried again for a while."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._failing_since: float | None = None

    def look(self) -> None:
        """Called each round of the supervisor; raises ``EngineError`` once trying is no use."""
        try:
            revived = self._engines.revive()
        except EngineError:
            now = time.monotonic()
            self._failing_since = self._failing_since or now
            if now - self._failing_since > _ENGINE_PATIENCE_S:
                raise
            return
        self._failing_since = None
        for name in revived:
            notice(f"{name} had ended and was started again")


def _stop(supervisor: Supervisor, engines: Engines, data: Path) -> None:
    """Servers, then the worker, then the engines."""
    if engines.postgres is None:
        engines.stop()
        return
    (data / "demo.json").unlink(missing_ok=True)
    with step("Stop"):
        try:
            supervisor.stop()
        finally:
            engines.stop()
