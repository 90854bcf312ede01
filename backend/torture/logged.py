"""What the servers logged of requests that failed: without it a 500 that does not come again says nothing."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import msgspec

MOST = 3
LINES = 14
_TAIL_BYTES = 8 * 1024 * 1024


def failures_in(log: Path) -> list[str]:
    """The last errors with a traceback of a log of JSON lines, oldest first: what happened, and each traceback's end.

    Those without one say that the database could not be reached, as often as it was so.
    """
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().splitlines()
    found = []
    for line in reversed(lines):
        said = _read(line)
        if "exception" in said and said.get("level") in ("error", "critical"):
            found.append(_told(said))
        if len(found) == MOST:
            break
    return found[::-1]


def _read(line: bytes) -> dict[str, Any]:
    with contextlib.suppress(msgspec.DecodeError):
        said = msgspec.json.decode(line)
        if isinstance(said, dict):
            return said
    return {}


def _told(said: dict[str, Any]) -> str:
    facts = " ".join(f"{name}={value}" for name, value in said.items() if name not in ("exception", "event", "level"))
    trace = str(said.get("exception", "")).rstrip().splitlines()[-LINES:]
    return "\n".join([f"{said.get('event', '')} {facts}", *trace])
