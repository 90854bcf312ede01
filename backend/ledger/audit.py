"""The proof of the books, from the rows alone: each check is a query that returns what does not hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import asyncpg

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


_IN = "member_id >= $1 AND member_id < $2"

CHECKS: tuple[Check, ...] = (
    Check(
        "transfer_balanced",
        "every transfer sums to zero in each unit",
        f"SELECT member_id, format('transfer %s: %s %s', seq, sum(amount), unit) FROM ledger_entry WHERE {_IN}"
        " GROUP BY member_id, seq, unit HAVING sum(amount) <> 0",
    ),
    Check(
        "transfer_has_entries",
        "every transfer has entries, every entry a transfer",
        f"SELECT coalesce(t.member_id, e.member_id), format('transfer %s', coalesce(t.seq, e.seq))"
        f" FROM (SELECT member_id, seq FROM ledger_transfer WHERE {_IN}) t"
        f" FULL JOIN (SELECT DISTINCT member_id, seq FROM ledger_entry WHERE {_IN}) e USING (member_id, seq)"
        " WHERE t.seq IS NULL OR e.seq IS NULL",
    ),
    Check(
        "balance_is_sum",
        "each balance is the sum of its entries, and its last balance_after",
        f"SELECT coalesce(a.member_id, e.member_id), format('%s: balance %s, entries %s, last %s', coalesce(a.kind, e.kind),"
        " a.balance, e.total, e.last)"
        f" FROM (SELECT * FROM ledger_account WHERE {_IN}) a FULL JOIN (SELECT member_id, kind, ref, sum(amount) AS total,"
        " count(*) AS n, max(version) AS version, (array_agg(balance_after ORDER BY version DESC))[1] AS last"
        f" FROM ledger_entry WHERE {_IN} AND kind NOT LIKE 'house.%' GROUP BY member_id, kind, ref) e"
        " USING (member_id, kind, ref)"
        " WHERE a.balance IS DISTINCT FROM e.total OR a.balance IS DISTINCT FROM e.last"
        " OR a.version IS DISTINCT FROM e.version OR e.n IS DISTINCT FROM e.version",
    ),
    Check(
        "running_balance",
        "each balance_after is the one before plus the amount, never negative, numbered without gaps",
        "SELECT member_id, format('%s version %s', kind, version) FROM (SELECT member_id, kind, version, amount, balance_after,"
        " lag(balance_after, 1, 0::bigint) OVER w AS before, lag(version, 1, 0::bigint) OVER w AS previous"
        f" FROM ledger_entry WHERE {_IN} AND kind NOT LIKE 'house.%'"
        " WINDOW w AS (PARTITION BY member_id, kind, ref ORDER BY version)) e"
        " WHERE balance_after <> before + amount OR balance_after < 0 OR version <> previous + 1",
    ),
    Check(
        "lots_are_balance",
        "open lots sum to the account they make up",
        "SELECT coalesce(a.member_id, l.member_id), format('%s: balance %s, lots %s', coalesce(a.kind, l.kind), a.balance, l.total)"
        f" FROM (SELECT * FROM ledger_account WHERE {_IN} AND kind <> 'points_debt') a FULL JOIN"
        f" (SELECT member_id, kind, ref, sum(remaining) AS total FROM ledger_lot WHERE {_IN} GROUP BY member_id, kind, ref) l"
        " USING (member_id, kind, ref) WHERE coalesce(a.balance, 0) <> coalesce(l.total, 0)",
    ),
    Check(
        "lot_is_moves",
        "each lot holds what was moved into it less what was taken",
        "SELECT coalesce(l.member_id, m.member_id), format('lot %s: %s, moves %s', coalesce(l.lot_id, m.lot_id), l.remaining, m.total)"
        f" FROM (SELECT * FROM ledger_lot WHERE {_IN}) l FULL JOIN (SELECT member_id, lot_id, sum(amount) AS total,"
        f" (array_agg(amount ORDER BY seq))[1] AS first FROM ledger_lot_move WHERE {_IN} GROUP BY member_id, lot_id) m"
        " USING (member_id, lot_id)"
        " WHERE l.remaining IS DISTINCT FROM m.total OR l.issued IS DISTINCT FROM m.first",
    ),
    Check(
        "entry_is_moves",
        "each entry on a lot-kept account is the sum of its lots' moves",
        "SELECT coalesce(e.member_id, m.member_id), format('transfer %s', coalesce(e.seq, m.seq))"
        f" FROM (SELECT member_id, seq, kind, ref, sum(amount) AS total FROM ledger_entry WHERE {_IN}"
        " AND kind NOT LIKE 'house.%' AND kind <> 'points_debt' GROUP BY member_id, seq, kind, ref) e"
        " FULL JOIN (SELECT m.member_id, m.seq, l.kind, l.ref, sum(m.amount) AS total FROM ledger_lot_move m"
        " JOIN ledger_lot l USING (member_id, lot_id) WHERE m.member_id >= $1 AND m.member_id < $2"
        " GROUP BY m.member_id, m.seq, l.kind, l.ref) m"
        " USING (member_id, seq, kind, ref) WHERE e.total IS DISTINCT FROM m.total",
    ),
    Check(
        "chain",
        "every transfer's hash is right, follows the one before, and the head is the last",
        "WITH body AS (SELECT member_id, seq, string_agg(concat_ws(':', kind, ref, unit, amount, coalesce(version, 0),"
        f" coalesce(balance_after, 0)) || ';', '' ORDER BY leg) AS entries FROM ledger_entry WHERE {_IN} GROUP BY member_id, seq),"
        " lots AS (SELECT member_id, seq, string_agg(lot_id || ':' || amount || ';', '' ORDER BY lot_id) AS moves"
        f" FROM ledger_lot_move WHERE {_IN} GROUP BY member_id, seq),"
        " chain AS (SELECT t.*, lag(hash, 1, '\\x'::bytea) OVER w AS previous, lag(seq, 1, 0::bigint) OVER w AS before,"
        f" lead(seq) OVER w AS next FROM ledger_transfer t WHERE {_IN} WINDOW w AS (PARTITION BY member_id ORDER BY seq))"
        " SELECT member_id, format('transfer %s', chain.seq) FROM chain LEFT JOIN body USING (member_id, seq)"
        " LEFT JOIN lots USING (member_id, seq) LEFT JOIN ledger_head h USING (member_id)"
        " WHERE chain.seq <> before + 1 OR chain.hash <> ledger_hash(member_id, chain.seq, chain.kind, document_id, reverses, at, digest,"
        " coalesce(entries, '') || '|' || coalesce(moves, ''), previous)"
        " OR (next IS NULL AND (h.seq IS DISTINCT FROM chain.seq OR h.hash IS DISTINCT FROM chain.hash))"
        " UNION ALL SELECT member_id, format('head at %s, no transfers', seq) FROM ledger_head h"
        f" WHERE {_IN} AND seq > 0 AND NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.member_id = h.member_id)",
    ),
    Check(
        "document_digest",
        "each document is the one its transfers were made for",
        "SELECT t.member_id, format('document %s', t.document_id) FROM ledger_transfer t"
        " LEFT JOIN ledger_document d ON d.member_id = t.member_id AND d.id = t.document_id"
        " WHERE t.member_id >= $1 AND t.member_id < $2 AND t.digest <> '\\x'"
        " AND (d.id IS NULL OR substring(t.digest FROM 1 FOR 32) <> sha256(convert_to(d.body::text, 'UTF8')))",
    ),
    Check(
        "sale_paid_once",
        "each sale's stored tender is what its transfer took, refunds give back no more than was paid",
        "SELECT d.member_id, format('sale %s: %s', d.id, d.state) FROM ledger_document d"
        " LEFT JOIN LATERAL (SELECT sum(e.amount) FILTER (WHERE t.kind = 'sale') AS taken, sum(e.amount) AS net,"
        " count(DISTINCT t.seq) FILTER (WHERE t.kind = 'sale') AS n FROM ledger_transfer t JOIN ledger_entry e"
        " ON e.member_id = t.member_id AND e.seq = t.seq AND e.kind = 'stored'"
        " WHERE t.member_id = d.member_id AND t.document_id = d.id) x ON true"
        " WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'sale'"
        " AND (coalesce(-x.taken, 0) <> CASE WHEN d.state IN ('completed', 'partly_refunded', 'refunded')"
        " THEN coalesce((d.body->'paid'->>'stored')::bigint, 0) ELSE 0 END OR coalesce(x.net, 0) > 0 OR x.n > 1)",
    ),
    Check(
        "recharge_credited_once",
        "each paid recharge credited exactly what was paid, every other nothing",
        "SELECT d.member_id, format('recharge %s: %s', d.id, d.state) FROM ledger_document d"
        " LEFT JOIN LATERAL (SELECT coalesce(sum(issued) FILTER (WHERE part = 'principal'), 0) AS principal,"
        " coalesce(sum(issued) FILTER (WHERE part = 'bonus'), 0) AS bonus FROM ledger_lot l"
        " WHERE l.member_id = d.member_id AND l.source = d.id) x ON true"
        " WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'recharge'"
        " AND (x.principal <> CASE WHEN d.state = 'paid' THEN (d.body->>'pay_fen')::bigint ELSE 0 END"
        " OR x.bonus <> CASE WHEN d.state = 'paid' THEN (d.body->>'bonus_fen')::bigint ELSE 0 END)",
    ),
)


async def audit(url_args: dict[str, object], progress: Callable[[int, int], None] | None = None) -> list[Finding]:
    """Prove the books of every member; returns what does not hold (at most 200), an empty list when they balance.

    Reads in one snapshot, chunk by chunk of members, so it may run beside a serving system.
    """
    connection = await asyncpg.connect(**url_args, command_timeout=600)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute("SET LOCAL jit = off")
            findings: list[Finding] = []
            total = int(await connection.fetchval("SELECT count(*) FROM ledger_head"))
            done = 0
            async for low, high, count in _chunks(connection):
                for check in CHECKS:
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
