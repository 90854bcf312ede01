"""Earning rules as a neighbourhood shop has them, a few points between friends, and an adjustment that waits."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise

from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.http import Idempotency
from backend.members import queries as members
from backend.points import plans, queries
from backend.points.commands import adjustments, rules, transfers
from backend.points.rules import lots
from backend.points.schemas import AdjustIn, ConditionIn, RuleIn, TermsIn
from backend.points.types import AdjustReason, Birthday, RuleKind

# What lives earns more only where the levels promise it; the others are drafts to try.
LIVING = RuleIn(
    kind=RuleKind.PROMOTION,
    title="银卡及以上生日当月双倍积分",
    terms=TermsIn(
        times_bp=20_000,
        day_cap=500,
        condition=ConditionIn(birthday=Birthday.MONTH, levels=("silver", "gold", "black")),
    ),
)
DRAFTS = (
    RuleIn(
        kind=RuleKind.BASE,
        title="水果每元三积分",
        terms=TermsIn(rate_bp=30_000, condition=ConditionIn(categories=("fruit",))),
    ),
    RuleIn(
        kind=RuleKind.PROMOTION,
        title="会员日双倍（每月 8、18、28 日）",
        terms=TermsIn(times_bp=20_000, condition=ConditionIn(month_days=(8, 18, 28))),
    ),
    RuleIn(
        kind=RuleKind.PROMOTION,
        title="满百每行加五分",
        terms=TermsIn(plus=5, stackable=True, condition=ConditionIn(min_fen=10_000)),
    ),
)
GIVEN = (20, 35, 50)


async def load() -> None:
    """Write the rules, let friends give each other points, and ask for an adjustment."""
    staff_id = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'")
    living = await rules.create_rule(LIVING, staff_id)
    await rules.move_rule(living.id, "activate", staff_id)
    for draft in DRAFTS:
        await rules.create_rule(draft, staff_id)
    rows = await db.fetch("SELECT id FROM member WHERE status = 'active' ORDER BY created_at, id LIMIT 60")
    await _give([row["id"] for row in rows])
    await _ask(rows[0]["id"], staff_id)
    queries.forget_rules()


async def _give(member_ids: Sequence[int]) -> None:
    """From those who have something to the next of them."""
    left = list(GIVEN)
    for giver_id, receiver_id in pairwise(member_ids):
        now = clock.now()
        on = clock.local_date(now, settings().timezone)
        held = await transfers.holdings(giver_id, on)
        if left and held.spendable(0) >= left[-1]:
            points = left.pop()
            transfer_id = transfers.new_id(giver_id)
            sent = plans.Sending(transfer_id, giver_id, receiver_id, lots.take(held.lots, points), now=now, on=on)
            key = Idempotency(f"demo-points-{giver_id}", sha256(transfer_id.encode()).digest())
            await transfers.move(sent, held, key, await members.get_card(receiver_id), points)


def staff_caller(staff_id: int) -> StaffCaller:
    """Somebody of head office who may do everything."""
    return StaffCaller(
        staff_id=staff_id,
        session_id=0,
        role="admin",
        store_id=None,
        permissions=frozenset(Permission),
        rate_key="",
        rate_per_minute=0,
    )


async def _ask(member_id: int, staff_id: int) -> None:
    caller = staff_caller(staff_id)
    body = AdjustIn(points=200, reason=AdjustReason.COMPENSATION, text="货架价签有误，补偿积分")
    member = await members.get_member(member_id)
    await adjustments.adjust(body, member, caller, Idempotency("demo-adjustment", sha256(b"demo").digest()))
