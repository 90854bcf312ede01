"""Two schemes that live, one to try: last month's statements paid, this month's so far, a simulation."""

from __future__ import annotations

from datetime import date, timedelta

from backend.auth.queries import get_caller
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.rebates.commands import clockwork, runs, schemes
from backend.rebates.schemas import SchemeIn
from backend.rebates.types import PeriodKind, Terms, Tier, Tiers

MONTHLY = Terms(
    tiers=(Tier(10_000, 100), Tier(50_000, 200), Tier(150_000, 300)),
    cap_fen=20_000,
    min_payout_fen=100,
    valid_months=6,
)
YEARLY = Terms(tiers=(Tier(50_000, 100), Tier(300_000, 200)), mode=Tiers.WHOLE, key_accounts=True, valid_months=12)
TRIED = Terms(tiers=(Tier(5_000, 200), Tier(20_000, 400)), stores=("S001",), stackable=True, valid_months=3)


async def load() -> None:
    """Everything once; what was bought in the year before counts."""
    while await clockwork.look_back():
        pass
    admin = await get_caller(await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'"))
    today = clock.local_date(clock.now(), settings().timezone)
    last = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    monthly = await schemes.create(
        SchemeIn(title="月度消费返利", period=PeriodKind.MONTH, first_on=last, terms=MONTHLY), admin
    )
    yearly = await schemes.create(
        SchemeIn(title="大客户年度返利", period=PeriodKind.YEAR, first_on=date(today.year, 1, 1), terms=YEARLY), admin
    )
    tried = await schemes.create(
        SchemeIn(title="首店店庆返利（草稿）", period=PeriodKind.MONTH, first_on=today.replace(day=1), terms=TRIED),
        admin,
    )
    # They began before the demo did, which staff cannot ask for.
    await db.pool().execute("UPDATE rebate_scheme SET state = 'active' WHERE id = ANY($1)", [monthly.id, yearly.id])
    run = await runs.start(PeriodKind.MONTH, last, admin)
    await _work()
    await db.pool().execute(
        "UPDATE rebate_run SET state = 'closed', closed_by = $2 WHERE id = $1 AND state = 'draft'",
        run.id,
        admin.staff_id,
    )
    await runs.pay(run.id, admin)
    await runs.simulate(tried.id, None, admin)
    await runs.estimate()
    await _work()
    await clockwork.roll_up()


async def _work() -> None:
    while await runs.go_on():
        pass
