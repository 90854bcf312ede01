"""Statements, what they carry on, and marks for what reached a closed period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.paging import Place

from ..types import Body, Period, PeriodKind, Piece, Statement, StatementState

_STATEMENT = """
SELECT s.id, s.run_id, s.member_id, s.holder_id, s.period, s.first_on, s.last_on, s.amount_fen, s.corrected_fen,
       s.brought_fen, s.payout_fen, s.carried_fen, s.paid_at, s.expires_on, s.refusal, s.at, r.state AS run_state
  FROM rebate_statement s JOIN rebate_run r ON r.id = s.run_id"""
_FULL = _STATEMENT.replace(" AS run_state", " AS run_state, s.body")
SHOWN = "r.state IN ('closed', 'paying', 'paid')"
"""What members may see: what finance closed."""

_body = msgspec.json.Decoder(Body)
_pieces = msgspec.json.Decoder(tuple[Piece, ...])


def statement_of(row: db.Record) -> Statement:
    """A statement from its row."""
    fields = {name: row[name] for name in Statement.__struct_fields__ if name not in ("period", "state")}
    period = Period(PeriodKind(row["period"]), row["first_on"], row["last_on"])
    return Statement(**fields, period=period, state=_state(row))


def _state(row: db.Record) -> StatementState:
    if row["run_state"] in ("building", "draft"):
        return StatementState.DRAFT
    if row["refusal"] is not None:
        return StatementState.REFUSED
    if not row["payout_fen"]:
        return StatementState.CARRIED
    return StatementState.PAID if row["paid_at"] else StatementState.CLOSED


async def find_statement(statement_id: str) -> tuple[Statement, Body] | None:
    """A statement and what it says in full, or None."""
    row = await db.fetchrow(f"{_FULL} WHERE s.id = $1", statement_id)
    return (statement_of(row), _body.decode(row["body"])) if row else None


async def list_of_member(member_id: int, after: Place | None, limit: int, *, drafts: bool = False) -> list[Statement]:
    """A member's statements, those of merged members too, newest first, from behind a place; drafts where told."""
    at, statement_id = after or (None, "")
    rows = await db.fetch(
        f"{_STATEMENT} WHERE s.holder_id = $1 AND ($5 OR {SHOWN})"
        " AND ($2::timestamptz IS NULL OR s.at < $2 OR (s.at = $2 AND s.id > $3)) ORDER BY s.at DESC, s.id LIMIT $4",
        member_id,
        at,
        statement_id,
        limit,
        drafts,
    )
    return [statement_of(row) for row in rows]


async def list_of_run(run_id: str, after: int, limit: int, *, refused: bool = False) -> list[Statement]:
    """A run's statements by member, from above ``after``; only those that the books refused, where told."""
    rows = await db.fetch(
        f"{_STATEMENT} WHERE s.run_id = $1 AND s.member_id > $2 AND (NOT $4 OR s.refusal IS NOT NULL)"
        " ORDER BY s.member_id LIMIT $3",
        run_id,
        after,
        limit,
        refused,
    )
    return [statement_of(row) for row in rows]


_DUE = " WHERE s.run_id = $1 AND s.payout_fen > 0 AND s.paid_at IS NULL AND s.refusal IS NULL"


async def list_unpaid_holders(tx: Tx, run_id: str, limit: int) -> list[int]:
    """Whose the next statements of a run are that are to be paid."""
    rows = await db.fetch_in(
        tx,
        f"SELECT s.holder_id FROM rebate_statement s {_DUE} ORDER BY s.member_id LIMIT $2",  # noqa: S608
        run_id,
        limit,
    )
    return [row["holder_id"] for row in rows]


async def lock_unpaid(tx: Tx, run_id: str, holder_ids: Sequence[int], limit: int) -> list[tuple[Statement, Body]]:
    """The next statements of a run that are to be paid to these members, held until the transaction ends; the caller
    holds the members."""
    rows = await db.fetch_in(
        tx,
        f"{_FULL} {_DUE} AND s.holder_id = ANY($2::bigint[]) ORDER BY s.member_id LIMIT $3 FOR UPDATE OF s",
        run_id,
        list(holder_ids),
        limit,
    )
    return [(statement_of(row), _body.decode(row["body"])) for row in rows]


class Waiting(msgspec.Struct, frozen=True):
    """What waits for a member's next statement: closed periods that something reached, and what was carried on."""

    late: list[date]
    carried: list[tuple[str, tuple[Piece, ...]]]


_LATE = """
SELECT member_id, first_on FROM rebate_late
 WHERE member_id = ANY($1::bigint[]) AND period = $2 AND first_on <= $3 AND run_id IS NULL
 ORDER BY member_id, first_on"""
_CARRIED = """
SELECT holder_id, id, carried FROM rebate_statement
 WHERE holder_id = ANY($1::bigint[]) AND carried IS NOT NULL AND carried_into IS NULL AND run_id <> $2
 ORDER BY holder_id, at, id"""


async def list_waiting(tx: Tx, member_ids: Sequence[int], period: Period, run_id: str) -> dict[int, Waiting]:
    """What waits for these members' statements of that period; for whom nothing does is absent."""
    found: dict[int, Waiting] = {}
    for row in await db.fetch_in(tx, _LATE, list(member_ids), period.kind.value, period.first):
        found.setdefault(row["member_id"], Waiting([], [])).late.append(row["first_on"])
    for row in await db.fetch_in(tx, _CARRIED, list(member_ids), run_id):
        pieces = _pieces.decode(row["carried"])
        found.setdefault(row["holder_id"], Waiting([], [])).carried.append((row["id"], pieces))
    return found


async def list_given(tx: Tx, member_id: int, kind: PeriodKind, since: date) -> list[tuple[date, Body]]:
    """What a member's statements of that kind of period said from that first day on."""
    rows = await db.fetch_in(
        tx,
        "SELECT first_on, body FROM rebate_statement WHERE holder_id = $1 AND period = $2 AND first_on >= $3"
        " ORDER BY first_on",
        member_id,
        kind.value,
        since,
    )
    return [(row["first_on"], _body.decode(row["body"])) for row in rows]


_UNPAID = f"""
SELECT coalesce(sum(CASE WHEN s.paid_at IS NULL THEN s.payout_fen ELSE 0 END
                    + CASE WHEN s.carried_into IS NULL THEN s.carried_fen ELSE 0 END), 0)::bigint AS fen
  FROM rebate_statement s JOIN rebate_run r ON r.id = s.run_id WHERE s.holder_id = $1 AND {SHOWN}"""  # noqa: S608


async def get_unpaid(tx: Tx, member_id: int) -> int:
    """What a member's closed statements are still to pay, and what they carry on, in fen; below nought it is owed."""
    (row,) = await db.fetch_in(tx, _UNPAID, member_id)
    return int(row["fen"])


async def list_told(tx: Tx, member_ids: Sequence[int], run_id: str) -> set[int]:
    """Which of these members have a statement of that run: of somebody who was merged into them since."""
    rows = await db.fetch_in(
        tx,
        "SELECT DISTINCT holder_id FROM rebate_statement WHERE run_id = $1 AND holder_id = ANY($2::bigint[])",
        run_id,
        list(member_ids),
    )
    return {row["holder_id"] for row in rows}


_OWED = (
    "SELECT coalesce(sum(s.carried_fen), 0)::bigint FROM rebate_statement s JOIN rebate_run r ON r.id = s.run_id"  # noqa: S608
    f" WHERE s.holder_id = $1 AND s.carried IS NOT NULL AND s.carried_into IS NULL AND {SHOWN}"
)


async def get_owed(member_id: int) -> int:
    """What waits for a member's next statement, in fen; below nought they owe it."""
    return int(await db.fetchval(_OWED, member_id))
