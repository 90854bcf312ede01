"""The report of rebates: head office's of the chain, a store's of what it bears."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Literal

import msgspec

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, sheets
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Body, Reply, Router
from backend.kernel.http.pictures import as_picture

from .. import printing, reports
from ..reports import Report
from ..types import Id, PeriodKind

router = Router(tag="rebates")

_REPORT = "/v1/admin/rebates/report"
_READ = staff(Permission.REPORTS_READ)
Wanted = Annotated[date, msgspec.Meta(description="日期，含当日")]


class ReportQuery(Body):
    """Periods that begin on these days, both included; of a store what it bears (its staff's own)."""

    from_on: Wanted = msgspec.field(name="from")
    to_on: Wanted = msgspec.field(name="to")
    store_id: Id | None = None
    scheme_id: Id | None = None
    period: PeriodKind | None = None


class ReportFileQuery(ReportQuery):
    """And as what."""

    format: Literal["csv", "xlsx"] = "csv"


class ReportChartQuery(ReportQuery):
    """And as what."""

    format: Literal["svg", "png"] = "svg"


@router.get(_REPORT, guard=_READ, summary="返利报表", errors=(NotFound, ValidationFailed))
async def get_report(caller: StaffCaller, query: ReportQuery) -> Report:
    """By period, scheme and the store that bears it: accrued, corrected, paid, used, expired, left."""
    return await _read(caller, query)


@router.get(f"{_REPORT}/file", guard=_READ, summary="返利报表（文件）", errors=(NotFound, ValidationFailed))
async def get_file(caller: StaffCaller, query: ReportFileQuery) -> Reply:
    """The same as CSV or XLSX."""
    rows = reports.table((await _read(caller, query)).items)
    body = await asyncio.to_thread(sheets.write, query.format, "返利报表", reports.HEADING, rows)
    return printing.reply(
        body, sheets.MEDIA_TYPES[query.format], f"rebates-{query.from_on}-{query.to_on}.{query.format}"
    )


@router.get(
    f"{_REPORT}/chart",
    guard=_READ,
    summary="返利报表（图）",
    errors=(NotFound, ValidationFailed, charts.ChartUnavailable),
)
async def get_chart(caller: StaffCaller, query: ReportChartQuery) -> Reply:
    """By period what is used, expired, left and not paid yet."""
    chart = reports.chart(await _read(caller, query), f"{query.from_on} 至 {query.to_on}")
    return await as_picture(chart, query.format, f"rebates-{query.from_on}-{query.to_on}")


async def _read(caller: StaffCaller, query: ReportQuery) -> Report:
    store_id = await auth.reached_store(caller, query.store_id)
    return await reports.read(
        query.from_on, query.to_on, kind=query.period, store_id=store_id, scheme_id=query.scheme_id
    )
