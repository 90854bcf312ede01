"""The embedded engines: what they promise to whoever starts them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backend.engines import embedded
from backend.engines.embedded import Engines
from backend.engines.errors import DataInUse, EngineError
from tests.support.books import connected

STARTER = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
from backend.engines.embedded import Engines
engines = Engines(Path(sys.argv[1]))
engines.start()
print(engines.postgres.child.pid, engines.valkey.child.pid, flush=True)
time.sleep(600)
"""


def start_elsewhere(data: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Another process that runs the engines of ``data``, and their process ids."""
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(data)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    return starter, [int(pid) for pid in starter.stdout.readline().split()]


def alive(pid: int) -> bool:
    """Is the process there, and not merely waiting to be buried?"""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_for_end(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "an engine outlived its starter"
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_engines_end_with_their_starter_however_it_ends(how, small_data):
    starter, pids = start_elsewhere(small_data)

    starter.send_signal(how)
    starter.wait(60)

    wait_for_end(pids)
    assert starter.stdout is not None
    starter.stdout.close()


def test_starts_at_once_after_its_predecessor_was_killed(small_data):
    starter, pids = start_elsewhere(small_data)
    starter.kill()

    with Engines(small_data) as engines:
        assert engines.postgres is not None
        assert engines.postgres.sql("SELECT 1") == "1"

    wait_for_end(pids)
    starter.communicate(timeout=60)


def test_a_stale_pid_file_naming_a_living_stranger_does_not_stop_the_start(small_data):
    (small_data / "postgres" / "postmaster.pid").write_text(f"{os.getppid()}\n{small_data}/postgres\n1\n5432\n\n\n")

    with Engines(small_data) as engines:
        assert engines.postgres is not None
        assert engines.postgres.sql("SELECT 1") == "1"


def test_a_second_starter_is_refused_and_told_why(small_data):
    with Engines(small_data):
        with pytest.raises(DataInUse, match=f"in use by another huiyuan \\(process {os.getpid()}\\)"):
            Engines(small_data).start()

        assert embedded.running_urls(small_data) is not None

    assert embedded.running_urls(small_data) is None


def test_addresses_left_by_a_crash_are_not_believed(small_data):
    (small_data / "engine.json").write_text('{"urls": {"database": "postgresql://huiyuan_app@/huiyuan?host=/nowhere"}}')

    assert embedded.running_urls(small_data) is None


def test_a_long_path_gets_a_short_run_directory_that_goes_away(small_data, tmp_path_factory):
    long = small_data.parent / ("long-" * 20)
    small_data.rename(long)
    try:
        with Engines(long) as engines:
            assert engines.postgres is not None
            run_dir = engines.postgres.run_dir
            assert len(str(run_dir)) < 40
            assert run_dir.stat().st_mode & 0o777 == 0o700
            assert engines.postgres.sql("SELECT 1") == "1"

        assert not run_dir.exists()
    finally:
        long.rename(small_data)


def test_only_unix_sockets_are_open(engines: Engines):
    postgres = engines.postgres
    assert postgres is not None
    assert postgres.sql("SHOW listen_addresses") == ""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"{postgres.run_dir}/.s.PGSQL.5432")
    assert postgres.run_dir.stat().st_mode & 0o077 == 0


def test_what_was_acknowledged_is_on_disk(small_data: Path):
    with Engines(small_data) as engines:
        postgres = engines.postgres
        assert postgres is not None
        shown = {name: postgres.sql(f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")}
    assert shown == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def test_the_roles_are_no_superusers(engines: Engines):
    postgres = engines.postgres
    assert postgres is not None
    roles = postgres.sql(
        "SELECT rolname, rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname LIKE 'huiyuan%' ORDER BY 1"
    )
    assert roles == "huiyuan_app|f|f|f\nhuiyuan_owner|f|f|f"


def test_erase_leaves_a_strangers_directory_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("mine")

    with pytest.raises(EngineError, match="nothing was deleted"):
        Engines(tmp_path).erase()

    assert (tmp_path / "letters.txt").read_text() == "mine"


def test_a_cluster_of_another_version_is_named(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("12\n")

    with pytest.raises(EngineError, match="made by PostgreSQL 12"):
        Engines(tmp_path).start()


def test_a_directory_that_cannot_be_written_is_said_in_plain_words(tmp_path):
    (tmp_path / "lock").mkdir()

    with pytest.raises(EngineError, match="cannot write to the data directory"):
        Engines(tmp_path).lock()


async def test_the_log_of_postgresql_says_no_values(settings, engines):
    async with connected(settings, "postgres") as session:
        await session.execute("CREATE TABLE told (openid text PRIMARY KEY, name text CHECK (name <> '欧阳修远'))")
        refused = [("openid-told-twice", "x"), ("openid-told-twice", "x"), ("y", "欧阳修远")]
        answers = [
            await asyncio.gather(session.execute("INSERT INTO told VALUES ($1, $2)", *row), return_exceptions=True)
            for row in refused
        ]
        await session.execute("DROP TABLE told")

    assert [type(answer[0]).__name__ for answer in answers] == ["str", "UniqueViolationError", "CheckViolationError"]
    said = (engines.data / "postgres.log").read_text()
    assert "violates unique constraint" in said
    assert "openid-told-twice" not in said
    assert "欧阳修远" not in said
