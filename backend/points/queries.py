"""Reads of earning rules (public)."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from backend.kernel import clock, db
from backend.kernel.changes import Changes
from backend.kernel.db import Tx
from backend.kernel.kept import Kept
from backend.kernel.paging import Place

from .records import StoredRule, Transfer
from .types import Rule, RuleKind, RuleState, Terms, TransferState

KEPT_S = 2.0
"""How long a change may stay unseen by another process; each looks at one number so often, and not per sale."""

KEPT_FOR = timedelta(days=9)
"""Versions that ended are kept in mind so long: an offline sale is judged by the rules of its day, a week later."""

MOST_RULES = 200
"""Active and paused rules: every process keeps them in mind."""

MOST_VERSIONS = 2000

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
            "SELECT v.rule_id, v.version, r.kind, v.title, v.terms, v.from_at, v.until_at"
            " FROM points_rule_version v JOIN points_rule r ON r.id = v.rule_id"
            " WHERE v.until_at IS NULL OR v.until_at > $1 ORDER BY r.created_at, v.rule_id, v.version LIMIT $2",
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
_OF_MEMBER = f"""
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
    return [_transfer(row) for row in await db.fetch(_OF_MEMBER, member_id, *(before or (None, "")), limit)]
