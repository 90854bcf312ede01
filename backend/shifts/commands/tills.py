"""What a till does with its shift: open, pay in and out, look, close, hand over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.auth.types import TerminalCaller
from backend.kernel import clock, db, ids, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from backend.kernel.http import Answer, Idempotency

from .. import queries, rules, views
from ..errors import NoShift, ShiftBlind, ShiftOpen
from ..queries.shifts import SHIFT
from ..schemas import (
    CloseIn,
    CountIn,
    HandoverIn,
    HandoverOut,
    MovementIn,
    MovementOut,
    OpenIn,
    OutsideIn,
    ReportOut,
    ShiftOut,
    XIn,
)
from ..types import DifferenceState, Figures, Movement, Outside, ReportKind, Shift
from . import counting
from .once import once

log = logging.get(__name__)


async def open_shift(body: OpenIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[ShiftOut]:
    """Open a shift at this terminal; once per key. Raises ``ShiftOpen``."""

    async def work(tx: Tx) -> ShiftOut:
        return views.shift_out(await _open(tx, terminal, body.cashier, body.float_fen))

    return await once(terminal, idem, work)


async def _open(tx: Tx, terminal: TerminalCaller, cashier: str, float_fen: int) -> Shift:
    rows = await db.fetch_in(
        tx,
        "INSERT INTO shift (id, store_id, terminal_id, cashier, state, float_fen, opened_at)"
        " SELECT $1, $2, $3::varchar, $4, 'open', $5, $6"
        " WHERE NOT EXISTS (SELECT FROM shift WHERE terminal_id = $3::varchar AND state = 'open') RETURNING id",
        *(ids.new_short("H", 15), terminal.store_id, terminal.terminal_id, cashier, float_fen, clock.now()),
    )
    current = await held(tx, terminal.terminal_id)
    if not rows:
        raise ShiftOpen(current.id, current.cashier)
    return current


async def held(tx: Tx, terminal_id: str) -> Shift:
    """The terminal's open shift, locked; ``NoShift`` for none."""
    rows = await db.fetch_in(tx, f"{SHIFT} WHERE terminal_id = $1 AND state = 'open' FOR UPDATE", terminal_id)
    if not rows:
        raise NoShift
    return queries.shift_of(rows[0])


async def move_cash(body: MovementIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[MovementOut]:
    """Pay cash into the till or out of it; once per key. Raises ``NoShift``."""

    async def work(tx: Tx) -> MovementOut:
        shift = await held(tx, terminal.terminal_id)
        (row,) = await db.fetch_in(tx, "SELECT count(*) FROM shift_movement WHERE shift_id = $1", shift.id)
        if row[0] >= queries.MOST_MOVEMENTS:
            raise invalid("/kind", f"a shift has {queries.MOST_MOVEMENTS} movements at most; close it")
        one = Movement(
            id=ids.new_short("M", 15),
            kind=body.kind,
            amount_fen=body.amount_fen,
            reason=body.reason,
            cashier=body.cashier or shift.cashier,
            at=clock.now(),
        )
        await db.raw(tx).execute(
            "INSERT INTO shift_movement (id, shift_id, kind, amount_fen, reason, cashier, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            *(one.id, shift.id, one.kind.value, one.amount_fen, one.reason, one.cashier, one.at),
        )
        return views.movement_out(one)

    return await once(terminal, idem, work)


async def look(body: XIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[ReportOut]:
    """Print an X: how the shift stands now; once per key. Raises ``NoShift``, ``ShiftBlind``, ``BooksBehind``."""

    async def work(tx: Tx) -> ReportOut:
        if settings().shift_blind_count:
            raise ShiftBlind
        shift = await held(tx, terminal.terminal_id)
        await counting.catch_up(tx, terminal.terminal_id)
        found = await queries.figures_of(shift, outside_of(body.outside), tx)
        number = await next_number(tx, shift, ReportKind.X)
        now = clock.now()
        await keep_report(tx, shift, ReportKind.X, number, found, now)
        return ReportOut(
            kind=ReportKind.X,
            number=number,
            shift_id=shift.id,
            terminal_id=shift.terminal_id,
            at=now,
            figures=found,
        )

    return await once(terminal, idem, work)


async def close_shift(body: CloseIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[ShiftOut]:
    """Close the shift with what was counted, and print its Z; once per key. Raises ``NoShift``, ``BooksBehind``."""

    async def work(tx: Tx) -> ShiftOut:
        shift = await held(tx, terminal.terminal_id)
        return views.shift_out(await end(tx, shift, body, closed_by=None))

    return await once(terminal, idem, work)


async def hand_over(body: HandoverIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[HandoverOut]:
    """Close the shift and open the next cashier's with what is left in the till, at once; once per key."""

    async def work(tx: Tx) -> HandoverOut:
        shift = await held(tx, terminal.terminal_id)
        closed = await end(tx, shift, body, closed_by=None)
        opened = await _open(tx, terminal, body.next_cashier, body.left_fen)
        return HandoverOut(views.shift_out(closed), views.shift_out(opened))

    return await once(terminal, idem, work)


async def end(tx: Tx, shift: Shift, body: CloseIn, *, closed_by: int | None) -> Shift:
    """Close a shift that is held, and take everything of its terminal that no Z has counted into this one."""
    counts = counts_of(body.counted)
    if body.left_fen > counts.get("cash", 0):
        raise invalid("/left_fen", "more is left than was counted")
    await counting.catch_up(tx, shift.terminal_id)
    # Taken first and added up then: what the job enters at this moment is in both, or in neither.
    await db.raw(tx).execute(
        "UPDATE shift_entry SET shift_id = $1 WHERE terminal_id = $2 AND shift_id IS NULL", shift.id, shift.terminal_id
    )
    found = rules.counted(await queries.figures_of(shift, outside_of(body.outside), tx, taken=True), counts)
    number = await next_number(tx, shift, ReportKind.Z)
    now = clock.now()
    off = rules.gross_difference(found)
    rows = await db.fetch_in(
        tx,
        "UPDATE shift SET state = 'closed', closed_at = $2, closed_by = $3, z_number = $4, figures = $5,"
        " difference_fen = $6, difference = $7, left_fen = $8, note = $9 WHERE id = $1 RETURNING *",
        *(shift.id, now, closed_by, number, msgspec.json.encode(found).decode(), found.difference_fen),
        *(DifferenceState.OPEN.value if off else DifferenceState.NONE.value, body.left_fen, body.note),
    )
    await keep_report(tx, shift, ReportKind.Z, number, found, now)
    log.info(
        "shifts.closed", shift_id=shift.id, terminal_id=shift.terminal_id, z=number, difference_fen=found.difference_fen
    )
    return queries.shift_of(rows[0])


async def next_number(tx: Tx, shift: Shift, kind: ReportKind) -> int:
    """The next number of a terminal's reports; it is given back where the transaction is."""
    column = "last_x" if kind is ReportKind.X else "last_z"
    rows = await db.fetch_in(
        tx,
        f"UPDATE shift_terminal SET {column} = {column} + 1 WHERE terminal_id = $1 RETURNING {column}",  # noqa: S608
        shift.terminal_id,
    )
    number: int = rows[0][0]
    return number


async def keep_report(tx: Tx, shift: Shift, kind: ReportKind, number: int, found: Figures, at: datetime) -> None:
    """Keep a report as it is printed."""
    await db.raw(tx).execute(
        "INSERT INTO shift_report (terminal_id, kind, number, shift_id, at, figures) VALUES ($1, $2, $3, $4, $5, $6)",
        *(shift.terminal_id, kind.value, number, shift.id, at, msgspec.json.encode(found).decode()),
    )


def counts_of(given: Sequence[CountIn]) -> dict[str, int]:
    """What was counted by tender; one that is named twice is refused."""
    counts: dict[str, int] = {one.tender: one.amount_fen for one in given}
    if len(counts) < len(given):
        raise invalid("/counted", "a tender is named twice")
    if "cash" not in counts:
        raise invalid("/counted", "cash must be counted")
    return counts


def outside_of(given: Sequence[OutsideIn]) -> tuple[Outside, ...]:
    """What the till did besides; one tender that is named twice is refused."""
    if len({one.tender for one in given}) < len(given):
        raise invalid("/outside", "a tender is named twice")
    return tuple(Outside(one.tender, one.amount_fen, one.count) for one in given)
