"""Lines of an account's statement, and the house accounts' sums."""

from __future__ import annotations

from datetime import date, datetime

from backend.kernel import db

from ..types import Entry, HouseTotal

# The transfers of a page come first, newest first: they say in which months the entries lie, so that of all the months'
# tables one or two are looked at, and nothing of what comes before or after the page.
STATEMENT = """
WITH line AS MATERIALIZED (
    SELECT seq, at, kind, document_id FROM ledger_transfer
     WHERE member_id = $1 AND seq < $4
       AND EXISTS (SELECT FROM ledger_account WHERE member_id = $1 AND kind IN ($2, $3) AND ref = '')
     ORDER BY seq DESC LIMIT 2 * $5
), page AS (
    SELECT min(seq) AS low, max(seq) AS high, min(at) AS since, max(at) AS until FROM line
), moved AS MATERIALIZED (
    SELECT seq, sum(CASE WHEN kind = $3 THEN -amount ELSE amount END)::bigint AS amount,
           (array_agg(balance_after ORDER BY version DESC) FILTER (WHERE kind = $2))[1] AS held,
           (array_agg(balance_after ORDER BY version DESC) FILTER (WHERE kind = $3))[1] AS owed
      FROM ledger_entry
     WHERE member_id = $1 AND kind IN ($2, $3) AND ref = ''
       AND seq BETWEEN (SELECT low FROM page) AND (SELECT high FROM page)
       AND at BETWEEN (SELECT since FROM page) AND (SELECT until FROM page)
     GROUP BY seq
)
SELECT line.seq, line.at, line.kind, moved.amount, line.document_id, moved.held, moved.owed,
       EXISTS (SELECT FROM ledger_account WHERE member_id = $1 AND kind = $3 AND ref = '') AS owes
  FROM line LEFT JOIN moved ON moved.seq = line.seq ORDER BY line.seq DESC
"""
_HELD_BEFORE = """
SELECT balance_after FROM ledger_entry
 WHERE member_id = $1 AND kind = $2 AND ref = '' AND seq < $3 ORDER BY version DESC LIMIT 1
"""
_MOST_LINES = 1000


async def list_statement(member_id: int, kind: str, *, less: str = "", before: int | None, limit: int) -> list[Entry]:
    """What transfers did to an account, one line each, newest first, from below transfer ``before``.

    With ``less`` amounts and balances are net of that account (points less points owed).
    """
    found: list[db.Record] = []
    below, take = before if before is not None else 1 << 62, limit
    while len(found) < limit:
        lines = await db.fetch(STATEMENT, member_id, kind, less, below, take)
        found += [line for line in lines if line["amount"] is not None]
        if len(lines) < 2 * take:
            break
        below, take = lines[-1]["seq"], min(2 * take, _MOST_LINES)  # few of the transfers touch this account
    entries: list[Entry] = []
    balance = await _balance_at(found[0], member_id, kind, less) if found else 0
    for row in found[:limit]:
        entries.append(Entry(row["seq"], row["at"], row["kind"], row["amount"], balance, row["document_id"]))
        balance -= row["amount"]
    return entries


async def _balance_at(top: db.Record, member_id: int, kind: str, less: str) -> int:
    """What the account held after a line, net of ``less``; looked up where that transfer did not touch one of them."""
    held, owed = top["held"], top["owed"]
    if held is None:
        held = await db.fetchval(_HELD_BEFORE, member_id, kind, top["seq"])
    if owed is None and top["owes"]:
        owed = await db.fetchval(_HELD_BEFORE, member_id, less, top["seq"])
    return (held or 0) - (owed or 0)


async def list_house_totals(zone: str, first: date, last: date, *, kind: str | None = None) -> list[HouseTotal]:
    """The house accounts' sums by day, of the days ``first`` to ``last``; what was posted since the last count lacks.

    A day counts in ``zone``. The balance of a house account is the sum of all of its days.
    """
    rows = await db.fetch(
        "SELECT day, kind, ref, unit, amount, entries FROM ledger_rollup"
        " WHERE zone = $1 AND day BETWEEN $2 AND $3 AND ($4::text IS NULL OR kind = $4) ORDER BY day, kind, ref, unit",
        zone,
        first,
        last,
        kind,
    )
    return [HouseTotal(*row) for row in rows]


async def has_homeless_entries() -> bool:
    """Whether entries lie in the default partition: their month has no table, or did not get it yet."""
    return bool(await db.fetchval("SELECT EXISTS (SELECT FROM ledger_entry_default)"))


async def list_psp_documents(
    since: datetime, until: datetime, *, after: tuple[datetime, int, int] | None, limit: int
) -> list[tuple[datetime, int, int, str]]:
    """What was booked against WeChat Pay in a span, by time, from behind ``after``: at, member, transfer, document.

    Those of the last moments may still be on their way: ask for a span that is over.
    """
    rows = await db.fetch(
        "SELECT e.at, e.member_id, e.seq, t.document_id FROM ledger_entry e"
        " JOIN ledger_transfer t ON t.member_id = e.member_id AND t.seq = e.seq"
        " WHERE e.kind = 'house.psp_clearing' AND e.at >= $1 AND e.at < $2 AND t.document_id IS NOT NULL"
        " AND ($3::timestamptz IS NULL OR (e.at, e.member_id, e.seq) > ($3, $4, $5))"
        " ORDER BY e.at, e.member_id, e.seq LIMIT $6",
        since,
        until,
        *(after or (None, None, None)),
        limit,
    )
    return [(row["at"], row["member_id"], row["seq"], row["document_id"]) for row in rows]
