"""The member's own chat, and pictures for whoever was shown their address."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel import limits
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Reply, Request, Router, public

from .. import paging, queries, views
from ..schemas import ChatOut, PageQuery, PictureQuery

router = Router(tag="customer service")

_HEADERS = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}


@router.get("/v1/member/chat", guard=member, summary="我的客服会话", errors=(ValidationFailed,))
async def get_chat(caller: MemberCaller, query: PageQuery) -> ChatOut:
    """A page of what the member and customer service said to each other, newest first.

    New messages are told on the live channel (``chat``). What the member writes goes through WeChat's own chat, which a
    mini-program opens with a button of ``open-type="contact"``.
    """
    found = await queries.find_of_member(caller.member_id)
    if found is None:
        return ChatOut(state=None, ahead=None, items=[], next_cursor=None)
    rows = await queries.list_messages(found.id, before=paging.read(query.cursor), after=0, limit=query.limit + 1)
    items, cursor = paging.cut(rows, query.limit)
    return ChatOut(state=found.state, ahead=await views.ahead(found), items=views.chat(items), next_cursor=cursor)


@router.get(
    "/v1/conversation-pictures/{picture_id}",
    guard=public,
    rate_limited=False,
    quiet=True,
    summary="客服会话图片",
    errors=(NotFound,),
)
async def get_picture(picture_id: str, query: PictureQuery, request: Request) -> Reply:
    """A picture of a conversation, for whoever was shown its address, while that is good."""
    return await _picture(picture_id, query, request, small=False)


@router.get(
    "/v1/conversation-pictures/{picture_id}/small",
    guard=public,
    rate_limited=False,
    quiet=True,
    summary="客服会话图片（缩略图）",
    errors=(NotFound,),
)
async def get_small_picture(picture_id: str, query: PictureQuery, request: Request) -> Reply:
    """The same within 400 pixels."""
    return await _picture(picture_id, query, request, small=True)


async def _picture(picture_id: str, query: PictureQuery, request: Request, *, small: bool) -> Reply:
    named = paging.read_picture(picture_id)
    found = (
        await queries.find_picture(*named, until=query.until, signature=query.signature, small=small)
        if named is not None
        else None
    )
    if found is None:
        await limits.hit(f"address:{request.client}", settings().rate_anonymous_per_minute)
        raise NotFound("there is no such picture")
    kind, body = found
    return Reply(body, kind, headers=_HEADERS)
