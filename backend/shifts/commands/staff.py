"""What staff do about shifts: close a forgotten one, answer for a difference, have a large one approved."""

from __future__ import annotations

from backend.approvals import queries as approvals_read
from backend.approvals import service as approvals
from backend.approvals.types import Approval, ApprovalState, Kind
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, ids, trail
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .. import queries, rules
from ..errors import NoDifference, ShiftClosed
from ..queries.shifts import SHIFT
from ..schemas import ForcedCloseIn
from ..types import DifferenceState, DifferenceWish, Shift, ShiftState
from . import tills
from .once import hold

KIND = "shift_difference"


async def close_forgotten(shift_id: str, body: ForcedCloseIn, caller: StaffCaller) -> Shift:
    """Close a shift that its cashier left open, with what was counted now; ``NotFound``, ``ShiftClosed``."""
    found = await queries.find_shift(shift_id)
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such shift")
    async with db.transaction() as tx:
        await hold(tx, found.terminal_id, found.store_id)
        shift = await _lock(tx, shift_id, caller)
        if shift.state is ShiftState.CLOSED:
            raise ShiftClosed
        closed = await tills.end(tx, shift, body, closed_by=caller.staff_id)
        await _step(tx, shift_id, caller.staff_id, "closed", body.note)
    return closed


async def resolve(shift_id: str, note: str, caller: StaffCaller, key: str) -> Shift:
    """Answer for a difference: a small one is explained, of a large one a second person is asked.

    Raises ``NotFound``; ``NoDifference`` where there is none, or it was answered for.
    """
    async with db.transaction() as tx:
        shift = await _lock(tx, shift_id, caller)
        if not await _waits(shift) or shift.figures is None:
            raise NoDifference
        off = rules.gross_difference(shift.figures)
        if off <= settings().shift_difference_approval_fen:
            await _set(tx, shift_id, DifferenceState.EXPLAINED)
            await _step(tx, shift_id, caller.staff_id, "explained", note)
        else:
            asked = await approvals.request(
                tx,
                KIND,
                DifferenceWish(shift_id, shift.difference_fen or 0),
                caller=caller,
                reason=note,
                store_id=shift.store_id,
                summary=f"班次差异 {shift.terminal_id} Z{shift.z_number}，共 {off / 100:,.2f} 元",
                key=key,
            )
            await _set(tx, shift_id, DifferenceState.WAITING, asked.id)
            await _step(tx, shift_id, caller.staff_id, "asked", note)
        rows = await db.fetch_in(tx, f"{SHIFT} WHERE id = $1", shift_id)
    return queries.shift_of(rows[0])


async def _waits(shift: Shift) -> bool:
    """Whether a difference has no answer yet; one whose approval was refused, withdrawn or left lying has none."""
    if shift.difference is DifferenceState.OPEN:
        return True
    if shift.difference is not DifferenceState.WAITING or shift.approval_id is None:
        return False
    return (await approvals_read.get_approval(shift.approval_id)).state is not ApprovalState.WAITING


async def apply(tx: Tx, wish: DifferenceWish, approval: Approval) -> None:
    """Approve a difference, if it still waits for this."""
    assert approval.decided_by is not None
    rows = await db.fetch_in(tx, f"{SHIFT} WHERE id = $1 FOR UPDATE", wish.shift_id)
    if not rows:
        raise NoDifference
    shift = queries.shift_of(rows[0])
    if shift.difference is not DifferenceState.WAITING or shift.approval_id != approval.id:
        raise NoDifference
    await _set(tx, wish.shift_id, DifferenceState.APPROVED, approval.id)
    await _step(tx, wish.shift_id, approval.decided_by, "approved", approval.note)


async def _lock(tx: Tx, shift_id: str, caller: StaffCaller) -> Shift:
    rows = await db.fetch_in(tx, f"{SHIFT} WHERE id = $1 FOR UPDATE", shift_id)
    if not rows or not caller.reaches(rows[0]["store_id"]):
        raise NotFound("there is no such shift")
    return queries.shift_of(rows[0])


async def _set(tx: Tx, shift_id: str, state: DifferenceState, approval_id: str | None = None) -> None:
    await db.raw(tx).execute(
        "UPDATE shift SET difference = $2, approval_id = coalesce($3, approval_id) WHERE id = $1",
        *(shift_id, state.value, approval_id),
    )


async def _step(tx: Tx, shift_id: str, staff_id: int, kind: str, note: str) -> None:
    trail.named(shift_id)
    await db.raw(tx).execute(
        "INSERT INTO shift_step (id, shift_id, at, staff_id, kind, note) VALUES ($1, $2, $3, $4, $5, $6)",
        *(ids.new_bigint(), shift_id, clock.now(), staff_id, kind, note),
    )


approvals.declare(
    Kind(code=KIND, title="班次差异", permission=Permission.SHIFTS_DECIDE, body=DifferenceWish, apply=apply)
)
