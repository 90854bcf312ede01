"""The processes of one running system: started together, restarted when they crash, stopped in order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backend.engines import process
from backend.engines.errors import EngineError

from .rollover import Rollover

_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
_STABLE_AFTER_S = 30.0
_LOOK_EVERY_S = 0.1


@dataclass
class Child:
    """One process that should always be there."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path | None = None
    pass_fds: Sequence[int] = ()
    running: subprocess.Popen[bytes] | None = None
    crashes: int = 0
    started_at: float = 0.0
    start_again_at: float = field(default=0.0)

    def start(self) -> None:
        """Start it; it gets SIGTERM should we die."""
        self.running = process.spawn(
            self.command, stop_signal=signal.SIGTERM, env=self.env, log=self.log, pass_fds=self.pass_fds
        )
        self.started_at = time.monotonic()


class Stopping:
    """Whether it is time to stop; may be set by a signal's handler.

    Without a lock: a handler runs in the midst of what its thread was doing, so where that held the lock (as a thread
    that waits for a ``threading.Event`` does for a moment) the handler would wait for it for ever.
    """

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        """It is."""
        self._is_set = True

    def is_set(self) -> bool:
        """Whether it is."""
        return self._is_set

    def wait(self, timeout_s: float) -> bool:
        """Sleep, unless it is; whether it is then. What is set meanwhile is seen at the end."""
        if not self._is_set:
            time.sleep(timeout_s)
        return self._is_set


class Supervisor:
    """Keeps children running until it is told to stop.

    Attributes:
        stopping: set when it is time to stop.
        watch: called each round, for anything else that needs a look.
        grace_s: what a group of children may take to finish before it is killed.
        longest_pause_s: between a crash and the next start, after many in a row.
        metrics: the directory of the figures that the children share, if they do.
        reload_wanted: set (also by a signal handler) to have every child replaced, one after the other.
        retire_s: what a replaced child may take to finish before it is killed.
    """

    def __init__(self, say: Callable[[str], None], *, grace_s: float) -> None:
        self.metrics: Path | None = None
        self.reload_wanted = False
        self.retire_s = grace_s
        self._rollover: Rollover | None = None
        self._say = say
        self.grace_s = grace_s
        self.longest_pause_s = _LONGEST_PAUSE_S
        self._children: list[Child] = []
        self.stopping = Stopping()
        self.watch: Callable[[], None] = lambda: None

    def add(self, child: Child) -> None:
        """Start a child and keep it running from now on; children are stopped in the order they were added."""
        child.start()
        self._children.append(child)

    def run(self) -> None:
        """Look after the children until SIGINT or SIGTERM."""
        while not self.stopping.wait(_LOOK_EVERY_S):
            self.look()
            self._roll()
            self.watch()

    def look(self) -> None:
        """Restart what has crashed, after a pause that doubles with every crash in a row."""
        now = time.monotonic()
        for child in self._children:
            if child.running is None:
                if now >= child.start_again_at:
                    child.start()
            elif (code := child.running.poll()) is not None:
                child.crashes = 1 if now - child.started_at > _STABLE_AFTER_S else child.crashes + 1
                self._forget(child.running.pid)
                pause = min(_FIRST_PAUSE_S * 2 ** (child.crashes - 1), self.longest_pause_s)
                self._say(f"{child.name} ended ({_reason(code)}); starting it again in {pause:.1f} s")
                child.running, child.start_again_at = None, now + pause

    def _roll(self) -> None:
        """Begin or go on replacing the children; what is asked for meanwhile is another round after this one."""
        if self._rollover is None and self.reload_wanted:
            self.reload_wanted = False
            self._rollover = Rollover(self._children, patience_s=self.retire_s, say=self._say, ended=self._forget)
        if self._rollover is not None and not self._rollover.step():
            self._rollover = None

    def _forget(self, pid: int) -> None:
        """Take the live gauges of a process that ended out of the sums."""
        if self.metrics is not None:
            from prometheus_client.multiprocess import mark_process_dead

            mark_process_dead(pid, path=str(self.metrics))  # type: ignore[no-untyped-call]

    def running(self, name: str) -> list[int]:
        """The process ids of the children whose name begins so and that run now."""
        children = [child.running for child in self._children if child.name.partition(" ")[0] == name]
        return [running.pid for running in children if running is not None and running.returncode is None]

    def fail_if_crashing(self) -> None:
        """Raise when a child has crashed three times in a row: it will not get better by itself."""
        for child in self._children:
            if child.crashes >= 3:
                end = f"; {child.log} ends:\n{process.tail(child.log)}" if child.log else ""
                raise EngineError(f"{child.name} does not start{end}")

    def stop(self) -> None:
        """Stop group after group: the servers finish what they accepted, then the worker what it has begun."""
        names = list(dict.fromkeys(child.name.partition(" ")[0] for child in self._children))
        for name in names:
            group = [c.running for c in self._children if c.name.partition(" ")[0] == name and c.running is not None]
            if self._rollover is not None:
                group += self._rollover.processes()
            for running in group:
                if running.poll() is None:
                    running.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + self.grace_s
            for running in group:
                left = max(0.1, deadline - time.monotonic())
                try:
                    running.wait(left)
                except subprocess.TimeoutExpired:
                    self._say(f"{name} did not finish within {self.grace_s:.0f} s and was killed")
                    running.kill()
                    running.wait()


@contextmanager
def interruptible(stopping: Stopping) -> Iterator[Callable[[], None]]:
    """SIGINT and SIGTERM raise KeyboardInterrupt; after the yielded function is called, they set ``stopping``.

    Further signals change nothing: an orderly stop is bounded in time, and a second Ctrl-C must not spoil it.
    """
    gently = False

    def handle(_signal: int, _frame: object) -> None:
        first = not stopping.is_set()
        stopping.set()
        if first and not gently:
            raise KeyboardInterrupt

    def started() -> None:
        nonlocal gently
        gently = True

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield started
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def metrics_directory(path: Path) -> Path:
    """The directory for the figures that several processes share (``PROMETHEUS_MULTIPROC_DIR``), without old ones."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in path.glob("*.db"):
        old.unlink(missing_ok=True)
    return path


def _reason(code: int) -> str:
    if code < 0:
        return signal.Signals(-code).name
    return f"exit {code}" if code != os.EX_OK else "by itself"
