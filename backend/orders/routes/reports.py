"""Reports of a store as CSV or XLSX: daily sales, margin, stock, and its orders. A manager's own store's only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import sheets
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Reply, Router

from .. import reports
from ..reports import Range, Rows
from ..schemas.reports import OrderExportQuery, ReportQuery

router = Router(tag="orders")

_ERRORS = (NotFound, ValidationFailed)


async def _span(caller: StaffCaller, query: ReportQuery) -> Range:
    """The days of the store asked for; another's is not found, and head office names one."""
    store_id = query.store_id or caller.store_id
    if store_id is None:
        raise invalid("/query/store_id", "name a store")
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    store = await auth.get_store(store_id)
    return reports.days(store.id, query.from_on, query.to_on, store.timezone)


async def _file(query: ReportQuery, name: str, heading: tuple[str, ...], rows: Rows) -> Reply:
    whole = [*rows, reports.total(heading, rows)] if rows else rows
    return _reply(query, name, await asyncio.to_thread(sheets.write, query.format, name, heading, whole))


def _reply(query: ReportQuery, name: str, body: bytes | AsyncIterator[bytes]) -> Reply:
    file = f"{name}-{query.from_on}-{query.to_on}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Reply(body, media_type=sheets.MEDIA_TYPES[query.format], headers=headers)


@router.get("/v1/admin/reports/sales", guard=staff(Permission.REPORTS_READ), summary="销售日报", errors=_ERRORS)
async def sales(caller: StaffCaller, query: ReportQuery) -> Reply:
    """What a store sold by day, at its tills and in the mall, how it was paid, and what went back."""
    return await _file(query, "sales", reports.SALES, await reports.sales(await _span(caller, query)))


@router.get("/v1/admin/reports/margin", guard=staff(Permission.REPORTS_READ), summary="毛利日报", errors=_ERRORS)
async def margin(caller: StaffCaller, query: ReportQuery) -> Reply:
    """What each article brought by day, what it cost by the journal of stock, and the difference."""
    return await _file(query, "margin", reports.MARGIN, await reports.margin(await _span(caller, query)))


@router.get("/v1/admin/reports/stock", guard=staff(Permission.REPORTS_READ), summary="库存日报", errors=_ERRORS)
async def stock(caller: StaffCaller, query: ReportQuery) -> Reply:
    """What lay in a store before and after these days, and what moved between; sent as it is read."""
    pages = reports.stock(await _span(caller, query))
    return _reply(query, "stock", await sheets.stream(query.format, "stock", reports.STOCK, pages))


@router.get("/v1/admin/reports/orders", guard=staff(Permission.REPORTS_READ), summary="订单导出", errors=_ERRORS)
async def orders(caller: StaffCaller, query: OrderExportQuery) -> Reply:
    """A store's orders that were placed on these days, sent as they are read."""
    pages = reports.orders(await _span(caller, query), query.status)
    return _reply(query, "orders", await sheets.stream(query.format, "orders", reports.ORDERS, pages))
