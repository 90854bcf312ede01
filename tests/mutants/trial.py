"""One mutant's trial: a copy of the project with the defect in it, its named tests, and the verdict."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.support import place

from .mutant import DoesNotApply, Mutant, copy_tracked, plant

LIMIT_S = 300
"""What the named tests of one mutant may take, and those of all mutants on the unmutated tree."""

END_S = 20
"""What a run may take to end and clear up after itself when it is told to."""

_running: set[subprocess.Popen[bytes]] = set()

# Loading every installed plugin is half of what pytest's start takes; these are the ones that our tests need.
PLUGINS = ("pytest_asyncio.plugin", "pytest_timeout", "_hypothesis_pytestplugin", "tests.mutants.witness")
OPTIONS = ("-q", "--no-header", "--no-summary", "-pno:cacheprovider", *(f"-p{name}" for name in PLUGINS))


class Verdict(StrEnum):
    """What a trial came to; ``INVALID`` says that the mutant, not the tests, is to be mended."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    INVALID = "INVALID"


@dataclass(frozen=True)
class Trial:
    """A verdict, the test that caught the mutant (or why it is invalid), and the seconds it took."""

    verdict: Verdict
    by: str
    seconds: float


def try_mutant(mutant: Mutant, root: Path) -> Trial:
    """Plant the mutant in a copy of ``root`` and run its named tests there, up to the first that fails."""
    started = time.monotonic()
    with _copy(root) as tree:
        try:
            plant(mutant, tree)
        except DoesNotApply as error:
            return Trial(Verdict.INVALID, str(error), time.monotonic() - started)
        verdict, by = judge(_run(tree, mutant.caught_by, "--exitfirst"))
    return Trial(verdict, by, time.monotonic() - started)


def try_unmutated(tests: Sequence[str], root: Path) -> Trial:
    """Run the tests on a copy without a defect: ``SURVIVED`` is what it must come to."""
    started = time.monotonic()
    with _copy(root) as tree:
        seen = _run(tree, tests)
    failed = [f"{line['test']}: {line['why']}" for line in seen if line["outcome"] != "passed"]
    verdict = Verdict.INVALID if failed or not seen else Verdict.SURVIVED
    return Trial(verdict, "\n".join(failed) or ("" if seen else "no test ran"), time.monotonic() - started)


def judge(seen: Sequence[dict[str, Any]]) -> tuple[Verdict, str]:
    """The verdict on what the witness saw: a test that failed for the right reason, for a wrong one, or none."""
    for line in seen:
        if line["caught"]:
            return Verdict.KILLED, line["test"]
    for line in seen:
        if line["outcome"] != "passed":
            return Verdict.INVALID, f"{line['test']} ({line['when']} {line['outcome']}): {line['why']}"
    return (Verdict.SURVIVED, "") if seen else (Verdict.INVALID, "no test ran")


def stop() -> None:
    """Have every trial end now, as Ctrl-C does: each takes its engines and its copy with it."""
    for run in list(_running):
        run.send_signal(signal.SIGINT)


@contextmanager
def _copy(root: Path) -> Iterator[Path]:
    """A copy of the project, gone afterwards; what a killed process has left, the next copy clears away."""
    with place.directory("mutant") as tree, (tree / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        copy_tracked(root, tree)
        yield tree


def _run(tree: Path, tests: Sequence[str], *options: str) -> list[dict[str, Any]]:
    """Run tests with this interpreter in ``tree``, whose packages come first in every process that they start."""
    notes = tree / "witness.jsonl"
    environ = os.environ | {
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "MUTANT_WITNESS": str(notes),
        "TMPDIR": str(tree),  # what a run that had to be killed has left, goes with the copy
    }
    command = [sys.executable, "-m", "pytest", *OPTIONS, *options, *tests]
    with (tree / "pytest.log").open("wb") as log:
        if not _ended(subprocess.Popen(command, cwd=tree, env=environ, stdout=log, stderr=log)):
            return [{"test": tests[0], "when": "run", "outcome": "hung", "caught": False, "why": f"over {LIMIT_S} s"}]
    if notes.exists():
        return [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
    said = (tree / "pytest.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return [{"test": tests[0], "when": "start", "outcome": "failed", "caught": False, "why": " ".join(said[-3:])}]


def _ended(run: subprocess.Popen[bytes]) -> bool:
    """Wait for a run; False where it took too long and was ended."""
    _running.add(run)
    try:
        run.wait(LIMIT_S)
        return True
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGINT)
        try:
            run.wait(END_S)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
        return False
    finally:
        _running.discard(run)
