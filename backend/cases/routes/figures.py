"""How many cases there were and how long they took: as JSON, as tables, and the cases themselves as a table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, clock, sheets, windows
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Reply, Router
from backend.kernel.http.pictures import as_picture
from backend.kernel.sheets import Page

from .. import queries, rules, service, views
from ..queries.cases import Filter
from ..schemas import ChartQuery, ExportQuery, FiguresFileQuery, FiguresOut, FiguresQuery, SpanQuery, StatisticsOut
from ..types import Case, Grouping
from .admin import reached_store

router = Router(tag="feedback")

_CASES = "/v1/admin/cases"
_ERRORS = (NotFound, ValidationFailed)
MOST_DAYS = 1_100
PAGE = 500

FIGURES = (
    *("项目", "件数", "待答复", "已逾期", "已答复", "已办结", "重开过", "补偿件数", "补偿积分", "评价数", "平均分"),
    *("首次答复中位数（分钟）", "首次答复九成（分钟）", "办结中位数（分钟）", "办结九成（分钟）"),
)
CASES = (
    *("编号", "类别", "渠道", "状态", "优先级", "门店", "提交时间", "应答复时间", "首次答复时间", "办结时间", "结果"),
    *("补偿", "评分", "内容"),
)


def _span(query: SpanQuery) -> tuple[datetime, datetime]:
    """The instants between which cases were opened on these days of the chain."""
    return windows.of_days(query.from_on, query.to_on, settings().timezone, most=MOST_DAYS)


async def read_figures(caller: StaffCaller, query: FiguresQuery) -> StatisticsOut:
    """The lines of figures, and the line of all of them."""
    store_id, (since, until), now = reached_store(caller, query.store_id), _span(query), clock.now()
    lines = await queries.list_figures(query.by, since, until, store_id, now)
    labels = await views.labels(query.by)
    total = await queries.total_figures(since, until, store_id, now)
    return StatisticsOut(
        [views.figures(one, labels.get(one.key, one.key)) for one in lines], views.figures(total, "合计")
    )


@router.get(f"{_CASES}/statistics", guard=staff(Permission.CASES_REPORT), summary="反馈统计", errors=_ERRORS)
async def get_statistics(caller: StaffCaller, query: FiguresQuery) -> StatisticsOut:
    """Cases that were opened on these days, by kind, store or person: how many, how long, how good."""
    return await read_figures(caller, query)


@router.get(f"{_CASES}/statistics/file", guard=staff(Permission.CASES_REPORT), summary="反馈统计导出", errors=_ERRORS)
async def get_statistics_file(caller: StaffCaller, query: FiguresFileQuery) -> Reply:
    """The same as CSV or XLSX."""
    found = await read_figures(caller, query)
    rows = [_figures_row(one) for one in (*found.items, found.total)]
    body = await asyncio.to_thread(sheets.write, query.format, "feedback", FIGURES, rows)
    return _file(query, query.format, f"feedback-{query.by.value}", body)


def _figures_row(one: FiguresOut) -> tuple[str | int | None, ...]:
    def minutes(seconds: int | None) -> int | None:
        return None if seconds is None else round(seconds / 60)

    rating = "" if one.rating is None else f"{one.rating:.2f}"
    return (
        *(one.label, one.cases, one.waiting, one.overdue, one.answered, one.closed, one.reopened),
        *(one.given, one.points_given, one.rated, rating),
        *(minutes(one.answer_p50_s), minutes(one.answer_p90_s)),
        *(minutes(one.close_p50_s), minutes(one.close_p90_s)),
    )


_TITLES = {Grouping.KIND: "按类别", Grouping.STORE: "按门店", Grouping.STAFF: "按员工"}
MOST_BARS = 20


@router.get(
    f"{_CASES}/statistics/chart",
    guard=staff(Permission.CASES_REPORT),
    summary="反馈统计图",
    errors=(*_ERRORS, charts.ChartUnavailable),
)
async def get_chart(caller: StaffCaller, query: ChartQuery) -> Reply:
    """The twenty largest of them as bars, as SVG or PNG; each says how long the first answer took."""
    found = await read_figures(caller, query)
    bars = [charts.Bar(one.label, one.cases, _bar_note(one)) for one in found.items[:MOST_BARS]]
    subtitle = f"{query.from_on} 至 {query.to_on}，共 {found.total.cases} 件，待答复 {found.total.waiting} 件"
    chart = charts.Bars(f"反馈{_TITLES[query.by]}", subtitle, "件", bars)
    return await as_picture(chart, query.format)


def _bar_note(one: FiguresOut) -> str:
    if one.answer_p50_s is None:
        return f"{one.cases} 件"
    return f"{one.cases} 件，{one.answer_p50_s / 3600:.1f} 小时"


@router.get(f"{_CASES}/export", guard=staff(Permission.CASES_REPORT), summary="反馈导出", errors=_ERRORS)
async def export(caller: StaffCaller, query: ExportQuery) -> Reply:
    """The cases that were opened on these days, without their customers; sent as they are read."""
    since, until = _span(query)
    wanted = Filter(store_id=reached_store(caller, query.store_id), since=since, until=until)
    body = await sheets.stream(query.format, "feedback", CASES, _pages(wanted))
    return _file(query, query.format, "feedback", body)


async def _pages(wanted: Filter) -> AsyncIterator[Page]:
    after = None
    while True:
        found = await queries.list_desk(wanted, after=after, limit=PAGE)
        yield [_case_row(one) for one in found]
        if len(found) < PAGE:
            return
        after = found[-1].created_at, found[-1].id


def _case_row(one: Case) -> tuple[str | int | None, ...]:
    def local(at: datetime | None) -> str:
        return f"{at.astimezone(clock.zone(settings().timezone)):%Y-%m-%d %H:%M}" if at else ""

    return (
        *(one.id, service.KINDS[one.kind], one.channel.value, one.state.value, one.priority.value),
        *(one.store_id or "", local(one.created_at), local(one.due_at), local(one.answered_at), local(one.closed_at)),
        *(one.outcome.value if one.outcome else "", _compensation(one), one.rating, one.excerpt),
    )


def _compensation(one: Case) -> str:
    """What the customer was given by us, and what was written down besides."""
    return "；".join(word for word in (rules.gift_words(one.given) if one.given else "", one.compensation) if word)


def _file(query: SpanQuery, form: sheets.Format, name: str, body: bytes | AsyncIterator[bytes]) -> Reply:
    file = f"{name}-{query.from_on}-{query.to_on}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Reply(body, media_type=sheets.MEDIA_TYPES[form], headers=headers)
