"""What members see of their rebates, and what staff see of a member's."""

from __future__ import annotations

import asyncio
from typing import Literal

from backend.auth.guards import member, staff
from backend.auth.types import MemberCaller, Permission, StaffCaller
from backend.kernel import clock, ids, sheets
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Reply, Router
from backend.kernel.paging import place_cursor, read_place
from backend.members import queries as members

from .. import printing, views
from ..queries import statements
from ..schemas import MemberRebatesOut, PageQuery, StatementDetail, StatementFileQuery, StatementsOut
from ..types import Body, Statement, StatementState

router = Router(tag="rebates")

_MINE = "/v1/member/rebates"
_STATEMENTS = f"{_MINE}/statements"
_READ = staff(Permission.MEMBERS_READ)


@router.get(_MINE, guard=member, summary="我的返利")
async def get_rebates(caller: MemberCaller) -> MemberRebatesOut:
    """What can be spent and until when, where the member stands in the schemes about them, the last statements."""
    return await views.member(caller.member_id)


@router.get(_STATEMENTS, guard=member, summary="我的返利对账单", errors=(ValidationFailed,))
async def list_statements(caller: MemberCaller, query: PageQuery) -> StatementsOut:
    """The member's statements that finance closed, newest first."""
    found = await statements.list_of_member(caller.member_id, read_place(query.cursor), query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].at, page[-1].id) if len(found) > query.limit else None
    return StatementsOut([views.statement(one) for one in page], following)


@router.get(f"{_STATEMENTS}/{{statement_id}}", guard=member, summary="返利对账单详情", errors=(NotFound,))
async def get_statement(caller: MemberCaller, statement_id: str) -> StatementDetail:
    """One of the member's statements in full: purchases, corrections, tier, amount."""
    return views.detail(*await _own(caller, statement_id))


@router.get(f"{_STATEMENTS}/{{statement_id}}/file", guard=member, summary="返利对账单（文件）", errors=(NotFound,))
async def get_file(caller: MemberCaller, statement_id: str, query: StatementFileQuery) -> Reply:
    """The same as PDF, CSV or XLSX."""
    return await statement_file(*await _own(caller, statement_id), query.format)


@router.get("/v1/admin/members/{member_id}/rebates", guard=_READ, summary="会员的返利", errors=(NotFound,))
async def get_of_member(caller: StaffCaller, member_id: str) -> MemberRebatesOut:
    """What the member sees; another store's member is not found."""
    wanted = ids.read_bigint(member_id)
    found = await members.find_member(wanted) if wanted else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    return await views.member(found.id)


async def _own(caller: MemberCaller, statement_id: str) -> tuple[Statement, Body]:
    found = await statements.find_statement(statement_id)
    if found is None or found[0].holder_id != caller.member_id or found[0].state is StatementState.DRAFT:
        raise NotFound("there is no such statement")
    return found


async def statement_file(one: Statement, body: Body, form: Literal["pdf", "csv", "xlsx"]) -> Reply:
    """A statement as a file."""
    name = f"rebate-{one.period.first}-{one.period.last}.{form}"
    if form != "pdf":
        made = await asyncio.to_thread(printing.table, one, body, form)
        return printing.reply(made, sheets.MEDIA_TYPES[form], name)
    who, zone = await members.get_member(one.holder_id), settings().timezone
    at = clock.now().astimezone(clock.zone(zone)).strftime("%Y-%m-%d %H:%M")
    head = printing.Head(settings().chain_name, who.member_no, who.name, at)
    pdf = await asyncio.to_thread(printing.draw, one, body, head, settings().label_font_file)
    return printing.reply(pdf, "application/pdf", name)
