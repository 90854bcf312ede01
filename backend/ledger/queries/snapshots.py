"""What plans are priced with: balances, snapshots and guards; hints, for only the door decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from backend.kernel import db
from backend.kernel.batching import Batcher
from backend.kernel.db import Tx

from ..errors import MemberUnknown
from ..types import Snapshot


async def get_balances(member_id: int) -> dict[str, int]:
    """A member's balances by account kind; kinds never used are absent."""
    rows = await db.fetch("SELECT kind, balance FROM ledger_account WHERE member_id = $1 AND ref = ''", member_id)
    return {row["kind"]: row["balance"] for row in rows}


async def balance_in(tx: Tx, member_id: int, kind: str) -> int:
    """What an account without a reference holds, as the open transaction sees it."""
    rows = await db.fetch_in(
        tx, "SELECT balance FROM ledger_account WHERE member_id = $1 AND kind = $2 AND ref = ''", member_id, kind
    )
    return int(rows[0][0]) if rows else 0


_GUARDS = f"""
SELECT g.member_id, g.name, g.value
  FROM unnest({db.given(1, "bigint")}, {db.given(2, "text")}) AS wanted (member_id, name)
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
       (SELECT jsonb_agg(jsonb_build_array(part, remaining) ORDER BY rank, expires_on, lot_id) FROM ledger_lot l
         WHERE l.member_id = h.member_id AND open AND kind = 'stored' AND ref = ''
           AND (expires_on IS NULL OR expires_on >= $2)) AS stored,
       (SELECT jsonb_object_agg(kind, remaining) FROM (
            SELECT kind, sum(remaining) AS remaining FROM ledger_lot l
             WHERE l.member_id = h.member_id AND open AND kind IN ('points', 'rebate') AND ref = '' AND expires_on < $2
             GROUP BY kind) AS e) AS expired
  FROM ledger_head h"""
"""Everybody's snapshot on the day ``$2``, for a query of somebody's; ``snapshot_of`` reads a row of it."""

SNAPSHOT = f"{SNAPSHOTS} WHERE h.member_id = ANY({db.given(1, 'bigint')})"

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
