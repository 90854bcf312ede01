"""Boxes in numbers: as JSON, as tables and as charts. Head office sees every box, others those that they administer."""

from __future__ import annotations

import asyncio

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import sheets, windows
from backend.kernel.charts import ChartUnavailable
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Reply, Router
from backend.kernel.http.pictures import as_picture

from .. import figures, queries, views
from ..commands import serving
from ..queries import statistics
from ..schemas import ChartQuery, FileQuery, MonthOut, StatisticsOut, StatisticsQuery

router = Router(tag="suggestion boxes")

_STATISTICS = "/v1/admin/suggestion-boxes/statistics"
_ERRORS = (NotFound, ValidationFailed)
MOST_DAYS = 1_100
"""That statistics are asked for at once: three years."""


@router.get(_STATISTICS, guard=staff(Permission.SUGGESTIONS_HANDLE), summary="意见箱统计", errors=_ERRORS)
async def get_statistics(caller: StaffCaller, query: StatisticsQuery) -> StatisticsOut:
    """Boxes by month: numbers only, for head office of every box."""
    return StatisticsOut(await _months(caller, query))


@router.get(f"{_STATISTICS}/file", guard=staff(Permission.SUGGESTIONS_HANDLE), summary="意见箱统计导出", errors=_ERRORS)
async def get_statistics_file(caller: StaffCaller, query: FileQuery) -> Reply:
    """The same as CSV or XLSX."""
    rows = [figures.row(one) for one in await _months(caller, query)]
    body = await asyncio.to_thread(sheets.write, query.format, "suggestions", figures.HEADING, rows)
    file = f"suggestions-{query.from_on:%Y-%m}-{query.until_on:%Y-%m}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Reply(body, media_type=sheets.MEDIA_TYPES[query.format], headers=headers)


@router.get(
    f"{_STATISTICS}/chart",
    guard=staff(Permission.SUGGESTIONS_HANDLE),
    summary="意见箱统计图",
    errors=(*_ERRORS, ChartUnavailable),
)
async def get_chart(caller: StaffCaller, query: ChartQuery) -> Reply:
    """What was received, signed and anonymous, by month or by box, as SVG or PNG."""
    chart = figures.chart(await _months(caller, query), query.by)
    return await as_picture(chart, query.format)


async def _months(caller: StaffCaller, query: StatisticsQuery) -> list[MonthOut]:
    windows.check_days(query.from_on, query.until_on, most=MOST_DAYS)
    since, until = figures.whole_months(query.from_on, query.until_on)
    found = (
        await queries.list_boxes() if caller.may(Permission.SUGGESTION_BOXES) else await serving.reached_boxes(caller)
    )
    titles = {box.id: box.title for box in found}
    if query.box_id is not None and query.box_id not in titles:
        raise NotFound("there is no such box")
    wanted = [query.box_id] if query.box_id is not None else list(titles)
    months = await statistics.list_months(wanted, since, until, settings().timezone)
    return [views.month(one, titles) for one in months]
