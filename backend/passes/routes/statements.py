"""What passes have earned and what is owed for them: statements for head office, and for a manager their store's."""

from __future__ import annotations

import asyncio
import csv
import io

import msgspec

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.cells import text_cell
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Body, Reply, Router

from .. import queries, statements
from ..schemas import Day, StoreId
from ..statements import Key, Line, Statement, bounds

router = Router(tag="passes")

_STATEMENTS = "/v1/admin/pass-statements"
MOST_DAYS = 366
MOST_LINES = 20_000
"""More are a shorter range of days."""


class StatementQuery(Body):
    """Which days, both included, local dates of the chain; which store's (a manager's own)."""

    from_on: Day = msgspec.field(name="from")
    to_on: Day = msgspec.field(name="to")
    store_id: StoreId | None = None


class StatementLineOut(msgspec.Struct, kw_only=True):
    """What was booked in a month for a product in a store; amounts in fen, as in the guide to passes."""

    month: str
    product_id: str
    title: str
    store_id: str | None
    sold: int
    deferred_fen: int
    recognised_fen: int
    breakage_fen: int
    refunded_fen: int


class OpenOut(msgspec.Struct):
    """What of a product's passes was paid and not earned at the end of the range."""

    product_id: str
    title: str
    open_fen: int


class StatementTotalOut(msgspec.Struct, kw_only=True):
    """All lines together, and what is not earned of all products."""

    sold: int
    deferred_fen: int
    recognised_fen: int
    breakage_fen: int
    refunded_fen: int
    open_fen: int


class StatementOut(msgspec.Struct):
    """A statement: by month, product and store."""

    items: list[StatementLineOut]
    open: list[OpenOut]
    total: StatementTotalOut


@router.get(
    _STATEMENTS,
    guard=staff(Permission.STATEMENTS_READ),
    summary="次卡递延收入报表",
    errors=(NotFound, ValidationFailed),
)
async def get_statement(caller: StaffCaller, query: StatementQuery) -> StatementOut:
    """What was deferred, earned, lapsed and given back in a range of days; a manager sees their store."""
    found = await _read(caller, query)
    titles = await queries.list_titles({*(key[1] for key in found.lines), *found.open_fen})
    return StatementOut(
        [_line(key, line, titles) for key, line in found.lines.items()],
        [OpenOut(product_id, titles[product_id], fen) for product_id, fen in sorted(found.open_fen.items())],
        StatementTotalOut(**msgspec.structs.asdict(found.total), open_fen=sum(found.open_fen.values())),
    )


@router.get(
    f"{_STATEMENTS}.csv",
    guard=staff(Permission.STATEMENTS_READ),
    summary="次卡递延收入报表（CSV）",
    errors=(NotFound, ValidationFailed),
)
async def export_statement(caller: StaffCaller, query: StatementQuery) -> Reply:
    """The same lines as CSV."""
    found = await _read(caller, query)
    titles = await queries.list_titles({key[1] for key in found.lines})
    file = await asyncio.to_thread(_csv, [_line(key, line, titles) for key, line in found.lines.items()])
    name = f"passes-{query.from_on}-{query.to_on}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Reply(file, media_type="text/csv; charset=utf-8", headers=headers)


async def _read(caller: StaffCaller, query: StatementQuery) -> Statement:
    """The statement of the store asked for, or of the chain; another's store is not found."""
    begin, end = bounds(query.from_on, query.to_on, settings().timezone, most_days=MOST_DAYS)
    store_id = query.store_id or caller.store_id
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    if store_id is not None:
        await auth.get_store(store_id)
    found = await statements.get_statement(begin, end, settings().timezone, store_id=store_id)
    if len(found.lines) > MOST_LINES:
        raise invalid("/query/from", f"these days have more than {MOST_LINES} lines; ask for fewer")
    return found


def _line(key: Key, line: Line, titles: dict[str, str]) -> StatementLineOut:
    month, product_id, store_id = key
    return StatementLineOut(
        month=month,
        product_id=product_id,
        title=titles[product_id],
        store_id=store_id or None,
        **msgspec.structs.asdict(line),
    )


_TEXTS = ("month", "product_id", "title", "store_id")
COLUMNS = (*_TEXTS, *Line.__struct_fields__)


def _csv(lines: list[StatementLineOut]) -> bytes:
    """UTF-8 with a byte order mark."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for line in lines:
        named = [text_cell(getattr(line, name) or "") for name in _TEXTS]
        rows.writerow([*named, *(getattr(line, name) for name in Line.__struct_fields__)])
    return text.getvalue().encode("utf-8-sig")
