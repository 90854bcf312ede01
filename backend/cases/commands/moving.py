"""Steps of cases that are there, by their member and by staff; each names the version that it was decided on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from backend.auth import queries as auth
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.http import Idempotency
from backend.members import queries as members

from .. import events, locks, queries, rules, service
from ..errors import CaseConflict
from ..schemas import AnswerIn, AssignIn, CloseIn, NoteIn, PriorityIn, RatingIn, ReopenIn, SayIn
from ..types import Action, Actor, By, Case, CaseState, Contact
from .opening import check_same, key_of

log = logging.get(__name__)

MEMBER = Actor(By.MEMBER)
Who = int | StaffCaller
"""Whose the case must be: a member's own, or one that somebody of the staff sees."""

After = Callable[[Tx, Case], Awaitable[None]]


async def lock_for(tx: Tx, case_id: str, who: Who) -> Case:
    """A case, locked; ``NotFound`` for none, another member's and another store's."""
    found = await locks.lock_case(tx, case_id)
    if not _is_for(found, who):
        raise NotFound("there is no such case")
    return found


def _is_for(found: Case, who: Who) -> bool:
    return who.reaches(found.store_id) if isinstance(who, StaffCaller) else found.member_id == who


async def reached(case_id: str, who: Who) -> Case:
    """A case, if it is theirs to see; ``NotFound`` otherwise."""
    found = await queries.find_case(case_id)
    if found is None or not _is_for(found, who):
        raise NotFound("there is no such case")
    return found


def actor_of(who: Who) -> Actor:
    """By whom a step is that they take."""
    return Actor(By.STAFF, who.staff_id) if isinstance(who, StaffCaller) else MEMBER


async def _move(
    case_id: str,
    action: Action,
    who: Who,
    version: int,
    *,
    text: str = "",
    detail: dict[str, str] | None = None,
    changes: Callable[[Case], dict[str, Any]] = lambda _: {},
    after: After | None = None,
) -> None:
    """One step of a case as it was read; the same step again, by the same person, changes nothing."""
    async with db.transaction() as tx:
        found = await lock_for(tx, case_id, who)
        if found.version == version + 1 and await took(tx, found, action, actor_of(who), text, detail or {}):
            return
        if found.version != version:
            raise CaseConflict("it has changed meanwhile; read it again", extra={"state": found.state.value})
        changed = changes(found)
        state = await service.step(tx, found, action, actor_of(who), text=text, detail=detail, changes=changed)
        if after is not None:
            await after(tx, found)
    log.info("cases.moved", case_id=case_id, action=action.value, state=state.value, by=actor_of(who).by.value)


async def took(tx: Tx, found: Case, action: Action, actor: Actor, text: str, detail: dict[str, str]) -> bool:
    """Whether a locked case's last step was this one, by the same person."""
    last = await queries.last_step(tx, found)
    return (last.action, last.by, last.staff_id, last.text, last.detail) == (
        action,
        actor.by,
        actor.staff_id,
        text,
        detail,
    )


# -- both


async def confirm(case_id: str, version: int, who: Who) -> None:
    """Say that an answered case is done: its member, or staff whom a customer told so."""
    await _move(case_id, Action.CONFIRM, who, version)


async def reopen(case_id: str, body: ReopenIn, who: Who) -> None:
    """Say that a case is not done, and why; an answer is due anew."""

    def changes(found: Case) -> dict[str, Any]:
        now = clock.now()
        if not rules.may_reopen(found, now, settings().case_reopen_days):
            raise CaseConflict("it is too late to reopen it", extra={"state": found.state.value})
        due_at = service.due_at(now, found.kind, found.priority)
        return {"round": found.round + 1, "since": now, "due_at": due_at, "closed_at": None, "outcome": None}

    await _move(case_id, Action.REOPEN, who, body.version, text=rules.check_text(body.text), changes=changes)


# -- the member


async def say(case_id: str, body: SayIn, member_id: int, idem: Idempotency) -> bool:
    """Add to one's own case, once per key; True for a retry."""
    keys = [key_of(f"member {number} {case_id}", idem) for number in await members.ids_of(member_id)]
    return await _say(case_id, Action.SAY, member_id, rules.check_text(body.text), tuple(body.pictures), keys, idem)


async def rate(case_id: str, body: RatingIn, member_id: int) -> None:
    """Say how good it was, once there is an answer; said again, the last word counts."""
    async with db.transaction() as tx:
        found = await lock_for(tx, case_id, member_id)
        text = body.text.strip()
        if (found.rating, found.rating_text) == (body.rating, text):
            return
        if found.answered_at is None:
            raise CaseConflict("nobody has answered it yet", extra={"state": found.state.value})
        changes = {"rating": body.rating, "rating_text": text}
        await service.step(
            tx, found, Action.RATE, MEMBER, text=text, detail={"rating": str(body.rating)}, changes=changes
        )


# -- staff


async def note(case_id: str, body: NoteIn, caller: StaffCaller, idem: Idempotency) -> bool:
    """Write down what only staff read, once per key; True for a retry."""
    keys = [key_of(f"staff {caller.staff_id} {case_id}", idem)]
    return await _say(case_id, Action.NOTE, caller, rules.check_text(body.text), (), keys, idem)


async def _say(
    case_id: str, action: Action, who: Who, text: str, pictures: tuple[str, ...], keys: Sequence[str], idem: Idempotency
) -> bool:
    """Write a step under the first of the keys, unless it was written under one of them."""
    async with db.transaction() as tx:
        found = await lock_for(tx, case_id, who)
        for key in keys:
            if (known := await queries.step_under(tx, key)) is not None:
                check_same(known[1], idem)
                return True
        if found.state is CaseState.CLOSED and action is Action.SAY:
            raise CaseConflict("it is closed; reopen it", extra={"state": found.state.value})
        request = idem.request_hash.hex()
        await service.step(tx, found, action, actor_of(who), text=text, pictures=pictures, key=keys[0], request=request)
    return False


async def assign(case_id: str, body: AssignIn, caller: StaffCaller) -> None:
    """Say who sees to a case: somebody of its store, or of head office."""
    found = await reached(case_id, caller)
    able = await auth.list_who_may(Permission.CASES_HANDLE)
    person = next((one for one in able if one.id == body.staff_id), None)
    if person is None or not person.reaches(found.store_id):
        raise invalid("/staff_id", "there is nobody who sees this case")
    staff_id = int(person.id)
    await _move(
        case_id,
        Action.ASSIGN,
        caller,
        body.version,
        detail={"staff_id": person.id},
        changes=lambda _: {"assigned_to": staff_id},
    )


async def start(case_id: str, version: int, caller: StaffCaller) -> None:
    """Say that one works on it; whoever does so sees to it, where nobody did."""
    await _move(
        case_id,
        Action.START,
        caller,
        version,
        changes=lambda found: {"assigned_to": found.assigned_to or caller.staff_id},
    )


async def answer(case_id: str, body: AnswerIn, caller: StaffCaller) -> None:
    """Answer a case; its member is told."""

    def changes(found: Case) -> dict[str, Any]:
        first = {} if found.answered_at else {"answered_at": clock.now(), "answered_by": caller.staff_id}
        return {"assigned_to": found.assigned_to or caller.staff_id} | first

    async def tell(tx: Tx, found: Case) -> None:
        await service.tell(tx, found, events.ANSWERED)

    text = rules.check_text(body.text)
    await _move(case_id, Action.ANSWER, caller, body.version, text=text, changes=changes, after=tell)


async def close(case_id: str, body: CloseIn, caller: StaffCaller) -> None:
    """Close an answered case with what came of it; its member is told."""

    async def tell(tx: Tx, found: Case) -> None:
        await service.tell(tx, found, events.CLOSED)

    compensation = body.compensation.strip()
    await _move(
        case_id,
        Action.CLOSE,
        caller,
        body.version,
        detail={"outcome": body.outcome.value, "compensation": compensation},
        changes=lambda _: {
            "outcome": body.outcome.value,
            "compensation": compensation,
            "closed_at": clock.now(),
        },
        after=tell,
    )


async def prioritise(case_id: str, body: PriorityIn, caller: StaffCaller) -> None:
    """Say how soon it is due; counted from when its answer was first awaited."""
    await _move(
        case_id,
        Action.PRIORITISE,
        caller,
        body.version,
        detail={"priority": body.priority.value},
        changes=lambda found: {
            "priority": body.priority.value,
            "due_at": service.due_at(found.since, found.kind, body.priority),
        },
    )


async def show_contact(case_id: str, caller: StaffCaller) -> Contact:
    """Whom to call back; that it was asked for is a step."""
    await reached(case_id, caller)
    contact = await queries.find_contact(case_id)
    if contact is None:
        raise NotFound("there is no number")
    async with db.transaction() as tx:
        found = await lock_for(tx, case_id, caller)
        last = await queries.last_step(tx, found)
        if (last.action, last.staff_id) != (Action.CONTACT, caller.staff_id):
            await service.step(tx, found, Action.CONTACT, actor_of(caller))
    return contact
