"""Refunds of recharges, as the table holds them, and the lots that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.paging import Place

from .types import RechargeRefund, RefundState, RefundStep

_COLUMNS = (
    "member_id, id, recharge_id, store_id, state, amount_fen, total_fen, bonus_fen, withheld_fen, points, reason,"
    " transaction_id, psp_refund_id, failure, tries, steps, asked_by, request_hash, approval_id, asked_at, updated_at,"
    " due_at"
)
_REFUND = f"SELECT {_COLUMNS} FROM wallet_refund"  # noqa: S608 - put together of constants
_CHANGED = (
    "state, amount_fen, bonus_fen, withheld_fen, points, psp_refund_id, failure, tries, steps, approval_id, updated_at,"
    " due_at"
)
_steps = msgspec.json.Decoder(tuple[RefundStep, ...])


def _refund(row: db.Record) -> RechargeRefund:
    return RechargeRefund(**{**dict(row), "state": RefundState(row["state"]), "steps": _steps.decode(row["steps"])})


def _values(refund: RechargeRefund, columns: str) -> list[object]:
    fields = msgspec.structs.asdict(refund) | {
        "state": str(refund.state),
        "steps": msgspec.json.encode(refund.steps).decode(),
    }
    return [fields[name] for name in columns.split(", ")]


async def insert(tx: Tx, refund: RechargeRefund) -> None:
    """Write a new refund; ``asyncpg.UniqueViolationError`` where its recharge has one under way, or its id is taken."""
    values = _values(refund, _COLUMNS)
    places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    await db.raw(tx).execute(
        f"INSERT INTO wallet_refund ({_COLUMNS}) VALUES ({places})",  # noqa: S608 - put together of constants
        *values,
    )


async def update(tx: Tx, refund: RechargeRefund) -> None:
    """Bring a locked refund's row to where it stands now."""
    values = _values(refund, _CHANGED)
    places = ", ".join(f"{name} = ${number}" for number, name in enumerate(_CHANGED.split(", "), 3))
    await db.raw(tx).execute(
        f"UPDATE wallet_refund SET {places} WHERE member_id = $1 AND id = $2",  # noqa: S608 - put together of constants
        refund.member_id,
        refund.id,
        *values,
    )


async def find(member_id: int, refund_id: str) -> RechargeRefund | None:
    """A member's refund, or None."""
    row = await db.fetchrow(f"{_REFUND} WHERE member_id = $1 AND id = $2", member_id, refund_id)
    return _refund(row) if row else None


async def lock(tx: Tx, member_id: int, refund_id: str) -> RechargeRefund:
    """A member's refund, locked; ``NotFound`` for none. It comes before the member's books."""
    rows = await db.fetch_in(tx, f"{_REFUND} WHERE member_id = $1 AND id = $2 FOR UPDATE", member_id, refund_id)
    if not rows:
        raise NotFound("there is no such refund")
    return _refund(rows[0])


async def list_of_recharge(member_id: int, recharge_id: str) -> list[RechargeRefund]:
    """A recharge's refunds, the oldest first."""
    sql = f"{_REFUND} WHERE member_id = $1 AND recharge_id = $2 ORDER BY asked_at, id LIMIT 200"
    return [_refund(row) for row in await db.fetch(sql, member_id, recharge_id)]


async def given_back(tx: Tx, member_id: int, recharge_id: str) -> int:
    """How much of a recharge went back already, or is on its way, in fen."""
    (row,) = await db.fetch_in(
        tx,
        "SELECT coalesce(sum(amount_fen), 0)::bigint AS fen FROM wallet_refund WHERE member_id = $1"
        " AND recharge_id = $2 AND state IN ('frozen', 'sent', 'stopping', 'done')",
        member_id,
        recharge_id,
    )
    return int(row["fen"])


async def is_under_way(member_id: int, recharge_id: str) -> bool:
    """Whether a refund of that recharge is under way."""
    sql = (
        "SELECT EXISTS (SELECT FROM wallet_refund WHERE member_id = $1 AND recharge_id = $2"
        " AND state IN ('asked', 'frozen', 'sent', 'stopping'))"
    )
    return bool(await db.fetchval(sql, member_id, recharge_id))


async def last_of_recharges(member_id: int, recharge_ids: Sequence[str]) -> dict[str, RechargeRefund]:
    """The last refund asked for of each of these recharges, by recharge; those without any are absent."""
    rows = await db.fetch(
        f"SELECT DISTINCT ON (recharge_id) {_COLUMNS} FROM wallet_refund"  # noqa: S608 - put together of constants
        " WHERE member_id = $1 AND recharge_id = ANY($2) ORDER BY recharge_id, asked_at DESC, id DESC",
        member_id,
        list(recharge_ids),
    )
    return {row["recharge_id"]: _refund(row) for row in rows}


async def list_refunds(
    *,
    state: RefundState | None,
    store_id: str | None,
    member_id: int | None,
    before: Place | None,
    limit: int,
) -> list[RechargeRefund]:
    """Refunds, newest first: in one state, of one store's members, of one member, or all."""
    at, last_id = before or (None, "")
    conditions, values = ["($1::timestamptz IS NULL OR (asked_at, id) < ($1, $2))"], list[object]((at, last_id))
    for column, value in (("state", state), ("store_id", store_id), ("member_id", member_id)):
        if value is not None:
            values.append(value)
            conditions.append(f"{column} = ${len(values)}")
    values.append(limit)
    rows = await db.fetch(
        f"{_REFUND} WHERE {' AND '.join(conditions)} ORDER BY asked_at DESC, id DESC LIMIT ${len(values)}", *values
    )
    return [_refund(row) for row in rows]


async def list_due(before: datetime, limit: int) -> list[RechargeRefund]:
    """Refunds whose time has come, the longest overdue first."""
    rows = await db.fetch(f"{_REFUND} WHERE due_at <= $1 ORDER BY due_at LIMIT $2", before, limit)
    return [_refund(row) for row in rows]


_MOVED = """
SELECT coalesce(sum(m.amount), 0)::bigint
  FROM ledger_lot_move m JOIN ledger_transfer t ON t.member_id = m.member_id AND t.seq = m.seq
 WHERE m.member_id = $1 AND m.lot_id = $2 AND t.kind = ANY($3)
"""


async def moved(member_id: int, lot_id: int, kinds: Sequence[str]) -> int:
    """What transfers of these kinds moved of a lot together: negative is what they took."""
    return int(await db.fetchval(_MOVED, member_id, lot_id, list(kinds)))


# A refund that is under way may come to nothing: until it is done its bonus is not given up, but withheld principal
# pays for it from the first.
_FORFEITED = """
SELECT DISTINCT r.recharge_id FROM wallet_refund r
 WHERE r.member_id = $1 AND r.state = 'done'
   AND NOT EXISTS (SELECT FROM wallet_refund w WHERE w.member_id = r.member_id AND w.recharge_id = r.recharge_id
                    AND w.withheld_fen > 0 AND w.state IN ('frozen', 'sent', 'stopping', 'done'))
"""


async def list_forfeited(member_id: int) -> list[str]:
    """The member's recharges whose bonus was given up, where nothing was withheld for what of it was spent."""
    return [row[0] for row in await db.fetch(_FORFEITED, member_id)]
