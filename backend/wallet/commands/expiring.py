"""Members hear of points some days before they expire: one letter for all that end on the same day."""

from __future__ import annotations

from datetime import date, datetime

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
    """Write to everybody whose points have their last day so many days from today as the chain wants; to how many."""
    rules, told = settings(), 0
    for days in sorted({rules.points_warn_days, rules.points_warn_early_days} - {0}):
        day = clock.days_after(clock.local_date(now, rules.timezone), days)
        # The last warning is once for that day, as ever; the early one is another.
        told += await _warn(day, day.isoformat() if days == rules.points_warn_days else f"{day.isoformat()}/{days}")
    return told


async def _warn(day: date, once: str) -> int:
    told, after = 0, 0
    for _ in range(ROUNDS):
        due = await ledger.list_expiring(POINTS, day, after=after, limit=AT_ONCE)
        if not due:
            break
        values = [(member_id, {"points": str(points), "day": day.isoformat()}) for member_id, points in due]
        letters = [Letter(who, EXPIRING.code, said, once, "#/points") for who, said in values]
        async with db.transaction() as tx:
            told += await messages.send(tx, letters)
        after = due[-1][0]
    return told
