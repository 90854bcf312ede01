"""The proof of the books, from the rows alone: each check is a query that returns what does not hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

CHECKS = Path(__file__).parent / "checks"
CHUNK = 5000
MAX_FINDINGS = 200


@dataclass(frozen=True)
class Finding:
    """One thing that does not balance."""

    check: str
    member_id: int
    what: str


@dataclass(frozen=True)
class Check:
    """A statement about every member ``$1 <= id < $2``; its rows (member_id, what) break it."""

    name: str
    title: str
    sql: str


def checks() -> list[Check]:
    """Every check, one file of ``checks/`` each; its first line is what must hold."""
    found = []
    for path in sorted(CHECKS.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        found.append(Check(path.stem[3:], text.partition("\n")[0].removeprefix("-- "), text))
    return found


async def audit(url_args: dict[str, object], progress: Callable[[int, int], None] | None = None) -> list[Finding]:
    """Prove the books of every member; returns what does not hold (at most 200), an empty list when they balance.

    Reads in one snapshot, chunk by chunk of members, so it may run beside a serving system.
    """
    connection = await asyncpg.connect(**url_args, command_timeout=600)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute("SET LOCAL jit = off")
            findings: list[Finding] = []
            proofs = checks()
            total = int(await connection.fetchval("SELECT count(*) FROM ledger_head"))
            done = 0
            async for low, high, count in _chunks(connection):
                for check in proofs:
                    rows = await connection.fetch(check.sql + f" LIMIT {MAX_FINDINGS}", low, high)
                    findings.extend(Finding(check.name, row[0], row[1]) for row in rows)
                done += count
                if progress:
                    progress(done, total)
                if len(findings) >= MAX_FINDINGS:
                    break
            return findings[:MAX_FINDINGS]
    finally:
        await connection.close()


async def _chunks(connection: asyncpg.Connection) -> AsyncIterator[tuple[int, int, int]]:
    low = -(1 << 62)
    while True:
        ids = await connection.fetch(
            "SELECT member_id FROM ledger_head WHERE member_id >= $1 ORDER BY member_id LIMIT $2", low, CHUNK + 1
        )
        if len(ids) <= CHUNK:
            yield low, (1 << 63) - 1, len(ids)
            return
        yield low, ids[-1][0], CHUNK
        low = ids[-1][0]
