"""Replacing processes one after the other, with small real ones: ready, deaf, stubborn."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend.cli import rollover
from backend.cli.rollover import Rollover
from backend.cli.supervisor import Child, Supervisor

# A shell that starts the tests in the background has its children ignore SIGQUIT, so each says what it does with it.
_SCRIPT = """
import os, signal, sys
signal.signal(signal.SIGQUIT, signal.{})
if "--ready-fd" in sys.argv:
    os.write(int(sys.argv[-1]), b"1")
signal.pause()
"""
READY = _SCRIPT.format("SIG_DFL")
DEAF = READY.replace("if ", "if False and ")
STUBBORN = _SCRIPT.format("SIG_IGN")
BROKEN = READY.replace("    os.write", "    sys.exit(3)\n    os.write")


@pytest.fixture
def start() -> Iterator[Callable[..., Child]]:
    """Start children that run a script; they end with the test."""
    made: list[Child] = []

    def start(script: str, name: str = "server 1") -> Child:
        child = Child(name, [sys.executable, "-I", "-S", "-c", script], dict(os.environ))
        child.start()
        made.append(child)
        return child

    yield start
    for child in made:
        if child.running is not None and child.running.poll() is None:
            child.running.kill()
            child.running.wait()


class Round:
    """A rollover that is run to its end, and what it said."""

    def __init__(self, *children: Child, patience_s: float = 5) -> None:
        self.said: list[str] = []
        self.ended: list[int] = []
        rolling = Rollover(children, patience_s=patience_s, say=self.said.append, ended=self.ended.append)
        self.most = 0
        deadline = time.monotonic() + 60
        while rolling.step():
            self.most = max(self.most, len(rolling.processes()))
            assert time.monotonic() < deadline
            time.sleep(0.005)
        assert rolling.processes() == []


def pid_of(child: Child) -> int:
    assert child.running is not None
    return child.running.pid


def ignores_quit(pid: int) -> bool:
    (mask,) = re.findall(r"^SigIgn:\t(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(int(mask, 16) & 1 << signal.SIGQUIT - 1)


def test_each_is_replaced_in_turn_and_one_more_runs_at_most(start):
    children = [start(READY, "server 1"), start(READY, "server 2")]
    before = [pid_of(child) for child in children]

    done = Round(*children)

    assert done.said == ["server 1 replaced (1 of 2)", "server 2 replaced (2 of 2)"]
    assert done.ended == before
    assert done.most == 1
    assert all(child.running is not None and child.running.poll() is None for child in children)
    assert not {pid_of(child) for child in children} & set(before)


def test_one_that_does_not_finish_is_killed(start):
    child = start(STUBBORN)
    before = pid_of(child)
    deadline = time.monotonic() + 60
    while not ignores_quit(before):
        assert time.monotonic() < deadline
        time.sleep(0.005)

    done = Round(child, patience_s=0.2)

    assert done.said == ["server 1 replaced (1 of 1)", f"process {before} did not finish within 0 s and was killed"]
    assert done.ended == [before]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (BROKEN, "reload given up: the new server 1 ended while starting (exit 3); the processes that run go on"),
        (DEAF, "reload given up: the new server 1 was not ready after 0 s; the processes that run go on"),
    ],
)
def test_a_successor_that_does_not_serve_changes_nothing(start, monkeypatch, script, said):
    children = [start(script, "server 1"), start(READY, "server 2")]
    before = [pid_of(child) for child in children]
    if script is DEAF:
        monkeypatch.setattr(rollover, "_READY_WITHIN_S", 0.3)

    done = Round(*children)

    assert done.said == [said]
    assert [pid_of(child) for child in children] == before
    assert len(done.ended) == 1
    assert done.ended[0] not in before


def test_a_stop_in_the_middle_leaves_nothing_running(start):
    supervisor = Supervisor(lambda _: None, grace_s=5)
    child = start(DEAF)
    supervisor._children.append(child)
    supervisor.reload_wanted = True
    supervisor._roll()
    supervisor._roll()
    assert supervisor._rollover is not None
    (successor,) = supervisor._rollover.processes()

    supervisor.stop()

    assert successor.poll() is not None
    assert child.running is not None
    assert child.running.poll() is not None
