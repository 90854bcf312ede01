"""Tills as a chain works with them: limits of authorisation, a manager's phone and what it let through, discounts,
shifts, a cash recharge.
"""

from __future__ import annotations

from datetime import date

from backend.auth import codes
from backend.auth import service as devices
from backend.auth.codes import Purpose
from backend.auth.types import TerminalCaller
from backend.discounts import commands as discounts
from backend.discounts.schemas import DiscountRuleIn, DiscountTermsIn
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.http import Idempotency
from backend.ledger.plans import job_hash
from backend.overrides import commands as overrides
from backend.overrides.types import Limit, Reason
from backend.points.schemas import ConditionIn
from backend.pos.commands import recharges, sales
from backend.pos.override_schemas import OverrideIn
from backend.pos.schemas import LineIn, SaleIn, TenderInput
from backend.pos.till_schemas import TillRechargeIn
from backend.shifts.commands import tills
from backend.shifts.schemas import CloseIn, CountIn, MovementIn, OpenIn, OutsideIn, XIn
from backend.shifts.types import MovementKind

LIMITS = (
    Limit(role="", sale_bp=4_000, sale_fen=100_000, day_fen=0, day_count=0),
    Limit(role="manager", sale_bp=6_000, sale_fen=60_000, day_fen=300_000, day_count=50),
    Limit(role="admin", sale_bp=8_000, sale_fen=100_000, day_fen=1_000_000, day_count=100),
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
    """All of it, at the first store; what others see of a till they never used stays as it is. Needs the writer."""
    staff = await db.fetchrow("SELECT id FROM auth_staff WHERE username = 'admin'")
    assert staff is not None
    for limit in LIMITS:
        await overrides.put_limit(limit, staff["id"])
    await _bind_phone()
    for rule, lives in _rules(clock.local_date(clock.now(), settings().timezone).year + 1):
        made = await discounts.create_rule(rule, staff["id"])
        if lives:
            await discounts.move_rule(made.id, "activate", staff["id"])
    await _work()


async def _bind_phone() -> None:
    """The first store's manager is the first member, and both have proved it."""
    await db.pool().execute(
        "INSERT INTO auth_staff_phone (staff_id, member_id, proved_at)"
        " SELECT id, member_id, $1 FROM auth_staff WHERE username = 'manager1' AND member_id IS NOT NULL"
        " ON CONFLICT DO NOTHING",
        clock.now(),
    )


async def _authorise(till: TerminalCaller, customer_id: int) -> int:
    """A dented box for ¥55, not ¥100, paid in cash: the manager's phone let it through. Returns what was taken."""
    manager_id = await db.fetchval(
        "SELECT p.member_id FROM auth_staff_phone p JOIN auth_staff f ON f.id = p.staff_id"
        " WHERE f.username = 'manager1'"
    )
    if manager_id in (None, customer_id):
        return 0
    async with db.transaction() as tx:
        phones = [await devices.create_device(tx, one, "收银台演示") for one in sorted((manager_id, customer_id))]
    shown = {phone.member_id: phone for phone in phones}
    step = codes.step_at(clock.now().timestamp())

    def code(member_id: int, purpose: Purpose) -> str:
        return codes.make(shown[member_id].secret, shown[member_id].handle, step, purpose)

    sale = SaleIn(
        code=code(customer_id, Purpose.MEMBER),
        order_no="DEMO-OVERRIDE-1",
        cashier="小李",
        lines=[LineIn(sku="6902", qty=1, unit_price_fen=10_000, discount_fen=4_500)],
        tenders=[TenderInput(type="cash")],
        override=OverrideIn(code=code(manager_id, Purpose.AUTHORISE), reason=Reason.DAMAGED, note="外盒破损"),
    )
    answer = await sales.complete_sale(sale, till, _once("override-1"))
    async with db.transaction() as tx:
        for phone in phones:
            await devices.revoke_device(tx, phone.member_id, phone.id)
    return answer.value.payable_fen


async def _work() -> None:
    """A shift with a recharge, an authorised discount and ¥2 short, and the next one under way."""
    till = TerminalCaller(terminal_id=f"{STORE}-T1", store_id=STORE, rate_key="", rate_per_minute=0)
    await tills.open_shift(OpenIn(cashier="小李", float_fen=50_000), till, _once("open-1"))
    paid_in = MovementIn(kind=MovementKind.PAY_IN, amount_fen=10_000, reason="换零钱")
    await tills.move_cash(paid_in, till, _once("in-1"))
    customer = await db.fetchrow(
        "SELECT id, member_no FROM member WHERE status = 'active' ORDER BY created_at DESC, id LIMIT 1"
    )
    assert customer is not None
    await recharges.recharge(
        TillRechargeIn(member_no=customer["member_no"], amount_fen=10_000, cashier="小李"), till, _once("recharge-1")
    )
    taken_fen = await _authorise(till, customer["id"])
    await tills.look(XIn(), till, _once("x-1"))
    await tills.close_shift(
        CloseIn(
            counted=[CountIn(tender="cash", amount_fen=192_800 + taken_fen), CountIn(tender="external", amount_fen=0)],
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
