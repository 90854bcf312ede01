"""The desk: the queue, a conversation, answers, and who has it."""

from __future__ import annotations

import hashlib

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, ids
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Request, Router
from backend.kernel.http.errors import UnsupportedMediaType
from backend.kernel.paging import place_cursor, read_place
from backend.kernel.pictures import MOST_BYTES
from backend.ledger.errors import IdempotencyConflict

from .. import paging, queries, views
from ..commands import desk, sending
from ..commands.sending import Saying
from ..errors import ConversationNotYours, ConversationTaken, ReplyQuotaSpent, ReplyWindowClosed
from ..schemas import (
    CaseIn,
    CaseOut,
    ConversationDetail,
    ConversationsOut,
    ConversationsQuery,
    MessagesOut,
    MessagesQuery,
    SaidOut,
    SayIn,
    TransferIn,
)
from ..types import Card, Conversation, Kind, State

router = Router(tag="customer service")

_KINDS = frozenset({"image/jpeg", "image/png", "image/webp"})
_LIST = "/v1/admin/conversations"
_ONE = f"{_LIST}/{{conversation_id}}"
SAYING = (NotFound, ValidationFailed, ConversationNotYours, ReplyWindowClosed, ReplyQuotaSpent, IdempotencyConflict)


@router.get(_LIST, guard=staff(Permission.CONVERSATIONS_HANDLE), summary="客服会话", errors=(ValidationFailed,))
async def list_conversations(caller: StaffCaller, query: ConversationsQuery) -> ConversationsOut:
    """A page of the conversations of the own store's members; of everybody at head office, guests too."""
    place = read_place(query.cursor)
    if place is not None and ids.read_bigint(place[1]) is None:
        raise invalid("/query/cursor", "not a cursor of this list")
    store = caller.store_id
    if query.view == "waiting":
        found = await queries.list_waiting(store, place, query.limit + 1)
    else:
        mine = query.view == "mine"
        state = State.OPEN if mine else State(query.view)
        only = caller.staff_id if mine else None
        found = await queries.list_conversations(state, None if mine else store, only, place, query.limit + 1)
    page = found[: query.limit]
    shown = await desk.seen(caller, page)
    waiting, own = await queries.count_states(store, caller.staff_id)
    cursor = _cursor(page[-1], query.view) if len(found) > query.limit else None
    return ConversationsOut(await views.conversations(shown), cursor, waiting, own)


def _cursor(last: Conversation, view: str) -> str:
    at = last.waiting_since if view == "waiting" else None
    return place_cursor(at or last.last_at, str(last.id))


@router.get(_ONE, guard=staff(Permission.CONVERSATIONS_HANDLE), summary="会话详情", errors=(NotFound,))
async def get_conversation(caller: StaffCaller, conversation_id: str) -> ConversationDetail:
    """A conversation, its member at a glance, and what WeChat still takes."""
    return await views.detail(await desk.reached(caller, conversation_id))


@router.get(
    f"{_ONE}/messages",
    guard=staff(Permission.CONVERSATIONS_HANDLE),
    summary="会话消息",
    errors=(NotFound, ValidationFailed),
)
async def list_messages(caller: StaffCaller, conversation_id: str, query: MessagesQuery) -> MessagesOut:
    """A page of what was said and what happened, newest first; ``after`` asks only for what is new."""
    found = await desk.reached(caller, conversation_id)
    before = paging.read(query.cursor)
    rows = await queries.list_messages(found.id, before=before, after=query.after, limit=query.limit + 1)
    items, cursor = paging.cut(rows, query.limit)
    return MessagesOut(await views.messages(items), cursor)


@router.post(
    f"{_ONE}/messages",
    guard=staff(Permission.CONVERSATIONS_HANDLE),
    status=201,
    idempotent=True,
    summary="回复客户",
    errors=SAYING,
)
async def answer(caller: StaffCaller, conversation_id: str, body: SayIn, idem: Idempotency) -> Answer[SaidOut]:
    """Answer, with a text or a card, as whoever has the conversation.

    The windows that WeChat leaves open are counted before anything is sent. The message's ``stage`` says what became of
    it; one that is ``unknown`` may have arrived, and is never sent again by itself.
    """
    found = await desk.reached(caller, conversation_id)
    said = Saying(kind=Kind.TEXT, text=_text(body))
    if body.card is not None:
        said = Saying(kind=Kind.CARD, card=Card(body.card.title, body.card.page))
    message, replayed = await sending.answer(found.id, said, caller.staff_id, idem.key, idem.request_hash)
    return Answer(await said_out(found.id, message.seq), replayed=replayed)


def _text(body: SayIn) -> str:
    if (body.text is None) == (body.card is None):
        raise invalid("", "say a text or a card, one of them")
    if body.text is not None and not body.text.strip():
        raise invalid("/text", "says nothing")
    return body.text or ""


async def said_out(conversation_id: int, seq: int) -> SaidOut:
    """What was said, as it stands now."""
    found = await queries.find_conversation(conversation_id)
    message = await queries.find_message(conversation_id, seq)
    assert found is not None
    assert message is not None
    return SaidOut((await views.messages([message]))[0], views.window(found, clock.now()))


@router.post(
    f"{_ONE}/claim",
    guard=staff(Permission.CONVERSATIONS_HANDLE),
    summary="接入会话",
    errors=(NotFound, ConversationTaken),
)
async def claim(caller: StaffCaller, conversation_id: str) -> ConversationDetail:
    """Take it from the queue, the robot or WeChat's own service; one's own again changes nothing."""
    found = await desk.reached(caller, conversation_id)
    return await views.detail(await desk.claim(found.id, caller))


@router.post(
    f"{_ONE}/transfer",
    guard=staff(Permission.CONVERSATIONS_HANDLE),
    summary="转接会话",
    errors=(NotFound, ValidationFailed, ConversationNotYours),
)
async def transfer(caller: StaffCaller, conversation_id: str, body: TransferIn) -> ConversationDetail:
    """Give it to a colleague who may see this customer, or back into the queue."""
    found = await desk.reached(caller, conversation_id)
    return await views.detail(await desk.transfer(found.id, caller, body.staff_id))


@router.post(
    f"{_ONE}/close",
    guard=staff(Permission.CONVERSATIONS_HANDLE),
    summary="结束会话",
    errors=(NotFound, ConversationNotYours, Unavailable),
)
async def close(caller: StaffCaller, conversation_id: str) -> ConversationDetail:
    """End it; when the customer writes again, the robot answers first."""
    found = await desk.reached(caller, conversation_id)
    return await views.detail(await desk.close(found.id, caller))


@router.post(
    f"{_ONE}/wechat",
    guard=staff(Permission.CONVERSATIONS_HANDLE),
    summary="转微信客服",
    errors=(NotFound, ConversationNotYours, ReplyWindowClosed),
)
async def hand_to_wechat(caller: StaffCaller, conversation_id: str) -> ConversationDetail:
    """Let WeChat's own customer service go on with what the customer writes next, until somebody claims it back."""
    found = await desk.reached(caller, conversation_id)
    return await views.detail(await desk.hand_to_wechat(found.id, caller))


@router.post(
    f"{_ONE}/case",
    guard=staff(Permission.CONVERSATIONS_HANDLE),
    status=201,
    idempotent=True,
    summary="转为反馈工单",
    errors=(NotFound, ValidationFailed, IdempotencyConflict),
)
async def open_case(caller: StaffCaller, conversation_id: str, body: CaseIn, idem: Idempotency) -> Answer[CaseOut]:
    """Open a feedback case of what was said here, for the customer and their home store."""
    found = await desk.reached(caller, conversation_id)
    case_id, replayed = await desk.open_case(found.id, body, caller, idem)
    return Answer(CaseOut(case_id), replayed=replayed)


@router.post(
    f"{_ONE}/pictures",
    guard=staff(Permission.CONVERSATIONS_HANDLE),
    status=201,
    idempotent=True,
    body_limit=MOST_BYTES,
    summary="发送图片",
    errors=(*SAYING, UnsupportedMediaType, Unavailable),
)
async def send_picture(
    caller: StaffCaller, conversation_id: str, body: bytes, request: Request, idem: Idempotency
) -> Answer[SaidOut]:
    """Answer with a picture (JPEG, PNG or WebP, as the body, at most 8 MiB); it is drawn anew before it is sent."""
    if request.headers.get("content-type", "image/jpeg").partition(";")[0].strip().lower() not in _KINDS:
        raise UnsupportedMediaType("the body must be a picture: Content-Type image/jpeg, image/png or image/webp")
    found = await desk.reached(caller, conversation_id)
    digest = hashlib.sha256(idem.request_hash + body).digest()
    message, replayed = await sending.answer_picture(found.id, body, caller.staff_id, idem.key, digest)
    return Answer(await said_out(found.id, message.seq), replayed=replayed)
