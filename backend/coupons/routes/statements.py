"""What coupons cost and who owes it: statements for head office, and for a manager those of their store."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Annotated, Any
from urllib.parse import quote, unquote

import msgspec
from msgspec import Meta

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import paging, windows
from backend.kernel.cells import text_cell
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Body, Reply, Router

from .. import queries, statements
from ..schemas import Cursor, Day
from ..statements import By, Line, Statement, net_fen

router = Router(tag="coupons")

_STATEMENTS = "/v1/admin/coupons/statements"
MOST_DAYS = 366
MOST_LINES = 50_000
"""Of a file; more are a shorter range of days."""


class RangeQuery(Body):
    """Which days, both included, local dates of the chain; what a line is about; which store's (a manager's own)."""

    from_on: Day = msgspec.field(name="from")
    to_on: Day = msgspec.field(name="to")
    by: By = By.TEMPLATE
    store_id: Annotated[str, Meta(min_length=1, max_length=32)] | None = None


class StatementQuery(RangeQuery):
    """The same, page by page."""

    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class CostOut(msgspec.Struct):
    """What a party bears: ``head_office``, ``store/…``, ``supplier/…`` or ``counter/…``."""

    party: str
    fen: int


class StatementLineOut(msgspec.Struct):
    """What was booked for a template, a store, or a party and a template.

    ``issued`` to ``voided`` are pieces, or fen where ``unit`` is ``fen``; null where the line cannot say: of stores and
    parties, and what is issued, expired and void is no store's. ``sales_fen`` is what the sales that used it cost,
    ``net_fen`` the same less what the line's coupons took. The margins are of those of the sales' ``lines`` whose cost
    (``goods_fen``) was known: without these coupons and with them.
    """

    template_id: str | None
    title: str | None
    unit: str | None
    store_id: str | None
    party: str | None
    issued: int | None
    used: int | None
    returned: int | None
    expired: int | None
    voided: int | None
    taken_fen: int
    refunded_fen: int
    cost_fen: int
    sales: int | None
    sales_fen: int | None
    net_fen: int | None
    lines: int | None
    lines_unknown: int | None
    unknown_bp: int | None
    goods_fen: int | None
    margin_before_fen: int | None
    margin_after_fen: int | None
    cost: list[CostOut]


class StatementTotalOut(msgspec.Struct):
    """All lines together, and what the ledger's accounts of the parties say by themselves (``booked``)."""

    taken_fen: int
    refunded_fen: int
    cost_fen: int
    sales: int
    sales_fen: int
    net_fen: int
    lines: int
    lines_unknown: int
    unknown_bp: int
    goods_fen: int
    margin_before_fen: int
    margin_after_fen: int
    cost: list[CostOut]
    booked: list[CostOut]


class StatementOut(msgspec.Struct):
    """A page of a statement; ``total`` is of all pages."""

    items: list[StatementLineOut]
    total: StatementTotalOut
    next_cursor: str | None


@router.get(
    _STATEMENTS, guard=staff(Permission.STATEMENTS_READ), summary="优惠券结算单", errors=(NotFound, ValidationFailed)
)
async def get_statement(caller: StaffCaller, query: StatementQuery) -> StatementOut:
    """What coupons did in a range of days, by template, store or party; a manager sees their store."""
    after = _after(query.cursor)
    store_id, statement = await _read(caller, query)
    keys = [key for key in statement.lines if after is None or key > after]
    page = keys[: query.limit]
    lines = [statement.lines[key] for key in page]
    return StatementOut(
        items=await _views(lines, query.by, chain=store_id is None),
        total=_total(statement),
        next_cursor=paging.make_cursor(*(quote(part, safe="") for part in page[-1])) if len(keys) > len(page) else None,
    )


@router.get(
    f"{_STATEMENTS}.csv",
    guard=staff(Permission.STATEMENTS_READ),
    summary="优惠券结算单（CSV）",
    errors=(NotFound, ValidationFailed),
)
async def export_statement(caller: StaffCaller, query: RangeQuery) -> Reply:
    """The whole statement as CSV: a row a line and party, so that its column of costs adds up to the total."""
    store_id, statement = await _read(caller, query)
    if len(statement.lines) > MOST_LINES:
        raise invalid("/query/from", f"these days have more than {MOST_LINES} lines; ask for fewer")
    views = await _views(list(statement.lines.values()), query.by, chain=store_id is None)
    file = await asyncio.to_thread(_csv, views)
    name = f"coupons-{query.by}-{query.from_on}-{query.to_on}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Reply(file, media_type="text/csv; charset=utf-8", headers=headers)


async def _read(caller: StaffCaller, query: RangeQuery) -> tuple[str | None, Statement]:
    """The statement of the store asked for, or of the chain; another's store is not found."""
    windows.check_days(query.from_on, query.to_on, most=MOST_DAYS)
    store_id = query.store_id or caller.store_id
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    if store_id is not None:
        await auth.get_store(store_id)
    return store_id, await statements.get_statement(
        query.by, query.from_on, query.to_on, settings().timezone, store_id=store_id
    )


def _after(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    parts = paging.read_cursor(cursor, 2)
    if parts is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return unquote(parts[0]), unquote(parts[1])


async def _views(lines: list[Line], by: By, *, chain: bool) -> list[StatementLineOut]:
    titles = await queries.list_titles({line.template_id for line in lines if line.template_id})
    return [_view(line, by, titles, chain=chain) for line in lines]


def _view(line: Line, by: By, titles: dict[str, str], *, chain: bool) -> StatementLineOut:
    pieces, all_pieces, sold = by is By.TEMPLATE, by is By.TEMPLATE and chain, by is not By.PARTY
    return StatementLineOut(
        template_id=line.template_id,
        title=titles.get(line.template_id or ""),
        unit=line.unit,
        store_id=line.store_id,
        party=line.party,
        issued=line.issued if all_pieces else None,
        used=line.used if pieces else None,
        returned=line.returned if pieces else None,
        expired=line.expired if all_pieces else None,
        voided=line.voided if all_pieces else None,
        taken_fen=line.taken_fen,
        refunded_fen=line.refunded_fen,
        cost_fen=net_fen(line.cost),
        **(_sold(line) if sold else dict.fromkeys(_SOLD)),
        cost=_costs(line.cost),
    )


def _sold(line: Line) -> dict[str, Any]:
    """What is told of the sales of a line."""
    return {
        "sales": line.sales,
        "sales_fen": line.sales_fen,
        "net_fen": line.sales_fen - line.taken_fen,
        "lines": line.lines,
        "lines_unknown": line.lines_unknown,
        "unknown_bp": line.lines_unknown * 10_000 // line.lines if line.lines else 0,
        "goods_fen": line.goods_fen,
        "margin_before_fen": line.margin_before_fen,
        "margin_after_fen": line.margin_after_fen,
    }


def _costs(cost: dict[str, int]) -> list[CostOut]:
    return [CostOut(party, fen) for party, fen in sorted(cost.items())]


def _total(statement: Statement) -> StatementTotalOut:
    total = statement.total
    return StatementTotalOut(
        taken_fen=total.taken_fen,
        refunded_fen=total.refunded_fen,
        cost_fen=net_fen(total.cost),
        **_sold(total),
        cost=_costs(total.cost),
        booked=_costs(statement.booked),
    )


_SUMMED = (
    "sales",
    "sales_fen",
    "net_fen",
    "lines",
    "lines_unknown",
    "goods_fen",
    "margin_before_fen",
    "margin_after_fen",
)
_SOLD = (*_SUMMED, "unknown_bp")
_PIECES = ("issued", "used", "returned", "expired", "voided", "taken_fen", "refunded_fen", *_SUMMED)
_NAMED = ("template_id", "title", "unit", "store_id", "party")
COLUMNS = (*_NAMED, *_PIECES, "borne_by", "cost_fen")


def _csv(lines: list[StatementLineOut]) -> bytes:
    """UTF-8 with a byte order mark. What is not a party's is on a line's first row only: every column can be summed."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for line in lines:
        named = [text_cell(getattr(line, name) or "") for name in _NAMED]
        numbers = [getattr(line, name) for name in _PIECES]
        for position, cost in enumerate(line.cost or [CostOut("", 0)]):
            shown = numbers if position == 0 else [None] * len(numbers)
            rows.writerow([*named, *shown, text_cell(cost.party), cost.fen])
    return text.getvalue().encode("utf-8-sig")
