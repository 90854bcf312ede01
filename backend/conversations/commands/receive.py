"""What WeChat pushes of customers: stored and decided in one transaction, answered by a job.

WeChat hears "taken" when that has committed. What comes again is found by the number of the message, an entry by its
sender, time and name, and is told the same as before.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.kernel import clock, db, jobs, live, logging
from backend.kernel.db import Tx
from backend.members import queries as members
from backend.wechat.types import PushAnswer, PushMessage

from .. import queries, service
from ..rules import windows, words
from ..types import Act, Author, Card, Conversation, Kind, Message, Rule, Stage, State

log = logging.get(__name__)

ENTERED = "user_enter_tempsession"
ANSWER, FETCH = "conversations.answer", "conversations.fetch"
"""The jobs that answer a message, and that fetch its picture."""

LIVE = "chat"
"""What a member's phone is told when something was said, or somebody else has the conversation."""

_KINDS = {"text": Kind.TEXT, "image": Kind.PICTURE, "miniprogrampage": Kind.CARD}
_MOST_TITLE, _MOST_PAGE = 64, 512


async def take(push: PushMessage) -> PushAnswer | None:
    """Keep what a customer wrote, or that the chat was opened; None for what is no customer's."""
    if push.kind == "event" and push.event != ENTERED:
        return None
    now = clock.now()
    rules = await queries.rules()
    member_id, store_id = await _who(push.openid)
    async with db.transaction() as tx:
        conversation = await service.open_of(tx, push.openid, now)
        once = f"entered:{int(push.sent_at.timestamp())}" if push.kind == "event" else push.key
        if (known := await service.find_once(tx, conversation.id, once)) is not None:
            return _answer(known)
        conversation = msgspec.structs.replace(conversation, member_id=member_id, store_id=store_id)
        if push.kind == "event":
            conversation, message = await _enter(tx, conversation, push, once, now)
        else:
            conversation, message = await _write(tx, conversation, push, once, rules, now)
        await service.keep(tx, conversation)
        if message.decision:
            await jobs.defer(tx, ANSWER, urgent=True, conversation_id=str(conversation.id), seq=message.seq)
        if message.stage is Stage.FETCHING:
            await jobs.defer(tx, FETCH, conversation_id=str(conversation.id), seq=message.seq)
    tell(conversation, Author.CUSTOMER)
    log.info("conversations.received", conversation_id=conversation.id, kind=message.kind.value, seq=message.seq)
    return _answer(message)


def tell(conversation: Conversation, author: Author) -> None:
    """Let the member's open phones read the conversation again, in which somebody said or did something."""
    if conversation.member_id is not None:
        data = {"seq": conversation.last_seq, "state": conversation.state.value, "author": author.value}
        live.push(conversation.member_id, LIVE, data)


async def _who(openid: str) -> tuple[int | None, str | None]:
    """The member whom a WeChat account is bound to, and the member's home store."""
    member_id = await auth.find_member_by_openid(openid)
    member = await members.find_member(member_id) if member_id is not None else None
    return member_id, member.store_id if member else None


def _answer(message: Message) -> PushAnswer:
    return PushAnswer.TRANSFER if message.stage is Stage.TRANSFERRED else PushAnswer.TAKEN


async def _enter(
    tx: Tx, conversation: Conversation, push: PushMessage, once: str, now: datetime
) -> tuple[Conversation, Message]:
    """The chat was opened; the robot welcomes whom nobody is talking to, once in a while."""
    welcome = _is_welcome(conversation, now)
    if welcome:
        conversation = msgspec.structs.replace(conversation, welcomed_at=now)
        if conversation.state is State.CLOSED:
            conversation = service.moved(conversation, State.ROBOT, now)
    last_at = conversation.last_at
    sent = await service.count_sent(tx, conversation.id, push.sent_at)
    entered = windows.entered(conversation.windows, push.sent_at, now, sent=sent)
    conversation, message = await service.append(
        tx,
        service.counted(conversation, entered),
        Author.CUSTOMER,
        Kind.ENTERED,
        Stage.NOTED,
        now,
        text=_text(push, "SessionFrom", _MOST_TITLE),
        decision=words.WELCOME if welcome else "",
        once=once,
    )
    # Who only looks in says nothing: the list goes by what was said.
    return msgspec.structs.replace(conversation, last_at=last_at), message


def _is_welcome(conversation: Conversation, now: datetime) -> bool:
    """Whether to welcome: nobody talks with the customer, who was not welcomed for a while."""
    since = conversation.welcomed_at
    return conversation.state in (State.ROBOT, State.CLOSED) and (since is None or now - since >= words.WELCOMED_FOR)


async def _write(
    tx: Tx, conversation: Conversation, push: PushMessage, once: str, rules: list[Rule], now: datetime
) -> tuple[Conversation, Message]:
    """The customer said something: whoever has the conversation goes on."""
    conversation = _resumed(conversation, now)
    kind = _KINDS.get(push.kind, Kind.OTHER)
    act, decision = _decide(conversation, kind, push.content, rules)
    stage = Stage.FETCHING if kind is Kind.PICTURE else Stage.RECEIVED
    if act is Act.WECHAT:
        stage, decision = Stage.TRANSFERRED, ""
        conversation = service.moved(conversation, State.WECHAT, now)
    elif act is Act.STAFF:
        conversation = service.moved(conversation, State.WAITING, now)
    sent = await service.count_sent(tx, conversation.id, push.sent_at)
    conversation = service.counted(conversation, windows.wrote(conversation.windows, push.sent_at, now, sent=sent))
    conversation, message = await service.append(
        tx,
        conversation,
        Author.CUSTOMER,
        kind,
        stage,
        now,
        text=push.content if kind is Kind.TEXT else push.kind if kind is Kind.OTHER else "",
        card=Card(_text(push, "Title", _MOST_TITLE), _text(push, "PagePath", _MOST_PAGE))
        if kind is Kind.CARD
        else None,
        media_id=_text(push, "MediaId", 256) if kind is Kind.PICTURE else "",
        decision=decision,
        once=once,
    )
    return msgspec.structs.replace(conversation, unread=conversation.unread + 1), message


def _resumed(conversation: Conversation, now: datetime) -> Conversation:
    """What was closed begins anew, and so does what WeChat's own service had a day ago."""
    over = conversation.state is State.WECHAT and now - conversation.last_at >= words.WECHAT_FOR
    if over or conversation.state is State.CLOSED:
        return msgspec.structs.replace(service.moved(conversation, State.ROBOT, now), unread=0)
    return conversation


def _decide(conversation: Conversation, kind: Kind, text: str, rules: list[Rule]) -> tuple[Act | None, str]:
    if conversation.state is State.WECHAT:
        return Act.WECHAT, ""
    if conversation.state is not State.ROBOT:
        return None, ""
    if kind is not Kind.TEXT:  # a robot sees no pictures
        return Act.STAFF, words.QUEUED
    return words.decide(text, rules)


def _text(push: PushMessage, name: str, most: int) -> str:
    value = push.fields.get(name, "")
    return value[:most] if isinstance(value, str) else ""
