"""What members wrote back, and how long an SMS is: for staff."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.config import settings
from backend.kernel.errors import ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place

from .. import channel_views as views
from ..channel_schemas import RepliesOut, RepliesQuery, SegmentsOut, SegmentsQuery
from ..delivery import segments, sms_text
from ..queries import replies
from ..types import Purpose

router = Router(tag="messages")


@router.get(
    "/v1/admin/messages/replies", guard=staff(Permission.MESSAGES_READ), errors=(ValidationFailed,), summary="短信回复"
)
async def list_replies(caller: StaffCaller, query: RepliesQuery) -> RepliesOut:
    """What members wrote back to messages, newest first; a manager sees the own store's members."""
    found = await replies.list_replies(
        before=read_place(query.cursor), limit=query.limit + 1, store_id=caller.store_id, stops=query.stops
    )
    page = found[: query.limit]
    return RepliesOut(
        [views.reply(item) for item in page],
        place_cursor(page[-1].taken_at, page[-1].id) if len(found) > query.limit else None,
    )


@router.get(
    "/v1/admin/messages/sms/segments",
    guard=staff(Permission.MESSAGES_READ),
    errors=(ValidationFailed,),
    summary="短信计费条数",
)
async def count_segments(caller: StaffCaller, query: SegmentsQuery) -> SegmentsOut:
    """How long a text is as an SMS, with what stands before and behind it; variables count as they are written."""
    text = sms_text.framed(query.text, Purpose(query.purpose), settings())
    return SegmentsOut(text, segments.length(text), segments.count(text), segments.MOST)
