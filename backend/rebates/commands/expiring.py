"""Rebate that was not used in time goes back to the stores that bore it; members hear of it before."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.plans import REBATE
from backend.ledger.queries import Cursor
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter, Purpose, Variable, VariableKind
from backend.wallet import service as wallet

from .. import plans

MOST_LOTS = 200
"""Of one account in one transfer."""

AT_ONCE = 500
ROUNDS = 20_000

EXPIRING = Builtin(
    "rebates.expiring",
    Purpose.SERVICE,
    "返利即将到期",
    "您有 {amount} 返利将于 {day} 到期，请尽快使用。",
    variables=(
        Variable("amount", VariableKind.MONEY, "返利金额"),
        Variable("day", VariableKind.DATE, "到期日"),
    ),
)
messages.declare(EXPIRING)


async def expire_lots(now: datetime) -> int:
    """Take back what expired before today; returns how many transfers it took."""
    on = clock.local_date(now, settings().timezone)

    async def due(after: Cursor, limit: int) -> list[Cursor]:
        return await ledger_queries.list_expired_lots((REBATE,), on, after=after, limit=limit)

    async def expire(member_id: int) -> int:
        lots = await ledger_queries.list_open_lots(member_id, REBATE)
        expired = [lot for lot in lots if lot.expires_on is not None and lot.expires_on < on]
        done = 0
        for ref in sorted({lot.ref for lot in expired}):
            named = [lot for lot in expired if lot.ref == ref][:MOST_LOTS]
            posted = await ledger.post(plans.expire(member_id, ref, named, now=now, on=on))
            done += not posted.replayed
        return done

    return await ledger.sweep(due, expire)


async def warn(now: datetime) -> int:
    """Write to everybody whose rebate has its last day so many days from today as the chain wants; to how many.

    Days whose run was missed are made up for.
    """
    rules, told = settings(), 0
    today = clock.local_date(now, rules.timezone)
    for days in sorted({rules.rebate_warn_days, rules.rebate_warn_early_days} - {0}):
        told += await wallet.warn_each(f"rebate/{days}", today, days, partial(_warn, days))
    return told


async def _warn(days: int, day: date) -> int:
    told, after, once = 0, 0, f"{day.isoformat()}/{days}"
    for _ in range(ROUNDS):
        due = await ledger_queries.list_expiring(REBATE, day, after=after, limit=AT_ONCE)
        if not due:
            break
        letters = [
            Letter(who, EXPIRING.code, {"amount": str(fen), "day": day.isoformat()}, once, "#/rebates")
            for who, fen in due
        ]
        async with db.transaction() as tx:
            told += await messages.send(tx, letters)
        after = due[-1][0]
    return told
