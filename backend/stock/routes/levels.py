"""Places, levels, the journal, thresholds; and what suppliers are owed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import msgspec

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, sheets, windows
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Idempotency, Reply, Router
from backend.kernel.paging import instant_part, read_instant
from backend.ledger.errors import IdempotencyConflict
from backend.mall import queries as mall

from .. import access, errors, queries, views
from ..commands import alerts, payments, places
from ..schemas.levels import (
    LevelOut,
    LevelsFilter,
    LevelsOut,
    LevelsQuery,
    MovementOut,
    MovementsFilter,
    MovementsOut,
    MovementsQuery,
    PayableOut,
    PayablesOut,
    PayablesQuery,
    PaymentIn,
    PaymentOut,
    PlaceOut,
    PlacesOut,
    ThresholdsIn,
    ThresholdsOut,
    WarehouseIn,
)

router = Router(tag="stock")

_LEVELS = "/v1/admin/stock/levels"
_MOVEMENTS = "/v1/admin/stock/movements"
MOST_DAYS = 366
ROWS_AT_ONCE = 2_000
"""Of a file: each page is read when the one before it was taken."""


@router.get("/v1/admin/stock/places", guard=staff(Permission.STOCK_READ), summary="库存地点")
async def list_places(caller: StaffCaller) -> PlacesOut:
    """Stores and warehouses that the caller reaches."""
    found = await queries.list_places(store_id=caller.store_id)
    return PlacesOut([PlaceOut(p.id, p.name, p.store_id, p.warehouse, p.active) for p in found])


@router.post(
    "/v1/admin/stock/warehouses",
    guard=staff(Permission.STOCK_PLACES),
    status=201,
    summary="新建仓库",
    errors=(NotFound, ValidationFailed, errors.DocumentConflict),
)
async def create_warehouse(caller: StaffCaller, body: WarehouseIn) -> PlaceOut:
    """Add a warehouse, which a store keeps or (without one) head office."""
    place = await places.create_warehouse(body.id, body.name, body.store_id, caller.staff_id)
    return PlaceOut(place.id, place.name, place.store_id, place.warehouse, place.active)


@router.get(_LEVELS, guard=staff(Permission.STOCK_READ), summary="库存", errors=(NotFound, ValidationFailed))
async def list_levels(caller: StaffCaller, query: LevelsQuery) -> LevelsOut:
    """What lies at a place, by SKU: all, what is low, or of what a till sold more than the books had."""
    await access.place(caller, query.place_id)
    found = await queries.list_levels(
        query.place_id, which=query.which, sku=query.sku, after=query.cursor or "", limit=query.limit + 1
    )
    page = found[: query.limit]
    names = await views.article_names(one.sku for one in page)
    more = page[-1].sku if len(found) > query.limit else None
    return LevelsOut([views.level(one, names) for one in page], more)


@router.get(
    f"{_LEVELS}.csv", guard=staff(Permission.STOCK_READ), summary="库存（CSV）", errors=(NotFound, ValidationFailed)
)
async def export_levels(caller: StaffCaller, query: LevelsFilter) -> Reply:
    """The same as CSV, whole."""
    return await _levels_file(caller, query, "csv")


@router.get(
    f"{_LEVELS}.xlsx", guard=staff(Permission.STOCK_READ), summary="库存（XLSX）", errors=(NotFound, ValidationFailed)
)
async def export_levels_sheet(caller: StaffCaller, query: LevelsFilter) -> Reply:
    """The same as a spreadsheet."""
    return await _levels_file(caller, query, "xlsx")


async def _levels_file(caller: StaffCaller, query: LevelsFilter, form: sheets.Format) -> Reply:
    await access.place(caller, query.place_id)

    async def pages() -> AsyncIterator[sheets.Page]:
        after = ""
        while found := await queries.list_levels(
            query.place_id, which=query.which, sku=query.sku, after=after, limit=ROWS_AT_ONCE
        ):
            names = await views.article_names(one.sku for one in found)
            yield [_cells(views.level(one, names)) for one in found]
            after = found[-1].sku

    return await _file(LevelOut.__struct_fields__, pages(), f"stock-{query.place_id}", form)


@router.get(_MOVEMENTS, guard=staff(Permission.STOCK_READ), summary="商品明细帐", errors=(NotFound, ValidationFailed))
async def list_movements(caller: StaffCaller, query: MovementsQuery) -> MovementsOut:
    """The journal of a place, oldest first."""
    begin, end = await _bounds(caller, query)
    after = _read_movement_cursor(query.cursor) if query.cursor is not None else None
    found = await queries.list_place_movements(
        query.place_id, begin, end, sku=query.sku, after=after, limit=query.limit + 1
    )
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    more = f"{instant_part(last.at)}/{last.version}/{last.sku}" if last else None
    return MovementsOut(await views.movements(page), more)


@router.get(
    f"{_MOVEMENTS}.csv",
    guard=staff(Permission.STOCK_READ),
    summary="商品明细帐（CSV）",
    errors=(NotFound, ValidationFailed),
)
async def export_movements(caller: StaffCaller, query: MovementsFilter) -> Reply:
    """The same as CSV, whole."""
    return await _movements_file(caller, query, "csv")


@router.get(
    f"{_MOVEMENTS}.xlsx",
    guard=staff(Permission.STOCK_READ),
    summary="商品明细帐（XLSX）",
    errors=(NotFound, ValidationFailed),
)
async def export_movements_sheet(caller: StaffCaller, query: MovementsFilter) -> Reply:
    """The same as a spreadsheet."""
    return await _movements_file(caller, query, "xlsx")


async def _movements_file(caller: StaffCaller, query: MovementsFilter, form: sheets.Format) -> Reply:
    begin, end = await _bounds(caller, query)

    async def pages() -> AsyncIterator[sheets.Page]:
        after: queries.MovementPlace | None = None
        while found := await queries.list_place_movements(
            query.place_id, begin, end, sku=query.sku, after=after, limit=ROWS_AT_ONCE
        ):
            yield [_cells(line) for line in await views.movements(found)]
            after = (found[-1].at, found[-1].sku, found[-1].version)

    return await _file(MovementOut.__struct_fields__, pages(), f"movements-{query.place_id}", form)


async def _bounds(caller: StaffCaller, query: MovementsFilter) -> tuple[datetime, datetime]:
    """The instants between which the days of the query lie, at a place that the caller reaches."""
    await access.place(caller, query.place_id)
    return windows.of_days(query.from_on, query.to_on, settings().timezone, most=MOST_DAYS)


def _read_movement_cursor(cursor: str) -> queries.MovementPlace:
    at, _, rest = cursor.partition("/")
    version, _, sku = rest.partition("/")
    instant = read_instant(at)
    if instant is None or not (version.isascii() and version.isdigit() and len(version) < 19):
        raise invalid("/query/cursor", "not a cursor of this list")
    return instant, sku, int(version)


async def _file(columns: Sequence[str], pages: AsyncIterator[sheets.Page], name: str, form: sheets.Format) -> Reply:
    body = await sheets.stream(form, "stock", columns, pages)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
    return Reply(body, media_type=sheets.MEDIA_TYPES[form], headers=headers)


def _cells(row: msgspec.Struct) -> list[sheets.Cell]:
    return [_cell(value) for value in msgspec.structs.astuple(row)]


def _cell(value: object) -> sheets.Cell:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int) or value is None else str(value)


@router.put(
    "/v1/admin/stock/thresholds",
    guard=staff(Permission.STOCK_DECIDE),
    summary="低库存预警线",
    errors=(NotFound, ValidationFailed),
)
async def set_thresholds(caller: StaffCaller, body: ThresholdsIn) -> ThresholdsOut:
    """Say from how few pieces on articles are low at a place."""
    await access.place(caller, body.place_id)
    lows = {item.sku: item.low_qty for item in body.items}
    unknown = await alerts.set_thresholds(body.place_id, lows, caller)
    return ThresholdsOut(len(lows) - len(unknown), unknown)


@router.get(
    "/v1/admin/stock/payables",
    guard=staff(Permission.STOCK_PAYABLES),
    summary="供应商应付账款",
    errors=(ValidationFailed,),
)
async def list_payables(caller: StaffCaller, query: PayablesQuery) -> PayablesOut:
    """What each supplier is owed, over all places."""
    found = await queries.list_payables(after=query.cursor or "", limit=query.limit + 1)
    page = found[: query.limit]
    names = await mall.find_supplier_names(one.supplier_id for one in page)
    items = [
        PayableOut(
            one.supplier_id,
            names.get(one.supplier_id, ""),
            one.received_fen,
            one.returned_fen,
            one.paid_fen,
            one.owed_fen,
        )
        for one in page
    ]
    return PayablesOut(items, page[-1].supplier_id if len(found) > query.limit else None)


@router.post(
    "/v1/admin/stock/payments",
    guard=staff(Permission.STOCK_PAYABLES),
    status=201,
    idempotent=True,
    summary="登记付款",
    errors=(ValidationFailed, IdempotencyConflict),
)
async def record_payment(caller: StaffCaller, body: PaymentIn, idem: Idempotency) -> PaymentOut:
    """Write down what a supplier was paid, once per key."""
    if body.amount_fen == 0:
        raise invalid("/amount_fen", "is nothing")
    if body.paid_on.year not in clock.YEARS:
        raise invalid("/paid_on", "is out of range")
    return PaymentOut(
        await payments.record(body.supplier_id, body.amount_fen, body.paid_on, body.note, idem.key, caller)
    )
