"""What a box's administrators do with what is in it."""

from __future__ import annotations

import secrets

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.messages import service as messages
from backend.messages.types import Letter

from .. import events, locks, queries, rules
from ..errors import SuggestionConflict
from ..models import Message
from ..models import Suggestion as Row
from ..queries.keys import today
from ..schemas import AnswerIn, AssignIn, CloseIn
from ..types import Author, Box, Suggestion, SuggestionState

log = logging.get(__name__)


async def reached_boxes(caller: StaffCaller) -> list[Box]:
    """The boxes that this person reads: those they administer, and of a store's only while they work there."""
    return [box for box in await queries.list_boxes(caller.staff_id) if _reaches(caller, box)]


def _reaches(caller: StaffCaller, box: Box) -> bool:
    return caller.staff_id in box.administrators and (box.store_id is None or caller.reaches(box.store_id))


async def reached(suggestion_id: str, caller: StaffCaller) -> tuple[Suggestion, Box]:
    """A suggestion and its box, if this person reads it; ``NotFound`` for all others, head office too."""
    found = await queries.find_suggestion(suggestion_id)
    box = await queries.find_box(found.box_id) if found else None
    if found is None or box is None or not _reaches(caller, box):
        raise NotFound("there is no such suggestion")
    return found, box


async def answer(suggestion_id: str, body: AnswerIn, caller: StaffCaller) -> None:
    """Answer a suggestion, and close it where nothing more is awaited; the same answer again changes nothing."""
    text = rules.check_text(body.text)
    await reached(suggestion_id, caller)
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_suggestion(tx, suggestion_id)
        if found.version == body.version + 1 and await _said_last(tx, found, text, caller):
            return
        _check_version(found, body.version)
        await Message.create(
            using_db=tx,
            id=secrets.token_hex(32),
            suggestion_id=found.id,
            seq=found.messages + 1,
            author=Author.STAFF.value,
            staff_id=caller.staff_id,
            text=text,
            pictures=[],
            day=today(),
            at=now,
        )
        state = SuggestionState.CLOSED if body.close else SuggestionState.ANSWERED
        await (
            Row.filter(id=found.id)
            .using_db(tx)
            .update(
                state=state.value,
                answered_at=found.answered_at or now,
                closed_at=now if body.close else None,
                messages=found.messages + 1,
                unanswered=0,
                version=found.version + 1,
            )
        )
        await _note(tx, found, caller, "answer", state)
        await _tell(tx, found)
    log.info("suggestions.answered", suggestion_id=suggestion_id, staff_id=caller.staff_id, close=body.close)


async def _tell(tx: Tx, found: Suggestion) -> None:
    """Tell the member who signed it; whoever did not sign looks by the receipt."""
    if found.member_id is None or found.at is None:
        return
    said = clock.local_date(found.at, settings().timezone)
    values = {"day": f"{said.month}月{said.day}日"}
    link = f"#/suggestion?{found.id}"
    letter = Letter(found.member_id, events.ANSWERED.code, values, f"{found.id} {found.version + 1}", link=link)
    await messages.send(tx, [letter])


async def _said_last(tx: Tx, found: Suggestion, text: str, caller: StaffCaller) -> bool:
    last = await Message.filter(suggestion_id=found.id, seq=found.messages).using_db(tx).first()
    return last is not None and last.staff_id == caller.staff_id and last.text == text


async def close(suggestion_id: str, body: CloseIn, caller: StaffCaller) -> None:
    """Close a suggestion without another word; one that is closed stays so."""
    await reached(suggestion_id, caller)
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_suggestion(tx, suggestion_id)
        if found.state is SuggestionState.CLOSED and body.version in (found.version, found.version - 1):
            return
        _check_version(found, body.version)
        closed = Row.filter(id=found.id).using_db(tx)
        await closed.update(state=SuggestionState.CLOSED.value, closed_at=now, unanswered=0, version=found.version + 1)
        await _note(tx, found, caller, "close", SuggestionState.CLOSED)
    log.info("suggestions.closed", suggestion_id=suggestion_id, staff_id=caller.staff_id)


async def assign(suggestion_id: str, body: AssignIn, caller: StaffCaller) -> None:
    """Say who of the box's administrators sees to a suggestion; the same again changes nothing."""
    _, box = await reached(suggestion_id, caller)
    wanted = int(body.staff_id) if body.staff_id is not None else None
    if wanted is not None and wanted not in box.administrators:
        raise invalid("/staff_id", "is no administrator of this box")
    async with db.transaction() as tx:
        found = await locks.lock_suggestion(tx, suggestion_id)
        if found.assigned_to == wanted:
            return
        _check_version(found, body.version)
        await Row.filter(id=found.id).using_db(tx).update(assigned_to=wanted, version=found.version + 1)
        await _note(tx, found, caller, "assign", found.state)


def _check_version(found: Suggestion, version: int) -> None:
    if found.version != version:
        raise SuggestionConflict("it has changed meanwhile; read it again")


async def _note(tx: Tx, found: Suggestion, caller: StaffCaller, action: str, state: SuggestionState) -> None:
    detail = {"suggestion_id": found.id, "state": state.value}
    await queries.changes.note(tx, found.box_id, caller.staff_id, action, detail, clock.now())
