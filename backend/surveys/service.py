"""Writes that take an open transaction: answers with what they count for, prizes that are drawn, quotas."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec

from backend.kernel import clock, db, ids
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.mall import service as mall
from backend.messages import service as messages
from backend.messages.types import Letter

from .errors import SurveyFull
from .events import INVITED
from .rules import answering, publishing
from .rules.walking import number_text
from .types import (
    TOTAL,
    WHOLE_BP,
    Content,
    Given,
    Medium,
    Outcome,
    Participation,
    Question,
    QuestionKind,
    Quota,
    Survey,
)


class Said(NamedTuple):
    """An answer that is to be stored: checked, with all that it is counted by."""

    version: int
    given: Sequence[Given]
    medium: Medium
    member_id: int | None
    store_id: str | None
    level: str | None
    round: int = 1
    entered_by: int | None = None
    entry_key: str | None = None
    request_hash: bytes | None = None


def today(now: datetime) -> date:
    """The chain's local day."""
    return clock.local_date(now, settings().timezone)


def week_of(on: date) -> date:
    """The Monday of its week: all that an anonymous answer says of when it came."""
    return on - timedelta(days=on.weekday())


async def store(tx: Tx, survey: Survey, content: Content, said: Said, now: datetime) -> int:
    """Store an answer and count it, in a transaction that holds the survey; returns its id.

    Raises ``SurveyFull`` where one of its quotas is used up. An anonymous one keeps neither member nor instant.
    """
    await _take_quotas(tx, survey, said)
    scored = answering.score(content, said.given)
    anonymous = survey.terms.anonymous
    answer_id, on = ids.new_bigint(), week_of(today(now)) if anonymous else today(now)
    await db.raw(tx).execute(
        'INSERT INTO survey_answer (survey_id, id, version, member_id, "on", at, store_id, level, medium, entered_by,'
        " entry_key, request_hash, given, score, round)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        survey.id,
        answer_id,
        said.version,
        None if anonymous else said.member_id,
        on,
        None if anonymous else now,
        said.store_id,
        said.level,
        said.medium.value,
        said.entered_by,
        said.entry_key,
        said.request_hash,
        msgspec.json.encode(said.given).decode(),
        scored[0] if scored else None,
        1 if anonymous else said.round,
    )
    kinds = {question.id: question for question in content.questions}
    counted = [row for given in said.given for row in choices(kinds[given.question], given)]
    await db.raw(tx).execute(
        'INSERT INTO survey_choice (survey_id, question, "row", choice, number, answer_id, version, store_id, level,'
        ' "on")'
        " SELECT $1, q, r, c, n, $6, $7, $8, $9, $10"
        " FROM unnest($2::text[], $3::text[], $4::text[], $5::float8[]) AS w (q, r, c, n)",
        survey.id,
        [row[0] for row in counted],
        [row[1] for row in counted],
        [row[2] for row in counted],
        [row[3] for row in counted],
        answer_id,
        said.version,
        said.store_id,
        said.level,
        on,
    )
    return answer_id


Counted = tuple[str, str, str, float | None]
"""A thing that was said: question, row of a matrix, what was chosen, the number."""


def choices(question: Question, given: Given) -> list[Counted]:
    """What of an answer is counted; a text or a photo counts as answered."""
    if question.kind in publishing.CHOOSING:
        return [(question.id, "", choice, None) for choice in given.choices]
    if question.kind is QuestionKind.MATRIX:
        return [(question.id, row, column, None) for row, column in sorted(given.cells.items())]
    if given.number is not None:
        return [(question.id, "", number_text(given.number), given.number)]
    return [(question.id, "", given.on.isoformat() if given.on else "", None)]


async def _take_quotas(tx: Tx, survey: Survey, said: Said) -> None:
    """Take one of each quota that this answer falls under, by key ascending, as every transaction does."""
    keys = [quota.key for quota in survey.terms.quotas if falls_under(quota, said.given, said.level)]
    if survey.terms.total is not None:
        keys.append(TOTAL)
    for key in sorted(keys):
        taken = await db.fetch_in(
            tx,
            "UPDATE survey_quota SET taken = taken + 1 WHERE survey_id = $1 AND key = $2 AND taken < most RETURNING 1",
            survey.id,
            key,
        )
        if not taken:
            raise SurveyFull


def falls_under(quota: Quota, given: Iterable[Given], level: str | None) -> bool:
    """Whether an answer counts towards the quota."""
    if quota.level is not None:
        return level == quota.level
    return any(answer.question == quota.question and quota.choice in answer.choices for answer in given)


_COUNTS = """
INSERT INTO survey_quota AS q (survey_id, key, most, taken)
SELECT $1, w.key, w.most, CASE
    WHEN w.key = 'total' THEN (SELECT count(*) FROM survey_answer a WHERE a.survey_id = $1)
    WHEN w.level IS NOT NULL
        THEN (SELECT count(*) FROM survey_answer a WHERE a.survey_id = $1 AND a.level = w.level)
    ELSE (SELECT count(*) FROM survey_choice c
           WHERE c.survey_id = $1 AND c.question = w.question AND c."row" = '' AND c.choice = w.choice) END
  FROM jsonb_to_recordset($2::text::jsonb) AS w (key text, most integer, level text, question text, choice text)"""


async def set_quotas(tx: Tx, survey: Survey) -> None:
    """Let these be the quotas of a survey that is locked; what was answered before counts towards them."""
    wanted = [
        {
            "key": quota.key,
            "most": quota.limit,
            "level": quota.level,
            "question": quota.question,
            "choice": quota.choice,
        }
        for quota in survey.terms.quotas
    ]
    if survey.terms.total is not None:
        wanted.append({"key": TOTAL, "most": survey.terms.total})
    await db.raw(tx).execute("DELETE FROM survey_quota WHERE survey_id = $1", survey.id)
    await db.raw(tx).execute(_COUNTS, survey.id, msgspec.json.encode(wanted).decode())


async def is_full(tx: Tx, survey_id: str) -> bool:
    """Whether the survey has all the answers it was to have, of whomever."""
    full = "SELECT 1 FROM survey_quota WHERE survey_id = $1 AND key = $2 AND taken >= most"
    return bool(await db.fetch_in(tx, full, survey_id, TOTAL))


async def set_prizes(tx: Tx, survey: Survey) -> None:
    """Lay out the prizes of a survey that is published for the first time."""
    prizes = survey.terms.reward.prizes if survey.terms.reward else ()
    await db.raw(tx).executemany(
        "INSERT INTO survey_prize (survey_id, number, stock) VALUES ($1, $2, $3)",
        [(survey.id, number, prize.stock) for number, prize in enumerate(prizes)],
    )


async def decide(tx: Tx, survey: Survey) -> Outcome | None:
    """What an answer is given: as promised, or drawn now, in the transaction that stores the answer.

    Every number of 0..9,999 is as likely as any other, and nobody sees it before. A prize that has run out is replaced
    by the one that never does, so that the chances of all others stay what was announced.
    """
    reward = survey.terms.reward
    if reward is None:
        return None
    if not reward.prizes:
        return Outcome(points=reward.points, template_id=reward.template_id)
    drawn = publishing.pick(reward.prizes, secrets.randbelow(WHOLE_BP))
    if not await _give(tx, survey.id, drawn):
        drawn = publishing.consolation(reward.prizes)
        await _give(tx, survey.id, drawn)
    prize = reward.prizes[drawn]
    return Outcome(prize=drawn, title=prize.title, points=prize.points, template_id=prize.template_id)


async def _give(tx: Tx, survey_id: str, number: int) -> bool:
    given = await db.fetch_in(
        tx,
        "UPDATE survey_prize SET given = given + 1 WHERE survey_id = $1 AND number = $2"
        " AND (stock IS NULL OR given < stock) RETURNING 1",
        survey_id,
        number,
    )
    return bool(given)


async def use_photos(tx: Tx, survey: Survey, member_id: int, given: Iterable[Given], now: datetime) -> None:
    """Bind the photos of an answer to it, each once; ``ValidationFailed`` for one that is not this member's to use."""
    photos = [photo for answer in given for photo in answer.photos]
    if len(set(photos)) < len(photos):
        raise invalid("/answers", "each photo at most once")
    if photos and survey.terms.anonymous:
        rows = await db.fetch_in(
            tx,
            "UPDATE survey_photo SET used = true WHERE id = ANY($1) AND survey_id = $2 AND NOT used RETURNING 1",
            photos,
            survey.id,
        )
        if len(rows) < len(photos):
            raise invalid("/answers", "there is no such photo, or it was used before")
    elif photos:
        try:
            await mall.use_uploads(tx, member_id, photos, used_for=f"survey:{survey.id}", at=now)
        except NotFound:
            raise invalid("/answers", "there is no such photo of this member's, or it was used before") from None


async def write_letters(tx: Tx, survey: Survey, member_ids: Iterable[int], once: str) -> None:
    """Write each of these members a letter that invites to the survey, once."""
    values = {"title": survey.terms.title}
    link = f"#/survey?{survey.id}"
    await messages.send(tx, [Letter(member_id, INVITED.code, values, once=once, link=link) for member_id in member_ids])


_INVITE = """
INSERT INTO survey_participation (survey_id, member_id, round, store_id, invited_at, invited_until)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (survey_id, member_id, round) DO UPDATE
   SET store_id = EXCLUDED.store_id, invited_at = EXCLUDED.invited_at, invited_until = EXCLUDED.invited_until"""


async def invite(
    tx: Tx, part: Participation, *, store_id: str, now: datetime, until: datetime, not_since: datetime
) -> bool:
    """Invite a member, whose participation is locked, after a sale: into a new round where they have answered.

    False where they were invited, or answered, after ``not_since``.
    """
    if part.invited_at is not None and part.invited_at > not_since:
        return False
    if part.done_on is not None and part.done_on > today(not_since):
        return False
    number = part.round + 1 if part.done else part.round
    await db.raw(tx).execute(_INVITE, part.survey_id, part.member_id, number, store_id, now, until)
    return True
