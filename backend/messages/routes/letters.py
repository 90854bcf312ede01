"""What was written to a member, and what became of it: for staff."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place

from .. import queries, views
from ..schemas import PageQuery, SentLettersOut
from .consents import reached

router = Router(tag="messages")


@router.get(
    "/v1/admin/messages/members/{member_id}/letters",
    guard=staff(Permission.MESSAGES_READ),
    summary="会员的消息",
    errors=(NotFound, ValidationFailed),
)
async def list_letters(caller: StaffCaller, member_id: str, query: PageQuery) -> SentLettersOut:
    """A member's letters with their deliveries, newest first; a manager sees the own store's members'."""
    id_ = await reached(caller, member_id)
    found = await queries.list_letters(id_, before=read_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    last = place_cursor(page[-1].at, page[-1].id) if len(found) > query.limit else None
    return SentLettersOut([views.sent_letter(item) for item in page], last)
