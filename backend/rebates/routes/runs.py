"""Finance's runs: statements of a period, looked at, closed, paid; simulations stand in the same list."""

from __future__ import annotations

from backend.approvals.errors import ApprovalKeyReused, TooManyApprovals
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import charts, ids, sheets
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Idempotency, Reply, Router
from backend.kernel.http.pictures import as_picture
from backend.kernel.paging import make_cursor, place_cursor, read_cursor, read_place
from backend.members import queries as members

from .. import printing, views
from ..commands import runs
from ..commands.runs import get_run
from ..errors import RebatePeriodDone, RebatePeriodOpen, RebateRunConflict, RebateRunOpen
from ..queries import runs as queries
from ..queries import statements
from ..rules import periods
from ..schemas import (
    ChartQuery,
    CloseRunIn,
    FiguresOut,
    FileQuery,
    RunOut,
    RunsOut,
    RunsQuery,
    RunStatementsOut,
    RunStatementsQuery,
    StartRunIn,
    StatementDetail,
    StatementFileQuery,
)
from .member import statement_file

router = Router(tag="rebates")

_READ = staff(Permission.REBATES_READ)
_WORK = staff(Permission.REBATES_WORK)
_RUNS = "/v1/admin/rebates/runs"
_RUN = f"{_RUNS}/{{rebate_run_id}}"
_STATEMENT = "/v1/admin/rebates/statements/{statement_id}"


@router.get(_RUNS, guard=_READ, summary="返利批次", errors=(ValidationFailed,))
async def list_runs(caller: StaffCaller, query: RunsQuery) -> RunsOut:
    """Runs, newest first: statements, simulations and estimates."""
    found = await queries.list_runs(query.kind, query.scheme_id, read_place(query.cursor), query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return RunsOut([views.run(one) for one in page], following)


@router.post(
    _RUNS,
    guard=_WORK,
    status=201,
    summary="生成返利对账单",
    errors=(ValidationFailed, RebatePeriodOpen, RebatePeriodDone, RebateRunOpen),
)
async def start(caller: StaffCaller, body: StartRunIn) -> RunOut:
    """Begin the statements of a period that is over; one draft at a time."""
    return views.run(await runs.start(body.period, body.first_on, caller))


@router.get(_RUN, guard=_READ, summary="返利批次进度与结果", errors=(NotFound,))
async def get_figures(caller: StaffCaller, rebate_run_id: str) -> FiguresOut:
    """How far a run is, and what it comes to by tier and by store."""
    run = await get_run(rebate_run_id)
    return await views.figures(run, (await queries.list_figures([rebate_run_id]))[rebate_run_id])


@router.get(f"{_RUN}/chart", guard=_READ, summary="返利批次结果（图）", errors=(NotFound, charts.ChartUnavailable))
async def get_chart(caller: StaffCaller, rebate_run_id: str, query: ChartQuery) -> Reply:
    """What each tier comes to, in yuan, and for how many members."""
    run = await get_run(rebate_run_id)
    shown = await views.figures(run, (await queries.list_figures([rebate_run_id]))[rebate_run_id])
    bars = [
        charts.Bar(_tier_name(one.scheme, one.tier), one.fen / 100, f"¥{one.fen / 100:,.0f} · {one.members} 人")
        for one in sorted(shown.tiers, key=lambda one: (one.scheme, one.tier))
    ]
    chart = charts.Bars("返利按档位", f"{periods.title(run.period)}，应返合计 ¥{run.amount_fen / 100:,.2f}", "元", bars)
    return await as_picture(chart, query.format, f"rebates-{rebate_run_id}")


def _tier_name(scheme: str, tier: int) -> str:
    return f"{scheme} {'未达标' if tier < 0 else f'第{tier + 1}档'}"


@router.post(f"{_RUN}/cancel", guard=_WORK, summary="取消返利批次", errors=(NotFound, RebateRunConflict))
async def cancel(caller: StaffCaller, rebate_run_id: str) -> RunOut:
    """Throw a draft away, stop a simulation, or stop paying; what was paid stays paid."""
    return views.run(await runs.cancel(rebate_run_id, caller))


@router.post(
    f"{_RUN}/close",
    guard=_WORK,
    summary="确认返利对账单",
    idempotent=True,
    errors=(NotFound, ValidationFailed, RebateRunConflict, ApprovalKeyReused, TooManyApprovals),
)
async def close(caller: StaffCaller, rebate_run_id: str, body: CloseRunIn, idem: Idempotency) -> RunOut:
    """Close a draft for good; above ``HUIYUAN_REBATE_CLOSE_ALONE_MAX_FEN`` a second person decides."""
    return views.run(await runs.close(rebate_run_id, body.reason, caller, idem.key))


@router.post(f"{_RUN}/pay", guard=_WORK, summary="发放返利", errors=(NotFound, RebateRunConflict))
async def pay(caller: StaffCaller, rebate_run_id: str) -> RunOut:
    """Pay a closed run, go on where it was stopped, or try again what the books refused. Nothing is paid twice."""
    return views.run(await runs.pay(rebate_run_id, caller))


@router.get(f"{_RUN}/statements", guard=_READ, summary="返利批次的对账单", errors=(NotFound, ValidationFailed))
async def list_statements(caller: StaffCaller, rebate_run_id: str, query: RunStatementsQuery) -> RunStatementsOut:
    """A run's statements, by member."""
    await get_run(rebate_run_id)
    found = await statements.list_of_run(rebate_run_id, _place(query.cursor), query.limit + 1, refused=query.refused)
    page = found[: query.limit]
    names = await members.list_masked({one.holder_id for one in page})
    following = make_cursor(str(page[-1].member_id)) if len(found) > query.limit else None
    return RunStatementsOut(views.run_statements(page, names), following)


def _place(cursor: str | None) -> int:
    if cursor is None:
        return 0
    parts = read_cursor(cursor, 1)
    place = ids.read_bigint(parts[0]) if parts else None
    if place is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return place


@router.get(f"{_RUN}/file", guard=_READ, summary="返利批次的对账单（文件）", errors=(NotFound,))
async def get_file(caller: StaffCaller, rebate_run_id: str, query: FileQuery) -> Reply:
    """All of a run's statements as CSV or XLSX, by member, as it is read."""
    run = await get_run(rebate_run_id)
    pages = printing.run_pages(rebate_run_id)
    body = await sheets.stream(query.format, "返利对账单", printing.RUN_HEADING, pages)
    name = f"rebates-{run.period.first}-{run.period.last}.{query.format}"
    return printing.reply(body, sheets.MEDIA_TYPES[query.format], name)


@router.get(_STATEMENT, guard=_READ, summary="返利对账单", errors=(NotFound,))
async def get_statement(caller: StaffCaller, statement_id: str) -> StatementDetail:
    """One statement in full."""
    found = await statements.find_statement(statement_id)
    if found is None:
        raise NotFound("there is no such statement")
    return views.detail(*found)


@router.get(f"{_STATEMENT}/file", guard=_READ, summary="返利对账单（文件）", errors=(NotFound,))
async def get_statement_file(caller: StaffCaller, statement_id: str, query: StatementFileQuery) -> Reply:
    """The same as PDF, CSV or XLSX."""
    found = await statements.find_statement(statement_id)
    if found is None:
        raise NotFound("there is no such statement")
    return await statement_file(*found, query.format)
