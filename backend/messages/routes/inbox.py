"""The phone's inbox."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place

from .. import queries, views
from ..commands import reading
from ..schemas import InboxOut, InboxQuery, LetterOut, UnreadOut

router = Router(tag="messages")

_INBOX = "/v1/member/inbox"


@router.get(_INBOX, guard=member, summary="消息", errors=(ValidationFailed,))
async def list_inbox(caller: MemberCaller, query: InboxQuery) -> InboxOut:
    """The caller's letters, newest first, and how many were not read."""
    found = await queries.list_inbox(
        caller.member_id, before=read_place(query.cursor), limit=query.limit + 1, unread=query.unread
    )
    page = found[: query.limit]
    return InboxOut(
        [views.letter(item) for item in page],
        await queries.count_unread(caller.member_id),
        place_cursor(page[-1].at, page[-1].id) if len(found) > query.limit else None,
    )


@router.get(f"{_INBOX}/unread", guard=member, summary="未读数")
async def count_unread(caller: MemberCaller) -> UnreadOut:
    """How many of the caller's letters were not read."""
    return UnreadOut(await queries.count_unread(caller.member_id))


@router.post(f"{_INBOX}/read", guard=member, status=204, summary="全部已读")
async def read_all(caller: MemberCaller) -> None:
    """Mark all of the caller's letters as read."""
    await reading.read_all(caller.member_id)


@router.post(f"{_INBOX}/{{letter_id}}/read", guard=member, summary="已读", errors=(NotFound,))
async def read_letter(caller: MemberCaller, letter_id: str) -> LetterOut:
    """Mark one letter as read; asking again changes nothing."""
    return views.letter(await reading.read_letter(caller.member_id, letter_id))
