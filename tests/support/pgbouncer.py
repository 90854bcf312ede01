"""Debian's PgBouncer in front of the session's PostgreSQL, in transaction mode."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from backend.engines import process
from backend.engines.account import Account
from backend.engines.embedded import Engines

PROGRAM = shutil.which("pgbouncer", path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
PORT = 6432  # a part of the socket's name; nothing listens on the network

_CONFIG = """\
[databases]
* = host={server}

[pgbouncer]
unix_socket_dir = {here}
unix_socket_mode = 0777
listen_port = {port}
auth_type = trust
auth_file = {here}/users.txt
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
{more}
log_connections = 0
log_disconnections = 0
stats_period = 3600
"""
_USERS = '"huiyuan_app" ""\n"huiyuan_owner" ""\n"postgres" ""\n'


def version() -> tuple[int, int]:
    """The installed PgBouncer's; (0, 0) where there is none."""
    if PROGRAM is None:
        return 0, 0
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"PgBouncer (\d+)\.(\d+)", said)
    assert found is not None, said
    return int(found[1]), int(found[2])


def carries_prepared_statements() -> bool:
    """Whether it follows a client's prepared statements from one server connection to another."""
    return version() >= (1, 21)


class Pooler:
    """One PgBouncer; ``size`` connections to each database for each role, whoever and how many ask."""

    def __init__(self, engines: Engines, directory: Path, *, size: int) -> None:
        assert engines.postgres is not None
        assert PROGRAM is not None
        self._account: Account = engines.postgres.account
        self._directory = directory
        self._log = directory / "pgbouncer.log"
        self._child: subprocess.Popen[bytes] | None = None
        more = "max_prepared_statements = 200" if carries_prepared_statements() else ""
        config = _CONFIG.format(server=engines.postgres.run_dir, here=directory, port=PORT, size=size, more=more)
        (directory / "pgbouncer.ini").write_text(config)
        (directory / "users.txt").write_text(_USERS)
        self._account.own(directory)  # PgBouncer refuses to run as root

    def start(self) -> None:
        command = [str(PROGRAM), str(self._directory / "pgbouncer.ini")]
        self._child = process.spawn(command, stop_signal=signal.SIGTERM, account=self._account, log=self._log)
        process.wait_until(self._answers, self._child, what="PgBouncer", log=self._log, limit_s=60)

    def stop(self) -> None:
        if self._child is not None:
            process.stop(self._child, signal.SIGTERM, grace_s=5, force=signal.SIGKILL)
            self._child = None

    def url(self, direct: str) -> str:
        """The way through it to the database of a direct address."""
        parts = urlsplit(direct)
        return f"postgresql://{parts.username}@:{PORT}{parts.path}?host={self._directory}"

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(self._directory / f".s.PGSQL.{PORT}"))
        except OSError:
            return False
        return True
