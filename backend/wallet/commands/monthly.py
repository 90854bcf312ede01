"""At a month's beginning members hear that the statement of the last one is there: who had something to state.

The statement itself is made when it is asked for, from history that nothing changes.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind

from .. import statements

AT_ONCE = 500
ROUNDS = 20_000

STATEMENT = Builtin(
    "wallet.statement",
    Purpose.SERVICE,
    "储值月度对账单",
    "您 {month} 的储值对账单已生成，可在充值记录中下载。",
    variables=(Variable("month", VariableKind.TEXT, "月份", "2026年11月"),),
)
messages.declare(STATEMENT)

# Member by member through the heads, so that it goes on where the list before ended and reads each once.
_MOVED = """
SELECT h.member_id, EXISTS (
         SELECT FROM ledger_entry e WHERE e.member_id = h.member_id AND e.kind = 'stored' AND e.ref = ''
            AND e.at >= $1 AND e.at < $2) AS moved
  FROM (SELECT member_id FROM ledger_head WHERE member_id > $3 ORDER BY member_id LIMIT $4) AS h ORDER BY 1
"""


def last_month(on: date) -> tuple[date, date]:
    """The first and the last day of the month before that day's."""
    last = on.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


async def tell_of_statements(now: datetime) -> int:
    """Write to everybody whose stored value moved last month, once; returns to how many."""
    if not settings().stored_statement_letters:
        return 0
    zone = settings().timezone
    first, last = last_month(clock.local_date(now, zone))
    begin, end = statements.bounds(first, last, zone)
    values = {"month": f"{first.year}年{first.month}月"}
    told, after = 0, -(1 << 62)
    for _ in range(ROUNDS):
        rows = await db.fetch(_MOVED, begin, end, after, AT_ONCE)
        if not rows:
            break
        letters = [
            Letter(row["member_id"], STATEMENT.code, values, first.isoformat(), "#/recharges")
            for row in rows
            if row["moved"]
        ]
        if letters:
            async with db.transaction() as tx:
                told += await messages.send(tx, letters)
        after = rows[-1]["member_id"]
    return told
