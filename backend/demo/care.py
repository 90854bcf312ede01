"""Care as the demo chain does it: plans that run, today's to-dos, and a plan that can be judged by what members did."""

from __future__ import annotations

from datetime import date, timedelta

from backend.audience.types import Audience
from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.care.commands import carrying, judging, planning, running
from backend.care.schemas import CarePlanIn
from backend.care.types import Gift, How, On, Plan, Trigger
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.http import Idempotency

JUDGED_DAYS = range(30, 150)
"""Days ago on which the judged plan found its members: its window is over."""

WELCOMED = CarePlanIn(
    title="入会满月问候",
    note="留出一半不发，看问候有没有用",
    audience=Audience(store_ids=("S001", "S002")),
    trigger=Trigger(on=On.REGISTERED, days=30),
    how=How.LETTER,
    template="care.greeting",
    holdout_bp=5_000,
)
PLANS = (
    CarePlanIn(
        title="生日祝福送积分",
        trigger=Trigger(on=On.BIRTHDAY),
        how=How.LETTER,
        template="care.birthday",
        gift=Gift(points=88),
        hour=0,
    ),
    CarePlanIn(
        title="久未到店回访",
        note="三周没来的金卡以上会员，由门店打电话",
        audience=Audience(levels=("gold", "black")),
        trigger=Trigger(on=On.NOT_BOUGHT, days=21),
        how=How.CALL,
        holdout_bp=1_000,
        hour=0,
    ),
    CarePlanIn(
        title="积分到期提醒",
        trigger=Trigger(on=On.POINTS_EXPIRING, days=15),
        how=How.LETTER,
        template="care.points_expiring",
        hour=0,
    ),
)


async def load() -> None:
    """Start the plans, run today, and judge the plan that has a past."""
    admin = await _admin()
    for number, body in enumerate((WELCOMED, *PLANS)):
        made, _ = await planning.create(admin, body, Idempotency(f"demo-care-{number}", b"demo"))
        await planning.start(admin, made.id, beside_other_gifts=True)
        if body is WELCOMED:
            await _live_through(await planning.get_plan(made.id))
    now = clock.now()
    await running.run_due(now)
    await carrying.carry_out_due()
    await judging.judge_due(now)


async def _live_through(plan: Plan) -> None:
    """Run the plan for its past days, as if it had been there; the letters of then are not written again."""
    today = clock.local_date(clock.now(), settings().timezone)
    for days in reversed(JUDGED_DAYS):
        await running.run_day(plan, clock.days_after(today, -days))
    await _age(plan, today)


async def _age(plan: Plan, today: date) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE care_task SET made_at = made_on + interval '1 hour', judge_at = made_on + $2::interval,"
            " state = CASE WHEN state = 'due' THEN 'sent' ELSE state END WHERE plan_id = $1 AND made_on < $3",
            plan.id,
            timedelta(days=plan.window_days, hours=1),
            today,
        )


async def _admin() -> StaffCaller:
    staff_id = await db.fetchval("SELECT id FROM auth_staff WHERE role = 'admin' ORDER BY id LIMIT 1")
    return await auth.get_caller(staff_id)
