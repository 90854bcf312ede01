"""Statements of a member's stored value: every transfer of a range of days, principal and bonus apart.

All of it is read from history, which nothing changes: the statement of a month says the same whenever it is made.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from backend.kernel import db, windows
from backend.kernel.errors import invalid

from . import rules

MOST_DAYS = 366
MOST_LINES = 5_000


class Line(msgspec.Struct, frozen=True):
    """One transfer; the balances are those after it."""

    at: datetime
    title: str
    principal_fen: int
    bonus_fen: int
    principal_after_fen: int
    bonus_after_fen: int
    reference: str | None


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Stored value from ``first`` to ``last``, local days; ``held_fen`` was held for refunds when the last was over."""

    first: date
    last: date
    principal_before_fen: int
    bonus_before_fen: int
    lines: list[Line]
    held_fen: int

    @property
    def principal_after_fen(self) -> int:
        """What of principal was there at the end."""
        return self.principal_before_fen + sum(line.principal_fen for line in self.lines)

    @property
    def bonus_after_fen(self) -> int:
        """What of bonus was there at the end."""
        return self.bonus_before_fen + sum(line.bonus_fen for line in self.lines)


_MOVES = """
  FROM ledger_transfer t
  JOIN ledger_lot_move m ON m.member_id = t.member_id AND m.seq = t.seq
  JOIN ledger_lot l ON l.member_id = m.member_id AND l.lot_id = m.lot_id
 WHERE t.member_id = $1 AND l.ref = ''"""
_SUMS = """coalesce(sum(m.amount) FILTER (WHERE l.part = 'principal'), 0)::bigint AS principal,
       coalesce(sum(m.amount) FILTER (WHERE l.part <> 'principal'), 0)::bigint AS bonus"""

# The transfers of a member are few thousand at most and lie together by number; by time there is no index.
_BEFORE = f"SELECT {_SUMS} {_MOVES} AND l.kind = 'stored' AND t.at < $2"
_HELD = f"SELECT coalesce(sum(m.amount), 0)::bigint {_MOVES} AND l.kind = 'stored_held' AND t.at < $2"
_LINES = f"""
SELECT t.seq, t.at, t.kind, t.document_id, {_SUMS} {_MOVES} AND l.kind = 'stored' AND t.at >= $2 AND t.at < $3
 GROUP BY t.seq, t.at, t.kind, t.document_id ORDER BY t.seq LIMIT $4"""


def bounds(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """The instants at which the first day begins and the last is over; refuses what is no range, or too long a one."""
    return windows.of_days(first, last, zone, most=MOST_DAYS)


async def read(member_id: int, first: date, last: date, zone: str) -> Statement:
    """A member's statement of these days; ``ValidationFailed`` for a range that is none, or holds too much."""
    begin, end = bounds(first, last, zone)
    before = await db.fetchrow(_BEFORE, member_id, begin)
    assert before is not None
    rows = await db.fetch(_LINES, member_id, begin, end, MOST_LINES + 1)
    if len(rows) > MOST_LINES:
        raise invalid("/query/from", f"these days have more than {MOST_LINES} lines; ask for fewer")
    principal, bonus = before["principal"], before["bonus"]
    lines = []
    for row in rows:
        principal, bonus = principal + row["principal"], bonus + row["bonus"]
        title = rules.title("stored", row["kind"], row["principal"] + row["bonus"])
        lines.append(Line(row["at"], title, row["principal"], row["bonus"], principal, bonus, row["document_id"]))
    return Statement(
        first=first,
        last=last,
        principal_before_fen=before["principal"],
        bonus_before_fen=before["bonus"],
        lines=lines,
        held_fen=int(await db.fetchval(_HELD, member_id, end)),
    )
