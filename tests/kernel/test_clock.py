"""A clock that all processes share, for tests only."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from backend.kernel.config import SettingsError, load

GOOD = {"HUIYUAN_DATABASE_URL": "postgresql://app@db/huiyuan", "HUIYUAN_MASTER_KEYS": f"k1:{'A' * 43}"}
_FOLLOWER = """
import sys
from pathlib import Path
from backend.kernel import clock
clock.follow(Path(sys.argv[1]))
for _ in sys.stdin:
    print(clock.now().isoformat(), flush=True)
"""


def test_every_process_that_follows_a_file_is_moved_by_it(clock, tmp_path):
    file = tmp_path / "clock"
    clock.move(file, timedelta())
    clock.follow(file)
    with subprocess.Popen(
        [sys.executable, "-c", _FOLLOWER, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as other:
        for ahead in (timedelta(), timedelta(days=3, microseconds=7), timedelta(seconds=-2)):
            clock.move(file, ahead)

            real, ours = datetime.now(UTC), clock.now()
            other.stdin.write("\n")
            theirs = datetime.fromisoformat(other.stdout.readline().strip())

            assert abs(ours - real - ahead) < timedelta(seconds=0.5)
            assert timedelta() <= theirs - ours < timedelta(seconds=20)
        other.stdin.close()


def test_a_moved_clock_is_refused_outside_demo_mode(tmp_path):
    file = tmp_path / "clock"
    file.write_bytes(bytes(8))

    with pytest.raises(SettingsError, match="HUIYUAN_CLOCK_FILE: moves the clock, which only demo mode may"):
        load(GOOD | {"HUIYUAN_CLOCK_FILE": str(file)})

    assert load(GOOD | {"HUIYUAN_CLOCK_FILE": str(file), "HUIYUAN_DEMO": "true"}).clock_file == str(file)


def test_a_clock_file_that_is_not_there_is_refused():
    with pytest.raises(SettingsError, match="HUIYUAN_CLOCK_FILE: no such file"):
        load(GOOD | {"HUIYUAN_CLOCK_FILE": "/no/such/file", "HUIYUAN_DEMO": "true"})
