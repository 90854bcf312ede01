"""Care as charts, SVG and PNG."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import windows
from backend.kernel.charts import Chart, ChartUnavailable
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Reply, Router
from backend.kernel.http.pictures import as_picture

from .. import drawing, queries, rules
from ..commands import planning
from ..schemas import PeriodQuery
from .tasks import MOST_DAYS, today

router = Router(tag="care")

_STATISTICS = "/v1/admin/care-tasks/statistics"
_EFFECT = "/v1/admin/care-plans/{care_plan_id}/effect"


@router.get(
    f"{_STATISTICS}.svg",
    guard=staff(Permission.CARE_HANDLE),
    summary="关怀统计图（SVG）",
    errors=(NotFound, ValidationFailed),
)
async def draw_statistics(caller: StaffCaller, query: PeriodQuery) -> Reply:
    """Tasks of a period as bars, with their numbers in words for who cannot see them."""
    return await as_picture(await _statistics(caller, query), "svg")


@router.get(
    f"{_STATISTICS}.png",
    guard=staff(Permission.CARE_HANDLE),
    summary="关怀统计图（PNG）",
    errors=(NotFound, ValidationFailed, ChartUnavailable),
)
async def paint_statistics(caller: StaffCaller, query: PeriodQuery) -> Reply:
    """The same as pixels."""
    return await as_picture(await _statistics(caller, query), "png")


@router.get(f"{_EFFECT}.svg", guard=staff(Permission.CARE_PLAN), summary="效果图（SVG）", errors=(NotFound,))
async def draw_effect(caller: StaffCaller, care_plan_id: str) -> Reply:
    """The shares of buyers among those cared for and those held out, with what can be said of them."""
    return await as_picture(await _effect(care_plan_id), "svg")


@router.get(
    f"{_EFFECT}.png", guard=staff(Permission.CARE_PLAN), summary="效果图（PNG）", errors=(NotFound, ChartUnavailable)
)
async def paint_effect(caller: StaffCaller, care_plan_id: str) -> Reply:
    """The same as pixels."""
    return await as_picture(await _effect(care_plan_id), "png")


async def _statistics(caller: StaffCaller, query: PeriodQuery) -> Chart:
    store_id = await auth.reached_store(caller, query.store_id)
    windows.check_days(query.first, query.last, most=MOST_DAYS)
    counts = await queries.count_by_kind(query.first, query.last, store_id, today=today())
    return drawing.kinds(counts, query.first, query.last)


async def _effect(plan_id: str) -> Chart:
    plan = await planning.get_plan(plan_id)
    cared, held, _ = await queries.get_groups(plan.id)
    return drawing.effect(plan, cared, held, rules.effect(cared, held))
