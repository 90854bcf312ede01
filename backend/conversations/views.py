"""Conversations as staff and members see them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from backend.auth import queries as auth
from backend.auth.types import Permission, Staff
from backend.coupons import queries as coupons
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import NotFound
from backend.kernel.kept import Kept
from backend.members import queries as members
from backend.members.types import Card as MemberCard
from backend.members.types import Member
from backend.wallet import queries as wallets

from . import queries
from .rules import windows
from .schemas import (
    ChatMessageOut,
    ColleagueOut,
    ConversationDetail,
    ConversationOut,
    CustomerOut,
    LastOut,
    MessageOut,
    PictureOut,
    SummaryOut,
    WindowOut,
)
from .types import Author, Conversation, Kind, Message, Stage, State

PREVIEW = 60
STAFF_KEPT_S = 10.0
_GIVEN = "to:"
_ELSEWHERE = frozenset({Stage.LOST, Stage.TRANSFERRED})
"""Of a picture that is not here, and will not come."""

TOLD = frozenset({"claimed", "queued", "to_wechat", "closed", "over"})
"""The notes that a member is shown."""


Speaker = Literal["me", "robot", "staff", "system"]
_SPEAKERS: dict[Author, Speaker] = {
    Author.CUSTOMER: "me",
    Author.ROBOT: "robot",
    Author.STAFF: "staff",
    Author.SYSTEM: "system",
}


async def _staff() -> dict[int, Staff]:
    return {int(person.id): person for person in await auth.list_staff()}


async def _who_may() -> list[Staff]:
    return await auth.list_who_may(Permission.CONVERSATIONS_HANDLE)


_people = Kept(_staff, keep_s=STAFF_KEPT_S)
_able = Kept(_who_may, keep_s=STAFF_KEPT_S)


def window(conversation: Conversation, now: datetime) -> WindowOut:
    """What WeChat still takes."""
    held = conversation.windows
    return WindowOut(windows.left(held, now), windows.until(held, now), windows.is_open(held, now))


async def conversations(found: Sequence[Conversation]) -> list[ConversationOut]:
    """A page of conversations, with who writes and what was said last."""
    now, people = clock.now(), await _people.get()
    last = await queries.last_messages([item.id for item in found])
    cards = await asyncio.gather(*(_card(item.member_id) for item in found))
    return [_conversation(item, card, last.get(item.id), people, now) for item, card in zip(found, cards, strict=True)]


async def _card(member_id: int | None) -> MemberCard | None:
    try:
        return await members.get_card(member_id) if member_id is not None else None
    except NotFound:
        return None


def _conversation(
    item: Conversation, card: MemberCard | None, last: Message | None, people: Mapping[int, Staff], now: datetime
) -> ConversationOut:
    return ConversationOut(
        id=str(item.id),
        state=item.state,
        customer=_customer(card),
        staff=_colleague(item.staff_id, people),
        last=LastOut(last.author, last.kind, last.text[:PREVIEW], last.at) if last else None,
        unread=item.unread,
        last_at=item.last_at,
        waiting_since=item.waiting_since,
        claimed_at=item.claimed_at,
        window=window(item, now),
    )


def _customer(card: MemberCard | None) -> CustomerOut:
    if card is None:
        return CustomerOut(guest=True)
    return CustomerOut(
        guest=False,
        member_id=str(card.member_id),
        member_no=card.member_no,
        name=card.name_masked,
        level=card.level.name,
    )


def _colleague(staff_id: int | None, people: Mapping[int, Staff]) -> ColleagueOut | None:
    if staff_id is None:
        return None
    person = people.get(staff_id)
    return ColleagueOut(str(staff_id), person.username if person else "")


async def detail(item: Conversation) -> ConversationDetail:
    """One conversation, with what the person at the desk must know."""
    (shown,) = await conversations([item])
    member = await members.find_member(item.member_id) if item.member_id is not None else None
    if member is not None:
        shown.customer.name = member.name
    home = member.store_id if member else None
    able = [ColleagueOut(person.id, person.username) for person in await _able.get() if person.reaches(home)]
    return ConversationDetail(
        **{name: getattr(shown, name) for name in shown.__struct_fields__},
        summary=await _summary(member) if member else None,
        colleagues=able[:100],
    )


async def _summary(member: Member) -> SummaryOut:
    on = clock.local_date(clock.now(), settings().timezone)
    wallet, (count, _) = await asyncio.gather(wallets.get_wallet(member.id, on), coupons.count_available(member.id, on))
    return SummaryOut(
        phone_masked=member.phone_masked,
        store_id=member.store_id,
        registered_at=member.created_at,
        stored_fen=wallet.stored.total_fen,
        points=wallet.points.available,
        coupons=count,
    )


async def messages(found: Sequence[Message]) -> list[MessageOut]:
    """What was said, as staff see it."""
    people = await _people.get()
    return [_message(item, people) for item in found]


def _message(item: Message, people: Mapping[int, Staff]) -> MessageOut:
    note = item.kind is Kind.NOTE
    return MessageOut(
        id=item.seq,
        author=item.author,
        kind=item.kind,
        stage=item.stage,
        at=item.at,
        text=item.text.partition(":")[2] if note and item.text.startswith("case:") else "" if note else item.text,
        card=item.card,
        picture=_picture(item),
        note=_note(item.text) if note else None,
        reason=item.reason,
        staff=_colleague(item.staff_id, people),
        sent_at=item.sent_at,
    )


def _note(text: str) -> str:
    return "transferred" if text.startswith(_GIVEN) else text.partition(":")[0]


def _picture(item: Message) -> PictureOut | None:
    if item.kind is not Kind.PICTURE or item.stage is Stage.FETCHING or item.stage in _ELSEWHERE:
        return None
    return PictureOut(*queries.picture_address(item.conversation_id, item.seq))


def chat(found: Sequence[Message]) -> list[ChatMessageOut]:
    """What was said, as the customer sees it: what did not go out is not shown, nor what staff do among themselves."""
    return [
        ChatMessageOut(
            id=item.seq,
            author=_SPEAKERS[item.author],
            kind=Kind.OTHER if item.kind is Kind.PICTURE and item.stage in _ELSEWHERE else item.kind,
            at=item.at,
            text="" if item.kind is Kind.NOTE else item.text,
            card=item.card,
            picture=_picture(item),
            note=item.text if item.kind is Kind.NOTE else None,
        )
        for item in found
        if is_shown(item)
    ]


def is_shown(item: Message) -> bool:
    """Whether a customer is shown it."""
    if item.kind is Kind.NOTE:
        return item.text in TOLD
    return item.kind is not Kind.ENTERED and item.stage not in (Stage.REFUSED, Stage.SENDING)


async def ahead(item: Conversation) -> int | None:
    """How many wait before, where this one waits."""
    return await queries.count_ahead(item) if item.state is State.WAITING else None
