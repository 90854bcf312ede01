"""Head office's calls about plans."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import queries, rules, views
from ..commands import planning
from ..errors import BirthdayGiftExists, CarePlanChanged, CarePlanConflict
from ..schemas import (
    CarePlanChangeIn,
    CarePlanIn,
    CarePlanOut,
    CarePlansOut,
    CarePlansQuery,
    EffectOut,
    RunOut,
    RunsOut,
    StartIn,
)
from ..types import Plan

router = Router(tag="care")

_PLANS = "/v1/admin/care-plans"
_PLAN = f"{_PLANS}/{{care_plan_id}}"
LAST = 100


@router.get(_PLANS, guard=staff(Permission.CARE_PLAN), summary="关怀计划", errors=(ValidationFailed,))
async def list_plans(caller: StaffCaller, query: CarePlansQuery) -> CarePlansOut:
    """Plans, newest first."""
    found = await queries.list_plans(query.state, after=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    more = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return CarePlansOut([views.plan(item) for item in page], more)


@router.post(
    _PLANS,
    guard=staff(Permission.CARE_PLAN),
    status=201,
    idempotent=True,
    summary="新建关怀计划",
    errors=(ValidationFailed, IdempotencyConflict),
)
async def create(caller: StaffCaller, body: CarePlanIn, idem: Idempotency) -> Answer[CarePlanOut]:
    """Add a plan as a draft; nothing is done before it is started."""
    found, known = await planning.create(caller, body, idem)
    return Answer(await _out(found), replayed=known)


@router.get(_PLAN, guard=staff(Permission.CARE_PLAN), summary="关怀计划详情", errors=(NotFound,))
async def get_plan(caller: StaffCaller, care_plan_id: str) -> CarePlanOut:
    """One plan."""
    return await _out(await planning.get_plan(care_plan_id))


@router.put(
    _PLAN,
    guard=staff(Permission.CARE_PLAN),
    summary="修改关怀计划草稿",
    errors=(NotFound, ValidationFailed, CarePlanConflict, CarePlanChanged),
)
async def change(caller: StaffCaller, care_plan_id: str, body: CarePlanChangeIn) -> CarePlanOut:
    """Put another draft in the place of the one that was read as ``version``."""
    return await _out(await planning.change(caller, care_plan_id, body))


@router.post(
    f"{_PLAN}/start",
    guard=staff(Permission.CARE_PLAN),
    summary="启用关怀计划",
    errors=(NotFound, ValidationFailed, CarePlanConflict, BirthdayGiftExists),
)
async def start(caller: StaffCaller, care_plan_id: str, body: StartIn) -> CarePlanOut:
    """Run it each day from today on. A birthday gift beside others is to be meant so."""
    return await _out(await planning.start(caller, care_plan_id, beside_other_gifts=body.beside_other_gifts))


@router.post(
    f"{_PLAN}/pause", guard=staff(Permission.CARE_PLAN), summary="暂停关怀计划", errors=(NotFound, CarePlanConflict)
)
async def pause(caller: StaffCaller, care_plan_id: str) -> CarePlanOut:
    """Run it no longer for a while; the days meanwhile are not made up for."""
    return await _out(await planning.stop(caller, care_plan_id, for_good=False))


@router.post(
    f"{_PLAN}/end", guard=staff(Permission.CARE_PLAN), summary="结束关怀计划", errors=(NotFound, CarePlanConflict)
)
async def end(caller: StaffCaller, care_plan_id: str) -> CarePlanOut:
    """Run it no longer, for good."""
    return await _out(await planning.stop(caller, care_plan_id, for_good=True))


@router.get(f"{_PLAN}/runs", guard=staff(Permission.CARE_PLAN), summary="执行进度", errors=(NotFound,))
async def list_runs(caller: StaffCaller, care_plan_id: str) -> RunsOut:
    """How far its days are, and what they made."""
    found = await planning.get_plan(care_plan_id)
    runs = await queries.list_runs(found.id)
    return RunsOut([RunOut(one.on_date, one.made, one.held, one.begun_at, one.done_at) for one in runs])


@router.get(f"{_PLAN}/effect", guard=staff(Permission.CARE_PLAN), summary="效果评估", errors=(NotFound,))
async def get_effect(caller: StaffCaller, care_plan_id: str) -> EffectOut:
    """Those cared for against those held out by chance, with what can be said of it."""
    found = await planning.get_plan(care_plan_id)
    cared, held, waiting = await queries.get_groups(found.id)
    return views.effect(found, cared, held, waiting, rules.effect(cared, held))


@router.get(f"{_PLAN}/changes", guard=staff(Permission.CARE_PLAN), summary="变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, care_plan_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await planning.get_plan(care_plan_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


async def _out(found: Plan) -> CarePlanOut:
    return views.plan(found, await planning.other_birthday_gifts(found))
