"""The plan that gives points for an answer: pure."""

from __future__ import annotations

from datetime import date, datetime

from backend.ledger import plans as ledger
from backend.ledger.plans import Issue, Plan, Saw, job_hash

REWARD = "survey"
"""The kind of the transfer, and the scope of its key: one for a member and a survey, whatever is tried how often."""


def points(
    member_id: int, survey_id: str, amount: int, *, debt: int, expires_on: date | None, now: datetime, on: date
) -> Plan:
    """Give points for an answer, once per member and survey; what is owed (``debt``) is paid first."""
    key = f"{member_id}:{survey_id}"
    return Plan(
        member_id=member_id,
        kind=REWARD,
        at=now,
        on=on,
        scope=REWARD,
        key=key,
        hash=job_hash(REWARD, key, amount),
        about=survey_id,
        active=True,
        saw=(Saw(ledger.POINTS_DEBT, debt),),
        legs=ledger.earn_points(amount, debt, Issue("gift", 0, expires_on=expires_on, source=survey_id)),
    )
