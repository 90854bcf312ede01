"""Members hear of points some days before they expire: one letter for all that end on the same day."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.ledger import queries as ledger
from backend.ledger.plans import POINTS
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind

from ..warned import warn_each

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
    """Write to everybody whose points have their last day so many days from today as the chain wants; to how many.

    Days whose run was missed are made up for.
    """
    rules, told = settings(), 0
    today = clock.local_date(now, rules.timezone)
    for days in sorted({rules.points_warn_days, rules.points_warn_early_days} - {0}):
        # The last warning is once for that day, as ever; the early one is another.
        early = "" if days == rules.points_warn_days else f"/{days}"
        told += await warn_each(f"points{early}", today, days, partial(_warn, early))
    return told


async def _warn(early: str, day: date) -> int:
    told, after, once = 0, 0, f"{day.isoformat()}{early}"
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
