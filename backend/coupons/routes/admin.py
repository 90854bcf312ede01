"""Head office's calls about coupons: templates, batches of codes, handouts."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import paging
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Reply, Router
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import batches, handouts, templates
from ..errors import BatchConflict, TemplateConflict
from ..records import Batch
from ..schemas import (
    BatchesOut,
    BatchIn,
    BatchOut,
    HandoutIn,
    HandoutOut,
    HandoutsOut,
    OfferBody,
    TemplateIn,
    TemplateOut,
    TemplatesOut,
    TemplatesQuery,
    VersionIn,
)

router = Router(tag="coupons")

_TEMPLATES = "/v1/admin/coupons/templates"
_TEMPLATE = f"{_TEMPLATES}/{{template_id}}"
_BATCH = "/v1/admin/coupons/batches/{batch_id}"
LAST = 100


@router.get(_TEMPLATES, guard=staff(Permission.COUPONS_READ), summary="优惠券模板", errors=(ValidationFailed,))
async def list_templates(caller: StaffCaller, query: TemplatesQuery) -> TemplatesOut:
    """A page of templates, newest first."""
    before = None
    if query.cursor is not None:
        parts = paging.read_cursor(query.cursor, 2)
        at = paging.read_instant(parts[0]) if parts else None
        if parts is None or at is None:
            raise invalid("/query/cursor", "not a cursor of this list")
        before = (at, parts[1])
    found = await queries.list_templates(query.state, before=before, limit=query.limit + 1)
    page, last = found[: query.limit], None
    if len(found) > query.limit:
        last = paging.make_cursor(paging.instant_part(page[-1].created_at), page[-1].id)
    versions = await queries.list_versions((item.id, item.version) for item in page)
    return TemplatesOut([views.template(item, versions[item.id, item.version]) for item in page], last)


@router.post(
    _TEMPLATES, guard=staff(Permission.COUPONS_WRITE), status=201, summary="新建优惠券模板", errors=(ValidationFailed,)
)
async def create_template(caller: StaffCaller, body: TemplateIn) -> TemplateOut:
    """Add a template as a draft; nothing is issued before it is activated."""
    return views.template(*await templates.create_template(body, caller.staff_id))


@router.get(_TEMPLATE, guard=staff(Permission.COUPONS_READ), summary="优惠券模板详情", errors=(NotFound,))
async def get_template(caller: StaffCaller, template_id: str) -> TemplateOut:
    """One template with its current terms and counts."""
    return views.template(*await templates.get_template(template_id))


@router.put(
    f"{_TEMPLATE}/offer",
    guard=staff(Permission.COUPONS_WRITE),
    summary="修改发放方式与数量",
    errors=(NotFound, ValidationFailed, TemplateConflict),
)
async def change_offer(caller: StaffCaller, template_id: str, body: OfferBody) -> TemplateOut:
    """Replace when, by which way and how many are offered."""
    return views.template(*await templates.change_offer(template_id, body, caller.staff_id))


@router.post(
    f"{_TEMPLATE}/versions",
    guard=staff(Permission.COUPONS_WRITE),
    status=201,
    summary="修改券面条款（新版本）",
    errors=(NotFound, ValidationFailed, TemplateConflict),
)
async def add_version(caller: StaffCaller, template_id: str, body: VersionIn) -> TemplateOut:
    """New terms for what is issued from now on; what was issued keeps its own."""
    return views.template(*await templates.add_version(template_id, body, caller.staff_id))


@router.post(
    f"{_TEMPLATE}/activate", guard=staff(Permission.COUPONS_WRITE), summary="启用", errors=(NotFound, TemplateConflict)
)
async def activate(caller: StaffCaller, template_id: str) -> TemplateOut:
    """Let it be issued."""
    return views.template(*await templates.move_template(template_id, "activate", caller.staff_id))


@router.post(
    f"{_TEMPLATE}/pause", guard=staff(Permission.COUPONS_WRITE), summary="暂停", errors=(NotFound, TemplateConflict)
)
async def pause(caller: StaffCaller, template_id: str) -> TemplateOut:
    """Stop issuing for a while; what was issued stays good."""
    return views.template(*await templates.move_template(template_id, "pause", caller.staff_id))


@router.post(
    f"{_TEMPLATE}/end", guard=staff(Permission.COUPONS_WRITE), summary="结束", errors=(NotFound, TemplateConflict)
)
async def end(caller: StaffCaller, template_id: str) -> TemplateOut:
    """Stop issuing for good; what was issued stays good."""
    return views.template(*await templates.move_template(template_id, "end", caller.staff_id))


@router.get(f"{_TEMPLATE}/changes", guard=staff(Permission.COUPONS_READ), summary="变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, template_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found, _ = await templates.get_template(template_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.post(
    f"{_TEMPLATE}/batches",
    guard=staff(Permission.COUPONS_ISSUE),
    status=201,
    summary="生成券码",
    errors=(NotFound, ValidationFailed, TemplateConflict),
)
async def create_batch(caller: StaffCaller, template_id: str, body: BatchIn) -> BatchOut:
    """Make codes; a large batch is made in the background, see ``made``. They are kept from the template's total."""
    return _batch(await batches.create_batch(template_id, body, caller.staff_id))


@router.get(f"{_TEMPLATE}/batches", guard=staff(Permission.COUPONS_READ), summary="券码批次", errors=(NotFound,))
async def list_batches(caller: StaffCaller, template_id: str) -> BatchesOut:
    """The batches of a template, newest first."""
    found, _ = await templates.get_template(template_id)
    return BatchesOut([_batch(item) for item in await queries.list_batches(found.id, LAST)])


@router.get(_BATCH, guard=staff(Permission.COUPONS_READ), summary="券码批次详情", errors=(NotFound,))
async def get_batch(caller: StaffCaller, batch_id: str) -> BatchOut:
    """How far a batch is made, and how many of its codes were redeemed."""
    return _batch(await batches.get_batch(batch_id))


@router.post(
    f"{_BATCH}/export",
    guard=staff(Permission.COUPONS_ISSUE),
    summary="导出券码（仅一次）",
    errors=(NotFound, BatchConflict),
)
async def export_batch(caller: StaffCaller, batch_id: str) -> Reply:
    """The codes as CSV, once: afterwards nobody can read them again. A file that was lost: void the batch."""
    file = await batches.export_batch(batch_id, caller.staff_id)
    headers = {"Content-Disposition": f'attachment; filename="{batch_id}.csv"', "Cache-Control": "no-store"}
    return Reply(file, media_type="text/csv; charset=utf-8", headers=headers)


@router.post(f"{_BATCH}/void", guard=staff(Permission.COUPONS_ISSUE), summary="作废券码", errors=(NotFound,))
async def void_batch(caller: StaffCaller, batch_id: str) -> BatchOut:
    """Make the codes worthless that were not redeemed."""
    return _batch(await batches.void_batch(batch_id, caller.staff_id))


@router.post(
    f"{_TEMPLATE}/handouts",
    guard=staff(Permission.COUPONS_ISSUE),
    status=202,
    idempotent=True,
    summary="定向发券",
    errors=(NotFound, ValidationFailed, TemplateConflict, IdempotencyConflict),
)
async def begin_handout(
    caller: StaffCaller, template_id: str, body: HandoutIn, idem: Idempotency
) -> Answer[HandoutOut]:
    """Give a coupon to each member of a list, in the background; each gets one."""
    found, replayed = await handouts.begin_handout(template_id, body, caller.staff_id, idem)
    return Answer(views.handout(found), replayed=replayed)


@router.get(f"{_TEMPLATE}/handouts", guard=staff(Permission.COUPONS_READ), summary="定向发券记录", errors=(NotFound,))
async def list_handouts(caller: StaffCaller, template_id: str) -> HandoutsOut:
    """The handouts of a template, newest first."""
    found, _ = await templates.get_template(template_id)
    return HandoutsOut([views.handout(item) for item in await queries.list_handouts(found.id, LAST)])


@router.get(
    "/v1/admin/coupons/handouts/{handout_id}",
    guard=staff(Permission.COUPONS_READ),
    summary="定向发券进度",
    errors=(NotFound,),
)
async def get_handout(caller: StaffCaller, handout_id: str) -> HandoutOut:
    """How far a handout has got, and who was refused for what."""
    return views.handout(await handouts.get_handout(handout_id))


def _batch(found: Batch) -> BatchOut:
    return BatchOut(
        id=found.id,
        template_id=found.template_id,
        note=found.note,
        total=found.total,
        made=found.made,
        claimed=found.claimed,
        state=found.state,
        exported_at=found.exported_at,
        created_at=found.created_at,
    )
