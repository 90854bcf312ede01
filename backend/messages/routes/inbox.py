"""The phone's inbox."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict

from .. import queries, views
from ..commands import reading, replying
from ..queries import replies
from ..schemas import InboxOut, InboxQuery, LetterOut, LetterRepliesOut, LetterReplyIn, LetterReplyOut, UnreadOut

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


@router.get(f"{_INBOX}/{{letter_id}}/replies", guard=member, summary="我的回复", errors=(NotFound,))
async def list_replies(caller: MemberCaller, letter_id: str) -> LetterRepliesOut:
    """What the caller answered to a letter, oldest first."""
    if await queries.find_letter(caller.member_id, letter_id) is None:
        raise NotFound("there is no such letter")
    found = await replies.list_of_letter(caller.member_id, letter_id, limit=50)
    return LetterRepliesOut([views.letter_reply(item) for item in found])


@router.post(
    f"{_INBOX}/{{letter_id}}/replies",
    guard=member,
    status=201,
    idempotent=True,
    summary="回复消息",
    errors=(IdempotencyConflict, NotFound, RateLimited, ValidationFailed),
)
async def answer(caller: MemberCaller, letter_id: str, body: LetterReplyIn, idem: Idempotency) -> LetterReplyOut:
    """Answer a letter; staff read it beside what came by SMS."""
    return views.letter_reply(await replying.answer(caller.member_id, letter_id, body.text, idem.key))
