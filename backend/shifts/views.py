"""How shifts look."""

from __future__ import annotations

import msgspec

from .schemas import MovementOut, ReportOut, ShiftOut
from .types import Movement, Report, Shift


def shift_out(shift: Shift) -> ShiftOut:
    """A shift."""
    fields = msgspec.structs.asdict(shift)
    return ShiftOut(**fields | {"closed_by": str(shift.closed_by) if shift.closed_by else None})


def movement_out(one: Movement) -> MovementOut:
    """Cash that was paid in or out."""
    return MovementOut(**msgspec.structs.asdict(one))


def report_out(one: Report, terminal_id: str) -> ReportOut:
    """An X or a Z."""
    return ReportOut(**msgspec.structs.asdict(one), terminal_id=terminal_id)
