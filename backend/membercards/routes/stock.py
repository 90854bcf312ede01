"""Head office: kinds of cards, batches, who hands them out, and what goes where."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, windows
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Idempotency, Reply, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import errors, queries, schemas, views
from ..commands import batches, issuers, moves, types

router = Router(tag="member-cards")

_READ = staff(Permission.MEMBER_CARDS_READ)
_MANAGE = staff(Permission.MEMBER_CARDS_MANAGE)
_TYPES = "/v1/admin/member-card-types"
_TYPE = f"{_TYPES}/{{card_type_code}}"
_BATCHES = "/v1/admin/member-card-batches"
_BATCH = f"{_BATCHES}/{{card_batch_id}}"
_MOVES = "/v1/admin/member-card-moves"
_ISSUERS = "/v1/admin/member-card-issuers"
_ISSUER = f"{_ISSUERS}/{{issuer_id}}"
LAST = 100
MOST_DAYS = 400


@router.get(_TYPES, guard=_READ, summary="会员卡类型")
async def list_types() -> schemas.TypesOut:
    """Every kind of card, oldest first."""
    return schemas.TypesOut([views.card_type(one) for one in await queries.list_types()])


@router.post(
    _TYPES, guard=_MANAGE, status=201, summary="新增会员卡类型", errors=(errors.CardTypeExists, errors.CardTypeConflict)
)
async def create_type(caller: StaffCaller, body: schemas.TypeIn) -> schemas.TypeOut:
    """Make a kind of card; a number that a till could take for something else is refused."""
    return views.card_type(await types.create_type(body, caller.staff_id))


@router.put(_TYPE, guard=_MANAGE, summary="修改会员卡类型", errors=(NotFound, errors.CardTypeConflict))
async def change_type(
    caller: StaffCaller, card_type_code: schemas.TypeCode, body: schemas.ChangeType
) -> schemas.TypeOut:
    """Change what its cards are and carry from now on."""
    return views.card_type(await types.change_type(card_type_code, body, caller.staff_id))


@router.get(f"{_TYPE}/changes", guard=_MANAGE, summary="会员卡类型变更记录", errors=(NotFound,))
async def list_type_changes(card_type_code: schemas.TypeCode) -> ChangesOut:
    """Who of head office changed what."""
    found = await queries.get_type(card_type_code)
    return changes_out(await queries.changes.list_of(found.code, LAST))


@router.get(_BATCHES, guard=_MANAGE, summary="制卡批次", errors=(ValidationFailed,))
async def list_batches(query: schemas.BatchesQuery) -> schemas.BatchesOut:
    """Batches, newest first."""
    before = read_place(query.cursor)
    found = await queries.list_batches(query.type_code, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return schemas.BatchesOut([views.batch(one) for one in page], following)


@router.post(
    _BATCHES,
    guard=_MANAGE,
    status=201,
    summary="制卡",
    errors=(NotFound, errors.CardTypeClosed, errors.CardNumbersScarce),
)
async def create_batch(caller: StaffCaller, body: schemas.BatchIn) -> schemas.BatchOut:
    """Make numbers; a large batch is made on by a job (`made` says how far it is)."""
    return views.batch(await batches.create_batch(body, caller.staff_id))


@router.get(_BATCH, guard=_MANAGE, summary="批次详情", errors=(NotFound,))
async def get_batch(card_batch_id: schemas.BatchId) -> schemas.BatchOut:
    """One batch."""
    return views.batch(await queries.get_batch(card_batch_id))


@router.post(f"{_BATCH}/stop", guard=_MANAGE, summary="停止制卡", errors=(NotFound,))
async def stop_batch(caller: StaffCaller, card_batch_id: schemas.BatchId) -> schemas.BatchOut:
    """Make no further numbers; those that were made stay."""
    return views.batch(await batches.stop_batch(card_batch_id, caller.staff_id))


@router.post(
    f"{_BATCH}/export", guard=_MANAGE, summary="导出卡号（仅一次）", errors=(NotFound, errors.CardTypeConflict)
)
async def export_batch(caller: StaffCaller, card_batch_id: schemas.BatchId) -> Reply:
    """The numbers for the printer as CSV, this once."""
    file = await batches.export_batch(card_batch_id, caller.staff_id)
    headers = {"Content-Disposition": f'attachment; filename="cards-{card_batch_id}.csv"', "Cache-Control": "no-store"}
    return Reply(file, media_type="text/csv; charset=utf-8", headers=headers)


@router.get(f"{_BATCH}/changes", guard=_MANAGE, summary="批次变更记录", errors=(NotFound,))
async def list_batch_changes(card_batch_id: schemas.BatchId) -> ChangesOut:
    """Who made, took, moved and stopped what."""
    found = await queries.get_batch(card_batch_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.get(_MOVES, guard=_MANAGE, summary="配卡、退卡记录", errors=(ValidationFailed,))
async def list_moves(query: schemas.MovesQuery) -> schemas.MovesOut:
    """Moves, newest first."""
    before = read_place(query.cursor)
    found = await queries.list_moves(query.batch_id, query.issuer_id, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return schemas.MovesOut([views.move(one) for one in page], following)


@router.post(
    _MOVES,
    guard=_MANAGE,
    status=201,
    idempotent=True,
    summary="配卡、退卡、作废",
    errors=(
        ValidationFailed,
        IdempotencyConflict,
        errors.CardQuota,
        errors.CardIssuerClosed,
        errors.CardsNotThere,
        errors.CardTypeConflict,
    ),
)
async def begin_move(caller: StaffCaller, body: schemas.MoveIn, idem: Idempotency) -> schemas.MoveOut:
    """Let a run of cards go to a store or an agent, back, or out of the world; a large one goes on by a job."""
    return views.move(await moves.begin(body, caller.staff_id, idem.key))


@router.get(f"{_MOVES}/{{card_move_id}}", guard=_MANAGE, summary="配卡进度", errors=(NotFound,))
async def get_move(card_move_id: schemas.BatchId) -> schemas.MoveOut:
    """One move, and how far it is."""
    return views.move(await queries.get_move(card_move_id))


@router.post(f"{_MOVES}/{{card_move_id}}/cancel", guard=_MANAGE, summary="中止配卡", errors=(NotFound,))
async def cancel_move(caller: StaffCaller, card_move_id: schemas.BatchId) -> schemas.MoveOut:
    """Move no further card; what has moved stays."""
    return views.move(await moves.cancel(card_move_id, caller.staff_id))


@router.get(_ISSUERS, guard=_MANAGE, summary="发卡方", errors=(ValidationFailed,))
async def list_issuers(query: schemas.IssuersQuery) -> schemas.IssuersOut:
    """Head office, stores and agents that hand out cards, newest first."""
    before = read_place(query.cursor)
    found = await queries.list_issuers(query.kind, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    following = place_cursor(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return schemas.IssuersOut([views.issuer(one) for one in page], following)


@router.post(f"{_ISSUERS}/agents", guard=_MANAGE, status=201, summary="新增代理商", errors=(errors.CardTypeConflict,))
async def create_agent(caller: StaffCaller, body: schemas.AgentIn) -> schemas.IssuerOut:
    """Let somebody outside the chain hand out cards, so many at most."""
    return views.issuer(await issuers.create_agent(body, caller.staff_id))


@router.post(f"{_ISSUERS}/stores", guard=_MANAGE, status=201, summary="设定门店发卡", errors=(errors.CardTypeConflict,))
async def create_store(caller: StaffCaller, body: schemas.StoreIssuerIn) -> schemas.IssuerOut:
    """Let a store hand out cards, so many at most."""
    return views.issuer(await issuers.create_store(body, caller.staff_id))


@router.get(_ISSUER, guard=_READ, summary="发卡方详情与库存", errors=(NotFound,))
async def get_issuer(caller: StaffCaller, issuer_id: schemas.IssuerId) -> schemas.IssuerDetail:
    """Who hands out cards, and how theirs stand; a store's staff see their store."""
    found = await issuers.reached(caller, issuer_id)
    return schemas.IssuerDetail(views.issuer(found), [views.stock(one) for one in await queries.list_stock(found.id)])


@router.put(
    _ISSUER, guard=_MANAGE, summary="修改发卡方与配额", errors=(NotFound, errors.CardQuota, errors.CardTypeConflict)
)
async def change_issuer(
    caller: StaffCaller, issuer_id: schemas.IssuerId, body: schemas.ChangeIssuer
) -> schemas.IssuerOut:
    """Change what was agreed; the quota is never below what was taken."""
    return views.issuer(await issuers.change_issuer(issuer_id, body, caller.staff_id))


@router.get(f"{_ISSUER}/changes", guard=_MANAGE, summary="发卡方变更记录", errors=(NotFound,))
async def list_issuer_changes(issuer_id: schemas.IssuerId) -> ChangesOut:
    """Who agreed what with them."""
    found = await queries.get_issuer(issuer_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.get(f"{_ISSUER}/report", guard=_READ, summary="发卡统计", errors=(NotFound, ValidationFailed))
async def report(caller: StaffCaller, issuer_id: schemas.IssuerId, query: schemas.ReportQuery) -> schemas.ReportOut:
    """What an issuer was allotted, gave back and issued from day to day; at most 400 days."""
    windows.check_days(query.begin, query.end, most=MOST_DAYS, names=("/query/begin", "/query/end"))
    found = await issuers.reached(caller, issuer_id)
    begin, end = clock.span(query.begin, query.end, settings().timezone)
    allotted, returned, issued = await queries.report(found.id, begin, end)
    return schemas.ReportOut(found.id, query.begin, query.end, allotted, returned, issued)


@router.get("/v1/admin/member-card-deposits", guard=_READ, summary="会员卡押金")
async def list_deposits(caller: StaffCaller) -> schemas.DepositsOut:
    """The deposits that are held, by the store that took them, and how much of it nobody can ask for any more."""
    return schemas.DepositsOut(await queries.list_deposits(caller.store_id))
