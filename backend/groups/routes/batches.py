"""Staff's calls about tables of allotments."""

from __future__ import annotations

from backend.approvals import queries as approvals
from backend.approvals.errors import TooManyApprovals
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import sheets
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Reply, Request, Router
from backend.kernel.http.errors import UnsupportedMediaType
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import batches, groups
from ..errors import AllotBatchOver, AllotmentLimit, AllotmentOver, AllotmentTooMuch
from ..schemas import (
    AllotBatchesOut,
    AllotBatchOut,
    AllotDryRunOut,
    AllotFlawOut,
    AllotmentsQuery,
    AllotTable,
    AllotTableIn,
)
from ..tables import COLUMNS, EXAMPLES
from ..types import AllotBatch, AllotmentKind

router = Router(tag="groups")

_READ = staff(Permission.GROUPS_READ)
_MANAGE = staff(Permission.GROUPS_MANAGE)
_BATCHES = "/v1/admin/groups/{group_id}/allotment-batches"
_BATCH = f"{_BATCHES}/{{allot_batch_id}}"
MOST_BYTES = 1 << 20
MOST_FLAWS = 1_000
MOST_REFUSED = 100


def _check_type(request: Request, form: sheets.Format) -> None:
    wanted = "text/csv" if form == "csv" else sheets.MEDIA_TYPES[form]
    if not request.headers.get("content-type", "").startswith((wanted, "application/octet-stream")):
        raise UnsupportedMediaType(f"the body must be the table: Content-Type {wanted}")


@router.post(
    f"{_BATCHES}/dry-run",
    guard=_MANAGE,
    body_limit=MOST_BYTES,
    summary="团体批量分配试算",
    errors=(NotFound, ValidationFailed, UnsupportedMediaType, AllotmentOver),
)
async def dry_run(
    caller: StaffCaller, group_id: str, query: AllotTable, body: bytes, request: Request
) -> AllotDryRunOut:
    """What a table would allot, and what is wrong with it, row by row; nothing is written.

    Columns: ``member_no``, ``kind`` (储值, 积分), ``amount`` (yuan, or points) and, where it is wanted, ``note``, or
    their Chinese headings; CSV (UTF-8, GB 18030) or XLSX, 2,000 rows and 1 MiB at most.
    """
    _check_type(request, query.kind)
    looked = await batches.look(group_id, body, query.kind, caller)
    return AllotDryRunOut(
        good=len(looked.good),
        stored_fen=looked.total(AllotmentKind.STORED),
        points=looked.total(AllotmentKind.POINTS),
        has_fen=looked.has[AllotmentKind.STORED],
        has_points=looked.has[AllotmentKind.POINTS],
        flaws_total=len(looked.flaws),
        flaws=[AllotFlawOut(flaw.row, flaw.field, flaw.message) for flaw in looked.flaws[:MOST_FLAWS]],
        needs_approval=not await approvals.is_alone(caller.staff_id, looked.alone),
    )


@router.post(
    _BATCHES,
    guard=_MANAGE,
    status=202,
    idempotent=True,
    body_limit=MOST_BYTES,
    summary="团体批量分配",
    errors=(
        NotFound,
        ValidationFailed,
        UnsupportedMediaType,
        IdempotencyConflict,
        TooManyApprovals,
        AllotmentOver,
        AllotmentTooMuch,
        AllotmentLimit,
    ),
)
async def begin(
    caller: StaffCaller, group_id: str, query: AllotTableIn, body: bytes, request: Request, idem: Idempotency
) -> Answer[AllotBatchOut]:
    """Take a table in: a job allots row by row, after a second person approved it where the sums ask for one.

    One bad row refuses all of it (``/rows/7/amount``), unless ``skip_bad`` leaves bad ones out.
    """
    _check_type(request, query.kind)
    made = await batches.begin(
        group_id, body, query.kind, query.title, skip_bad=query.skip_bad, caller=caller, key=idem.key
    )
    return Answer(await _shown(made))


@router.get(_BATCHES, guard=_READ, summary="团体批量分配列表", errors=(NotFound, ValidationFailed))
async def list_batches(caller: StaffCaller, group_id: str, query: AllotmentsQuery) -> AllotBatchesOut:
    """A page of a group's tables, newest first."""
    await groups.get_group(group_id, caller)
    found = await queries.list_batches(group_id, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return AllotBatchesOut(await views.batches(page, {}), last)


@router.get(f"{_BATCHES}/template.csv", guard=_MANAGE, summary="团体批量分配模板（CSV）", errors=(NotFound,))
async def template_csv(caller: StaffCaller, group_id: str) -> Reply:
    """An empty table with its heading and two examples."""
    await groups.get_group(group_id, caller)
    return _template("csv")


@router.get(f"{_BATCHES}/template.xlsx", guard=_MANAGE, summary="团体批量分配模板（XLSX）", errors=(NotFound,))
async def template_xlsx(caller: StaffCaller, group_id: str) -> Reply:
    """The same as a workbook."""
    await groups.get_group(group_id, caller)
    return _template("xlsx")


def _template(form: sheets.Format) -> Reply:
    body = sheets.write(form, "allotments", tuple(COLUMNS.values()), EXAMPLES)
    headers = {
        "Content-Disposition": f'attachment; filename="allotments-template.{form}"',
        "Cache-Control": "no-store",
    }
    return Reply(body, media_type=sheets.MEDIA_TYPES[form], headers=headers)


@router.get(_BATCH, guard=_READ, summary="团体批量分配进度", errors=(NotFound,))
async def get_batch(caller: StaffCaller, group_id: str, allot_batch_id: str) -> AllotBatchOut:
    """How far a table is, and the first hundred rows that were refused."""
    return await _shown(await batches.get_batch(group_id, allot_batch_id, caller))


@router.post(f"{_BATCH}/resume", guard=_MANAGE, summary="继续团体批量分配", errors=(NotFound, AllotBatchOver))
async def resume(caller: StaffCaller, group_id: str, allot_batch_id: str) -> AllotBatchOut:
    """Let a table that was given up go on, at the row that it could not post."""
    return await _shown(await batches.take_up(group_id, allot_batch_id, caller))


@router.post(f"{_BATCH}/cancel", guard=_MANAGE, summary="取消团体批量分配", errors=(NotFound, AllotBatchOver))
async def cancel(caller: StaffCaller, group_id: str, allot_batch_id: str) -> AllotBatchOut:
    """Post no further row; what was allotted stays, and can be taken back."""
    return await _shown(await batches.cancel(group_id, allot_batch_id, caller))


async def _shown(found: AllotBatch) -> AllotBatchOut:
    refused = {found.id: await queries.list_rows(found.id, "refused", limit=MOST_REFUSED)}
    (shown,) = await views.batches([found], refused)
    return shown
