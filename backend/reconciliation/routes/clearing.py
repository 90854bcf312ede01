"""What stores owe each other for value that was recharged at one and spent at another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, sheets
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Idempotency, Reply, Router
from backend.kernel.http.pictures import as_picture
from backend.kernel.paging import make_cursor, place_cursor, read_cursor, read_place

from .. import queries, rules, schemas
from ..commands import settling
from ..errors import NothingToSettle, SettlementTooEarly
from ..types import Flow, Settlement
from .bills import check_span

router = Router(tag="reconciliation")

_READ = staff(Permission.CLEARING_READ)
_SETTLE = staff(Permission.CLEARING_SETTLE)
_BASE = "/v1/admin/clearing"
_ERRORS = (NotFound, ValidationFailed)
MOST_BARS = 40
HEADING = ("充值门店", "消费门店", "本金（分）", "赠送（分）", "消费笔数")


def _reached(caller: StaffCaller, store_id: str | None) -> str | None:
    """The store whose flows are meant: the caller's own, for head office the one that is named, or all."""
    wanted = store_id or caller.store_id
    if wanted is not None and not caller.reaches(wanted):
        raise NotFound("there is no such store")
    return wanted


async def _flows(caller: StaffCaller, query: schemas.FlowsQuery) -> list[Flow]:
    check_span(query)
    return await queries.list_flows(query.from_on, query.to_on, store_id=_reached(caller, query.store_id))


@router.get(f"{_BASE}/flows", guard=_READ, summary="跨店结算", errors=_ERRORS)
async def get_flows(caller: StaffCaller, query: schemas.FlowsQuery) -> schemas.FlowsOut:
    """Who owes whom for these days of the chain; a store's staff see what concerns their store."""
    flows = await _flows(caller, query)
    return schemas.FlowsOut(_flows_out(flows), _balances(flows, with_bonus=query.with_bonus))


def _flows_out(flows: Iterable[Flow]) -> list[schemas.FlowOut]:
    return [
        schemas.FlowOut(
            from_store=flow.from_store,
            to_store=flow.to_store,
            principal_fen=flow.principal_fen,
            bonus_fen=flow.bonus_fen,
            purchases=flow.purchases,
        )
        for flow in flows
    ]


def _balances(flows: Iterable[Flow], *, with_bonus: bool) -> list[schemas.BalanceOut]:
    return [
        schemas.BalanceOut(
            store_id=one.store_id, receives_fen=one.receives_fen, pays_fen=one.pays_fen, net_fen=one.net_fen
        )
        for one in rules.balances(flows, with_bonus=with_bonus)
    ]


@router.get(f"{_BASE}/flows/file", guard=_READ, summary="跨店结算导出", errors=_ERRORS)
async def export_flows(caller: StaffCaller, query: schemas.FlowsFileQuery) -> Reply:
    """The flows as CSV or XLSX."""
    return await _file(await _flows(caller, query), f"clearing-{query.from_on}-{query.to_on}", query.format)


@router.get(f"{_BASE}/flows/chart", guard=_READ, summary="跨店结算图", errors=(*_ERRORS, charts.ChartUnavailable))
async def draw_flows(caller: StaffCaller, query: schemas.FlowsChartQuery) -> Reply:
    """What each store receives and pays, in yuan, as SVG or PNG; those with the most first, at most 40."""
    found = rules.balances(await _flows(caller, query), with_bonus=query.with_bonus)
    found = sorted(found, key=lambda one: -(one.receives_fen + one.pays_fen))[:MOST_BARS]
    lines = [(one.store_id or "总部", [one.receives_fen // 100, one.pays_fen // 100]) for one in found]
    chart = charts.Stacks("各店应收应付", f"{query.from_on} 至 {query.to_on}", "元", ("应收", "应付"), lines)
    return await as_picture(chart, query.format)


async def _file(flows: Iterable[Flow], name: str, form: sheets.Format) -> Reply:
    rows = [
        (flow.from_store or "总部", flow.to_store or "总部", flow.principal_fen, flow.bonus_fen, flow.purchases)
        for flow in flows
    ]
    body = await asyncio.to_thread(sheets.write, form, "clearing", HEADING, rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
    return Reply(body, media_type=sheets.MEDIA_TYPES[form], headers=headers)


@router.get(f"{_BASE}/lines", guard=_READ, summary="跨店结算明细", errors=_ERRORS)
async def list_lines(caller: StaffCaller, query: schemas.LinesQuery) -> schemas.LinesOut:
    """The purchases and refunds that a flow is made of; of two other stores' flow a store's staff see nothing."""
    check_span(query)
    if not (caller.reaches(query.from_store) or caller.reaches(query.to_store)):
        raise NotFound("there is no such store")
    wanted = queries.FlowFilter(
        first=query.from_on, last=query.to_on, from_store=query.from_store, to_store=query.to_store
    )
    found = await queries.list_flow_lines(wanted, after=_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    cursor = make_cursor(str(last.day), last.document_id, str(last.lot_id)) if last else None
    items = [schemas.LineOut(day=one.day, document_id=one.document_id, part=one.part, fen=one.fen) for one in page]
    return schemas.LinesOut(items, cursor)


def _place(cursor: str | None) -> tuple[date, str, int] | None:
    if cursor is None:
        return None
    parts = read_cursor(cursor, 3)
    try:
        if parts is not None and len(parts[2]) <= 18:
            return date.fromisoformat(parts[0]), parts[1], int(parts[2])
    except ValueError:
        pass
    raise invalid("/query/cursor", "not a cursor of this list")


# -- settlements


@router.post(
    f"{_BASE}/settlements",
    guard=_SETTLE,
    status=202,
    idempotent=True,
    summary="提出跨店结算",
    errors=(ValidationFailed, SettlementTooEarly, NothingToSettle),
)
async def propose(caller: StaffCaller, body: schemas.SettleIn, idem: Idempotency) -> schemas.AskedOut:
    """Ask a second person to settle everything up to that day (``/v1/admin/approvals``); nothing is settled before."""
    asked = await settling.propose(body.to_on, body.reason, caller, idem.key, with_bonus=body.with_bonus)
    return schemas.AskedOut(asked.id, asked.state.value)


@router.get(f"{_BASE}/settlements", guard=_READ, summary="跨店结算单", errors=(ValidationFailed,))
async def list_settlements(caller: StaffCaller, query: schemas.SettlementsQuery) -> schemas.SettlementsOut:
    """What was settled, the last first; a store's staff see their own part of each."""
    found = await queries.list_settlements(before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    cursor = place_cursor(page[-1].at, page[-1].id) if len(found) > query.limit else None
    names = await _names()
    return schemas.SettlementsOut([_settlement(caller, one, names) for one in page], cursor)


async def _names() -> dict[int, str]:
    return {int(person.id): person.username for person in await auth.list_staff()}


def _own(caller: StaffCaller, one: Settlement) -> list[Flow]:
    own = caller.store_id
    return [flow for flow in one.flows if own is None or own in (flow.from_store, flow.to_store)]


def _settlement(caller: StaffCaller, one: Settlement, names: dict[int, str]) -> schemas.SettlementOut:
    balances = _balances(_own(caller, one), with_bonus=one.with_bonus)
    return schemas.SettlementOut(
        id=one.id,
        from_on=one.from_on,
        to_on=one.to_on,
        with_bonus=one.with_bonus,
        asked_by=names.get(one.asked_by, ""),
        approved_by=names.get(one.approved_by, ""),
        at=one.at,
        balances=[balance for balance in balances if caller.store_id in (None, balance.store_id)],
    )


async def _find(caller: StaffCaller, settlement_id: str) -> Settlement:
    """A settlement that says something of the caller's store; of another there is none for them."""
    found = await queries.find_settlement(settlement_id)
    if found is None or (caller.store_id is not None and not _own(caller, found)):
        raise NotFound("there is no such settlement")
    return found


@router.get(f"{_BASE}/settlements/{{settlement_id}}", guard=_READ, summary="跨店结算单详情", errors=(NotFound,))
async def get_settlement(caller: StaffCaller, settlement_id: str) -> schemas.SettlementDetail:
    """A settlement with the flows it was made of; a store's staff see those that concern their store."""
    found = await _find(caller, settlement_id)
    return schemas.SettlementDetail(_settlement(caller, found, await _names()), _flows_out(_own(caller, found)))


@router.get(f"{_BASE}/settlements/{{settlement_id}}/file", guard=_READ, summary="跨店结算单导出", errors=(NotFound,))
async def export_settlement(caller: StaffCaller, settlement_id: str, query: schemas.FileQuery) -> Reply:
    """The same as CSV or XLSX."""
    found = await _find(caller, settlement_id)
    return await _file(_own(caller, found), f"settlement-{found.id}", query.format)
