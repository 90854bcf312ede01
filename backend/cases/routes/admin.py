"""The staff's calls about feedback: a store's staff see its cases, head office all."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.coupons.errors import CouponLimitReached, CouponNotClaimable, CouponSoldOut
from backend.kernel import clock
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict, MemberInactive, Stale

from .. import queries, views
from ..commands import giving, moving, opening
from ..errors import CaseConflict, CaseFull, CaseGiftGiven, CaseGiftLimit, CaseOwn, CaseWithoutMember
from ..queries.cases import Filter
from ..schemas import (
    AnswerIn,
    AssigneeOut,
    AssigneesOut,
    AssignIn,
    CloseIn,
    ContactOut,
    DeskDetail,
    DeskOut,
    DeskQuery,
    GiftsOut,
    GiveIn,
    NoteIn,
    OfferedOut,
    PriorityIn,
    ReopenIn,
    StaffCaseIn,
    TodoOut,
    TodosOut,
    VersionIn,
)
from ..types import Case, Level

router = Router(tag="feedback")

_CASES = "/v1/admin/cases"
_CASE = f"{_CASES}/{{case_id}}"
_GIFT = f"{_CASES}/gifts/{{template_id}}"
_UNGIVEN = (CouponSoldOut, CouponLimitReached, CouponNotClaimable, MemberInactive, Stale)
_MOVED = (NotFound, ValidationFailed, CaseConflict, CaseFull)


def reached_store(caller: StaffCaller, store_id: str | None) -> str | None:
    """The store whose cases are meant: the caller's own, for head office the one that is named, or all."""
    wanted = store_id or caller.store_id
    if wanted is not None and not caller.reaches(wanted):
        raise NotFound("there is no such store")
    return wanted


@router.get(_CASES, guard=staff(Permission.CASES_HANDLE), summary="反馈列表", errors=(NotFound, ValidationFailed))
async def list_desk(caller: StaffCaller, query: DeskQuery) -> DeskOut:
    """A page of cases, newest first; those whose answer is due or overdue the soonest first."""
    wanted = Filter(
        store_id=reached_store(caller, query.store_id),
        kind=query.kind,
        state=query.state,
        priority=query.priority,
        assigned_to=caller.staff_id if query.mine else None,
        waiting=query.waiting,
        overdue_at=clock.now() if query.overdue else None,
    )
    found = await queries.list_desk(wanted, after=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    by_due = query.waiting or query.overdue
    cursor = place_cursor(last.due_at if by_due else last.created_at, last.id) if last else None
    return DeskOut(await views.desk_items(page), cursor)


@router.post(
    _CASES,
    guard=staff(Permission.CASES_HANDLE),
    status=201,
    idempotent=True,
    summary="登记反馈",
    errors=(NotFound, ValidationFailed, IdempotencyConflict),
)
async def open_case(caller: StaffCaller, body: StaffCaseIn, idem: Idempotency) -> Answer[DeskDetail]:
    """Write down what a customer said on the phone or in the shop."""
    case_id, again = await opening.open_by_staff(body, caller, idem)
    return Answer(await _shown(caller, case_id), replayed=again)


@router.get(f"{_CASES}/todos", guard=staff(Permission.CASES_HANDLE), summary="逾期待办")
async def list_todos(caller: StaffCaller) -> TodosOut:
    """The overdue cases that the caller is to look after: a manager the store's, head office what was passed on."""
    if not caller.may(Permission.CASES_LEAD):
        return TodosOut([])
    level = Level.OFFICE if caller.office else Level.MANAGER
    todos = await queries.list_todos(level, None if level is Level.OFFICE else caller.store_id)
    names = await views.staff_names()
    return TodosOut([TodoOut(await views.desk_item(one.case, names), one.level, one.made_at) for one in todos])


@router.get(f"{_CASES}/assignees", guard=staff(Permission.CASES_HANDLE), summary="可指派员工")
async def list_assignees(caller: StaffCaller) -> AssigneesOut:
    """Head office and the staff of the stores that the caller sees."""
    people = await auth.list_who_may(Permission.CASES_HANDLE)
    seen = [one for one in people if one.office or caller.reaches(one.store_id)]
    return AssigneesOut([AssigneeOut(one.id, one.username, one.role, one.store_id) for one in seen])


@router.get(f"{_CASES}/gifts", guard=staff(Permission.CASES_GIVE, Permission.CASES_GIFTS), summary="可补偿的内容")
async def list_gifts(caller: StaffCaller) -> GiftsOut:
    """What the caller may give with a case, and the coupons that stores may give."""
    left = await giving.left_for(caller)
    offered = await queries.list_coupons()
    return GiftsOut(left.points, left.gifts, [OfferedOut(id_, title) for id_, title in offered.items()])


@router.get(_CASE, guard=staff(Permission.CASES_HANDLE), summary="反馈详情", errors=(NotFound,))
async def get_case(caller: StaffCaller, case_id: str) -> DeskDetail:
    """A case with every step, notes too."""
    return await _shown(caller, case_id)


@router.post(
    f"{_CASE}/contact", guard=staff(Permission.CASES_HANDLE), summary="查看联系方式", errors=(NotFound, CaseFull)
)
async def show_contact(caller: StaffCaller, case_id: str) -> ContactOut:
    """A walk-in customer's name and number; who asked is written down."""
    contact = await moving.show_contact(case_id, caller)
    return ContactOut(contact.name, contact.phone)


@router.post(f"{_CASE}/assign", guard=staff(Permission.CASES_HANDLE), summary="指派", errors=_MOVED)
async def assign(caller: StaffCaller, case_id: str, body: AssignIn) -> DeskDetail:
    """Say who sees to it."""
    await moving.assign(case_id, body, caller)
    return await _shown(caller, case_id)


@router.post(f"{_CASE}/start", guard=staff(Permission.CASES_HANDLE), summary="开始处理", errors=_MOVED)
async def start(caller: StaffCaller, case_id: str, body: VersionIn) -> DeskDetail:
    """Say that one works on it."""
    await moving.start(case_id, body.version, caller)
    return await _shown(caller, case_id)


@router.post(f"{_CASE}/answer", guard=staff(Permission.CASES_HANDLE), summary="答复", errors=_MOVED)
async def answer(caller: StaffCaller, case_id: str, body: AnswerIn) -> DeskDetail:
    """Answer it; its member is told."""
    await moving.answer(case_id, body, caller)
    return await _shown(caller, case_id)


@router.post(f"{_CASE}/confirm", guard=staff(Permission.CASES_HANDLE), summary="代客确认", errors=_MOVED)
async def confirm(caller: StaffCaller, case_id: str, body: VersionIn) -> DeskDetail:
    """Write down that the customer says it is done."""
    await moving.confirm(case_id, body.version, caller)
    return await _shown(caller, case_id)


@router.post(f"{_CASE}/reopen", guard=staff(Permission.CASES_HANDLE), summary="代客重开", errors=_MOVED)
async def reopen(caller: StaffCaller, case_id: str, body: ReopenIn) -> DeskDetail:
    """Write down that the customer says it is not done, and why."""
    await moving.reopen(case_id, body, caller)
    return await _shown(caller, case_id)


@router.post(f"{_CASE}/close", guard=staff(Permission.CASES_HANDLE), summary="办结", errors=_MOVED)
async def close(caller: StaffCaller, case_id: str, body: CloseIn) -> DeskDetail:
    """Close an answered case with what came of it."""
    await moving.close(case_id, body, caller)
    return await _shown(caller, case_id)


@router.post(
    f"{_CASE}/give",
    guard=staff(Permission.CASES_GIVE),
    summary="补偿",
    errors=(*_MOVED, CaseGiftGiven, CaseGiftLimit, CaseWithoutMember, CaseOwn, *_UNGIVEN),
)
async def give(caller: StaffCaller, case_id: str, body: GiveIn) -> DeskDetail:
    """Give its member points, a coupon, or both, once; the member is told, and reads the reason."""
    await giving.give(case_id, body, caller)
    return await _shown(caller, case_id)


@router.put(
    _GIFT, guard=staff(Permission.CASES_GIFTS), summary="允许门店用此券补偿", errors=(ValidationFailed, CaseConflict)
)
async def offer_gift(caller: StaffCaller, template_id: str) -> None:
    """Let stores give coupons of this template with a case."""
    await giving.offer(template_id, caller)


@router.delete(_GIFT, guard=staff(Permission.CASES_GIFTS), summary="不再允许门店用此券补偿", errors=(NotFound,))
async def take_gift_back(caller: StaffCaller, template_id: str) -> None:
    """Let stores give no more coupons of this template with a case."""
    await giving.take_back(template_id)


@router.post(f"{_CASE}/priority", guard=staff(Permission.CASES_HANDLE), summary="调整优先级", errors=_MOVED)
async def prioritise(caller: StaffCaller, case_id: str, body: PriorityIn) -> DeskDetail:
    """Say how soon it is due."""
    await moving.prioritise(case_id, body, caller)
    return await _shown(caller, case_id)


@router.post(
    f"{_CASE}/notes",
    guard=staff(Permission.CASES_HANDLE),
    status=201,
    idempotent=True,
    summary="内部备注",
    errors=(*_MOVED, IdempotencyConflict),
)
async def note(caller: StaffCaller, case_id: str, body: NoteIn, idem: Idempotency) -> Answer[DeskDetail]:
    """Write down what only staff read."""
    again = await moving.note(case_id, body, caller, idem)
    return Answer(await _shown(caller, case_id), replayed=again)


async def _shown(caller: StaffCaller, case_id: str) -> DeskDetail:
    found: Case = await moving.reached(case_id, caller)
    return await views.desk_detail(found)
