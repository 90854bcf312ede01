"""Both engines on one data directory, which is locked while they run."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from . import account as accounts
from .errors import DataInUse, EngineError
from .postgres import APPLICATION, DATABASE, OWNER, SIMULATOR_DATABASE, SUPERUSER, Postgres
from .valkey import Valkey

_SOCKET_PATH_LIMIT = 100  # the kernel's is 107 bytes with room for `.s.PGSQL.5432.lock`
_LONGEST_SOCKET = ".s.PGSQL.5432.lock"


def _silent(_: str) -> None:
    return None


class Engines:
    """PostgreSQL and Valkey of one data directory; a context manager that starts and stops them."""

    def __init__(
        self, data: Path, say: Callable[[str], None] = _silent, *, postgres: Mapping[str, str] | None = None
    ) -> None:
        self.data = data.expanduser().resolve()
        self._postgres_settings = postgres or {}
        self._say = say
        self._lock: int | None = None
        self._run_dir_is_ours = False
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None

    def __enter__(self) -> Engines:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def lock(self) -> None:
        """Take the data directory for this process; ``DataInUse`` if another one has it."""
        if self._lock is not None:
            return
        _make_directory(self.data)
        try:
            lock = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EngineError(f"cannot write to the data directory {self.data}: {error.strerror}") from error
        if not _acquire(lock):
            holder = os.read(lock, 32).decode(errors="replace").strip()
            os.close(lock)
            raise DataInUse(
                f"{self.data} is in use by another huiyuan (process {holder or 'unknown'}): "
                "stop it, or choose another directory with --data"
            )
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock

    def start(self) -> None:
        """Lock the directory and start both; when one fails, what was started is stopped again."""
        self.lock()
        try:
            account = accounts.choose(self.data / "postgres")
            run_dir = self._make_run_dir()
            account.own(run_dir)
            if account.uid is not None:
                self.data.chmod(self.data.stat().st_mode | 0o011)
                accounts.open_the_way(run_dir, account, self._say)
                accounts.open_the_way(self.data / "postgres", account, self._say)
            self.valkey = Valkey(run_dir, self.data / "valkey.log", account)
            self.postgres = Postgres(self.data / "postgres", run_dir, self.data / "postgres.log", account, self._say)
            self.postgres.settings = self._postgres_settings
            self.valkey.start()
            self.postgres.start()
            self._write_engine_json()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both and give the directory free; may be called twice, and does nothing where we do not hold it."""
        if self._lock is None:
            return
        (self.data / "engine.json").unlink(missing_ok=True)
        try:
            for engine in (self.postgres, self.valkey):
                if engine is not None:
                    engine.stop()
        finally:
            if self.postgres is not None and self._run_dir_is_ours:
                shutil.rmtree(self.postgres.run_dir, ignore_errors=True)
            os.close(self._lock)
            self._lock = None

    def revive(self) -> list[str]:
        """Start again what has ended although nobody stopped it, and name it."""
        revived = []
        for name, engine in (("PostgreSQL", self.postgres), ("Valkey", self.valkey)):
            if engine is not None and engine.child is not None and engine.child.poll() is not None:
                engine.start()
                revived.append(name)
        return revived

    def erase(self) -> None:
        """Delete everything in the data directory except the lock; only before ``start``."""
        self.lock()
        known = self.data / "postgres" / "PG_VERSION"
        entries = [path for path in self.data.iterdir() if path.name != "lock"]
        if entries and not known.exists() and not (self.data / "secrets.json").exists():
            raise EngineError(f"{self.data} does not look like a data directory of huiyuan: nothing was deleted")
        if known.exists():
            Postgres(
                self.data / "postgres", self.data, self.data / "postgres.log", accounts.choose(known), self._say
            ).clear_predecessor()
        for path in entries:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def urls(self, database: str = DATABASE) -> dict[str, str]:
        """The addresses by which everything else finds the engines."""
        if self.postgres is None or self.valkey is None:
            raise EngineError("the engines are not running")
        return {
            "database": self.postgres.url(database, APPLICATION),
            "owner": self.postgres.url(database, OWNER),
            "superuser": self.postgres.url(database, SUPERUSER),
            "simulator": self.postgres.url(SIMULATOR_DATABASE, OWNER),
            "redis": self.valkey.url(),
        }

    def _make_run_dir(self) -> Path:
        """``DATA/run``, or a short one under the temporary directory where a socket's path would be too long."""
        run_dir = self.data / "run"
        if len(os.fsencode(run_dir / _LONGEST_SOCKET)) > _SOCKET_PATH_LIMIT:
            self._run_dir_is_ours = True
            return Path(tempfile.mkdtemp(prefix="huiyuan-", dir="/tmp"))
        run_dir.mkdir(mode=0o700, exist_ok=True)
        run_dir.chmod(0o700)
        return run_dir

    def _write_engine_json(self) -> None:
        document = {"pid": os.getpid(), "urls": self.urls()}
        write_private(self.data / "engine.json", json.dumps(document, indent=2))


def running_urls(data: Path) -> dict[str, str] | None:
    """The addresses of the engines that run on this data directory now, or None when none do."""
    try:
        urls: dict[str, str] = json.loads((data.expanduser().resolve() / "engine.json").read_text())["urls"]
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(urls["database"].rpartition("?host=")[2] + "/.s.PGSQL.5432")
    except (OSError, ValueError, KeyError):  # no file, or one left by a crash
        return None
    return urls


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    making = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    making.replace(path)


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"cannot make the data directory {path}: {error.strerror}") from error


def _acquire(lock: int, patience_s: float = 1.5) -> bool:
    """Take the lock; a little patience covers a holder that was killed a moment ago and is not quite gone."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True
