"""Staff's calls about tasks, care in numbers, and today's birthdays; a store's staff see their own store's."""

from __future__ import annotations

from datetime import date

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, ids, windows
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import make_cursor, place_cursor, read_cursor, read_place
from backend.ledger.errors import MemberInactive
from backend.members import queries as members

from .. import queries, views
from ..commands import todos
from ..errors import CareTaskConflict
from ..schemas import (
    AssignIn,
    BirthdayOut,
    BirthdaysOut,
    BirthdaysQuery,
    CareStatisticsOut,
    CareTaskOut,
    CareTasksOut,
    FinishIn,
    KindOut,
    MostOut,
    NumberOut,
    PeriodQuery,
    SkipIn,
    TasksQuery,
)
from ..types import On, Task, TaskState

router = Router(tag="care")

_TASKS = "/v1/admin/care-tasks"
_TASK = f"{_TASKS}/{{task_id}}"
_ENDING = (NotFound, ValidationFailed, CareTaskConflict)
LAST = 100
MOST_DAYS = 366
MOST_MEMBERS = 20


@router.get(_TASKS, guard=staff(Permission.CARE_HANDLE), summary="关怀任务", errors=(NotFound, ValidationFailed))
async def list_tasks(caller: StaffCaller, query: TasksQuery) -> CareTasksOut:
    """Tasks, newest first; with ``mine`` those of any store that were given to this person."""
    wanted = queries.Wanted(
        today=today(),
        state=TaskState(query.status) if query.status and query.status != "overdue" else None,
        overdue=query.status == "overdue",
        plan_id=query.plan_id,
        store_id=query.store_id if query.mine else await auth.reached_store(caller, query.store_id),
        owner_id=caller.staff_id if query.mine else None,
        member_id=None if query.member_id is None else ids.read_bigint(query.member_id) or 0,
    )
    found = await queries.list_tasks(wanted, after=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    more = place_cursor(page[-1].made_at, page[-1].id) if len(found) > query.limit else None
    return CareTasksOut(await views.tasks(page, today()), more)


@router.get(
    f"{_TASKS}/statistics", guard=staff(Permission.CARE_HANDLE), summary="关怀统计", errors=(NotFound, ValidationFailed)
)
async def get_statistics(caller: StaffCaller, query: PeriodQuery) -> CareStatisticsOut:
    """Tasks of a period by what for and how, what is overdue, and for whom most was done."""
    store_id = await auth.reached_store(caller, query.store_id)
    windows.check_days(query.first, query.last, most=MOST_DAYS)
    most = await queries.list_most_cared_for(query.first, query.last, store_id, limit=MOST_MEMBERS)
    listed = await members.list_masked(member_id for member_id, _ in most)
    kinds = await queries.count_by_kind(query.first, query.last, store_id, today=today())
    return CareStatisticsOut(
        kinds=[
            KindOut(
                on=k.on,
                how=k.how,
                made=k.made,
                sent=k.sent,
                failed=k.failed,
                open=k.open,
                overdue=k.overdue,
                done=k.done,
                skipped=k.skipped,
                held_out=k.held_out,
            )
            for k in kinds
        ],
        overdue=await queries.count_overdue(store_id, today=today()),
        most=[MostOut(views.member(listed.get(member_id), member_id), times) for member_id, times in most],
    )


@router.get(_TASK, guard=staff(Permission.CARE_HANDLE), summary="关怀任务详情", errors=(NotFound,))
async def get_task(caller: StaffCaller, task_id: str) -> CareTaskOut:
    """One task."""
    return await _out(await todos.get_task(caller, task_id))


@router.post(
    f"{_TASK}/done", guard=staff(Permission.CARE_HANDLE), summary="完成", errors=(*_ENDING, MemberInactive, Unavailable)
)
async def finish(caller: StaffCaller, task_id: str, body: FinishIn) -> CareTaskOut:
    """Say that a to-do was done and how it went; the plan's gift is given now."""
    return await _out(await todos.finish(caller, task_id, body.note))


@router.post(f"{_TASK}/skip", guard=staff(Permission.CARE_HANDLE), summary="跳过", errors=_ENDING)
async def skip(caller: StaffCaller, task_id: str, body: SkipIn) -> CareTaskOut:
    """Say that a to-do will not be done, and why."""
    return await _out(await todos.skip(caller, task_id, body.note))


@router.post(f"{_TASK}/assign", guard=staff(Permission.CARE_HANDLE), summary="转交", errors=_ENDING)
async def assign(caller: StaffCaller, task_id: str, body: AssignIn) -> CareTaskOut:
    """Hand a to-do on to somebody of the member's store, or of head office."""
    return await _out(await todos.assign(caller, task_id, body.staff_id))


@router.post(
    f"{_TASK}/number", guard=staff(Permission.CARE_HANDLE), summary="查看电话", errors=(NotFound, CareTaskConflict)
)
async def get_number(caller: StaffCaller, task_id: str) -> NumberOut:
    """The number to call, for a call that is open; who looked is written down."""
    return NumberOut(await todos.find_number(caller, task_id))


@router.get(f"{_TASK}/changes", guard=staff(Permission.CARE_HANDLE), summary="任务记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, task_id: str) -> ChangesOut:
    """Who handed it on, and who looked at the number."""
    found = await todos.get_task(caller, task_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.get(
    "/v1/admin/birthdays", guard=staff(Permission.CARE_HANDLE), summary="生日名单", errors=(NotFound, ValidationFailed)
)
async def list_birthdays(caller: StaffCaller, query: BirthdaysQuery) -> BirthdaysOut:
    """Whose birthday it is, with what there is to do. Who was born on 29 February has it on the 28th in other years."""
    store_id = await auth.reached_store(caller, query.store_id)
    on = query.on or today()
    if on.year not in clock.YEARS:
        raise invalid("/query/on", "is out of range")
    found = await members.list_birthdays(on, after=_after(query.cursor), limit=query.limit + 1, store_id=store_id)
    page = found[: query.limit]
    listed = await members.list_masked(page)
    shown = await views.tasks(await queries.list_of_members(page, On.BIRTHDAY, str(on.year)), today())
    todo = {item.member.id: item for item in reversed(shown)}
    items = [
        BirthdayOut(
            member=views.member(one, one.id),
            store_id=one.store_id,
            turns=on.year - one.birthday.year,
            task=todo.get(str(one.id)),
        )
        for member_id in page
        if (one := listed.get(member_id)) is not None and one.birthday is not None
    ]
    return BirthdaysOut(on, items, make_cursor(str(page[-1])) if len(found) > query.limit else None)


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    parts = read_cursor(cursor, 1)
    member_id = ids.read_bigint(parts[0]) if parts else None
    if member_id is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return member_id


def today() -> date:
    """The chain's local day."""
    return clock.local_date(clock.now(), settings().timezone)


async def _out(found: Task) -> CareTaskOut:
    (shown,) = await views.tasks([found], today())
    return shown
