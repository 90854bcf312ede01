"""Staff change many members at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from backend.approvals.errors import ApprovalKeyReused, TooManyApprovals
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import ids, sheets
from backend.kernel.config import settings
from backend.kernel.errors import Forbidden, NotFound, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Reply, Router
from backend.kernel.paging import make_cursor, place_cursor, read_cursor, read_place
from backend.ledger.errors import IdempotencyConflict
from backend.members import bulk

from .. import views
from ..commands import batches
from ..errors import MemberBatchOver, NobodyMeant, TooManyMeant
from ..queries import batches as queries
from ..schemas.batches import (
    BatchesOut,
    BatchesQuery,
    BatchIn,
    BatchOut,
    KindOut,
    KindsOut,
    PreviewOut,
    RowsOut,
    RowsQuery,
)

router = Router(tag="members")

_BATCH_IT = staff(Permission.MEMBERS_BATCH)
_BATCHES = "/v1/admin/member-batches"
_BATCH = f"{_BATCHES}/{{member_batch_id}}"
_ASKING = (ValidationFailed, Forbidden)
HEADING = ("会员号", "结果")


@router.get(f"{_BATCHES}/kinds", guard=_BATCH_IT, summary="可批量变更的事项")
async def list_kinds(caller: StaffCaller) -> KindsOut:
    """What the caller may change of many members, and what says how."""
    mine = [one for one in bulk.every() if caller.may(one.permission)]
    items = [KindOut(one.code, one.title, one.permission.value, msgspec.json.schema(one.body)) for one in mine]
    return KindsOut(items, settings().member_batch_alone_max)


@router.post(f"{_BATCHES}/preview", guard=_BATCH_IT, summary="批量变更预览", errors=_ASKING)
async def preview(caller: StaffCaller, body: BatchIn) -> PreviewOut:
    """How many members are meant, and the first twenty; nothing is written."""
    count, first = await batches.preview(body, caller)
    return PreviewOut(count, batches.needs_approval(count), await views.meant(first))


@router.post(
    _BATCHES,
    guard=_BATCH_IT,
    status=202,
    idempotent=True,
    summary="批量变更会员",
    errors=(*_ASKING, NobodyMeant, TooManyMeant, IdempotencyConflict, TooManyApprovals, ApprovalKeyReused),
)
async def begin(caller: StaffCaller, body: BatchIn, idem: Idempotency) -> Answer[BatchOut]:
    """Change the members who are meant now: a job does it, after a second person approved it above the bound."""
    return Answer(await _shown(await batches.begin(body, caller, idem.key), caller))


@router.get(_BATCHES, guard=_BATCH_IT, summary="批量任务", errors=(ValidationFailed,))
async def list_batches(caller: StaffCaller, query: BatchesQuery) -> BatchesOut:
    """A page, newest first, without ``results``; people of a store see their store's."""
    before = read_place(query.cursor)
    found = await queries.list_batches(caller.store_id, query.state, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return BatchesOut(await views.batches(page, counted=False), following)


@router.get(_BATCH, guard=_BATCH_IT, summary="批量任务进度", errors=(NotFound,))
async def get_batch(caller: StaffCaller, member_batch_id: str) -> BatchOut:
    """How far a batch is."""
    return await _shown(member_batch_id, caller)


@router.post(f"{_BATCH}/cancel", guard=_BATCH_IT, summary="取消批量任务", errors=(NotFound, MemberBatchOver))
async def cancel(caller: StaffCaller, member_batch_id: str) -> BatchOut:
    """Change nobody else; who was changed stays so."""
    await batches.cancel(member_batch_id, caller)
    return await _shown(member_batch_id, caller)


@router.post(f"{_BATCH}/resume", guard=_BATCH_IT, summary="继续批量任务", errors=(NotFound, MemberBatchOver))
async def resume(caller: StaffCaller, member_batch_id: str) -> BatchOut:
    """Let a batch that was given up go on, at the member that it could not change."""
    await batches.take_up(member_batch_id, caller)
    return await _shown(member_batch_id, caller)


@router.get(f"{_BATCH}/rows", guard=_BATCH_IT, summary="批量任务明细", errors=(NotFound, ValidationFailed))
async def list_rows(caller: StaffCaller, member_batch_id: str, query: RowsQuery) -> RowsOut:
    """What became of each member, by page."""
    await batches.get_batch(member_batch_id, caller)
    found = await queries.list_rows(member_batch_id, query.result, after=_after(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    following = make_cursor(str(page[-1].member_id)) if len(found) > query.limit else None
    return RowsOut(await views.rows(page), following)


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    parts = read_cursor(cursor, 1)
    after = ids.read_bigint(parts[0]) if parts else None
    if after is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return after


@router.get(f"{_BATCH}/rows.csv", guard=_BATCH_IT, summary="批量任务明细（CSV）", errors=(NotFound,))
async def export_rows(caller: StaffCaller, member_batch_id: str) -> Reply:
    """What became of each member, as a file."""
    await batches.get_batch(member_batch_id, caller)
    body = await sheets.stream("csv", "批量任务", HEADING, _pages(member_batch_id))
    headers = {
        "Content-Disposition": f'attachment; filename="batch-{member_batch_id}.csv"',
        "Cache-Control": "no-store",
    }
    return Reply(body, sheets.MEDIA_TYPES["csv"], headers=headers)


async def _pages(batch_id: str) -> AsyncIterator[list[tuple[str, str]]]:
    async for page in queries.row_pages(batch_id):
        yield [(one.member_no, one.result or "waiting") for one in await views.rows(page)]


async def _shown(batch_id: str, caller: StaffCaller) -> BatchOut:
    (shown,) = await views.batches([await batches.get_batch(batch_id, caller)])
    return shown
