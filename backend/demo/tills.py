"""Tills as a chain works with them: limits of authorisation, a manager's phone, discounts, shifts, a cash recharge."""

from __future__ import annotations

from datetime import date

from backend.auth.types import TerminalCaller
from backend.discounts import commands as discounts
from backend.discounts.schemas import DiscountRuleIn, DiscountTermsIn
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.http import Idempotency
from backend.ledger import service as ledger
from backend.ledger.plans import job_hash
from backend.overrides import commands as overrides
from backend.overrides.types import Limit
from backend.points.schemas import ConditionIn
from backend.pos.commands import recharges
from backend.pos.till_schemas import TillRechargeIn
from backend.shifts.commands import tills
from backend.shifts.schemas import CloseIn, CountIn, MovementIn, OpenIn, OutsideIn, XIn
from backend.shifts.types import MovementKind

LIMITS = (
    Limit(role="", sale_bp=4_000, sale_fen=100_000, day_fen=0, day_count=0),
    Limit(role="manager", sale_bp=3_000, sale_fen=30_000, day_fen=300_000, day_count=50),
    Limit(role="admin", sale_bp=5_000, sale_fen=100_000, day_fen=1_000_000, day_count=100),
)
STORE = "S001"


def _rules(year: int) -> tuple[tuple[DiscountRuleIn, bool], ...]:
    """Rules and whether they live; what lives holds on one day of next year only, so that no price of today changes."""
    return (
        (
            DiscountRuleIn(
                title="双十二水果八折",
                terms=DiscountTermsIn(
                    rate_bp=2_000, condition=ConditionIn(categories=("fruit",), dates=(date(year, 12, 12),))
                ),
            ),
            True,
        ),
        (
            DiscountRuleIn(
                title="南京路店晚市折上九五折",
                terms=DiscountTermsIn(rate_bp=500, stackable=True, priority=10, condition=ConditionIn(stores=(STORE,))),
            ),
            False,
        ),
    )


async def load() -> None:
    """All of it, at the first store; what others see of a till they never used stays as it is."""
    staff = await db.fetchrow("SELECT id FROM auth_staff WHERE username = 'admin'")
    assert staff is not None
    for limit in LIMITS:
        await overrides.put_limit(limit, staff["id"])
    await _bind_phone()
    for rule, lives in _rules(clock.local_date(clock.now(), settings().timezone).year + 1):
        made = await discounts.create_rule(rule, staff["id"])
        if lives:
            await discounts.move_rule(made.id, "activate", staff["id"])
    await ledger.open_writer(settings())  # a till posts through it
    try:
        await _work()
    finally:
        await ledger.close_writer()


async def _bind_phone() -> None:
    """The first store's manager is the first member, and both have proved it."""
    await db.pool().execute(
        "INSERT INTO auth_staff_phone (staff_id, member_id, proved_at)"
        " SELECT id, member_id, $1 FROM auth_staff WHERE username = 'manager1' AND member_id IS NOT NULL"
        " ON CONFLICT DO NOTHING",
        clock.now(),
    )


async def _work() -> None:
    """A shift with a recharge and ¥2 short, and the next one under way."""
    till = TerminalCaller(terminal_id=f"{STORE}-T1", store_id=STORE, rate_key="", rate_per_minute=0)
    await tills.open_shift(OpenIn(cashier="小李", float_fen=50_000), till, _once("open-1"))
    paid_in = MovementIn(kind=MovementKind.PAY_IN, amount_fen=10_000, reason="换零钱")
    await tills.move_cash(paid_in, till, _once("in-1"))
    number = await db.fetchval(
        "SELECT member_no FROM member WHERE status = 'active' ORDER BY created_at DESC, id LIMIT 1"
    )
    await recharges.recharge(
        TillRechargeIn(member_no=number, amount_fen=10_000, cashier="小李"), till, _once("recharge-1")
    )
    await tills.look(XIn(), till, _once("x-1"))
    await tills.close_shift(
        CloseIn(
            counted=[CountIn(tender="cash", amount_fen=192_800), CountIn(tender="external", amount_fen=0)],
            outside=(OutsideIn(tender="cash", amount_fen=123_000, count=31),),
            left_fen=50_000,
            note="找零差两元",
        ),
        till,
        _once("close-1"),
    )
    await tills.open_shift(OpenIn(cashier="小王", float_fen=50_000), till, _once("open-2"))


def _once(key: str) -> Idempotency:
    return Idempotency(f"demo-{key}", bytes.fromhex(job_hash("demo", key)))
