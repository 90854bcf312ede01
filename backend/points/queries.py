"""Reads of earning rules (public)."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from backend.kernel import clock, db
from backend.kernel.changes import Changes
from backend.kernel.db import Tx
from backend.kernel.kept import Kept
from backend.kernel.paging import Place

from .records import Batch, BatchRow, StoredRule, Transfer
from .types import BatchState, Rule, RuleKind, RuleState, Terms, TransferState

KEPT_S = 2.0
"""How long a change may stay unseen by another process; each looks at one number so often, and not per sale."""

KEPT_FOR = timedelta(days=9)
"""Versions that ended are kept in mind so long: an offline sale is judged by the rules of its day, a week later."""

MOST_RULES = 200
"""Active and paused rules: every process keeps them in mind."""

MOST_VERSIONS = 2000
"""Those that live first, then those that ended last."""

changes = Changes("points_change", "subject")

_terms = msgspec.json.Decoder(Terms)


class _Known(msgspec.Struct, frozen=True):
    pool: object
    epoch: int
    rules: tuple[Rule, ...]


_last: _Known | None = None


async def _read_rules() -> tuple[Rule, ...]:
    """The versions that live, or did some days ago; read only where the epoch has moved since the last time."""
    global _last
    epoch = await db.fetchval("SELECT value FROM points_epoch")
    if _last is None or _last.pool is not db.pool() or _last.epoch != epoch:
        rows = await db.fetch(
            "SELECT * FROM (SELECT v.rule_id, v.version, r.kind, v.title, v.terms, v.from_at, v.until_at, r.created_at"
            " FROM points_rule_version v JOIN points_rule r ON r.id = v.rule_id"
            " WHERE v.until_at IS NULL OR v.until_at > $1 ORDER BY v.until_at DESC NULLS FIRST LIMIT $2) AS v"
            " ORDER BY created_at, rule_id, version",
            clock.now() - KEPT_FOR,
            MOST_VERSIONS,
        )
        _last = _Known(db.pool(), epoch, tuple(_rule(row) for row in rows))
    return _last.rules


def _rule(row: db.Record) -> Rule:
    return Rule(
        id=row["rule_id"],
        version=row["version"],
        kind=RuleKind(row["kind"]),
        title=row["title"],
        terms=_terms.decode(row["terms"]),
        from_at=row["from_at"],
        until_at=row["until_at"],
    )


_rules = Kept(_read_rules, keep_s=KEPT_S)


async def rules() -> tuple[Rule, ...]:
    """The versions of rules that live, or did in the last days, the oldest rule first; mostly no read."""
    return await _rules.get()


def forget_rules() -> None:
    """Read the rules again at the next question: they were changed here."""
    _rules.forget()


RULE = "SELECT id, kind, title, state, version, terms, created_at, updated_at FROM points_rule"


def rule_of(row: db.Record) -> StoredRule:
    """A row of ``RULE``."""
    return StoredRule(
        id=row["id"],
        kind=RuleKind(row["kind"]),
        title=row["title"],
        state=RuleState(row["state"]),
        version=row["version"],
        terms=_terms.decode(row["terms"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


async def find_rule(rule_id: str) -> StoredRule | None:
    """A rule as it stands, or None."""
    row = await db.fetchrow(f"{RULE} WHERE id = $1", rule_id)
    return rule_of(row) if row else None


async def list_rules(state: RuleState | None, *, limit: int) -> list[StoredRule]:
    """Rules, newest first."""
    rows = await db.fetch(
        f"{RULE} WHERE ($1::text IS NULL OR state = $1) ORDER BY created_at DESC, id DESC LIMIT $2",
        state.value if state else None,
        limit,
    )
    return [rule_of(row) for row in rows]


async def list_versions(rule_id: str, *, limit: int) -> list[Rule]:
    """What a rule said from when until when, newest first."""
    rows = await db.fetch(
        "SELECT v.rule_id, v.version, r.kind, v.title, v.terms, v.from_at, v.until_at"
        " FROM points_rule_version v JOIN points_rule r ON r.id = v.rule_id"
        " WHERE v.rule_id = $1 ORDER BY v.version DESC LIMIT $2",
        rule_id,
        limit,
    )
    return [_rule(row) for row in rows]


_TRANSFER = "SELECT id, giver_id, receiver_id, points, state, at, reversed_at FROM points_transfer"
OF_MEMBER = f"""
({_TRANSFER} WHERE giver_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3))
 ORDER BY at DESC, id DESC LIMIT $4)
UNION ALL
({_TRANSFER} WHERE receiver_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3))
 ORDER BY at DESC, id DESC LIMIT $4)
ORDER BY at DESC, id DESC LIMIT $4"""


def _transfer(row: db.Record) -> Transfer:
    return Transfer(**dict(row) | {"state": TransferState(row["state"])})


async def find_transfer(transfer_id: str) -> Transfer | None:
    """A transfer between members, or None."""
    row = await db.fetchrow(f"{_TRANSFER} WHERE id = $1", transfer_id)
    return _transfer(row) if row else None


async def find_transfer_in(tx: Tx, transfer_id: str) -> Transfer | None:
    """The same on an open transaction."""
    rows = await db.fetch_in(tx, f"{_TRANSFER} WHERE id = $1", transfer_id)
    return _transfer(rows[0]) if rows else None


async def list_transfers(member_id: int, *, before: Place | None, limit: int) -> list[Transfer]:
    """What a member gave and was given, newest first, from below that time and id."""
    return [_transfer(row) for row in await db.fetch(OF_MEMBER, member_id, *(before or (None, "")), limit)]


STUCK_AFTER = timedelta(minutes=1)
_BATCH = (
    "SELECT id, title, state, rows, skipped, given, taken, staff_id, store_id, approval_id, failed_row, failure,"
    " created_at, ended_at FROM points_batch"
)
_ROW = "SELECT row_no, member_id, points, reason, note, expires_on, refusal FROM points_batch_row"

WAITING_ROWS = f"{_ROW} WHERE batch_id = $1 AND state = 'waiting' ORDER BY row_no LIMIT $2"
REFUSED_ROWS = f"{_ROW} WHERE batch_id = $1 AND state = 'refused' ORDER BY row_no LIMIT $2"
COUNTS = (
    "SELECT batch_id, state, count(*) FROM points_batch_row"
    " WHERE batch_id = ANY($1) AND state <> 'posted' GROUP BY batch_id, state"
)


def _batch(row: db.Record) -> Batch:
    return Batch(**dict(row) | {"state": BatchState(row["state"])})


async def find_batch(batch_id: str) -> Batch | None:
    """A batch of adjustments, or None."""
    row = await db.fetchrow(f"{_BATCH} WHERE id = $1", batch_id)
    return _batch(row) if row else None


async def find_batch_of(key: str) -> tuple[Batch, bytes] | None:
    """The batch that was begun with that key, and the digest of what was sent."""
    row = await db.fetchrow("SELECT id, digest FROM points_batch WHERE key = $1", key)
    found = await find_batch(row["id"]) if row else None
    return (found, bytes(row["digest"])) if row and found else None


async def list_batches(store_id: str | None, *, limit: int) -> list[Batch]:
    """Batches, newest first: those of people of a store, or everybody's."""
    rows = await db.fetch(
        f"{_BATCH} WHERE $1::text IS NULL OR store_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2", store_id, limit
    )
    return [_batch(row) for row in rows]


async def list_waiting_rows(batch_id: str, *, limit: int) -> list[BatchRow]:
    """Rows of a batch that are not posted yet, in their order."""
    rows = await db.fetch(WAITING_ROWS, batch_id, limit)
    return [BatchRow(**dict(row)) for row in rows]


async def list_refused_rows(batch_id: str, *, limit: int) -> list[BatchRow]:
    """Rows of a batch that could not be posted, in their order."""
    rows = await db.fetch(REFUSED_ROWS, batch_id, limit)
    return [BatchRow(**dict(row)) for row in rows]


async def count_rows(batch_ids: list[str]) -> dict[str, dict[str, int]]:
    """How many rows of each batch are in which state; those that are posted are the rest."""
    rows = await db.fetch(COUNTS, batch_ids)
    found: dict[str, dict[str, int]] = {}
    for batch_id, state, count in rows:
        found.setdefault(batch_id, {})[state] = count
    return found


async def list_waiting() -> dict[str, str]:
    """Batches that wait for a second person, with the key that they were asked for under."""
    rows = await db.fetch("SELECT id, key FROM points_batch WHERE state = 'waiting' ORDER BY created_at LIMIT 500")
    return {row["id"]: row["key"] for row in rows}


async def list_stuck(before: datetime) -> list[str]:
    """Running batches that nobody has worked on since then."""
    rows = await db.fetch(
        "SELECT id FROM points_batch WHERE state = 'running' AND updated_at < $1 ORDER BY updated_at LIMIT 20", before
    )
    return [row["id"] for row in rows]
