"""Losing the database and bringing it back, as an operator rehearses it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.cli.backup import Target, older_than, restore
from backend.engines.account import choose
from backend.engines.embedded import Engines
from backend.engines.errors import EngineError
from backend.engines.postgres import SUPERUSER
from backend.engines.recovery import Restored, base_backup, verify
from tests.support.huiyuan import huiyuan

HUIYUAN = [sys.executable, "-m", "backend.cli.main"]


def test_the_drill_restores_to_a_moment_under_load_and_leaves_nothing():
    before = set(Path("/tmp").glob("huiyuan-drill-*")) | set(Path("/tmp").glob("huiyuan-restore-*"))

    done = subprocess.run([*HUIYUAN, "drill", "--seconds", "0.2"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The books balance" in done.stdout
    assert (
        len(re.findall(r"All of 40 chains recorded .* are here, whole: \d+ as they were, \d+ longer", done.stdout)) == 2
    )
    proved = re.search(r"(\d+) transfers acknowledged before the moment, (\d+) begun after it: all of", done.stdout)
    assert proved is not None
    assert int(proved[1]) > 0
    assert int(proved[2]) > 0
    left = set(Path("/tmp").glob("huiyuan-drill-*")) | set(Path("/tmp").glob("huiyuan-restore-*"))
    assert left <= before


@pytest.mark.parametrize(("keep", "deleted"), [(1, 3), (3, 1), (4, 0), (7, 0)])
def test_old_backups_are_deleted_and_nothing_else(tmp_path, keep, deleted):
    names = [f"2026112{day}T022000Z" for day in range(4)]
    for name in (*names, ".20261125T022000Z.making"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "heads.txt").touch()
    (tmp_path / "0-other").mkdir()

    assert [path.name for path in older_than(tmp_path, keep)] == names[:deleted]


def test_what_is_no_backup_is_refused(tmp_path: Path):
    done = huiyuan("restore", str(tmp_path), "--wal", str(tmp_path), env=os.environ)

    assert done.returncode == 2
    assert f"{tmp_path} is not a base backup" in done.stderr


@pytest.mark.parametrize(
    ("given", "said"), [("yesterday", "is no time"), ("2026-11-26T03:15:00", "has no zone; write 2026-11-26T03:15:00+")]
)
def test_a_moment_without_a_zone_or_sense_is_refused(tmp_path, given, said):
    done = huiyuan("restore", str(tmp_path), "--wal", str(tmp_path), "--to", given, env=os.environ)

    assert done.returncode == 2
    assert said in done.stderr


def test_a_damaged_backup_is_found_before_it_is_restored(tmp_path: Path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "PG_VERSION").write_text("18\n")
    (base / "backup_label").write_text("x")
    manifest = '{"Files": [{"Path": "PG_VERSION", "Size": 3, "Checksum-Algorithm": "SHA256", "Checksum": "%s"}]}'
    good = "4ea8ea24a2e5d0b2d1b7ed2ee3da3b1a5ecb5dce7fd11b7d7a1b0f4f9b6b1a0f"
    (base / "backup_manifest").write_text(manifest % good)

    with pytest.raises(EngineError, match="PG_VERSION has other contents"):
        verify(base)
    with pytest.raises(EngineError, match="PG_VERSION has other contents"):
        Restored(tmp_path / "data", tmp_path, choose(tmp_path)).copy(base)

    (base / "PG_VERSION").write_text("18")
    with pytest.raises(EngineError, match="PG_VERSION is missing or has another size"):
        verify(base)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("way_out", ["pg_tblspc/16400", "pg_wal", "tablespace_map"])
def test_a_backup_that_leads_to_files_of_the_running_cluster_is_refused(tmp_path: Path, way_out: str):
    base, live = tmp_path / "base", tmp_path / "live"
    (base / "pg_tblspc").mkdir(parents=True)
    live.mkdir()
    for name in ("PG_VERSION", "backup_label"):
        (base / name).write_text("18\n")
    if way_out == "tablespace_map":
        (base / way_out).write_text(f"16400 {live}\n")
    else:
        (base / way_out).symlink_to(live)

    with pytest.raises(EngineError, match=f"{way_out} leads out of the backup"):
        Restored(tmp_path / "data", tmp_path, choose(tmp_path)).copy(base)

    assert not (tmp_path / "data").exists()


@pytest.fixture
def place() -> Iterator[Path]:
    """Not pytest's own directory, which every other run of pytest on the machine shuts for PostgreSQL's account."""
    with tempfile.TemporaryDirectory(prefix="huiyuan-test-", dir="/tmp") as made:
        yield Path(made)


def test_a_restored_cluster_is_kept_also_when_its_proof_cannot_be_run(place: Path):
    wal, base, into = place / "wal", place / "base", place / "into"
    wal.mkdir()
    with Engines(place / "live", postgres={"max_wal_senders": "2"}) as engines:
        assert engines.postgres is not None
        libpq = {"PGHOST": str(engines.postgres.run_dir), "PGUSER": SUPERUSER}
        base_backup(base, major=(place / "live/postgres/PG_VERSION").read_text().strip(), environ=libpq)
    target = Target(base, str(wal), None, None, "nowhere", SUPERUSER)

    with pytest.raises(EngineError, match='was not proved: database "nowhere" does not exist'):
        restore(target, into)

    assert (into / "PG_VERSION").exists()
    assert not (into / "postmaster.pid").exists()  # stopped, and whole
