"""Refusals of shifts."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class ShiftOpen(DomainError):
    """A shift is open at this terminal; close it, or have a manager close it."""

    code = "shift_open"
    kind = Kind.CONFLICT

    def __init__(self, shift_id: str, cashier: str) -> None:
        super().__init__(extra={"id": shift_id, "cashier": cashier})


class NoShift(DomainError):
    """No shift is open at this terminal."""

    code = "shift_none"
    kind = Kind.CONFLICT


class ShiftClosed(DomainError):
    """The shift is closed already."""

    code = "shift_closed"
    kind = Kind.CONFLICT


class ShiftBlind(DomainError):
    """Here cashiers count before they see what must be there; close the shift."""

    code = "shift_blind"
    kind = Kind.CONFLICT


class NoDifference(DomainError):
    """There is no difference here that waits for an answer."""

    code = "shift_no_difference"
    kind = Kind.CONFLICT


class BooksBehind(DomainError):
    """What the tills did last is not counted yet; try again in a moment."""

    code = "shift_books_behind"
    kind = Kind.UNAVAILABLE
