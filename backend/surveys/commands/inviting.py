"""Letters that invite: to all who are meant, asked for by head office, and to buyers after a sale."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from backend.audience import queries as audience
from backend.kernel import clock, db, jobs, logging

from .. import locks, queries, service
from ..errors import SurveyConflict

log = logging.get(__name__)

JOB = "surveys.invite"
MOST_ROUNDS = 3
BETWEEN = timedelta(days=1)
AT_ONCE, CHUNKS = 500, 2000


class Invitation(msgspec.Struct, frozen=True):
    """Letters to all who are meant and have not answered: the ``round``-th time, to how many so far."""

    round: int
    asked_at: datetime
    invited: int
    ended_at: datetime | None


async def list_rounds(survey_id: str) -> list[Invitation]:
    """The invitations that were sent, the last first."""
    rows = await db.fetch(
        "SELECT round, asked_at, invited, ended_at FROM survey_invitation WHERE survey_id = $1 ORDER BY round DESC",
        survey_id,
    )
    return [Invitation(*row) for row in rows]


async def ask(survey_id: str, staff_id: int) -> Invitation:
    """Have letters sent to all who are meant and have not answered: three times at most, a day apart.

    ``SurveyConflict`` before that, for a survey that is not open, and for one that asks after sales.
    """
    async with db.transaction() as tx:
        now = clock.now()
        survey = await locks.lock_survey(tx, survey_id)
        rows = await db.fetch_in(
            tx, "SELECT round, asked_at FROM survey_invitation WHERE survey_id = $1 ORDER BY round DESC", survey_id
        )
        if survey.terms.after_sale is not None:
            raise SurveyConflict("this survey invites after sales")
        if not survey.takes_answers(now):
            raise SurveyConflict("the survey takes no answers now")
        if await service.is_full(tx, survey_id):
            raise SurveyConflict("the survey has all the answers it was to have")
        if len(rows) >= MOST_ROUNDS or (rows and rows[0]["asked_at"] > now - BETWEEN):
            raise SurveyConflict(f"members are invited {MOST_ROUNDS} times at most, a day apart")
        await db.raw(tx).execute(
            "INSERT INTO survey_invitation (survey_id, round, staff_id, asked_at) VALUES ($1, $2, $3, $4)",
            survey_id,
            len(rows) + 1,
            staff_id,
            now,
        )
        await queries.changes.note(tx, survey_id, staff_id, "invite", {"round": len(rows) + 1}, now)
        await jobs.defer(tx, JOB, unique=JOB)
    return (await list_rounds(survey_id))[0]


async def invite_due() -> int:
    """Write the letters that were asked for, some hundred at a time; returns how many it were."""
    written = 0
    rows = await db.fetch("SELECT survey_id, round FROM survey_invitation WHERE ended_at IS NULL ORDER BY asked_at")
    for row in rows:
        for _ in range(CHUNKS):
            count = await _invite_chunk(row["survey_id"], row["round"])
            if count is None:
                break
            written += count
    return written


async def _invite_chunk(survey_id: str, number: int) -> int | None:
    """The next members; None once there are no more, or the survey takes no answers any more."""
    survey = await queries.get_survey(survey_id)
    place = await db.fetchval(_PLACE, survey_id, number)
    meant = await audience.list_members(survey.terms.audience, after=place, limit=AT_ONCE) if place is not None else []
    async with db.transaction() as tx:
        now = clock.now()
        survey = await locks.hold_survey(tx, survey_id)
        rows = await db.fetch_in(tx, f"{_PLACE} FOR UPDATE", survey_id, number)
        if not rows or rows[0]["after"] != place:
            return None  # another worker is at it
        if not meant or not survey.takes_answers(now) or await service.is_full(tx, survey_id):
            await db.raw(tx).execute(
                "UPDATE survey_invitation SET ended_at = $3 WHERE survey_id = $1 AND round = $2", survey_id, number, now
            )
            return None
        done = await db.fetch_in(
            tx,
            "SELECT member_id FROM survey_participation"
            " WHERE survey_id = $1 AND member_id = ANY($2) AND done_on IS NOT NULL",
            survey_id,
            meant,
        )
        invited = sorted(set(meant) - {row["member_id"] for row in done})
        await service.write_letters(tx, survey, invited, f"{survey_id}:{number}")
        await db.raw(tx).execute(
            "UPDATE survey_invitation SET after = $3, invited = invited + $4 WHERE survey_id = $1 AND round = $2",
            survey_id,
            number,
            meant[-1],
            len(invited),
        )
    return len(invited)


_PLACE = "SELECT after FROM survey_invitation WHERE survey_id = $1 AND round = $2 AND ended_at IS NULL"
