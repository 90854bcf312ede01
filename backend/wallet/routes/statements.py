"""Statements of stored value as files, and the chain's report of it."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Literal

import msgspec

from backend.auth import queries as auth
from backend.auth.guards import member, staff
from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.kernel import charts, clock, ids, sheets
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Body, Reply, Router
from backend.kernel.http.pictures import as_picture
from backend.members import queries as members
from backend.members.types import Member

from .. import printing, reports, statements
from ..printing import Head
from ..reports import Day

router = Router(tag="wallet")

_REPORT = "/v1/admin/reports/stored-value"
_READERS = staff(Permission.STORED_READ)
_REPORTERS = staff(Permission.REPORTS_READ)
Wanted = Annotated[date, msgspec.Meta(description="日期，含当日")]
StoreId = Annotated[str, msgspec.Meta(min_length=1, max_length=16)]


class StatementFileQuery(Body):
    """Which days, both included, local dates of the chain, and as what."""

    from_on: Wanted = msgspec.field(name="from")
    to_on: Wanted = msgspec.field(name="to")
    format: Literal["pdf", "csv", "xlsx"] = "pdf"


class StoredValueQuery(Body):
    """Which days, both included, and of which store (its staff's own); without one the chain."""

    from_on: Wanted = msgspec.field(name="from")
    to_on: Wanted = msgspec.field(name="to")
    store_id: StoreId | None = None


class StoredValueFileQuery(StoredValueQuery):
    """And as what."""

    format: Literal["csv", "xlsx"] = "csv"


class StoredValueChartQuery(StoredValueQuery):
    """And as what."""

    format: Literal["svg", "png"] = "svg"


class StoredValueOut(msgspec.Struct):
    """The days on which something moved, in order; amounts in fen."""

    items: list[Day]


@router.get("/v1/member/wallet/statement", guard=member, summary="储值对账单", errors=(ValidationFailed,))
async def own_statement(caller: MemberCaller, query: StatementFileQuery) -> Reply:
    """Every transfer on the member's stored value, principal and bonus apart, as PDF, CSV or XLSX."""
    return await _file(await members.get_member(caller.member_id), query)


@router.get(
    "/v1/admin/members/{member_id}/stored-statement",
    guard=_READERS,
    summary="会员储值对账单",
    errors=(NotFound, ValidationFailed),
)
async def member_statement(caller: StaffCaller, member_id: str, query: StatementFileQuery) -> Reply:
    """The same of a member whom this person may see."""
    wanted = ids.read_bigint(member_id)
    found = await members.find_member(wanted) if wanted else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    return await _file(found, query)


@router.get(_REPORT, guard=_REPORTERS, summary="储值报表", errors=(NotFound, ValidationFailed))
async def report(caller: StaffCaller, query: StoredValueQuery) -> StoredValueOut:
    """What came, was given, was spent, went back and expired by day, and what the chain owes its members."""
    return StoredValueOut(await _days(caller, query))


@router.get(f"{_REPORT}/file", guard=_REPORTERS, summary="储值报表（文件）", errors=(NotFound, ValidationFailed))
async def report_file(caller: StaffCaller, query: StoredValueFileQuery) -> Reply:
    """The same as CSV or XLSX."""
    rows = reports.table(await _days(caller, query))
    body = await asyncio.to_thread(sheets.write, query.format, "储值报表", reports.HEADING, rows)
    return _reply(body, sheets.MEDIA_TYPES[query.format], f"stored-value-{query.from_on}-{query.to_on}.{query.format}")


@router.get(
    f"{_REPORT}/chart",
    guard=_REPORTERS,
    summary="储值报表（图）",
    errors=(NotFound, ValidationFailed, charts.ChartUnavailable),
)
async def report_chart(caller: StaffCaller, query: StoredValueChartQuery) -> Reply:
    """What was owed at the end of each day; of a store, what was spent there."""
    days = await _days(caller, query)
    owed = all(day.owed_principal_fen is not None for day in days)
    points = [(day.day.strftime("%m-%d"), _shown_fen(day) / 100) for day in days]
    title = "未消费储值余额" if owed else "门店储值消费"
    chart = charts.Curve(title, f"{query.from_on} 至 {query.to_on}", "元", points)
    return await as_picture(chart, query.format, f"stored-value-{query.from_on}-{query.to_on}")


def _shown_fen(day: Day) -> int:
    if day.owed_principal_fen is None or day.owed_bonus_fen is None:
        return day.spent_principal_fen + day.spent_bonus_fen
    return day.owed_principal_fen + day.owed_bonus_fen


async def _days(caller: StaffCaller, query: StoredValueQuery) -> list[Day]:
    """Of the store asked for, or of the chain; another's store is not found."""
    store_id = query.store_id or caller.store_id
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    if store_id is not None:
        await auth.get_store(store_id)
    statements.bounds(query.from_on, query.to_on, settings().timezone)
    return await reports.list_days(settings().timezone, query.from_on, query.to_on, store_id=store_id)


async def _file(who: Member, query: StatementFileQuery) -> Reply:
    zone = settings().timezone
    found = await statements.read(who.id, query.from_on, query.to_on, zone)
    name = f"statement-{query.from_on}-{query.to_on}.{query.format}"
    if query.format != "pdf":
        body = await asyncio.to_thread(printing.table, found, zone, query.format)
        return _reply(body, sheets.MEDIA_TYPES[query.format], name)
    made = clock.now().astimezone(clock.zone(zone)).strftime("%Y-%m-%d %H:%M")
    head = Head(settings().chain_name, who.member_no, who.name, zone, made)
    pdf = await asyncio.to_thread(printing.draw, found, head, settings().label_font_file)
    return _reply(pdf, "application/pdf", name)


def _reply(body: bytes, media_type: str, name: str) -> Reply:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Reply(body, media_type, 200, headers)
