"""Which statements a path sends: counted in PostgreSQL's own log, so that none is missed, BEGIN and COMMIT included."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from backend.engines.postgres import Postgres

_SETTINGS = {"log_statement": "all", "log_line_prefix": "%d ", "log_parameter_max_length": "0"}
_APPLY_WITHIN_S = 10.0

_LINE = re.compile(r"^(\S+) LOG:  (?:execute [^:]*|statement): (.*(?:\n\t.*)*)", re.MULTILINE)


@contextmanager
def logged(postgres: Postgres, database: str) -> Iterator[Counter[str]]:
    """Count what is sent to ``database`` in the body; the counter is filled when it ends.

    Statements within functions are not sent, so they are not counted; what the server does by itself now and then is.
    """
    seen: Counter[str] = Counter()
    _apply(postgres, [f"ALTER SYSTEM SET {name} = '{value}'" for name, value in _SETTINGS.items()], until="all")
    start = postgres.log.stat().st_size
    try:
        yield seen
    finally:
        _apply(postgres, [f"ALTER SYSTEM RESET {name}" for name in _SETTINGS], until="none")
    with postgres.log.open("rb") as log:
        log.seek(start)
        seen.update(read(log.read().decode(errors="replace"), database))


def read(log: str, database: str) -> Counter[str]:
    """How often each statement was sent to that database, by its text on one line."""
    return Counter(" ".join(match[2].split()) for match in _LINE.finditer(log) if match[1] == database)


def _apply(postgres: Postgres, changes: list[str], *, until: str) -> None:
    """Change the running server; every session has it before its next statement."""
    postgres.sql(";\n".join([*changes, "SELECT pg_reload_conf()"]) + ";")
    deadline = time.monotonic() + _APPLY_WITHIN_S
    while postgres.sql("SHOW log_statement;") != until:  # asked by a new session each time
        if time.monotonic() > deadline:
            raise TimeoutError("PostgreSQL has not read its configuration again")
        time.sleep(0.02)
