"""What processes have used and what the servers say of themselves, as differences between two moments."""

from __future__ import annotations

import http.client
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

_METRIC = re.compile(r"^(huiyuan_ledger_\w+?)(?:\{[^}]*\})? ([\d.e+]+)$", re.MULTILINE)


class Batches(msgspec.Struct, frozen=True):
    """What the ledger writers did: transactions, plans in them, and the seconds they took."""

    batches: float = 0.0
    plans: float = 0.0
    seconds: float = 0.0

    def since(self, before: Batches) -> Batches:
        """What was done since then."""
        return Batches(self.batches - before.batches, self.plans - before.plans, self.seconds - before.seconds)

    @property
    def mean_size(self) -> float:
        """Plans in a transaction, on average."""
        return self.plans / self.batches if self.batches else 0.0

    @property
    def mean_ms(self) -> float:
        """How long a transaction took, on average."""
        return self.seconds / self.batches * 1000 if self.batches else 0.0


class Memory(msgspec.Struct, frozen=True):
    """Resident memory of one process in bytes: all of it, and with shared pages shared out (``Pss``)."""

    rss: int = 0
    pss: int = 0


_MEMORY = re.compile(r"^(Rss|Pss): +(\d+) kB$", re.MULTILINE)


def memory(pids: Sequence[int]) -> Memory:
    """What one of these processes has on average; 0 where /proc does not say."""
    rss = pss = 0
    for pid in pids:
        with suppress(OSError):
            found = dict(_MEMORY.findall(Path(f"/proc/{pid}/smaps_rollup").read_text()))
            rss, pss = rss + int(found["Rss"]) * 1024, pss + int(found["Pss"]) * 1024
    return Memory(rss // max(1, len(pids)), pss // max(1, len(pids)))


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes and of children they have waited for; 0 where /proc is missing."""
    total = 0
    for pid in pids:
        fields = _stat(pid)
        if fields:
            total += sum(int(field) for field in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def machine_seconds() -> float:
    """Processor time that anybody has used, the machine's host included; 0 where /proc is missing."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def resident_mb(pids: Iterable[int]) -> float:
    """Resident memory of these processes together, in MB of 10^6 bytes; 0 where /proc is missing."""
    pages = 0
    for pid in pids:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def with_children(pid: int) -> list[int]:
    """The process and its direct children."""
    found = [pid]
    for entry in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(entry.name))
        if fields and int(fields[1]) == pid:
            found.append(int(entry.name))
    return found


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the command's name: state, parent, …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def batches(host: str, port: int) -> Batches:
    """What ``/metrics`` says of the ledger writers of all server processes together."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    values = {name: float(value) for name, value in _METRIC.findall(text)}
    return Batches(
        values.get("huiyuan_ledger_batch_size_count", 0.0),
        values.get("huiyuan_ledger_batch_size_sum", 0.0),
        values.get("huiyuan_ledger_seconds_sum", 0.0),
    )
