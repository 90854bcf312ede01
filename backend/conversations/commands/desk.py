"""What staff do with a conversation: claim, transfer, close, give it to WeChat's own service. Each leaves a note."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from backend.auth import queries as auth
from backend.auth.types import Permission, Staff, StaffCaller
from backend.cases import queries as cases
from backend.cases import service as case_service
from backend.cases.types import Actor, By, CaseChannel, NewCase
from backend.kernel import clock, db, ids, logging
from backend.kernel.errors import NotFound, invalid
from backend.kernel.http import Idempotency
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members

from .. import locks, queries, service
from ..errors import ConversationNotYours, ConversationTaken, ReplyWindowClosed
from ..rules import windows
from ..schemas import CaseIn
from ..types import Author, Conversation, Kind, Stage, State
from . import receive, sending
from .sending import Saying

log = logging.get(__name__)

OVER_AFTER = timedelta(hours=48)
"""Nobody can answer a customer who wrote longer ago."""

Change = Callable[[Conversation, datetime], Conversation]


async def reached(caller: StaffCaller, conversation_id: str) -> Conversation:
    """A conversation that this person may see: of the own store's members, all of them at head office."""
    id_ = ids.read_bigint(conversation_id)
    found = await queries.find_conversation(id_) if id_ is not None else None
    if found is None or not caller.reaches(await home_of(found)):
        raise NotFound("there is no such conversation")
    return found


async def home_of(conversation: Conversation) -> str | None:
    """The customer's home store as it is now; guests have none."""
    if conversation.member_id is None:
        return None
    member = await members.find_member(conversation.member_id)
    return member.store_id if member else None


async def seen(caller: StaffCaller, found: Sequence[Conversation]) -> list[Conversation]:
    """Those of them that this person may see: a member may have moved to another store a moment ago."""
    if caller.office:
        return list(found)
    homes = await members.list_named([one.member_id for one in found if one.member_id is not None])
    return [one for one in found if (member := homes.get(one.member_id or 0)) and caller.reaches(member.store_id)]


async def claim(conversation_id: int, caller: StaffCaller) -> Conversation:
    """Take it, from the queue, the robot or WeChat's own service; one's own again changes nothing.

    ``ConversationTaken`` where somebody else has it.
    """

    def change(held: Conversation, now: datetime) -> Conversation:
        if held.state is State.OPEN:
            if held.staff_id != caller.staff_id:
                raise ConversationTaken
            return held
        return service.moved(held, State.OPEN, now, staff_id=caller.staff_id)

    return await _change(conversation_id, caller, "claimed", change)


async def transfer(conversation_id: int, caller: StaffCaller, to: str | None) -> Conversation:
    """Give it to a colleague who may see it, or back into the queue; whoever has it does, and managers.

    ``ConversationNotYours``; ``ValidationFailed`` for who is not there.
    """
    target = await _colleague(conversation_id, to) if to is not None else None

    def change(held: Conversation, now: datetime) -> Conversation:
        _check_holder(held, caller)
        if target is None:
            return service.moved(held, State.WAITING, now)
        return service.moved(held, State.OPEN, now, staff_id=int(target.id))

    return await _change(conversation_id, caller, f"to:{target.id}" if target else "queued", change)


async def _colleague(conversation_id: int, to: str) -> Staff:
    able = await auth.list_who_may(Permission.CONVERSATIONS_HANDLE)
    target = next((one for one in able if one.id == to), None)
    conversation = await queries.find_conversation(conversation_id)
    home = await home_of(conversation) if conversation else None
    if target is None or not target.reaches(home):
        raise invalid("/staff_id", "is nobody who may answer this customer")
    return target


async def close(conversation_id: int, caller: StaffCaller) -> Conversation:
    """End it, with a last word where one is set and still may be sent; what is closed stays so."""

    def change(held: Conversation, now: datetime) -> Conversation:
        if held.state is State.CLOSED:
            return held
        if held.state is State.OPEN:
            _check_holder(held, caller)
        return msgspec.structs.replace(service.moved(held, State.CLOSED, now), unread=0)

    closed = await _change(conversation_id, caller, "closed", change)
    words = (await queries.texts()).closed
    if words and windows.left(closed.windows, clock.now()):
        await sending.say(closed.id, Saying(kind=Kind.TEXT, text=words), f"closed:{closed.last_seq}")
    return closed


async def hand_to_wechat(conversation_id: int, caller: StaffCaller) -> Conversation:
    """Let WeChat's own customer service go on with what the customer writes next.

    ``ReplyWindowClosed`` where the customer wrote more than 48 hours ago.
    """

    def change(held: Conversation, now: datetime) -> Conversation:
        if held.state is State.WECHAT:
            return held
        if held.state is State.OPEN:
            _check_holder(held, caller)
        if not windows.is_open(held.windows, now):
            raise ReplyWindowClosed
        return service.moved(held, State.WECHAT, now)

    return await _change(conversation_id, caller, "to_wechat", change)


async def open_case(conversation_id: int, body: CaseIn, caller: StaffCaller, idem: Idempotency) -> tuple[str, bool]:
    """Open a feedback case of what was said here, once per key; its id, and whether it was open before.

    The conversation goes on; the case has a course of its own.
    """
    key = hashlib.sha256(f"conversation\n{conversation_id}\n{idem.key}".encode()).hexdigest()
    async with db.transaction() as tx:
        now = clock.now()
        held = await locks.lock_conversation(tx, conversation_id)
        if (known := await cases.step_under(tx, key)) is not None:
            if known[1] != idem.request_hash.hex():
                raise IdempotencyConflict
            return known[0], True
        new = NewCase(
            kind=body.kind,
            channel=CaseChannel.SERVICE,
            text=body.text,
            member_id=held.member_id,
            store_id=held.store_id,
            priority=body.priority,
            by=Actor(By.STAFF, caller.staff_id),
        )
        case_id = await case_service.open(tx, new, at=now, key=key, request=idem.request_hash.hex())
        last_at = held.last_at
        held, _ = await service.append(
            tx, held, Author.SYSTEM, Kind.NOTE, Stage.NOTED, now, text=f"case:{case_id}", staff_id=caller.staff_id
        )
        await service.keep(tx, msgspec.structs.replace(held, last_at=last_at))
    log.info("conversations.case_opened", conversation_id=conversation_id, case_id=case_id, staff_id=caller.staff_id)
    return case_id, False


def _check_holder(held: Conversation, caller: StaffCaller) -> None:
    if held.state is State.OPEN and held.staff_id == caller.staff_id:
        return
    if not caller.may(Permission.CONVERSATIONS_LEAD) or held.state not in (State.OPEN, State.WAITING):
        raise ConversationNotYours


async def _change(conversation_id: int, caller: StaffCaller, what: str, change: Change) -> Conversation:
    """Do it under the lock; what changes nothing leaves no note."""
    async with db.transaction() as tx:
        now = clock.now()
        before = await locks.lock_conversation(tx, conversation_id)
        held = change(before, now)
        if held == before:
            return before
        last_at = held.last_at
        held, _ = await service.append(
            tx, held, Author.SYSTEM, Kind.NOTE, Stage.NOTED, now, text=what, staff_id=caller.staff_id
        )
        held = await service.keep(tx, msgspec.structs.replace(held, last_at=last_at))
    receive.tell(held, Author.SYSTEM)
    log.info("conversations.moved", conversation_id=held.id, staff_id=caller.staff_id, state=held.state.value)
    return held


async def close_over() -> int:
    """Close what nobody can answer any more: the customer has not written for 48 hours; returns how many."""
    before, count = clock.now() - OVER_AFTER, 0
    rows = await db.fetch(
        "SELECT id FROM conversation WHERE state IN ('waiting', 'open', 'wechat') AND last_at < $1"
        " AND (wrote_at IS NULL OR wrote_at < $1) ORDER BY last_at LIMIT 500",
        before,
    )
    for row in rows:
        async with db.transaction() as tx:
            now = clock.now()
            held = await locks.lock_conversation(tx, row["id"])
            if held.state in (State.ROBOT, State.CLOSED) or (held.windows.wrote_at or before) > before:
                continue
            held, _ = await service.append(
                tx, service.moved(held, State.CLOSED, now), Author.SYSTEM, Kind.NOTE, Stage.NOTED, now, text="over"
            )
            await service.keep(tx, held)
            count += 1
    return count
