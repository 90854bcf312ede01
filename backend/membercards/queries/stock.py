"""Reads of types, issuers, batches and moves."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.changes import Changes
from backend.kernel.errors import NotFound
from backend.kernel.kept import Kept
from backend.kernel.paging import Place
from backend.kernel.vault import vault

from ..types import (
    Batch,
    BatchState,
    CardState,
    CardType,
    Deposits,
    Issuer,
    IssuerKind,
    Move,
    MoveKind,
    MoveState,
    Stock,
)

CONTACT_CONTEXT = "membercard_issuer.contact"
TYPES_KEPT_S = 5.0

changes = Changes("membercard_change", "subject")

TYPE = (
    "SELECT code, name, prefix, length, check_digit, level, deposit_fen, fee_fen, validity_months, colour,"
    " self_service, automatic, active, drawn, version, created_at FROM membercard_type"
)
ISSUER = "SELECT id, kind, store_id, name, contact, quota, taken, active, version, created_at FROM membercard_issuer"
_BATCH = (
    "SELECT id, type_code, note, total, made, state, staff_id, created_at, exported_at, exported_by"
    " FROM membercard_batch"
)
MOVE = (
    "SELECT id, kind, batch_id, issuer_id, from_serial, to_serial, next_serial, moved, skipped, state, reason,"
    " staff_id, created_at, ended_at FROM membercard_move"
)


def type_of(row: db.Record) -> CardType:
    """A type from its row."""
    return CardType(**dict(row))


def issuer_of(row: db.Record) -> Issuer:
    """An issuer from its row, its contact opened."""
    contact = vault().open(row["contact"], context=CONTACT_CONTEXT).decode() if row["contact"] else ""
    return Issuer(**dict(row) | {"kind": IssuerKind(row["kind"]), "contact": contact})


def batch_of(row: db.Record) -> Batch:
    """A batch from its row."""
    return Batch(**dict(row) | {"state": BatchState(row["state"])})


def move_of(row: db.Record) -> Move:
    """A move from its row."""
    return Move(**dict(row) | {"kind": MoveKind(row["kind"]), "state": MoveState(row["state"])})


async def list_types() -> list[CardType]:
    """Every type as it stands in the database, oldest first."""
    return [type_of(row) for row in await db.fetch(f"{TYPE} ORDER BY created_at, code")]


_types = Kept(list_types, keep_s=TYPES_KEPT_S)


async def types() -> list[CardType]:
    """Every type, at most five seconds old."""
    return await _types.get()


def forget_types() -> None:
    """Read the types again at the next question: they were changed here."""
    _types.forget()


async def get_type(code: str) -> CardType:
    """A type as it stands now; ``NotFound`` for none."""
    row = await db.fetchrow(f"{TYPE} WHERE code = $1", code)
    if row is None:
        raise NotFound("there is no such type of card")
    return type_of(row)


async def find_automatic() -> CardType | None:
    """The type whose virtual cards go to whoever has none, at most five seconds old; None where there is none."""
    return next((one for one in await types() if one.automatic), None)


async def list_issuers(kind: IssuerKind | None, *, before: Place | None, limit: int) -> list[Issuer]:
    """Issuers, newest first, from behind a place in the list."""
    at, issuer_id = before or (None, "")
    rows = await db.fetch(
        f"{ISSUER} WHERE ($1::text IS NULL OR kind = $1)"
        " AND ($2::timestamptz IS NULL OR created_at < $2 OR (created_at = $2 AND id > $3))"
        " ORDER BY created_at DESC, id LIMIT $4",
        kind.value if kind else None,
        at,
        issuer_id,
        limit,
    )
    return [issuer_of(row) for row in rows]


async def get_issuer(issuer_id: str) -> Issuer:
    """An issuer; ``NotFound`` for none."""
    row = await db.fetchrow(f"{ISSUER} WHERE id = $1", issuer_id)
    if row is None:
        raise NotFound("nobody hands out cards under this id")
    return issuer_of(row)


async def get_batch(batch_id: str) -> Batch:
    """A batch; ``NotFound`` for none."""
    row = await db.fetchrow(f"{_BATCH} WHERE id = $1", batch_id)
    if row is None:
        raise NotFound("there is no such batch")
    return batch_of(row)


async def list_batches(type_code: str | None, *, before: Place | None, limit: int) -> list[Batch]:
    """Batches of a type (None: of all), newest first."""
    at, batch_id = before or (None, "")
    rows = await db.fetch(
        f"{_BATCH} WHERE ($1::text IS NULL OR type_code = $1)"
        " AND ($2::timestamptz IS NULL OR created_at < $2 OR (created_at = $2 AND id > $3))"
        " ORDER BY created_at DESC, id LIMIT $4",
        type_code,
        at,
        batch_id,
        limit,
    )
    return [batch_of(row) for row in rows]


async def get_move(move_id: str) -> Move:
    """A move; ``NotFound`` for none."""
    row = await db.fetchrow(f"{MOVE} WHERE id = $1", move_id)
    if row is None:
        raise NotFound("there is no such move of cards")
    return move_of(row)


async def list_moves(batch_id: str | None, issuer_id: str | None, *, before: Place | None, limit: int) -> list[Move]:
    """Moves, newest first; of a batch, of an issuer, or all."""
    at, move_id = before or (None, "")
    rows = await db.fetch(
        f"{MOVE} WHERE ($1::text IS NULL OR batch_id = $1) AND ($2::text IS NULL OR issuer_id = $2)"
        " AND ($3::timestamptz IS NULL OR created_at < $3 OR (created_at = $3 AND id > $4))"
        " ORDER BY created_at DESC, id LIMIT $5",
        batch_id,
        issuer_id,
        at,
        move_id,
        limit,
    )
    return [move_of(row) for row in rows]


async def list_stock(issuer_id: str) -> list[Stock]:
    """How an issuer's cards stand now, by type and state."""
    rows = await db.fetch(
        "SELECT type_code, state, count(*) AS cards FROM membercard WHERE issuer_id = $1"
        " GROUP BY type_code, state ORDER BY type_code, state",
        issuer_id,
    )
    return [Stock(row["type_code"], CardState(row["state"]), row["cards"]) for row in rows]


_REPORT = """
SELECT (SELECT coalesce(sum(moved), 0) FROM membercard_move
         WHERE issuer_id = $1 AND kind = 'allot' AND created_at >= $2 AND created_at < $3)::int AS allotted,
       (SELECT coalesce(sum(moved), 0) FROM membercard_move
         WHERE issuer_id = $1 AND kind = 'return' AND created_at >= $2 AND created_at < $3)::int AS returned,
       (SELECT count(DISTINCT card_id) FROM membercard_step
         WHERE issuer_id = $1 AND state = 'issued' AND at >= $2 AND at < $3)::int AS issued"""


async def report(issuer_id: str, begin: datetime, end: datetime) -> tuple[int, int, int]:
    """How many cards an issuer was allotted, gave back, and issued from ``begin`` until before ``end``."""
    row = await db.fetchrow(_REPORT, issuer_id, begin, end)
    assert row is not None
    return row["allotted"], row["returned"], row["issued"]


_DEPOSITS = """
SELECT c.deposit_store AS store_id, count(*) AS cards, sum(c.deposit_fen)::bigint AS held_fen,
       count(m.id) AS left_cards, coalesce(sum(c.deposit_fen) FILTER (WHERE m.id IS NOT NULL), 0)::bigint AS left_fen
  FROM membercard c LEFT JOIN member m ON m.id = c.member_id AND m.status = 'erased'
 WHERE c.deposit_state = 'held' AND ($1::text IS NULL OR c.deposit_store = $1)
 GROUP BY c.deposit_store ORDER BY c.deposit_store"""


async def list_deposits(store_id: str | None) -> list[Deposits]:
    """The deposits that are held, by the store that took them; None: of all stores."""
    return [Deposits(**row) for row in await db.fetch(_DEPOSITS, store_id)]
