"""Where the tests' engines keep their files: in memory where there is plenty, else on the disk."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# A process of the tests needs less than one; there are as many as cores and one more, and whatever they start.
ROOM_BYTES = 6 << 30
IN_MEMORY = Path("/dev/shm")
ON_DISK = Path("/tmp")


@contextmanager
def directory(name: str) -> Iterator[Path]:
    """A directory that is gone afterwards. Its path is short, because sockets lie in it.

    A database is some seven hundred files. A disk's file system takes ten times as long to make and to delete them: it
    looks in vain at the place of every file that was deleted a moment ago.
    """
    _clear_up(name)
    made = Path(tempfile.mkdtemp(prefix=f"huiyuan-{name}-", dir=IN_MEMORY if _is_roomy(IN_MEMORY) else ON_DISK))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _clear_up(name: str) -> None:
    """Give back what runs hold that were killed: nobody has the lock of their engines, or their own, any more."""
    for lock in (lock for root in (IN_MEMORY, ON_DISK) for lock in root.glob(f"huiyuan-{name}-*/lock")):
        with suppress(OSError), lock.open() as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)


def _is_roomy(place: Path) -> bool:
    """Whether the place has room, and the machine memory for it."""
    if not os.access(place, os.W_OK):
        return False
    available_kb = int(re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())[1])
    return min(shutil.disk_usage(place).free, available_kb * 1024) > ROOM_BYTES
