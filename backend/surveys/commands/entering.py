"""Staff enter answers that came on paper or by telephone: marked as such, with who entered them."""

from __future__ import annotations

import asyncpg
import msgspec

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.http import Idempotency
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.types import Status

from .. import locks, queries, service
from ..errors import SurveyAnswered, SurveyClosed
from ..rules import answering
from ..schemas.admin import EntryIn
from ..service import Said
from ..types import Content, Medium, Participation, Question, QuestionKind, Survey, SurveyState
from .answering import finish, is_meant

log = logging.get(__name__)

RUNS = frozenset({SurveyState.OPEN, SurveyState.PAUSED})


async def enter(survey_id: str, body: EntryIn, caller: StaffCaller, idem: Idempotency) -> tuple[int, int | None, bool]:
    """Store an answer that was given elsewhere, once per key; returns its id, whose it is, and whether it is a retry.

    What was filled in before the closing time may be entered after it, until the survey is closed by hand. Raises
    ``SurveyClosed``, ``SurveyAnswered``, ``SurveyFull``, ``ValidationFailed``, ``IdempotencyConflict``, ``NotFound``.
    """
    known = await _find(caller, idem, survey_id)
    if known is not None:
        return known, None, True
    survey = await queries.get_survey(survey_id)
    if not survey.version:
        raise SurveyClosed("this survey was not published yet")
    version = body.version or survey.version
    try:
        content = _without_photos(await queries.get_version(survey_id, version))
    except NotFound:
        raise invalid("/version", "there is no such version") from None
    if any(answer.photos for answer in body.answers):
        raise invalid("/answers", "photos are sent by members from the phone page")
    given = answering.check(content, body.answers)
    member_id, level = await _whose(survey, body)
    said = Said(
        version,
        given,
        Medium(body.medium),
        member_id,
        await _store_of(body, caller),
        level,
        entered_by=caller.staff_id,
        entry_key=idem.key,
        request_hash=idem.request_hash,
    )
    try:
        async with db.transaction() as tx:
            answer_id = await _store(tx, survey_id, content, said)
    except asyncpg.UniqueViolationError:  # the same request at the same moment
        known = await _find(caller, idem, survey_id)
        if known is None:
            raise
        return known, None, True
    log.info("surveys.entered", survey_id=survey_id, medium=body.medium, staff_id=caller.staff_id)
    return answer_id, member_id, False


async def _store(tx: Tx, survey_id: str, content: Content, said: Said) -> int:
    now = clock.now()
    if said.member_id is not None:
        said = said._replace(member_id=await member_service.hold_current(tx, said.member_id))
    survey = await locks.hold_survey(tx, survey_id)
    if survey.state not in RUNS or not survey.has_begun(now):
        raise SurveyClosed
    if said.member_id is None:
        return await service.store(tx, survey, content, said, now)
    participation = await locks.lock_participation(tx, survey_id, said.member_id)
    if participation.done:
        raise SurveyAnswered
    said = said._replace(round=participation.round)
    answer_id = await service.store(tx, survey, content, said, now)
    await finish(tx, survey, participation, answer_id, version=said.version, now=now)
    return answer_id


async def _whose(survey: Survey, body: EntryIn) -> tuple[int | None, str | None]:
    """The member that is named, and their level."""
    if body.member_no is None:
        return None, None
    if survey.terms.anonymous:
        raise invalid("/member_no", "an anonymous survey takes none")
    member_id = await members.find_id_by_number(body.member_no)
    if member_id is None:
        raise invalid("/member_no", "there is no such member")
    found = await queries.find_participation(survey.id, member_id)
    participation = found or Participation(survey_id=survey.id, member_id=member_id)
    active = (await members.get_member(member_id)).status is Status.ACTIVE
    if not (active and await is_meant(survey, participation, clock.now())):
        raise invalid("/member_no", "this survey is not meant for this member")
    return member_id, (await members.get_card(member_id)).level.code


async def _store_of(body: EntryIn, caller: StaffCaller) -> str | None:
    """The store it was collected at: the one that is named, else the caller's own."""
    store_id = body.store_id or caller.store_id
    if store_id is not None and (not caller.reaches(store_id) or await auth.find_store(store_id) is None):
        raise NotFound("there is no such store")
    return store_id


def _without_photos(content: Content) -> Content:
    """The content as paper can answer it: photos are not asked for."""

    def eased(question: Question) -> Question:
        photo = question.kind is QuestionKind.PHOTO
        return msgspec.structs.replace(question, required=False) if photo else question

    pages = tuple(msgspec.structs.replace(page, questions=tuple(map(eased, page.questions))) for page in content.pages)
    return msgspec.structs.replace(content, pages=pages)


async def _find(caller: StaffCaller, idem: Idempotency, survey_id: str) -> int | None:
    row = await db.fetchrow(
        "SELECT id, survey_id, request_hash FROM survey_answer WHERE entered_by = $1 AND entry_key = $2",
        caller.staff_id,
        idem.key,
    )
    if row is None:
        return None
    if row["survey_id"] != survey_id or row["request_hash"] != idem.request_hash:
        raise IdempotencyConflict
    return int(row["id"])
