"""A till's own shift: signed by terminals."""

from __future__ import annotations

from backend.auth.guards import terminal
from backend.auth.types import TerminalCaller
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import tills
from ..errors import BooksBehind, NoShift, ShiftBlind, ShiftOpen
from ..schemas import (
    CloseIn,
    CurrentOut,
    HandoverIn,
    HandoverOut,
    MovementIn,
    MovementOut,
    OpenIn,
    ReportOut,
    ShiftOut,
    XIn,
)
from ..types import ReportKind

router = Router(tag="shifts")

_SHIFTS = "/v1/pos/shifts"
_CURRENT = f"{_SHIFTS}/current"
_ONCE = (IdempotencyConflict, ValidationFailed)


@router.post(_SHIFTS, guard=terminal, status=201, idempotent=True, summary="开班", errors=(*_ONCE, ShiftOpen))
async def open_shift(caller: TerminalCaller, body: OpenIn, idem: Idempotency) -> Answer[ShiftOut]:
    """Open a shift at this terminal, with a cashier and what is in the drawer."""
    return await tills.open_shift(body, caller, idem)


@router.get(_CURRENT, guard=terminal, summary="当前班次")
async def current(caller: TerminalCaller) -> CurrentOut:
    """The shift that is open at this terminal, or null."""
    shift = await queries.find_open(caller.terminal_id)
    return CurrentOut(views.shift_out(shift) if shift else None, settings().shift_blind_count)


@router.post(
    f"{_CURRENT}/movements",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="现金存入、取出",
    errors=(*_ONCE, NoShift),
)
async def move_cash(caller: TerminalCaller, body: MovementIn, idem: Idempotency) -> Answer[MovementOut]:
    """Pay cash into the drawer, or out of it, that is no sale's."""
    return await tills.move_cash(body, caller, idem)


@router.post(
    f"{_CURRENT}/reports",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="X 报表",
    errors=(*_ONCE, NoShift, ShiftBlind, BooksBehind),
)
async def look(caller: TerminalCaller, body: XIn, idem: Idempotency) -> Answer[ReportOut]:
    """Print an X: how the shift stands now. Refused where cashiers count before they see."""
    return await tills.look(body, caller, idem)


@router.post(
    f"{_CURRENT}/close",
    guard=terminal,
    idempotent=True,
    summary="结班（Z 报表）",
    errors=(*_ONCE, NoShift, BooksBehind),
)
async def close_shift(caller: TerminalCaller, body: CloseIn, idem: Idempotency) -> Answer[ShiftOut]:
    """Close the shift with what was counted; the answer is its Z."""
    return await tills.close_shift(body, caller, idem)


@router.post(
    f"{_CURRENT}/handover",
    guard=terminal,
    idempotent=True,
    summary="交接班",
    errors=(*_ONCE, NoShift, BooksBehind),
)
async def hand_over(caller: TerminalCaller, body: HandoverIn, idem: Idempotency) -> Answer[HandoverOut]:
    """Close the shift and open the next cashier's with what is left in the drawer, at once."""
    return await tills.hand_over(body, caller, idem)


@router.get(f"{_SHIFTS}/z/{{number}}", guard=terminal, summary="重印 Z 报表", errors=(NotFound,))
async def get_z(caller: TerminalCaller, number: str) -> ReportOut:
    """A Z of this terminal again, as it was printed."""
    return await _report(caller, ReportKind.Z, number)


async def _report(caller: TerminalCaller, kind: ReportKind, number: str) -> ReportOut:
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) <= 9 else 0
    found = await queries.find_report(caller.terminal_id, kind, wanted)
    if found is None:
        raise NotFound("this terminal has no such report")
    return views.report_out(found, caller.terminal_id)
