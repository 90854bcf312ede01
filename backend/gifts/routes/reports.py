"""The report of gifts: as JSON, as a file, and as a chart."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, sheets
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Reply, Router
from backend.kernel.http.pictures import as_picture
from backend.stock import queries as stock

from .. import reports
from ..reports import Row
from ..schemas import GiftReportChartQuery, GiftReportFileQuery, GiftReportQuery

router = Router(tag="gifts")

_REPORT = "/v1/admin/reports/gifts"
_REPORTERS = staff(Permission.REPORTS_READ)
MOST_BARS = 15


class GiftReportOut(msgspec.Struct):
    """Gifts and stores, what took most points first."""

    items: list[Row]


@router.get(_REPORT, guard=_REPORTERS, summary="积分兑换报表", errors=(NotFound, ValidationFailed))
async def report(caller: StaffCaller, query: GiftReportQuery) -> GiftReportOut:
    """What was redeemed in these days, by gift and place."""
    return GiftReportOut(await _rows(caller, query))


@router.get(f"{_REPORT}/file", guard=_REPORTERS, summary="积分兑换报表（文件）", errors=(NotFound, ValidationFailed))
async def report_file(caller: StaffCaller, query: GiftReportFileQuery) -> Reply:
    """The same as CSV or XLSX, with the sum."""
    rows = reports.table(await _rows(caller, query))
    body = await asyncio.to_thread(sheets.write, query.format, "积分兑换", reports.HEADING, rows)
    return _reply(body, sheets.MEDIA_TYPES[query.format], query, query.format)


@router.get(
    f"{_REPORT}/chart",
    guard=_REPORTERS,
    summary="积分兑换报表（图）",
    errors=(NotFound, ValidationFailed, charts.ChartUnavailable),
)
async def report_chart(caller: StaffCaller, query: GiftReportChartQuery) -> Reply:
    """The gifts that took most points, over all stores asked for."""
    points: Counter[str] = Counter()
    for row in await _rows(caller, query):
        points[row.title] += row.points
    bars = [charts.Bar(title, count, f"{count} 积分") for title, count in points.most_common(MOST_BARS)]
    chart = charts.Bars("积分兑换", f"{query.from_on} 至 {query.to_on}", "积分", bars)
    return await as_picture(chart, query.format, f"gifts-{query.from_on}-{query.to_on}")


async def _rows(caller: StaffCaller, query: GiftReportQuery) -> list[Row]:
    """Of the places of the store asked for, or of all; another's store is not found."""
    store_id = query.store_id or caller.store_id
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    if store_id is not None:
        await auth.get_store(store_id)
    places = [place.id for place in await stock.list_places(store_id=store_id)] if store_id else None
    return await reports.rows(query.from_on, query.to_on, places)


def _reply(body: bytes, media_type: str, query: GiftReportQuery, ending: str) -> Reply:
    name = f"gifts-{query.from_on}-{query.to_on}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Reply(body, media_type, 200, headers)
