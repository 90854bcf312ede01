"""The command itself, small: a whole system is ill-treated, judged, and nothing is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "backend.cli.main", "torture"]

HANGS_S = 540
"""A run takes half a minute, and where twenty others want the processor, two; one that hangs ends by itself before."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def left_behind() -> set[Path]:
    """Directories of runs that are over: whoever locked them lives no more."""
    found = set()
    for lock in Path("/tmp").glob("huiyuan-torture-*/lock"):
        try:
            holder = lock.read_text().strip()
        except OSError:
            continue
        if holder and not Path(f"/proc/{holder}").exists():
            found.add(lock.parent)
    return found


def running(word: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found += [text] if word in text else []
    return found


def test_a_small_run_survives_and_leaves_nothing():
    before = left_behind()
    options = ["--seed", "5", "--ops", "150", "--members", "6", "--schedule", "40:kill-servers 90:cut-postgres"]

    done = subprocess.run(
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS_S,
        env={**os.environ, "COLUMNS": "100"},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ Seed 5: 150 operations and 2 faults; nothing lost, nothing doubled, the books balance." in done.stdout
    assert "kill-servers" in done.stdout
    assert left_behind() <= before


def test_an_interrupted_run_leaves_nothing():
    with tempfile.TemporaryDirectory(prefix="torture-", dir="/tmp") as base:
        place = Path(base) / "kept"
        options = ["--ops", "100000", "--members", "6", "--workers", "1", "--keep", str(place)]
        run = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, text=True)
        try:
            assert run.stdout is not None
            for line in run.stdout:
                if "preparing" in line:  # everything runs, and clients ask
                    break

            run.send_signal(signal.SIGINT)
            run.communicate(timeout=HANGS_S)
        finally:
            run.kill()  # where the test fails; what it started ends with it
            run.wait()

        assert run.returncode == 130
        assert running(str(place)) == []
