"""The member's own chat, and pictures for whoever was shown their address."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import ValidationFailed
from backend.kernel.http import Router

from .. import paging, queries, views
from ..schemas import ChatOut, PageQuery

router = Router(tag="customer service")


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


queries.PICTURES.serve(router, queries.find_picture, summary="客服会话图片")
