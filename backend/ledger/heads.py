"""The ends of all members' chains, written to a file: what a restored database is held against.

A chain's hash covers everything before it, so one line a member fixes the whole history up to that moment. The audit
proves that hashes and rows agree; only a record kept elsewhere shows that a chain was cut, or replaced by another one.

The file: ``huiyuan heads 1 <UTC time>``; one line ``<member> <transfers> <hash>`` each, members ascending; and
``end <members> <transfers> <digest>``, the SHA-256 of the lines between. Nothing in it tells who a member is.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO

import asyncpg

from backend.kernel import clock

TITLE = "huiyuan heads 1"
CHUNK = 5000
MAX_FINDINGS = 200

_READ = """
SELECT member_id, seq, encode(hash, 'hex') AS hash FROM ledger_head
 WHERE member_id > $1 AND seq > 0 ORDER BY member_id LIMIT $2"""

_LOOK_UP = """
SELECT r.member_id, r.seq AS recorded, coalesce(h.seq, 0) AS held, encode(t.hash, 'hex') AS hash
  FROM unnest($1::bigint[], $2::bigint[]) AS r (member_id, seq)
  LEFT JOIN ledger_head h ON h.member_id = r.member_id
  LEFT JOIN ledger_transfer t ON t.member_id = r.member_id AND t.seq = r.seq"""


class DamagedRecord(Exception):
    """The file is not a whole record of heads."""


@dataclass(frozen=True)
class Record:
    """What a file of heads says about all chains together."""

    at: datetime
    members: int
    transfers: int
    digest: str


@dataclass
class Comparison:
    """How a database stands to a record: each recorded chain is there, there and longer, or a finding."""

    record: Record
    same: int = 0
    grown: int = 0
    findings: list[str] = field(default_factory=list)


async def write(url_args: dict[str, object], file: TextIO) -> Record:
    """Record every chain's end as it is in one snapshot; may run beside a serving system."""
    at, members, transfers, digest = clock.now(), 0, 0, hashlib.sha256()
    file.write(f"{TITLE} {at.isoformat()}\n")
    async with _snapshot(url_args) as connection:
        last = -(1 << 62)
        while rows := await connection.fetch(_READ, last, CHUNK):
            lines = "".join(f"{row['member_id']} {row['seq']} {row['hash']}\n" for row in rows)
            digest.update(lines.encode())
            file.write(lines)
            members, transfers, last = members + len(rows), transfers + sum(row["seq"] for row in rows), rows[-1][0]
    made = Record(at, members, transfers, digest.hexdigest())
    file.write(f"end {made.members} {made.transfers} {made.digest}\n")
    return made


async def compare(url_args: dict[str, object], file: TextIO) -> Comparison:
    """Hold a database against a record; at most 200 findings.

    A chain that lacks recorded transfers was *cut*, one that has another transfer in the place of the recorded one was
    *altered*. Longer ones have grown since, which is how it should be. Raises ``DamagedRecord``.
    """
    record = _check(file)
    file.seek(0)
    found = Comparison(record)
    async with _snapshot(url_args) as connection:
        heads = _heads(file)
        while chunk := list(itertools.islice(heads, CHUNK)):
            wanted = {member_id: digest for member_id, _, digest in chunk}
            rows = await connection.fetch(_LOOK_UP, list(wanted), [seq for _, seq, _ in chunk])
            for row in rows:
                _judge(row, wanted[row["member_id"]], found)
    return found


def _judge(row: asyncpg.Record, digest: str, found: Comparison) -> None:
    recorded, held = row["recorded"], row["held"]
    if held >= recorded and row["hash"] == digest:
        found.same += held == recorded
        found.grown += held > recorded
    elif len(found.findings) < MAX_FINDINGS:
        what = f"member {row['member_id']}: "
        if held < recorded:
            what += f"cut: {recorded} transfers were recorded, {held} are here"
        else:
            what += f"altered: transfer {recorded} is not the one that was recorded"
        found.findings.append(what)


def _check(file: TextIO) -> Record:
    """Read the whole file once: a damaged one proves nothing, so it is found before anything is compared."""
    first = file.readline()
    if not first.startswith(f"{TITLE} "):
        raise DamagedRecord(f"it does not begin with {TITLE!r}")
    digest, members, transfers = hashlib.sha256(), 0, 0
    try:
        at = datetime.fromisoformat(first.split()[3])
        for line in file:
            if line.startswith("end "):
                made = Record(at, members, transfers, digest.hexdigest())
                if line.split()[1:] != [str(members), str(transfers), made.digest]:
                    raise DamagedRecord("its lines do not add up to its last line")
                return made
            digest.update(line.encode())
            members, transfers = members + 1, transfers + int(line.split()[1])
    except (IndexError, ValueError):
        raise DamagedRecord("a line of it is none of a record") from None
    raise DamagedRecord("its end is missing")


def _heads(lines: Iterable[str]) -> Iterator[tuple[int, int, str]]:
    for line in itertools.islice(lines, 1, None):
        if not line.startswith("end "):
            member_id, seq, digest = line.split()
            yield int(member_id), int(seq), digest


@asynccontextmanager
async def _snapshot(url_args: dict[str, object]) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(**url_args, command_timeout=600)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()
