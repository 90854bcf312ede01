"""Reads of the books. All of them are by member, except the homes of keys and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.kernel import db
from backend.kernel.batching import Batcher

from .errors import MemberUnknown
from .types import Document, Entry, HouseTotal, Known, Lot, Posted, Snapshot

_DOCUMENT = "member_id, id, kind, state, version, store_id, body, progress, memo, at, updated_at, due_at"


def _document(row: db.Record) -> Document:
    fields = dict(row)
    for name in ("body", "progress", "memo"):
        fields[name] = msgspec.json.decode(fields[name])
    return Document(**fields)


async def find_document(member_id: int, document_id: str) -> Document | None:
    """A member's document, or None."""
    row = await db.fetchrow(
        f"SELECT {_DOCUMENT} FROM ledger_document WHERE member_id = $1 AND id = $2", member_id, document_id
    )
    return _document(row) if row else None


async def list_documents(member_id: int, kind: str, *, states: Sequence[str], limit: int) -> list[Document]:
    """A member's documents of a kind in these states, newest first."""
    rows = await db.fetch(
        f"SELECT {_DOCUMENT} FROM ledger_document WHERE member_id = $1 AND kind = $2 AND state = ANY($3)"
        " ORDER BY at DESC, id LIMIT $4",
        member_id,
        kind,
        list(states),
        limit,
    )
    return [_document(row) for row in rows]


async def list_due(kind: str, *, before: datetime, limit: int) -> list[Document]:
    """Documents of a kind whose time has come, the longest overdue first."""
    rows = await db.fetch(
        f"SELECT {_DOCUMENT} FROM ledger_document WHERE kind = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3",
        kind,
        before,
        limit,
    )
    return [_document(row) for row in rows]


async def find_home(scope: str, key: str) -> tuple[int, str | None] | None:
    """The member and document that hold a key or a claim, or None."""
    row = await db.fetchrow(
        "SELECT member_id, document_id FROM ledger_key_home WHERE scope = $1 AND key = $2", scope, key
    )
    return (row["member_id"], row["document_id"]) if row else None


async def find_known(scope: str, key: str) -> Known | None:
    """The stored answer of an idempotency key, or None where it is not used yet."""
    row = await db.fetchrow(
        "SELECT k.member_id, k.hash, k.result FROM ledger_key_home h"
        " JOIN ledger_key k ON k.member_id = h.member_id AND k.scope = h.scope AND k.key = h.key"
        " WHERE h.scope = $1 AND h.key = $2",
        scope,
        key,
    )
    if row is None:
        return None
    result = msgspec.json.decode(row["result"], type=Posted)
    return Known(row["member_id"], row["hash"], msgspec.structs.replace(result, replayed=True))


async def get_balances(member_id: int) -> dict[str, int]:
    """A member's balances by account kind; kinds never used are absent."""
    rows = await db.fetch("SELECT kind, balance FROM ledger_account WHERE member_id = $1 AND ref = ''", member_id)
    return {row["kind"]: row["balance"] for row in rows}


async def list_open_lots(member_id: int, *kinds: str, limit: int = 1000) -> list[Lot]:
    """The lots accounts are made of, in the order they are spent (expired ones too, until they are swept)."""
    rows = await db.fetch(
        "SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot"
        " WHERE member_id = $1 AND kind = ANY($2) AND open ORDER BY expires_on, lot_id LIMIT $3",
        member_id,
        kinds,
        limit,
    )
    return [Lot(*row) for row in rows]


async def list_lots(member_id: int, lot_ids: Sequence[int]) -> dict[int, Lot]:
    """These lots of a member, open or not, by id."""
    rows = await db.fetch(
        "SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot"
        " WHERE member_id = $1 AND lot_id = ANY($2)",
        member_id,
        list(lot_ids),
    )
    return {row["lot_id"]: Lot(*row) for row in rows}


async def list_expired_lots(on: date, *, limit: int) -> list[tuple[int, Lot]]:
    """Open lots whose last day is before ``on``, with their members."""
    rows = await db.fetch(
        "SELECT member_id, lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot"
        " WHERE open AND expires_on < $1 ORDER BY expires_on, member_id LIMIT $2",
        on,
        limit,
    )
    return [(row[0], Lot(*row[1:])) for row in rows]


async def list_mature_lots(on: date, *, limit: int) -> list[tuple[int, Lot]]:
    """Open pending lots that become available on or before ``on``, with their members."""
    rows = await db.fetch(
        "SELECT member_id, lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot"
        # In this form only the index by maturity fits; by account the planner would look at every open lot.
        " WHERE open AND matures_on <= $1 AND (kind = 'points_pending') IS TRUE"
        " ORDER BY matures_on, member_id LIMIT $2",
        on,
        limit,
    )
    return [(row[0], Lot(*row[1:])) for row in rows]


async def list_lots_of(member_id: int, source: str) -> list[Lot]:
    """Every lot that a document gave a member, in the order they were issued."""
    rows = await db.fetch(
        "SELECT lot_id, kind, ref, part, source, issued, remaining, expires_on, matures_on FROM ledger_lot"
        " WHERE member_id = $1 AND source = $2 ORDER BY lot_id",
        member_id,
        source,
    )
    return [Lot(*row) for row in rows]


_MOVES = """
SELECT t.seq, l.lot_id, l.kind, l.ref, l.part, l.source, l.issued, l.remaining, l.expires_on, l.matures_on, m.amount
  FROM (SELECT seq FROM ledger_transfer
         WHERE member_id = $1 AND document_id = $2 AND kind = $3 ORDER BY seq LIMIT 1) AS t
  LEFT JOIN ledger_lot_move m ON m.member_id = $1 AND m.seq = t.seq
  LEFT JOIN ledger_lot l ON l.member_id = $1 AND l.lot_id = m.lot_id
 ORDER BY l.expires_on, l.lot_id
"""


async def find_moves(member_id: int, document_id: str, kind: str) -> tuple[int | None, list[tuple[Lot, int]]]:
    """A document's first transfer of that kind, and the lots it moved with the signed amounts, in spending order."""
    rows = await db.fetch(_MOVES, member_id, document_id, kind)
    return (rows[0][0] if rows else None), [(Lot(*row[1:10]), row[10]) for row in rows if row[1] is not None]


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


_GUARDS = """
SELECT g.member_id, g.name, g.value FROM unnest($1::bigint[], $2::text[]) AS wanted (member_id, name)
  JOIN ledger_guard g ON g.member_id = wanted.member_id AND g.name = wanted.name
"""


async def _guard_values(wanted: list[tuple[int, Sequence[str]]]) -> list[dict[str, int] | BaseException]:
    pairs = [(member_id, name) for member_id, names in wanted for name in names]
    rows = await db.fetch(_GUARDS, [member_id for member_id, _ in pairs], [name for _, name in pairs])
    found = {(row[0], row[1]): row[2] for row in rows}
    return [
        {name: found[member_id, name] for name in names if (member_id, name) in found} for member_id, names in wanted
    ]


_guards_batcher: Batcher[tuple[int, Sequence[str]], dict[str, int]] = Batcher(_guard_values, max_size=64, lanes=2)


async def guard_values(member_id: int, names: Sequence[str]) -> dict[str, int]:
    """The values of these guards, concurrent calls in one query; a name never used is absent. Only the door decides."""
    return await _guards_batcher.submit((member_id, names))


# Of points and rebate only the sums count, and they are the balances less what has expired and is not swept yet (mostly
# nothing): the many lots a member gathers are not read for a sale.
SNAPSHOTS = """
SELECT h.member_id, h.active, h.used_store, h.used_at, h.elsewhere_at,
       (SELECT jsonb_object_agg(kind, balance) FROM ledger_account a
         WHERE a.member_id = h.member_id AND ref = '') AS balances,
       (SELECT jsonb_agg(jsonb_build_array(part, remaining) ORDER BY expires_on, lot_id) FROM ledger_lot l
         WHERE l.member_id = h.member_id AND open AND kind = 'stored' AND ref = ''
           AND (expires_on IS NULL OR expires_on >= $2)) AS stored,
       (SELECT jsonb_object_agg(kind, remaining) FROM (
            SELECT kind, sum(remaining) AS remaining FROM ledger_lot l
             WHERE l.member_id = h.member_id AND open AND kind IN ('points', 'rebate') AND ref = '' AND expires_on < $2
             GROUP BY kind) AS e) AS expired
  FROM ledger_head h"""
"""Everybody's snapshot on the day ``$2``, for a query of somebody's; ``snapshot_of`` reads a row of it."""

SNAPSHOT = f"{SNAPSHOTS} WHERE h.member_id = ANY($1)"

_balances = msgspec.json.Decoder(dict[str, int])
_parts = msgspec.json.Decoder(tuple[tuple[str, int], ...])


def snapshot_of(row: db.Record) -> Snapshot:
    """A row of ``SNAPSHOTS``, whatever else the query asked for."""
    return Snapshot(
        row["member_id"],
        row["active"],
        _balances.decode(row["balances"] or "{}"),
        _parts.decode(row["stored"] or "[]"),
        _balances.decode(row["expired"] or "{}"),
        row["used_store"],
        row["used_at"],
        row["elsewhere_at"],
    )


async def _snapshots(wanted: list[tuple[int, date]]) -> list[Snapshot | BaseException]:
    found: dict[tuple[int, date], Snapshot] = {}
    for on in {on for _, on in wanted}:
        for row in await db.fetch(SNAPSHOT, [member_id for member_id, day in wanted if day == on], on):
            found[row["member_id"], on] = snapshot_of(row)
    return [found.get(item) or MemberUnknown() for item in wanted]


_snapshot_batcher: Batcher[tuple[int, date], Snapshot] = Batcher(_snapshots, max_size=64, lanes=2)


async def get_snapshot(member_id: int, on: date) -> Snapshot:
    """What a plan for this member is priced with; concurrent calls share one query. Raises ``MemberUnknown``.

    ``on`` is the local day: lots that expired before it do not count.
    """
    return await _snapshot_batcher.submit((member_id, on))
