"""Members hear of points some days before they expire: one letter for all that end on the same day."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.ledger import queries as ledger
from backend.ledger.plans import POINTS
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind

AT_ONCE = 500
ROUNDS = 20_000

EXPIRING = Builtin(
    "wallet.points_expiring",
    Purpose.SERVICE,
    "积分即将到期",
    "您有 {points} 积分将于 {day} 到期，请尽快使用。",
    variables=(
        Variable("points", VariableKind.NUMBER, "积分", "120"),
        Variable("day", VariableKind.DATE, "到期日"),
    ),
)
messages.declare(EXPIRING)


async def warn_of_expiring_points(now: datetime) -> int:
    """Write to everybody whose points have their last day ``points_warn_days`` from today; returns to how many."""
    days = settings().points_warn_days
    if not days:
        return 0
    day = clock.days_after(clock.local_date(now, settings().timezone), days)
    told, after = 0, 0
    for _ in range(ROUNDS):
        due = await ledger.list_expiring(POINTS, day, after=after, limit=AT_ONCE)
        if not due:
            break
        values = [(member_id, {"points": str(points), "day": day.isoformat()}) for member_id, points in due]
        letters = [Letter(who, EXPIRING.code, said, day.isoformat(), "#/entries") for who, said in values]
        async with db.transaction() as tx:
            told += await messages.send(tx, letters)
        after = due[-1][0]
    return told
