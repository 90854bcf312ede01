"""Row locks: the member, the survey, the participation, quotas by key, prizes; then coupons and books."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries.surveys import SURVEY, survey_of
from .queries.taking import PARTICIPATION, participation_of
from .types import Participation, Survey

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for each lock; its database connection is one of few."""

AGAIN_AFTER, LATER_AFTER = timedelta(minutes=10), timedelta(hours=6)
"""What could not be paid is tried again so much later; where the answer is older than two days, the other."""


async def lock_survey(tx: Tx, survey_id: str) -> Survey:
    """A survey, to be changed: nobody answers it meanwhile; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{SURVEY} WHERE id = $1 FOR UPDATE", survey_id)
    if not rows:
        raise NotFound("there is no such survey")
    return survey_of(rows[0])


async def hold_survey(tx: Tx, survey_id: str) -> Survey:
    """A survey as it stands; it is not changed before the transaction ends. ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{SURVEY} WHERE id = $1 FOR SHARE", survey_id)
    if not rows:
        raise NotFound("there is no such survey")
    return survey_of(rows[0])


async def lock_participation(tx: Tx, survey_id: str, member_id: int) -> Participation:
    """A member's participation in its last round, made where there is none; nobody else moves it."""
    await db.raw(tx).execute(
        "INSERT INTO survey_participation (survey_id, member_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        survey_id,
        member_id,
    )
    rows = await db.fetch_in(
        tx,
        f"{PARTICIPATION} WHERE survey_id = $1 AND member_id = $2 ORDER BY round DESC LIMIT 1 FOR UPDATE",
        survey_id,
        member_id,
    )
    return participation_of(rows[0])


async def lock_rewarded(tx: Tx, survey_id: str, member_id: int) -> Participation | None:
    """A member's first round, the one that is rewarded; None where there is none."""
    rows = await db.fetch_in(
        tx, f"{PARTICIPATION} WHERE survey_id = $1 AND member_id = $2 AND round = 1 FOR UPDATE", survey_id, member_id
    )
    return participation_of(rows[0]) if rows else None
