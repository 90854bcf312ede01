"""Child processes that end when we end, however we end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .account import Account
from .errors import EngineError

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """What a child runs before ``exec`` so that the kernel sends it ``stop_signal`` when its parent dies.

    The kernel means the parent *thread*: start such children from a thread that lives as long as the process.
    It runs after the change of account, because that change would clear the wish.
    """
    parent = os.getpid()

    def wish() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
            if os.getppid() != parent:  # it died in between: the signal will never come
                os._exit(1)

    return wish


def spawn(
    command: Sequence[str],
    *,
    stop_signal: signal.Signals,
    account: Account | None = None,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own (Ctrl-C reaches us; we stop it in order); output goes to ``log``."""
    args: dict[str, Any] = account.popen_args() if account else {}
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log else None
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            env=dict(env) if env is not None else None,
            pass_fds=tuple(pass_fds),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=die_with_parent(stop_signal),  # noqa: PLW1509  one call into libc, no locks
            **args,
        )
    finally:
        if output is not None:
            os.close(output)


def stop(child: subprocess.Popen[bytes], stop_signal: signal.Signals, *, grace_s: float, force: signal.Signals) -> bool:
    """Ask a child to end, then force it after ``grace_s``; True when it ended by itself."""
    if child.poll() is not None:
        return True
    child.send_signal(stop_signal)
    try:
        child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.send_signal(force)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        return False
    return True


def wait_until(
    ready: Callable[[], bool], child: subprocess.Popen[bytes], *, what: str, log: Path, limit_s: float
) -> None:
    """Wait for a child to be ready; when it ends or takes too long, raise ``EngineError`` with the end of its log."""
    deadline = time.monotonic() + limit_s
    pause = 0.002
    while not ready():
        if child.poll() is not None:
            raise EngineError(f"{what} ended while starting (exit {child.returncode}); {log} ends:\n{tail(log)}")
        if time.monotonic() > deadline:
            stop(child, signal.SIGTERM, grace_s=2, force=signal.SIGKILL)
            raise EngineError(f"{what} was not ready after {limit_s:.0f} s; {log} ends:\n{tail(log)}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


def trim(log: Path, limit: int = 10_000_000) -> None:
    """Keep the last half of a log that grew past ``limit`` bytes."""
    if log.exists() and log.stat().st_size > limit:
        with log.open("r+b") as file:
            file.seek(-limit // 2, os.SEEK_END)
            rest = file.read()
            file.seek(0)
            file.write(rest)
            file.truncate()
