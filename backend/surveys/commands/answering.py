"""A member answers: what was saved so far, and the answer that is sent, once."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.audience import queries as audience
from backend.audience.types import EVERYBODY
from backend.kernel import clock, db, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.http import Idempotency
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members
from backend.members import service as member_service

from .. import locks, queries, service
from ..errors import SurveyAnswered, SurveyClosed, SurveyVersionChanged
from ..rules import answering
from ..schemas.phone import SaveIn, SendIn
from ..service import Said
from ..types import Content, Medium, Participation, Survey

log = logging.get(__name__)


async def get_own(member_id: int, survey_id: str) -> tuple[Survey, Participation]:
    """A survey that is meant for this member, and how far they are; ``NotFound`` for any other."""
    survey = await queries.find_survey(survey_id)
    participation = await queries.find_participation(survey_id, member_id)
    participation = participation or Participation(survey_id=survey_id, member_id=member_id)
    if survey is not None and await is_meant(survey, participation, clock.now()):
        return survey, participation
    answered = await queries.find_done(survey_id, member_id) if participation.round > 1 else None
    if survey is None or answered is None:
        raise NotFound("there is no such survey")
    return survey, answered  # invited anew, and too late: what was answered before stays to be seen


async def is_meant(survey: Survey, participation: Participation, now: datetime) -> bool:
    """Whether the survey is for this member: they are of its audience and, after a sale, invited still.

    Who has begun may end it, whatever level they have meanwhile.
    """
    if not survey.version:
        return False
    if participation.done:
        return True
    if survey.terms.after_sale is not None:
        until = participation.invited_until
        if until is None or until <= now:
            return False
    asked = survey.terms.audience
    return (
        participation.version is not None
        or asked == EVERYBODY
        or await audience.includes(asked, participation.member_id)
    )


async def save(member_id: int, survey_id: str, body: SaveIn) -> Participation:
    """Keep answers so far, so that they can be taken up on another phone; returns what is kept now.

    What was saved later (a greater revision, from another phone) stays. Raises ``SurveyAnswered``, ``SurveyClosed``,
    ``SurveyVersionChanged``, ``NotFound``.
    """
    survey, before = await get_own(member_id, survey_id)
    if before.done:
        raise SurveyAnswered
    content = await _content(survey, body.version)
    saved = answering.fitting(content, body.answers)
    async with db.transaction() as tx:
        now = clock.now()
        survey = await locks.hold_survey(tx, survey_id)
        participation = await locks.lock_participation(tx, survey_id, member_id)
        _check_open(survey, participation, body.version, now)
        if body.revision <= participation.revision:
            return participation
        await db.raw(tx).execute(
            "UPDATE survey_participation SET version = $3, revision = $4, page = $5, saved = $6"
            " WHERE survey_id = $1 AND member_id = $2 AND round = $7",
            survey_id,
            member_id,
            body.version,
            body.revision,
            body.page,
            msgspec.json.encode(saved).decode(),
            participation.round,
        )
    return msgspec.structs.replace(
        participation, version=body.version, revision=body.revision, page=body.page, saved=saved
    )


async def send(member_id: int, survey_id: str, body: SendIn, idem: Idempotency) -> tuple[Survey, Participation, bool]:
    """Store a member's answer, once; True where this key's answer was stored before.

    Raises ``ValidationFailed`` for what was not to be answered so, ``SurveyFull``, ``SurveyAnswered`` and what ``save``
    does.
    """
    survey, before = await get_own(member_id, survey_id)
    known = before if before.done else await queries.find_done(survey_id, member_id, key=idem.key)
    if known is not None:
        return survey, _again(survey, known, idem), True
    content = await _content(survey, body.version)
    given = answering.check(content, body.answers)
    card = await members.get_card(member_id)
    home = (await members.get_member(member_id)).store_id
    async with db.transaction() as tx:
        now = clock.now()
        member_id = await member_service.hold_current(tx, member_id)
        survey = await locks.hold_survey(tx, survey_id)
        participation = await locks.lock_participation(tx, survey_id, member_id)
        if participation.done:
            return survey, _again(survey, participation, idem), True
        _check_open(survey, participation, body.version, now)
        store_id, level = participation.store_id or home, card.level.code
        said = Said(body.version, given, Medium.PHONE, member_id, store_id, level, participation.round)
        await service.use_photos(tx, survey, member_id, given, now)
        answer_id = await service.store(tx, survey, content, said, now)
        participation = await finish(tx, survey, participation, answer_id, version=body.version, now=now, idem=idem)
    log.info("surveys.answered", survey_id=survey_id, version=body.version)
    return survey, participation, False


async def finish(
    tx: Tx,
    survey: Survey,
    participation: Participation,
    answer_id: int,
    *,
    version: int,
    now: datetime,
    idem: Idempotency | None = None,
) -> Participation:
    """Say of a locked participation that its answer was stored, and decide what it is given: for the first round only.

    Of an anonymous one nothing is kept that would lead to the answer: not its id, not what it said, and of what was
    sent not even a digest, from which few answers could be guessed.
    """
    outcome = await service.decide(tx, survey) if participation.round == 1 else None
    anonymous = survey.terms.anonymous
    done = msgspec.structs.replace(
        participation,
        version=version,
        saved=(),
        page=0,
        done_on=service.today(now),
        key=idem.key if idem else None,
        request_hash=idem.request_hash if idem and not anonymous else None,
        answer_id=None if anonymous else answer_id,
        outcome=outcome,
    )
    await db.raw(tx).execute(
        "UPDATE survey_participation SET saved = NULL, page = 0, done_on = $3, key = $4, request_hash = $5,"
        " answer_id = $6, outcome = $7, version = $8 WHERE survey_id = $1 AND member_id = $2 AND round = $9",
        survey.id,
        participation.member_id,
        done.done_on,
        done.key,
        done.request_hash,
        done.answer_id,
        msgspec.json.encode(outcome).decode() if outcome else None,
        version,
        participation.round,
    )
    return done


def _again(survey: Survey, done: Participation, idem: Idempotency) -> Participation:
    """The participation as it stands, for the key that sent it; any other key is a second answer."""
    if done.key != idem.key:
        raise SurveyAnswered
    if not survey.terms.anonymous and done.request_hash != idem.request_hash:
        raise IdempotencyConflict
    return done


async def _content(survey: Survey, version: int) -> Content:
    if version != survey.version:
        raise SurveyVersionChanged
    return await queries.get_version(survey.id, version)


def _check_open(survey: Survey, participation: Participation, version: int, now: datetime) -> None:
    if participation.done:
        raise SurveyAnswered
    if not survey.takes_answers(now):
        raise SurveyClosed
    if version != survey.version:
        raise SurveyVersionChanged
