"""Texts of letters: head office writes them, managers see them and try them out."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Router
from backend.kernel.paging import make_cursor, read_cursor

from .. import queries, views
from ..commands import templates
from ..errors import MessageTemplateConflict
from ..schemas import (
    PageQuery,
    PreviewIn,
    PreviewOut,
    TemplateIn,
    TemplateOut,
    TemplatesOut,
    UseIn,
    VersionIn,
)

router = Router(tag="messages")

_TEMPLATES = "/v1/admin/message-templates"
_TEMPLATE = f"{_TEMPLATES}/{{template}}"
LAST = 100


@router.get(_TEMPLATES, guard=staff(Permission.MESSAGES_READ), summary="消息模板", errors=(ValidationFailed,))
async def list_templates(caller: StaffCaller, query: PageQuery) -> TemplatesOut:
    """Every template as it is used now, by code: built-ins, and staff's own."""
    after = _read_after(query.cursor)
    found = [item for item in await queries.list_templates() if item.code > after]
    page = found[: query.limit]
    last = make_cursor(page[-1].code) if len(found) > query.limit else None
    return TemplatesOut([views.template(item) for item in page], last)


@router.post(
    _TEMPLATES,
    guard=staff(Permission.MESSAGES_TEMPLATES),
    status=201,
    summary="新建消息模板",
    errors=(ValidationFailed, MessageTemplateConflict),
)
async def create_template(caller: StaffCaller, body: TemplateIn) -> TemplateOut:
    """Add a template of staff's own."""
    return views.template(await templates.create_template(body, caller.staff_id))


@router.get(_TEMPLATE, guard=staff(Permission.MESSAGES_READ), summary="消息模板详情", errors=(NotFound,))
async def get_template(caller: StaffCaller, template: str) -> TemplateOut:
    """One template as it is used now."""
    return views.template(await templates.get_template(template))


@router.get(
    f"{_TEMPLATE}/versions",
    guard=staff(Permission.MESSAGES_READ),
    summary="模板历史版本",
    errors=(NotFound, ValidationFailed),
)
async def list_versions(caller: StaffCaller, template: str, query: PageQuery) -> TemplatesOut:
    """Every text that staff wrote for it, newest first; a built-in's own, version 0, is not among them."""
    found_template = await templates.get_template(template)
    after = _read_after(query.cursor)
    if after and not (after.isdigit() and after.isascii() and len(after) <= 7):
        raise invalid("/query/cursor", "not a cursor of this list")
    found = await queries.list_versions(
        found_template.code, before=int(after) if after else None, limit=query.limit + 1
    )
    page = found[: query.limit]
    last = make_cursor(str(page[-1].version)) if len(found) > query.limit else None
    return TemplatesOut([views.template(item) for item in page], last)


@router.post(
    f"{_TEMPLATE}/versions",
    guard=staff(Permission.MESSAGES_TEMPLATES),
    status=201,
    summary="修改模板文字",
    errors=(NotFound, ValidationFailed),
)
async def write_version(caller: StaffCaller, template: str, body: VersionIn) -> TemplateOut:
    """Put another text in its place, from the next letter on."""
    return views.template(await templates.write_version(template, body, caller.staff_id))


@router.post(
    f"{_TEMPLATE}/use",
    guard=staff(Permission.MESSAGES_TEMPLATES),
    summary="改用历史版本",
    errors=(NotFound, ValidationFailed),
)
async def use_version(caller: StaffCaller, template: str, body: UseIn) -> TemplateOut:
    """Write letters with an earlier text again; 0 is a built-in's own."""
    return views.template(await templates.use_version(template, body.version, caller.staff_id))


@router.post(
    f"{_TEMPLATE}/preview", guard=staff(Permission.MESSAGES_READ), summary="预览", errors=(NotFound, ValidationFailed)
)
async def preview(caller: StaffCaller, template: str, body: PreviewIn) -> PreviewOut:
    """Show a letter on each channel, to a sample member or a real one; nothing is sent."""
    said = await templates.preview(template, body, store_id=caller.store_id)
    return PreviewOut([views.said(channel, item) for channel, item in said])


@router.get(
    f"{_TEMPLATE}/changes", guard=staff(Permission.MESSAGES_TEMPLATES), summary="模板变更记录", errors=(NotFound,)
)
async def list_changes(caller: StaffCaller, template: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await templates.get_template(template)
    return changes_out(await queries.changes.list_of(found.code, LAST))


def _read_after(cursor: str | None) -> str:
    if cursor is None:
        return ""
    parts = read_cursor(cursor, 1)
    if parts is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return parts[0]
