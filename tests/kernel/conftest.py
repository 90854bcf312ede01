"""A Valkey of its own for tests that stop and empty it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.engines import process
from backend.engines.valkey import program


class Cache:
    """One Valkey process on a unix socket, to start and stop at will."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.socket = directory / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        command = [str(program()), "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir"]
        log = self._directory / "log"
        self._child = process.spawn([*command, str(self._directory)], stop_signal=signal.SIGTERM, log=log)
        deadline = time.monotonic() + 60
        while not self.socket.exists():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.005)

    def freeze(self) -> None:
        """Stop answering without closing a connection."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._child is not None:
            self.thaw()
            process.stop(self._child, signal.SIGTERM, grace_s=2, force=signal.SIGKILL)
            self._child = None


@pytest.fixture
def cache() -> Iterator[Cache]:
    """A running Valkey, empty."""
    directory = Path(tempfile.mkdtemp(prefix="hy-", dir="/tmp"))
    made = Cache(directory)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(directory, ignore_errors=True)
