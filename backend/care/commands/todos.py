"""What staff do with their to-dos: done, skipped, handed on; and the number they call."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth.types import Permission, Staff, StaffCaller
from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.ledger import service as ledger
from backend.members import queries as members

from .. import locks, queries, service
from ..errors import CareTaskConflict
from ..types import Given, How, Plan, Task, TaskState


async def get_task(caller: StaffCaller, task_id: str) -> Task:
    """A task of this person's reach; ``NotFound`` for none and for another store's."""
    found = await queries.find_task(task_id)
    if found is None or not reaches(caller, found):
        raise NotFound("there is no such task")
    return found


def reaches(caller: StaffCaller, task: Task) -> bool:
    """Whether this person may see the task: their store's, or their own."""
    return caller.reaches(task.store_id) or task.owner_id == caller.staff_id


async def finish(caller: StaffCaller, task_id: str, note: str) -> Task:
    """Say that a to-do was done and how it went; its gift is given now. Repeated, it changes nothing."""
    seen = await get_task(caller, task_id)
    plan = await queries.find_plan(seen.plan_id)
    assert plan is not None

    async def work(tx: Tx) -> None:
        task = await _lock_open(tx, caller, task_id, TaskState.DONE)
        if task is not None:
            await _close(tx, caller, task, plan, note)

    await ledger.with_fresh_books(work)
    return await get_task(caller, task_id)


async def _close(tx: Tx, caller: StaffCaller, task: Task, plan: Plan, note: str) -> None:
    now = clock.now()
    given: Given | None = None
    if plan.gift is not None:
        given = await service.give(tx, task, plan.gift, now)
    await service.close(tx, task, TaskState.DONE, given=given, staff_id=caller.staff_id, note=note, now=now)


async def skip(caller: StaffCaller, task_id: str, note: str) -> Task:
    """Say that a to-do will not be done, and why. Repeated, it changes nothing."""
    async with db.transaction() as tx:
        task = await _lock_open(tx, caller, task_id, TaskState.SKIPPED)
        if task is not None:
            now = clock.now()
            await service.close(tx, task, TaskState.SKIPPED, given=None, staff_id=caller.staff_id, note=note, now=now)
    return await get_task(caller, task_id)


async def assign(caller: StaffCaller, task_id: str, staff_id: str | None) -> Task:
    """Hand a to-do on to somebody of the member's store or of head office; None gives it back to the store."""
    person = await _person(staff_id) if staff_id is not None else None
    async with db.transaction() as tx:
        task = await _lock_open(tx, caller, task_id, None)
        assert task is not None
        if person is not None and not person.reaches(task.store_id):
            raise invalid("/staff_id", "there is no such person at the member's store")
        await db.raw(tx).execute(
            "UPDATE care_task SET owner_id = $2 WHERE id = $1", task_id, int(person.id) if person else None
        )
        detail = {"owner_id": person.id if person else None}
        await queries.changes.note(tx, task_id, caller.staff_id, "assign", detail, clock.now())
    found = await queries.find_task(task_id)
    assert found is not None
    return found


async def _person(staff_id: str) -> Staff:
    able = await auth.list_who_may(Permission.CARE_HANDLE)
    found = next((one for one in able if one.id == staff_id), None)
    if found is None:
        raise invalid("/staff_id", "there is no such person at the member's store")
    return found


async def find_number(caller: StaffCaller, task_id: str) -> str:
    """The member's phone number for a call that is open; that it was looked up is written down."""
    async with db.transaction() as tx:
        task = await _lock_open(tx, caller, task_id, None)
        assert task is not None
        if task.how is not How.CALL:
            raise CareTaskConflict("the task is not a call")
        await queries.changes.note(tx, task_id, caller.staff_id, "number", {}, clock.now())
    phone = await members.find_phone(task.member_id)
    if phone is None:
        raise NotFound("there is no such task")
    return phone


async def _lock_open(tx: Tx, caller: StaffCaller, task_id: str, target: TaskState | None) -> Task | None:
    """A to-do that is open, locked; None where it is already as it is to become."""
    task = await locks.lock_task(tx, task_id)
    if not reaches(caller, task):
        raise NotFound("there is no such task")
    if target is not None and task.state is target:
        return None
    if task.state is not TaskState.OPEN:
        raise CareTaskConflict(f"the task is {task.state.value}")
    return task
