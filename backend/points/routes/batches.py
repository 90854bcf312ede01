"""Staff give and take points by a table."""

from __future__ import annotations

from backend.approvals import queries as approvals
from backend.approvals.errors import TooManyApprovals
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Request, Router
from backend.kernel.http.errors import UnsupportedMediaType
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import batches
from ..commands.adjustments import alone
from ..errors import PointsBatchOver
from ..schemas import BatchesOut, BatchOut, BatchQuery, DryRunOut, FlawOut

router = Router(tag="points")

_ADJUST = staff(Permission.POINTS_ADJUST)
_BATCHES = "/v1/admin/points-batches"
_BATCH = f"{_BATCHES}/{{points_batch_id}}"
MOST_BYTES = 10 << 20
LAST = 50
MOST_FLAWS = 1_000


def _check_type(request: Request) -> None:
    if not request.headers.get("content-type", "").startswith(("text/csv", "application/octet-stream")):
        raise UnsupportedMediaType("the body must be the table: Content-Type text/csv")


@router.post(
    f"{_BATCHES}/dry-run",
    guard=_ADJUST,
    body_limit=MOST_BYTES,
    summary="批量调整试算",
    errors=(ValidationFailed, UnsupportedMediaType),
)
async def dry_run(caller: StaffCaller, body: bytes, request: Request) -> DryRunOut:
    """What a table would do, and what is wrong with it, row by row; nothing is written.

    Columns: ``member_no``, ``points``, ``reason``, ``text`` and, where it is wanted, ``expires_on``; 100,000 rows and
    10 MiB at most. Rows count as a spreadsheet shows them.
    """
    _check_type(request)
    looked = await batches.look(body, caller)
    return DryRunOut(
        len(looked.good),
        looked.given,
        looked.taken,
        len(looked.flaws),
        [FlawOut(flaw.row, flaw.field, flaw.message) for flaw in looked.flaws[:MOST_FLAWS]],
        not await approvals.is_alone(caller.staff_id, [alone(looked.given + looked.taken)]),
    )


@router.post(
    _BATCHES,
    guard=_ADJUST,
    status=202,
    idempotent=True,
    body_limit=MOST_BYTES,
    summary="批量调整积分",
    errors=(ValidationFailed, UnsupportedMediaType, IdempotencyConflict, TooManyApprovals),
)
async def begin(
    caller: StaffCaller, query: BatchQuery, body: bytes, request: Request, idem: Idempotency
) -> Answer[BatchOut]:
    """Take a table in: a job posts it row by row, after a second person approved it where the sum asks for one.

    One bad row refuses all of it (``/rows/7/points``), unless ``skip_bad`` leaves bad ones out.
    """
    _check_type(request)
    made = await batches.begin(body, query.title, skip_bad=query.skip_bad, caller=caller, key=idem.key)
    return Answer(await _shown(made.id, caller))


@router.get(_BATCHES, guard=_ADJUST, summary="批量调整列表")
async def list_batches(caller: StaffCaller) -> BatchesOut:
    """The last fifty batches; a manager sees the own store's."""
    found = await queries.list_batches(caller.store_id, limit=LAST)
    counts = await queries.count_rows([one.id for one in found])
    return BatchesOut([views.batch(one, counts.get(one.id, {}), []) for one in found])


@router.get(_BATCH, guard=_ADJUST, summary="批量调整进度", errors=(NotFound,))
async def get_batch(caller: StaffCaller, points_batch_id: str) -> BatchOut:
    """How far a batch is, and the first hundred rows that were refused."""
    return await _shown(points_batch_id, caller)


@router.post(f"{_BATCH}/cancel", guard=_ADJUST, summary="取消批量调整", errors=(NotFound, PointsBatchOver))
async def cancel(caller: StaffCaller, points_batch_id: str) -> BatchOut:
    """Post no further row; what was posted stays."""
    await batches.cancel(points_batch_id, caller)
    return await _shown(points_batch_id, caller)


@router.post(f"{_BATCH}/resume", guard=_ADJUST, summary="继续批量调整", errors=(NotFound, PointsBatchOver))
async def resume(caller: StaffCaller, points_batch_id: str) -> BatchOut:
    """Let a batch that was given up go on, at the row that it could not post."""
    await batches.take_up(points_batch_id, caller)
    return await _shown(points_batch_id, caller)


async def _shown(batch_id: str, caller: StaffCaller) -> BatchOut:
    found = await batches.get_batch(batch_id, caller)
    counts = await queries.count_rows([found.id])
    return views.batch(found, counts.get(found.id, {}), await queries.list_refused_rows(found.id, limit=100))
