"""The audit log as staff search it: a store's staff their store's, head office everybody's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

import msgspec

from backend.auth import queries
from backend.auth.guards import staff
from backend.auth.queries import AuditFilter, AuditRow
from backend.auth.schemas import log as schemas
from backend.auth.types import Permission, StaffCaller
from backend.kernel import ids, sheets, windows
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Reply, Router
from backend.kernel.paging import Place, place_cursor, read_place

router = Router(tag="audit log")

ROWS_AT_ONCE = 2_000
MOST_EXPORTED = 100_000

_PARAM = re.compile(r"\{([a-z_0-9]+)\}")


@router.get(
    "/v1/admin/audit", guard=staff(Permission.AUDIT_READ), summary="操作日志", errors=(NotFound, ValidationFailed)
)
async def list_audit(caller: StaffCaller, query: schemas.AuditQuery) -> schemas.AuditOut:
    """A page of what staff did and tried, newest first; every call that is not a mere read is there."""
    wanted = _filter(caller, query)
    found = await queries.list_audit(wanted, before=_place(query.cursor), limit=query.limit + 1)
    page, last = found[: query.limit], found[query.limit - 1] if len(found) > query.limit else None
    cursor = place_cursor(last.at, str(last.id)) if last else None
    return schemas.AuditOut(await _shown(caller, page), cursor)


@router.get("/v1/admin/audit/actions", guard=staff(Permission.AUDIT_READ), summary="操作日志中的操作")
async def list_actions() -> schemas.AuditActionsOut:
    """What the log can be searched for under ``action``."""
    return schemas.AuditActionsOut([schemas.AuditActionOut(*one) for one in await queries.list_actions()])


@router.get(
    "/v1/admin/audit.csv",
    guard=staff(Permission.AUDIT_READ),
    summary="导出操作日志",
    errors=(NotFound, ValidationFailed),
)
async def export_audit(caller: StaffCaller, query: schemas.AuditFilterQuery) -> Reply:
    """The same as CSV, at most 100,000 rows."""
    wanted = _filter(caller, query)

    async def pages() -> AsyncIterator[sheets.Page]:
        async for page in queries.audit_pages(wanted, limit=ROWS_AT_ONCE, most=MOST_EXPORTED):
            yield [_cells(one) for one in await _shown(caller, page)]

    body = await sheets.stream("csv", "audit", schemas.AuditItem.__struct_fields__, pages())
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Reply(body, media_type=sheets.MEDIA_TYPES["csv"], headers=headers)


def _filter(caller: StaffCaller, query: schemas.AuditFilterQuery) -> AuditFilter:
    """What is asked for, within what the caller sees."""
    store_id = query.store_id or caller.store_id
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    staff_id = None if query.staff_id is None else ids.read_bigint(query.staff_id)
    if query.staff_id is not None and staff_id is None:
        raise invalid("/query/staff_id", "is nobody's id")
    windows.check(query.since, query.until, names=("query/since", "query/until"))
    return AuditFilter(
        staff_id=staff_id,
        store_id=store_id,
        route=query.action,
        thing=query.thing,
        request_id=query.request_id,
        code=query.code,
        done=query.done,
        since=query.since,
        until=query.until,
    )


def _place(cursor: str | None) -> Place | None:
    place = read_place(cursor)
    if place is not None and ids.read_bigint(place[1]) is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    return place


async def _shown(caller: StaffCaller, found: Sequence[AuditRow]) -> list[schemas.AuditItem]:
    names = await queries.staff_names({one.staff_id for one in found})
    return [_item(_seen_by(caller, one), names.get(one.staff_id, "")) for one in found]


def _seen_by(caller: StaffCaller, one: AuditRow) -> AuditRow:
    """A row as this person reads it: of head office's calls a store sees what was done to it, and of no other store.

    Where a call was about several stores, what it named may be another's.
    """
    if caller.office or one.store_id == caller.store_id:
        return one
    mine = [store for store in one.about if store == caller.store_id]
    seen = msgspec.structs.replace(one, about=mine, address="")
    if len(one.about) == 1:
        return seen
    return msgspec.structs.replace(seen, things=[], detail={k: v for k, v in one.detail.items() if k != "said"})


def _item(one: AuditRow, name: str) -> schemas.AuditItem:
    named = _PARAM.findall(one.route)
    return schemas.AuditItem(
        id=str(one.id),
        at=one.at,
        staff_id=str(one.staff_id),
        staff_name=name,
        role=one.role,
        store_id=one.store_id,
        action=one.route,
        title=one.title,
        named=dict(zip(named, one.things, strict=False)),
        things=one.things[len(named) :],
        status=one.status,
        code=one.code,
        address=one.address,
        request_id=one.request_id,
        detail=one.detail,
        about=one.about,
    )


def _cells(item: schemas.AuditItem) -> list[sheets.Cell]:
    return [_cell(getattr(item, name)) for name in item.__struct_fields__]


def _cell(value: object) -> sheets.Cell:
    if value is None or isinstance(value, int):
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text.strip('"')
