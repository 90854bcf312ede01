"""Rules of stages, and how many members are in each: now, day by day, as a picture and as a table."""

from __future__ import annotations

import asyncio

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, sheets, windows
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Reply, Router
from backend.kernel.http.pictures import as_picture
from backend.members.types import Stage

from .. import queries, views
from ..commands import rules, runs
from ..errors import RulesChanged
from ..schemas import (
    ChartQuery,
    FileQuery,
    RunOut,
    SpanQuery,
    StageCount,
    StageDay,
    StageDaysOut,
    StageRulesIn,
    StageRulesOut,
    StagesOut,
    StagesQuery,
)

router = Router(tag="stages")

_READ = staff(Permission.STAGES_READ)
_WRITE = staff(Permission.STAGES_WRITE)
_RULES = "/v1/admin/stage-rules"
_STAGES = "/v1/admin/stages"
_ERRORS = (NotFound, ValidationFailed)
MOST_DAYS = 1_100
MOST_BARS = 31

NAMES = {
    Stage.POTENTIAL: "潜在",
    Stage.NEW: "新客",
    Stage.RETURNING: "回头客",
    Stage.LOYAL: "忠诚",
    Stage.DORMANT: "沉睡",
    Stage.LOST: "流失",
}


@router.get(_RULES, guard=_READ, summary="生命周期规则")
async def get_rules() -> StageRulesOut:
    """The rules in their order; the first that holds decides."""
    queries.forget_rules()
    return StageRulesOut(await queries.stage_version(), await queries.stage_rules())


@router.put(_RULES, guard=_WRITE, summary="修改生命周期规则", errors=(ValidationFailed, RulesChanged))
async def put_rules(caller: StaffCaller, body: StageRulesIn) -> RunOut:
    """Put rules in force from now on; the answer is the run that looks at every member."""
    return views.run(await runs.get_run(await rules.put_stage_rules(body, caller)))


@router.get(_STAGES, guard=_READ, summary="生命周期分布", errors=_ERRORS)
async def get_stages(caller: StaffCaller, query: StagesQuery) -> StagesOut:
    """How many active members are in each stage now."""
    counts = await queries.count_stages(await auth.reached_store(caller, query.store_id))
    return StagesOut([StageCount(stage, counts.get(stage, 0)) for stage in Stage], sum(counts.values()))


async def _days(caller: StaffCaller, query: SpanQuery) -> StageDaysOut:
    windows.check_days(query.from_on, query.to_on, most=MOST_DAYS)
    store_id = await auth.reached_store(caller, query.store_id)
    found = await queries.list_stage_counts(store_id, query.from_on, query.to_on)
    return StageDaysOut(
        [StageDay(on, [StageCount(stage, counts.get(stage, 0)) for stage in Stage]) for on, counts in found.items()]
    )


@router.get(f"{_STAGES}/statistics", guard=_READ, summary="生命周期走势", errors=_ERRORS)
async def get_statistics(caller: StaffCaller, query: SpanQuery) -> StageDaysOut:
    """How many members were in each stage, day by day."""
    return await _days(caller, query)


@router.get(f"{_STAGES}/statistics/file", guard=_READ, summary="生命周期走势导出", errors=_ERRORS)
async def get_file(caller: StaffCaller, query: FileQuery) -> Reply:
    """The same as CSV or XLSX, a line a day."""
    found = await _days(caller, query)
    rows: list[list[sheets.Cell]] = [
        [one.on.isoformat(), *(count.members for count in one.items)] for one in found.items
    ]
    body = await asyncio.to_thread(sheets.write, query.format, "stages", ("日期", *NAMES.values()), rows)
    file = f"stages-{query.from_on}-{query.to_on}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Reply(body, media_type=sheets.MEDIA_TYPES[query.format], headers=headers)


@router.get(
    f"{_STAGES}/statistics/chart",
    guard=_READ,
    summary="生命周期走势图",
    errors=(*_ERRORS, charts.ChartUnavailable),
)
async def get_chart(caller: StaffCaller, query: ChartQuery) -> Reply:
    """Days as bars of stages, at most 31 of them evenly spread, as SVG or PNG."""
    found = (await _days(caller, query)).items
    step = max(1, -(-len(found) // MOST_BARS))
    shown = found[::-1][::step][::-1]
    lines = [(one.on.isoformat(), [count.members for count in one.items]) for one in shown]
    chart = charts.Stacks("会员生命周期", f"{query.from_on} 至 {query.to_on}", "人", list(NAMES.values()), lines)
    return await as_picture(chart, query.format)
