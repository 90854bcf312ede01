"""What stores owe each other for value that was recharged at one and spent at another."""

from __future__ import annotations

import asyncio
from datetime import date

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import sheets
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Reply, Router
from backend.kernel.paging import make_cursor, read_cursor

from .. import queries, rules, schemas
from ..types import Flow
from .bills import check_span

router = Router(tag="reconciliation")

_READ = staff(Permission.CLEARING_READ)
_BASE = "/v1/admin/clearing"
_ERRORS = (NotFound, ValidationFailed)
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
    return schemas.FlowsOut(
        [
            schemas.FlowOut(
                from_store=flow.from_store,
                to_store=flow.to_store,
                principal_fen=flow.principal_fen,
                bonus_fen=flow.bonus_fen,
                purchases=flow.purchases,
            )
            for flow in flows
        ],
        [
            schemas.BalanceOut(
                store_id=one.store_id,
                receives_fen=one.receives_fen,
                pays_fen=one.pays_fen,
                net_fen=one.net_fen,
            )
            for one in rules.balances(flows, with_bonus=query.with_bonus)
        ],
    )


@router.get(f"{_BASE}/flows/file", guard=_READ, summary="跨店结算导出", errors=_ERRORS)
async def export_flows(caller: StaffCaller, query: schemas.FlowsFileQuery) -> Reply:
    """The flows as CSV or XLSX."""
    rows = [
        (flow.from_store or "总部", flow.to_store or "总部", flow.principal_fen, flow.bonus_fen, flow.purchases)
        for flow in await _flows(caller, query)
    ]
    body = await asyncio.to_thread(sheets.write, query.format, "clearing", HEADING, rows)
    file = f"clearing-{query.from_on}-{query.to_on}.{query.format}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Reply(body, media_type=sheets.MEDIA_TYPES[query.format], headers=headers)


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
