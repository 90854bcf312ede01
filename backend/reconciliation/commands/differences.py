"""What staff do with differences: take one on, note what they found, resolve it, open it again."""

from __future__ import annotations

from datetime import datetime

from backend.auth.types import StaffCaller
from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from ..errors import DifferenceConflict, DifferenceEnded
from ..queries.differences import DIFFERENCE, difference_of
from ..types import Action, Difference, Resolution, State
from .judging import add_step

_CHANGE = """
UPDATE reconciliation_difference SET state = $2, staff_id = $3, resolution = $4, ended_at = $5, version = version + 1
 WHERE id = $1 RETURNING version"""


async def take(difference_id: str, version: int, caller: StaffCaller) -> None:
    """Take a difference on; somebody else's is taken over."""
    async with db.transaction() as tx:
        await _lock(tx, difference_id, version)
        await _change(tx, difference_id, State.WORKING, Action.TAKEN, caller, clock.now())


async def note(difference_id: str, version: int, text: str, caller: StaffCaller) -> None:
    """Write down what was found out; whoever writes has taken it on."""
    async with db.transaction() as tx:
        await _lock(tx, difference_id, version)
        await _change(tx, difference_id, State.WORKING, Action.NOTED, caller, clock.now(), text=text)


async def resolve(difference_id: str, version: int, resolution: Resolution, text: str, caller: StaffCaller) -> None:
    """Say what it turned out to be. It stays so while both sides stay as they are."""
    async with db.transaction() as tx:
        await _lock(tx, difference_id, version)
        now = clock.now()
        await _change(tx, difference_id, State.RESOLVED, Action.RESOLVED, caller, now, text=text, resolution=resolution)


async def reopen(difference_id: str, version: int, text: str, caller: StaffCaller) -> None:
    """Look into a resolved difference again; refused where another one of the same item waits."""
    async with db.transaction() as tx:
        found = await _lock(tx, difference_id, version, ended=True)
        if found.state is not State.RESOLVED or await _another(tx, found):
            raise DifferenceEnded
        await _change(tx, difference_id, State.WORKING, Action.REOPENED, caller, clock.now(), text=text)


async def _lock(tx: Tx, difference_id: str, version: int, *, ended: bool = False) -> Difference:
    rows = await db.fetch_in(tx, f"{DIFFERENCE} WHERE id = $1 FOR UPDATE", difference_id)
    if not rows:
        raise NotFound("there is no such difference")
    found = difference_of(rows[0])
    if found.version != version:
        raise DifferenceConflict
    if not ended and found.state not in (State.OPEN, State.WORKING):
        raise DifferenceEnded
    return found


async def _another(tx: Tx, found: Difference) -> bool:
    rows = await db.fetch_in(
        tx,
        "SELECT FROM reconciliation_difference WHERE kind = $1 AND number = $2 AND state IN ('open', 'working')",
        found.kind.value,
        found.number,
    )
    return bool(rows)


async def _change(
    tx: Tx,
    difference_id: str,
    state: State,
    action: Action,
    caller: StaffCaller,
    now: datetime,
    *,
    text: str = "",
    resolution: Resolution | None = None,
) -> None:
    ended_at = now if state is State.RESOLVED else None
    kind = resolution.value if resolution else None
    (row,) = await db.fetch_in(tx, _CHANGE, difference_id, state.value, caller.staff_id, kind, ended_at)
    await add_step(tx, difference_id, row["version"], action, at=now, staff_id=caller.staff_id, note=text)
