"""Shifts as staff see them: the list, a shift with its trail, differences, and finance's reports."""

from __future__ import annotations

import asyncio
from datetime import date, datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, clock, paging, sheets, windows
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Idempotency, Reply, Router
from backend.kernel.http.pictures import as_picture

from .. import printing, queries, views
from ..commands import staff as commands
from ..errors import BooksBehind, NoDifference, ShiftClosed
from ..queries import ShiftFilter
from ..schemas import (
    EntriesOut,
    EntriesQuery,
    EntryOut,
    ForcedCloseIn,
    ResolveIn,
    RowOut,
    RowsChartQuery,
    RowsFileQuery,
    RowsOut,
    RowsQuery,
    ShiftDetail,
    ShiftOut,
    ShiftsOut,
    ShiftsQuery,
    StepOut,
)
from ..types import Row, Shift

router = Router(tag="shifts")

_READ = staff(Permission.SHIFTS_READ)
_SHIFTS = "/v1/admin/shifts"
_SHIFT = f"{_SHIFTS}/{{shift_id}}"
_REPORT = "/v1/admin/reports/shifts"
_ERRORS = (NotFound, ValidationFailed)
MOST_DAYS = 366
LAST = 100
BY = {"store": "门店", "terminal": "收银台", "cashier": "收银员", "day": "日期", "shift": "班次"}


@router.get(_SHIFTS, guard=_READ, summary="收银班次", errors=_ERRORS)
async def list_shifts(caller: StaffCaller, query: ShiftsQuery) -> ShiftsOut:
    """Shifts, the one opened last first; somebody of a store sees that store's."""
    since, until = _window(query.from_on, query.to_on)
    wanted = ShiftFilter(
        store_id=await auth.reached_store(caller, query.store_id),
        terminal_id=query.terminal_id,
        state=query.state.value if query.state else None,
        differs=True if query.differs else None,
        since=since,
        until=until,
    )
    found = await queries.list_shifts(wanted, before=paging.read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    cursor = paging.place_cursor(page[-1].opened_at, page[-1].id) if len(found) > query.limit else None
    return ShiftsOut([views.shift_out(one) for one in page], cursor)


@router.get(_SHIFT, guard=_READ, summary="班次详情", errors=(NotFound,))
async def get_shift(caller: StaffCaller, shift_id: str) -> ShiftDetail:
    """A shift with its movements, reports and what staff did about it."""
    shift = await _seen(caller, shift_id)
    steps = await queries.list_steps(shift.id, limit=LAST)
    names = await auth.staff_names({step.staff_id for step in steps})
    return ShiftDetail(
        shift=views.shift_out(shift),
        figures=await queries.figures_of(shift),
        movements=[views.movement_out(one) for one in await queries.list_movements(shift.id)],
        reports=[views.report_out(one, shift.terminal_id) for one in await queries.list_reports(shift.id, limit=LAST)],
        steps=[
            StepOut(at=step.at, username=names.get(step.staff_id, ""), kind=step.kind, note=step.note) for step in steps
        ],
    )


@router.get(f"{_SHIFT}/entries", guard=_READ, summary="班次流水", errors=_ERRORS)
async def list_entries(caller: StaffCaller, shift_id: str, query: EntriesQuery) -> EntriesOut:
    """What a closed shift is made of, in order."""
    shift = await _seen(caller, shift_id)
    found = await queries.list_entries(shift.id, after=paging.read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    cursor = paging.place_cursor(page[-1].at, page[-1].source_id) if len(found) > query.limit else None
    items = [
        EntryOut(
            source_id=one.source_id,
            kind=one.kind,
            cashier=one.cashier,
            at=one.at,
            fen=one.fen,
            by_tender=one.by_tender,
        )
        for one in page
    ]
    return EntriesOut(items, cursor)


@router.get(f"{_SHIFT}/file", guard=_READ, summary="班次 Z 报表（PDF）", errors=(NotFound,))
async def shift_file(caller: StaffCaller, shift_id: str) -> Reply:
    """A shift's figures on one page, to be signed."""
    shift = await _seen(caller, shift_id)
    store = await auth.get_store(shift.store_id)
    found = await queries.figures_of(shift)
    facts, rows = printing.facts(shift, store.name, store.timezone), printing.figures_table(found)
    title = f"收银班次 Z{shift.z_number}" if shift.z_number else "收银班次（未结）"
    return await _pdf(title, facts, ("项目", "笔数", "金额"), rows, f"shift-{shift.terminal_id}-{shift.id}")


@router.post(
    f"{_SHIFT}/close",
    guard=staff(Permission.SHIFTS_CLOSE),
    summary="代结班次",
    errors=(*_ERRORS, ShiftClosed, BooksBehind),
)
async def close_forgotten(caller: StaffCaller, shift_id: str, body: ForcedCloseIn) -> ShiftOut:
    """Close a shift that its cashier left open, with what was counted now and why."""
    return views.shift_out(await commands.close_forgotten(shift_id, body, caller))


@router.post(
    f"{_SHIFT}/resolve",
    guard=staff(Permission.SHIFTS_RESOLVE),
    idempotent=True,
    summary="处理班次差异",
    errors=(*_ERRORS, NoDifference),
)
async def resolve(caller: StaffCaller, shift_id: str, body: ResolveIn, idem: Idempotency) -> ShiftOut:
    """Answer for a difference; of one above the chain's bound a second person is asked (``/v1/admin/approvals``)."""
    return views.shift_out(await commands.resolve(shift_id, body.note, caller, idem.key))


@router.get(_REPORT, guard=_READ, summary="班次报表", errors=_ERRORS)
async def report(caller: StaffCaller, query: RowsQuery) -> RowsOut:
    """Closed shifts of some days, put together by store, terminal, cashier or day."""
    rows = await _rows(caller, query)
    items = [RowOut(**msgspec.structs.asdict(row)) for row in rows[: queries.MOST_ROWS]]
    return RowsOut(items, more=len(rows) > queries.MOST_ROWS)


@router.get(f"{_REPORT}/file", guard=_READ, summary="班次报表（文件）", errors=_ERRORS)
async def report_file(caller: StaffCaller, query: RowsFileQuery) -> Reply:
    """The same as CSV, XLSX or PDF; a file is whole or none."""
    rows = await _rows(caller, query)
    if len(rows) > queries.MOST_ROWS:
        raise invalid("/query/to", f"these are more than {queries.MOST_ROWS} rows; name fewer days")
    name = f"shifts-{query.from_on}-{query.to_on}"
    if query.format == "pdf":
        facts = [("期间", f"{query.from_on} 至 {query.to_on}"), ("汇总", BY[query.by])]
        return await _pdf("收银班次报表", facts, printing.heading(BY[query.by]), printing.rows_shown(rows), name)
    table = [tuple(msgspec.structs.astuple(row)) for row in rows]
    heading = (BY[query.by], *printing.COLUMNS)
    body = await asyncio.to_thread(sheets.write, query.format, "收银班次", heading, table)
    return _reply(body, sheets.MEDIA_TYPES[query.format], f"{name}.{query.format}")


@router.get(f"{_REPORT}/chart", guard=_READ, summary="班次报表（图）", errors=(*_ERRORS, charts.ChartUnavailable))
async def report_chart(caller: StaffCaller, query: RowsChartQuery) -> Reply:
    """How far off tills were, over or short, in yuan."""
    rows = await _rows(caller, query)
    bars = [
        charts.Bar(row.key, abs(row.difference_fen) / 100, printing.signed(row.difference_fen)) for row in rows[:40]
    ]
    chart = charts.Bars("班次差异", f"{query.from_on} 至 {query.to_on}，按{BY[query.by]}", "元", bars)
    return await as_picture(chart, query.format, f"shifts-{query.from_on}-{query.to_on}")


async def _rows(caller: StaffCaller, query: RowsQuery) -> list[Row]:
    since, until = _window(query.from_on, query.to_on)
    assert since is not None
    assert until is not None
    store_id = await auth.reached_store(caller, query.store_id)
    return await queries.list_rows(query.by, since, until, zone=settings().timezone, store_id=store_id)


async def _seen(caller: StaffCaller, shift_id: str) -> Shift:
    shift = await queries.find_shift(shift_id)
    if shift is None or not caller.reaches(shift.store_id):
        raise NotFound("there is no such shift")
    return shift


def _window(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """These days of the chain's zone, as instants."""
    windows.check_days(first, last, most=MOST_DAYS)
    zone = settings().timezone
    since = clock.midnight(first, zone) if first else None
    until = clock.midnight(clock.days_after(last, 1), zone) if last else None
    return since, until


async def _pdf(
    title: str,
    facts: list[tuple[str, str]],
    heading: tuple[str, ...],
    rows: list[tuple[str, ...]],
    name: str,
) -> Reply:
    rules = settings()
    made = clock.now().astimezone(clock.zone(rules.timezone)).strftime("%Y-%m-%d %H:%M")
    facts = [*facts, ("生成时间", made)]
    body = await asyncio.to_thread(printing.draw, rules.chain_name, title, facts, heading, rows, rules.label_font_file)
    return _reply(body, "application/pdf", f"{name}.pdf")


def _reply(body: bytes, media_type: str, name: str) -> Reply:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Reply(body, media_type, 200, headers)
