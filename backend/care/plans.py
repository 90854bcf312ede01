"""The plan of the ledger that gives a task's points: pure."""

from __future__ import annotations

from datetime import date, datetime

from backend.ledger import plans as ledger
from backend.ledger.plans import Issue, Plan, Saw, job_hash

SCOPE = "care"
"""Of the keys under which a task gives its points and its coupon."""


def points(
    member_id: int, task_id: str, amount: int, *, debt: int, expires_on: date | None, now: datetime, on: date
) -> Plan:
    """Give a task's points, once; what is owed (``debt``) is paid first."""
    return Plan(
        member_id=member_id,
        kind="gift",
        at=now,
        on=on,
        scope=SCOPE,
        key=task_id,
        hash=job_hash(SCOPE, task_id, member_id, amount),
        about=task_id,
        active=True,
        saw=(Saw(ledger.POINTS_DEBT, debt),),
        legs=ledger.earn_points(amount, debt, Issue("gift", 0, expires_on=expires_on, source=task_id)),
    )
