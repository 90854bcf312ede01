"""Say something to a customer: counted and written down under the lock, committed, sent once, and the end recorded.

What may have arrived is never sent again: a process that dies in between leaves it ``unknown``.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import clock, db, drawing, logging
from backend.kernel.errors import DomainError
from backend.kernel.pictures import Picture
from backend.ledger.errors import IdempotencyConflict
from backend.wechat import service as wechat
from backend.wechat.errors import MessageRefused, WechatBusy, WechatMisconfigured, WechatUnavailable

from .. import locks, queries, service
from ..errors import ConversationNotYours, ReplyQuotaSpent, ReplyWindowClosed
from ..rules import windows
from ..types import Author, Card, Conversation, Kind, Message, Stage, State
from . import pictures, receive

log = logging.get(__name__)

_ENDED = {"window_closed", "too_many"}


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """What to say: a text, a card, or a picture that WeChat has been given."""

    kind: Kind
    text: str = ""
    card: Card | None = None
    media_id: str = ""
    picture: Picture | None = None


async def answer(conversation_id: int, said: Saying, staff_id: int, key: str, digest: bytes) -> tuple[Message, bool]:
    """An answer of whoever has the conversation, once per key; returns it, and whether it was said before.

    Raises ``NotFound``, ``ConversationNotYours``, ``ReplyWindowClosed``, ``ReplyQuotaSpent``, ``IdempotencyConflict``.
    """
    message, conversation = await _reserve(
        conversation_id, said, Author.STAFF, _once(staff_id, key), staff_id=staff_id, digest=digest
    )
    if conversation is None:
        return message, True
    return await _send(conversation, message), False


async def answer_picture(
    conversation_id: int, data: bytes, staff_id: int, key: str, digest: bytes
) -> tuple[Message, bool]:
    """The same with a picture, drawn anew; ``ValidationFailed`` for what is none.

    WeChat is given the picture first, and only where it may be sent: what is refused here is refused before.
    """
    once = _once(staff_id, key)
    known = await queries.find_once(conversation_id, once)
    if known is None:
        conversation = await queries.find_conversation(conversation_id)
        assert conversation is not None
        _check_speaker(conversation, Author.STAFF, staff_id)
        _check_windows(conversation, clock.now())
        picture = await drawing.draw(data)
        said = Saying(kind=Kind.PICTURE, media_id=await pictures.upload(picture), picture=picture)
    else:
        said = Saying(kind=Kind.PICTURE)
    return await answer(conversation_id, said, staff_id, key, digest)


async def say(conversation_id: int, said: Saying, once: str) -> Message | None:
    """A word of the robot's, once; None where a person has the conversation by now, or WeChat takes nothing."""
    try:
        message, conversation = await _reserve(conversation_id, said, Author.ROBOT, once)
    except (ConversationNotYours, ReplyWindowClosed, ReplyQuotaSpent) as refusal:
        log.info("conversations.robot_silent", conversation_id=conversation_id, refusal=refusal.code)
        return None
    return message if conversation is None else await _send(conversation, message)


async def _reserve(
    conversation_id: int,
    said: Saying,
    author: Author,
    once: str,
    *,
    staff_id: int | None = None,
    digest: bytes | None = None,
) -> tuple[Message, Conversation | None]:
    """Count and write down what is about to be sent; the conversation is None where that was done before."""
    async with db.transaction() as tx:
        now = clock.now()
        conversation = await locks.lock_conversation(tx, conversation_id)
        if (known := await service.find_once(tx, conversation.id, once)) is not None:
            if known.request_hash != digest:
                raise IdempotencyConflict
            return known, None
        _check_speaker(conversation, author, staff_id)
        _check_windows(conversation, now)
        conversation = service.counted(conversation, windows.spend(conversation.windows, now))
        conversation, message = await service.append(
            tx,
            conversation,
            author,
            said.kind,
            Stage.SENDING,
            now,
            text=said.text,
            card=said.card,
            media_id=said.media_id,
            staff_id=staff_id,
            once=once,
            request_hash=digest,
        )
        if author is Author.STAFF:
            conversation = msgspec.structs.replace(conversation, unread=0)
        if said.picture is not None:
            await pictures.keep(tx, message, said.picture)
        return message, await service.keep(tx, conversation)


def _once(staff_id: int, key: str) -> str:
    return f"staff:{staff_id}:{key}"


def _check_speaker(conversation: Conversation, author: Author, staff_id: int | None) -> None:
    """A person speaks who has the conversation; the robot until one has."""
    if author is Author.STAFF:
        if conversation.state is not State.OPEN or conversation.staff_id != staff_id:
            raise ConversationNotYours
    elif conversation.state not in (State.ROBOT, State.WAITING, State.CLOSED):
        raise ConversationNotYours


def _check_windows(conversation: Conversation, now: datetime) -> None:
    if not windows.is_open(conversation.windows, now):
        raise ReplyWindowClosed
    if windows.left(conversation.windows, now) < 1:
        raise ReplyQuotaSpent


async def _send(conversation: Conversation, message: Message) -> Message:
    """Hand it to WeChat, and write down what became of it."""
    stage, reason = await _call(queries.open_openid(conversation), message)
    now = clock.now()
    sent_at = now if stage is Stage.SENT else None
    async with db.transaction() as tx:
        held = await locks.lock_conversation(tx, conversation.id)
        await service.set_stage(
            tx, message.conversation_id, message.seq, stage, was=Stage.SENDING, reason=reason, sent_at=sent_at
        )
        if reason in _ENDED and held.windows == conversation.windows:
            held = await service.keep(tx, service.counted(held, windows.shut(held.windows)))
    receive.tell(held, message.author)
    log.info("conversations.said", conversation_id=conversation.id, author=message.author.value, stage=stage.value)
    return msgspec.structs.replace(message, stage=stage, reason=reason, sent_at=sent_at)


async def _call(openid: str, message: Message) -> tuple[Stage, str]:
    """Send it, once; what WeChat said of it."""
    try:
        if message.kind is Kind.PICTURE:
            await wechat.send_custom_picture(openid, message.media_id)
        elif message.card is not None:
            thumb = await _thumb()
            await wechat.send_custom_card(openid, message.card.title, message.card.page, thumb)
        else:
            await wechat.send_custom_message(openid, message.text)
    except MessageRefused as refusal:
        return Stage.REFUSED, refusal.reason
    except WechatMisconfigured:
        return Stage.REFUSED, "misconfigured"
    except WechatBusy:
        return Stage.REFUSED, "busy"
    except WechatUnavailable:
        return Stage.UNKNOWN, "unavailable"
    except DomainError as error:
        return Stage.REFUSED, error.code
    return Stage.SENT, ""


async def _thumb() -> str:
    """A card's picture at WeChat; while it cannot be uploaded, the card was not sent."""
    try:
        return await pictures.card_thumb()
    except WechatUnavailable as error:
        raise WechatBusy(retry_after_s=error.retry_after_s) from error


async def give_up_stuck() -> int:
    """Call ``unknown`` what a process that died was sending; returns how many."""
    count = 0
    for message in await queries.list_stuck(Stage.SENDING, clock.now() - service.STUCK_AFTER, 500):
        async with db.transaction() as tx:
            count += await service.set_stage(
                tx, message.conversation_id, message.seq, Stage.UNKNOWN, was=Stage.SENDING, reason="cut_short"
            )
    return count
