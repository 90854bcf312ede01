"""Looking members up, and who looked."""

from __future__ import annotations

from backend.auth.errors import CodeExpired, CodeInvalid, CodeUsed
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import ids
from backend.kernel.errors import NotFound, RateLimited, invalid
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place

from . import queries, schemas
from .commands import lookup

router = Router(tag="contact")


@router.post(
    "/v1/admin/contacts/lookup",
    guard=staff(Permission.CONTACT_READ),
    errors=(NotFound, CodeInvalid, CodeExpired, CodeUsed, RateLimited),
    summary="按会员码、手机号、会员号或微信标识查会员",
)
async def look_up(caller: StaffCaller, body: schemas.Lookup) -> schemas.ContactOut:
    """Who this is, at a glance; a code is not spent, and every look is kept.

    What it is found by is in the body, so that no log on the way has it.
    """
    return await lookup.look_up(caller, body)


@router.get("/v1/admin/contacts/looks", guard=staff(Permission.CONTACT_LOOKS), summary="查看记录：谁看过哪位会员")
async def list_looks(query: schemas.LooksQuery) -> schemas.LooksOut:
    """Who looked at whom, newest first."""
    before = read_place(query.cursor)
    if before is not None and ids.read_bigint(before[1]) is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    wanted = [_id(text, pointer) for text, pointer in ((query.member_id, "member_id"), (query.staff_id, "staff_id"))]
    found = await queries.list_looks(*wanted, before=before, limit=query.limit + 1)
    page = found[: query.limit]
    cursor = place_cursor(page[-1].at, str(page[-1].id)) if len(found) > len(page) else None
    return schemas.LooksOut([schemas.look_out(look) for look in page], cursor)


@router.get(
    "/v1/admin/contacts/{member_id}", guard=staff(Permission.CONTACT_READ), errors=(NotFound,), summary="会员卡片"
)
async def get_contact(caller: StaffCaller, member_id: str) -> schemas.ContactOut:
    """The card of a member who was found before; another store's is not found."""
    return await lookup.open_card(caller, member_id)


def _id(text: str | None, name: str) -> int | None:
    found = ids.read_bigint(text) if text is not None else None
    if text is not None and found is None:
        raise invalid(f"/query/{name}", "is no id")
    return found
