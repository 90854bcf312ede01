"""Shifts, their movements, entries and reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from backend.kernel import db
from backend.kernel.known import known
from backend.kernel.paging import Place

from .. import rules
from ..types import (
    DifferenceState,
    Entry,
    EntryKind,
    Figures,
    Movement,
    MovementKind,
    Outside,
    Report,
    ReportKind,
    Shift,
    ShiftState,
    Step,
    Sum,
)

MOST_MOVEMENTS = 200
"""In one shift."""

SHIFT = (
    "SELECT id, store_id, terminal_id, cashier, state, float_fen, opened_at, closed_at, closed_by, z_number, figures,"
    " difference_fen, difference, approval_id, left_fen, note FROM shift"
)


def shift_of(row: db.Record) -> Shift:
    """A row as a shift."""
    return Shift(
        **dict(row)
        | {
            "state": ShiftState(row["state"]),
            "difference": DifferenceState(row["difference"]),
            "figures": msgspec.json.decode(row["figures"], type=Figures) if row["figures"] else None,
        }
    )


async def find_shift(shift_id: str) -> Shift | None:
    """One shift, or None."""
    row = await db.fetchrow(f"{SHIFT} WHERE id = $1", shift_id)
    return shift_of(row) if row else None


async def find_open(terminal_id: str) -> Shift | None:
    """The shift that is open at a terminal, or None."""
    row = await db.fetchrow(f"{SHIFT} WHERE terminal_id = $1 AND state = 'open'", terminal_id)
    return shift_of(row) if row else None


# Each filter is a condition of its own, so that the planner knows which index to go by.
_CONDITIONS = {
    "store_id": "store_id = {}",
    "terminal_id": "terminal_id = {}",
    "state": "state = {}",
    "differs": "(difference IN ('open', 'waiting')) = {}",
    "since": "opened_at >= {}",
    "until": "opened_at < {}",
}


class ShiftFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which shifts: all that are named must hold; ``until`` is not included."""

    store_id: str | None = None
    terminal_id: str | None = None
    state: str | None = None
    differs: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_shifts(wanted: ShiftFilter, *, before: Place | None, limit: int) -> list[Shift]:
    """A page of shifts, the one opened last first, from behind that place."""
    args: list[Any] = []
    where: list[str] = []
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None:
            args.append(value)
            where.append(condition.format(f"${len(args)}"))
    if before is not None:
        args += before
        where.append(f"(opened_at, id) < (${len(args) - 1}, ${len(args)})")
    args.append(limit)
    conditions = f" WHERE {' AND '.join(where)}" if where else ""
    rows = await db.fetch(f"{SHIFT}{conditions} ORDER BY opened_at DESC, id DESC LIMIT ${len(args)}", *args)
    return [shift_of(row) for row in rows]


_MOVEMENTS = "SELECT id, kind, amount_fen, reason, cashier, at FROM shift_movement WHERE shift_id = $1 ORDER BY at, id"


async def list_movements(shift_id: str) -> list[Movement]:
    """What was paid in and out in a shift, in order; their number is bounded."""
    rows = await db.fetch(f"{_MOVEMENTS} LIMIT $2", shift_id, MOST_MOVEMENTS)
    return [Movement(**dict(row) | {"kind": MovementKind(row["kind"])}) for row in rows]


_SUMS = """
WITH mine AS (
    SELECT kind, cashier, fen, discount_fen, bonus_fen, by_tender FROM shift_entry
     WHERE shift_id = $1 OR ($3::bool AND shift_id IS NULL AND terminal_id = $2)
), tenders AS (
    SELECT kind, cashier, t.key, sum(t.value::bigint)::bigint AS fen
      FROM mine, jsonb_each_text(by_tender) AS t GROUP BY kind, cashier, t.key
)
SELECT m.kind, m.cashier, count(*) AS count, sum(m.fen)::bigint AS fen, sum(m.discount_fen)::bigint AS discount_fen,
       sum(m.bonus_fen)::bigint AS bonus_fen,
       coalesce((SELECT jsonb_object_agg(t.key, t.fen) FROM tenders t
                  WHERE t.kind = m.kind AND t.cashier IS NOT DISTINCT FROM m.cashier), '{}')::text AS by_tender
  FROM mine m GROUP BY m.kind, m.cashier ORDER BY m.kind, m.cashier"""
_tenders = msgspec.json.Decoder(dict[str, int])


def _sum(row: db.Record) -> Sum:
    return Sum(**dict(row) | {"kind": _kind(row), "by_tender": _tenders.decode(row["by_tender"])})


def _kind(row: db.Record) -> EntryKind:
    return known(EntryKind, row["kind"], EntryKind.OTHER)


async def sums_of(shift: Shift, tx: db.Tx | None = None, *, taken: bool = False) -> list[Sum]:
    """What a terminal did in an open shift, with what nobody's Z has counted yet; by kind and cashier.

    ``taken``: only what this shift has taken, for its Z.
    """
    args = (shift.id, shift.terminal_id, not taken)
    rows = await db.fetch(_SUMS, *args) if tx is None else await db.fetch_in(tx, _SUMS, *args)
    return [_sum(row) for row in rows]


async def figures_of(
    shift: Shift, outside: Sequence[Outside] = (), tx: db.Tx | None = None, *, taken: bool = False
) -> Figures:
    """The figures of a shift: as its Z has them, or as an open one stands now (``taken``: of what it has taken)."""
    if shift.figures is not None:
        return shift.figures
    movements = f"{_MOVEMENTS} LIMIT $2"
    args = (shift.id, MOST_MOVEMENTS)
    rows = await db.fetch(movements, *args) if tx is None else await db.fetch_in(tx, movements, *args)
    moved = [Movement(**dict(row) | {"kind": MovementKind(row["kind"])}) for row in rows]
    sums = await sums_of(shift, tx, taken=taken)
    return rules.figures(sums, moved, float_fen=shift.float_fen, cashier=shift.cashier, outside=outside)


async def list_entries(shift_id: str, *, after: tuple[datetime, str] | None, limit: int) -> list[Entry]:
    """What a closed shift is made of, in order, from behind that time and id."""
    rows = await db.fetch(
        "SELECT source_id, kind, store_id, terminal_id, cashier, at, fen, discount_fen, bonus_fen,"
        " by_tender::text AS by_tender FROM shift_entry WHERE shift_id = $1"
        " AND ($2::timestamptz IS NULL OR (at, source_id) > ($2, $3)) ORDER BY at, source_id LIMIT $4",
        shift_id,
        *(after or (None, None)),
        limit,
    )
    return [Entry(**dict(row) | {"kind": _kind(row), "by_tender": _tenders.decode(row["by_tender"])}) for row in rows]


_REPORT = "SELECT kind, number, shift_id, at, figures::text AS figures FROM shift_report"


def _report(row: db.Record) -> Report:
    return Report(
        **dict(row) | {"kind": ReportKind(row["kind"]), "figures": msgspec.json.decode(row["figures"], type=Figures)}
    )


async def find_report(terminal_id: str, kind: ReportKind, number: int) -> Report | None:
    """A report of a terminal by its number, or None."""
    row = await db.fetchrow(
        f"{_REPORT} WHERE terminal_id = $1 AND kind = $2 AND number = $3", terminal_id, kind.value, number
    )
    return _report(row) if row else None


async def list_reports(shift_id: str, *, limit: int) -> list[Report]:
    """The reports of a shift, in order."""
    rows = await db.fetch(f"{_REPORT} WHERE shift_id = $1 ORDER BY at, kind, number LIMIT $2", shift_id, limit)
    return [_report(row) for row in rows]


async def list_steps(shift_id: str, *, limit: int) -> list[Step]:
    """Who of the staff did what about a shift, in order."""
    rows = await db.fetch(
        "SELECT at, staff_id, kind, note FROM shift_step WHERE shift_id = $1 ORDER BY at, id LIMIT $2",
        shift_id,
        limit,
    )
    return [Step(**dict(row)) for row in rows]
