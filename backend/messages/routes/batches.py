"""Sending a template to many: asked for, started, watched, paused and cancelled by staff."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import Forbidden, NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import batches
from ..errors import MessageBatchChanged, MessageBatchConflict
from ..schemas import BatchChangeIn, BatchDetail, BatchesOut, BatchIn, BatchOut, PageQuery

router = Router(tag="messages")

_BATCHES = "/v1/admin/messages/batches"
_BATCH = f"{_BATCHES}/{{letter_batch_id}}"
LAST = 100


@router.get(_BATCHES, guard=staff(Permission.MESSAGES_READ), summary="群发", errors=(ValidationFailed,))
async def list_batches(caller: StaffCaller, query: PageQuery) -> BatchesOut:
    """Batches, newest first; a manager's are the own store's."""
    found = await queries.list_batches(store_id=caller.store_id, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return BatchesOut([views.batch(item) for item in page], last)


@router.post(
    _BATCHES,
    guard=staff(Permission.MESSAGES_SEND),
    status=201,
    summary="新建群发",
    idempotent=True,
    errors=(ValidationFailed, Forbidden, IdempotencyConflict),
)
async def create_batch(caller: StaffCaller, body: BatchIn, idem: Idempotency) -> Answer[BatchOut]:
    """Ask for a batch; nothing is sent before it is started. The answer says how many are meant."""
    batch, known = await batches.create_batch(body, caller, idem.key)
    return Answer(views.batch(batch), replayed=known)


@router.get(_BATCH, guard=staff(Permission.MESSAGES_READ), summary="群发详情", errors=(NotFound,))
async def get_batch(caller: StaffCaller, letter_batch_id: str) -> BatchDetail:
    """How far a batch is: letters written, and deliveries by channel, state and reason."""
    found = await batches.get_batch(letter_batch_id, caller)
    return views.batch_detail(found, await queries.count_deliveries(found.id))


@router.put(
    _BATCH,
    guard=staff(Permission.MESSAGES_SEND),
    summary="修改群发草稿",
    errors=(NotFound, Forbidden, ValidationFailed, MessageBatchConflict, MessageBatchChanged),
)
async def change_batch(caller: StaffCaller, letter_batch_id: str, body: BatchChangeIn) -> BatchOut:
    """Put another draft in the place of the one that was read as ``version``; who is meant is counted anew."""
    return views.batch(await batches.change_batch(letter_batch_id, body, caller))


@router.post(
    f"{_BATCH}/start",
    guard=staff(Permission.MESSAGES_SEND),
    summary="开始群发",
    errors=(NotFound, MessageBatchConflict),
)
async def start(caller: StaffCaller, letter_batch_id: str) -> BatchOut:
    """Send it, at once or from its time on; each member of the audience is written to at most once."""
    return views.batch(await batches.move_batch(letter_batch_id, "start", caller))


@router.post(
    f"{_BATCH}/pause",
    guard=staff(Permission.MESSAGES_SEND),
    summary="暂停群发",
    errors=(NotFound, MessageBatchConflict),
)
async def pause(caller: StaffCaller, letter_batch_id: str) -> BatchOut:
    """Send nothing more of it for now; what is under way goes on."""
    return views.batch(await batches.move_batch(letter_batch_id, "pause", caller))


@router.post(
    f"{_BATCH}/resume",
    guard=staff(Permission.MESSAGES_SEND),
    summary="继续群发",
    errors=(NotFound, MessageBatchConflict),
)
async def resume(caller: StaffCaller, letter_batch_id: str) -> BatchOut:
    """Go on where it was."""
    return views.batch(await batches.move_batch(letter_batch_id, "resume", caller))


@router.post(
    f"{_BATCH}/cancel",
    guard=staff(Permission.MESSAGES_SEND),
    summary="取消群发",
    errors=(NotFound, MessageBatchConflict),
)
async def cancel(caller: StaffCaller, letter_batch_id: str) -> BatchOut:
    """Send nothing more of it for good."""
    return views.batch(await batches.move_batch(letter_batch_id, "cancel", caller))


@router.get(f"{_BATCH}/changes", guard=staff(Permission.MESSAGES_READ), summary="群发变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, letter_batch_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await batches.get_batch(letter_batch_id, caller)
    return changes_out(await queries.batch_changes.list_of(found.id, LAST))
