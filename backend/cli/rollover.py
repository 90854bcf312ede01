"""Replacing running processes one after the other, while the socket they share stays open in the supervisor.

A successor is a new process of the program as it is installed now, with the supervisor's environment. The old one goes
on serving until the successor is there, and retires then (SIGQUIT, see ``kernel.http.server``). One that does not start
ends the round: what runs goes on running.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from backend.engines import process

if TYPE_CHECKING:
    from .supervisor import Child

_READY_WITHIN_S = 60.0


class Rollover:
    """One round over ``children``; ``step`` is called again and again and never waits.

    Args:
        children: to replace, in this order; their ``running`` process is exchanged.
        patience_s: what a retiring process may take before it is killed.
        say: told what happened.
        ended: told the id of each process that ended, after it was waited for.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        patience_s: float,
        say: Callable[[str], None],
        ended: Callable[[int], None],
    ) -> None:
        self._waiting = list(children)
        self._count = len(children)
        self._patience_s = patience_s
        self._say = say
        self._ended = ended
        self._successor: _Successor | None = None
        self._retiring: subprocess.Popen[bytes] | None = None
        self._kill_at = 0.0

    def processes(self) -> list[subprocess.Popen[bytes]]:
        """What runs beside the children: a successor that is not ready, and one that retires."""
        starting = [self._successor.running] if self._successor else []
        return starting + ([self._retiring] if self._retiring else [])

    def step(self) -> bool:
        """Do what can be done now; False once the round is over."""
        if self._retiring is not None:
            return self._await_retirement(self._retiring)
        if self._successor is not None:
            return self._await_successor(self._successor, self._waiting[0])
        if not self._waiting:
            return False
        self._successor = _Successor(self._waiting[0])
        return True

    def _await_successor(self, successor: _Successor, child: Child) -> bool:
        if not successor.is_ready():
            if (why := successor.failure()) is None:
                return True
            self._say(f"reload given up: the new {child.name} {why}; the processes that run go on")
            self._ended(successor.running.pid)
            successor.close()
            self._successor, self._waiting = None, []
            return False
        successor.close()
        old, child.running, child.started_at = child.running, successor.running, time.monotonic()
        self._successor = None
        del self._waiting[0]
        self._say(f"{child.name} replaced ({self._count - len(self._waiting)} of {self._count})")
        if old is not None:
            old.send_signal(signal.SIGQUIT)
            self._retiring, self._kill_at = old, time.monotonic() + self._patience_s
        return True

    def _await_retirement(self, old: subprocess.Popen[bytes]) -> bool:
        if old.poll() is None:
            if time.monotonic() < self._kill_at:
                return True
            self._say(f"process {old.pid} did not finish within {self._patience_s:.0f} s and was killed")
            old.kill()
            old.wait()
        self._ended(old.pid)
        self._retiring = None
        return True


class _Successor:
    """A process that was started and has not said yet that it serves; it says so by a byte in a pipe."""

    def __init__(self, child: Child) -> None:
        self._pipe, theirs = os.pipe()
        os.set_blocking(self._pipe, False)
        try:
            self.running = process.spawn(
                [*child.command, "--ready-fd", str(theirs)],
                stop_signal=signal.SIGTERM,
                env=child.env,
                log=child.log,
                pass_fds=(*child.pass_fds, theirs),
            )
        finally:
            os.close(theirs)
        self._give_up_at = time.monotonic() + _READY_WITHIN_S

    def is_ready(self) -> bool:
        """Did it say so?"""
        try:
            return os.read(self._pipe, 1) != b""
        except BlockingIOError:
            return False

    def failure(self) -> str | None:
        """Why it will never be ready, or None while it may; one that is too late is ended."""
        if (code := self.running.poll()) is not None:
            return f"ended while starting (exit {code})"
        if time.monotonic() < self._give_up_at:
            return None
        process.stop(self.running, signal.SIGTERM, grace_s=5, force=signal.SIGKILL)
        return f"was not ready after {_READY_WITHIN_S:.0f} s"

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self._pipe)
