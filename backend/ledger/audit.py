"""The proof of the books, from the rows alone: each check is a query that returns what does not hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from backend.kernel.proofs import MAX_FINDINGS, Finding, Proof, connected, snapshot

from .plans import (
    HOUSE_COUPONS_MERGED,
    HOUSE_GIFT_CLEARING,
    HOUSE_GROUP,
    HOUSE_MERGED,
    HOUSE_POINTS_CLEARING,
    HOUSE_SERVICES_MERGED,
    HOUSE_STAMPS_MERGED,
)

CHECKS = Path(__file__).parent / "checks"
CHUNK = 5000


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


async def audit(
    url_args: Mapping[str, object], progress: Callable[[int, int], None] | None = None, *, every: int = 1
) -> list[Finding]:
    """Prove the books of every member; returns what does not hold (at most 200), an empty list when they balance.

    Reads in one snapshot, chunk by chunk of members, so it may run beside a serving system. With ``every`` above 1 only
    one chunk in so many, and no sum over members: a sample, for books that take longer than there is time.
    """
    async with connected(url_args) as connection, snapshot(connection):
        return await prove(connection, progress, every=every)


async def prove(
    connection: asyncpg.Connection, progress: Callable[[int, int], None] | None = None, *, every: int = 1
) -> list[Finding]:
    """``audit`` in a transaction that is open."""
    findings: list[Finding] = []
    proofs = checks()
    total = int(await connection.fetchval("SELECT count(*) FROM ledger_head"))
    sums, clearings = _HouseSums(), [(_Clearing(check, unit), kind, unit) for check, kind, unit in _CLEARED]
    done = 0
    async for low, high, count in _chunks(connection, every):
        for check in proofs:
            rows = await connection.fetch(check.sql + f" LIMIT {MAX_FINDINGS}", low, high)
            findings.extend(Finding(check.name, row[0], row[1]) for row in rows)
        sums.add(await connection.fetch(_HOUSE_ENTRIES, low, high))
        for clearing, kind, unit in clearings:
            clearing.add(await connection.fetch(_CLEARING_ENTRIES, low, high, kind, unit))
        done += count
        if progress:
            progress(done, total)
        if len(findings) >= MAX_FINDINGS:
            break
    else:
        if every == 1:
            findings.extend(sums.differences(await connection.fetch(_HOUSE_SUMS)))
            findings.extend(found for clearing, _, _ in clearings for found in clearing.left())
    return findings[:MAX_FINDINGS]


HOUSE_SUMS = Check(
    "house_sums",
    "each house account's sum of a day is the sum of the entries that it counts",
    "",  # over all members together: added up chunk by chunk
)
_HOUSE_ENTRIES = """
SELECT r.zone, (e.at AT TIME ZONE r.zone)::date, e.kind, e.ref, e.unit, sum(e.amount)::bigint, count(*)
  FROM ledger_rolled r
  JOIN ledger_entry e ON e.member_id = r.member_id AND e.seq <= r.seq AND starts_with(e.kind, 'house.')
 WHERE r.member_id >= $1 AND r.member_id < $2 AND e.member_id >= $1 AND e.member_id < $2
 GROUP BY 1, 2, 3, 4, 5"""
_HOUSE_SUMS = "SELECT zone, day, kind, ref, unit, amount, entries FROM ledger_rollup"


CLEARING = Check(
    "gift_clearing",
    "what gift cards' books gave for a sale, a refund or another card is what the other books took",
    "",  # the two sides lie on different books, in any two chunks
)
POINTS_CLEARING = Check(
    "points_clearing",
    "what left one member's books as points for another arrived there, and so it went back",
    "",
)
GROUP_CLEARING = Check(
    "group_clearing",
    "what a group's owner allotted to somebody arrived there, and so it went back",
    "",
)
MERGE_CLEARING = Check(
    "merge_clearing",
    "what left the books of a member who was merged into another arrived there, in each unit",
    "",
)
_CLEARING_ENTRIES = """
SELECT t.document_id, sum(e.amount)::bigint, max(e.member_id)
  FROM ledger_entry e JOIN ledger_transfer t ON t.member_id = e.member_id AND t.seq = e.seq
 WHERE e.member_id >= $1 AND e.member_id < $2 AND e.kind = $3 AND e.unit = $4
 GROUP BY 1 HAVING sum(e.amount) <> 0"""
_CLEARED = (
    (CLEARING, HOUSE_GIFT_CLEARING, "fen"),
    (POINTS_CLEARING, HOUSE_POINTS_CLEARING, "points"),
    *((GROUP_CLEARING, HOUSE_GROUP, unit) for unit in ("fen", "points")),
    *((MERGE_CLEARING, HOUSE_MERGED, unit) for unit in ("fen", "points")),
    *((MERGE_CLEARING, HOUSE_COUPONS_MERGED, unit) for unit in ("fen", "uses")),
    *((MERGE_CLEARING, HOUSE_SERVICES_MERGED, unit) for unit in ("fen", "uses")),
    (MERGE_CLEARING, HOUSE_STAMPS_MERGED, "uses"),
)


class _Clearing:
    """What is left between two books, by the document that both sides are about; gone again where they agree."""

    def __init__(self, check: Check, unit: str) -> None:
        self._check, self._unit = check, unit
        self._left: dict[str | None, tuple[int, int]] = {}

    def add(self, rows: Sequence[asyncpg.Record]) -> None:
        """One chunk's."""
        for document_id, amount, member_id in rows:
            total = self._left.pop(document_id, (0, 0))[0] + amount
            if total:
                self._left[document_id] = total, member_id

    def left(self) -> list[Finding]:
        """What has no other side."""
        return [
            Finding(self._check.name, member_id, f"document {document_id}: {amount} {self._unit}")
            for document_id, (amount, member_id) in self._left.items()
        ]


class _HouseSums:
    """The entries that the sums of house accounts must be made of, added up beside the checks."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], tuple[int, int]] = {}

    def add(self, rows: Sequence[asyncpg.Record]) -> None:
        """One chunk's."""
        for *key, amount, entries in rows:
            before = self._found.get(tuple(key), (0, 0))
            self._found[tuple(key)] = before[0] + amount, before[1] + entries

    def differences(self, stored: Sequence[asyncpg.Record]) -> list[Finding]:
        """What is kept otherwise than found."""
        kept = {tuple(key): (amount, entries) for *key, amount, entries in stored}
        found = []
        for key in sorted(kept.keys() | self._found.keys(), key=str):
            zone, day, kind, ref, _ = key
            if kept.get(key) != self._found.get(key):
                what = f"{kind} {ref} on {day} ({zone}): {kept.get(key)}, entries {self._found.get(key)}"
                found.append(Finding(HOUSE_SUMS.name, 0, what))
        return found


async def _chunks(connection: asyncpg.Connection, every: int) -> AsyncIterator[tuple[int, int, int]]:
    low, number = -(1 << 62), 0
    while True:
        ids = await connection.fetch(
            "SELECT member_id FROM ledger_head WHERE member_id >= $1 ORDER BY member_id LIMIT $2", low, CHUNK + 1
        )
        last = len(ids) <= CHUNK
        high = (1 << 63) - 1 if last else ids[-1][0]
        if number % every == 0:
            yield low, high, min(len(ids), CHUNK)
        if last:
            return
        low, number = high, number + 1


PROOF = Proof(
    "members",
    {
        check.name: check.title
        for check in (*checks(), HOUSE_SUMS, CLEARING, POINTS_CLEARING, GROUP_CLEARING, MERGE_CLEARING)
    },
    prove,
)
