"""Rules for the two highest levels, a company with its people, a key account, a level that was given, and stages."""

from __future__ import annotations

from datetime import timedelta

from backend.auth.queries import get_caller
from backend.groups.commands import groups, keys, people, spending
from backend.groups.schemas import AddMember, GroupIn, KeyAccountIn
from backend.groups.types import GroupRole, GroupRule
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.lifecycle import service
from backend.lifecycle.commands import clockwork, rules, runs
from backend.lifecycle.schemas import RuleOfLevel, RulesIn
from backend.lifecycle.types import Period, PeriodKind, Source, Thresholds, Window, WindowKind

_YEAR = Window(kind=WindowKind.MONTHS, months=12)
_HELD = Period(kind=PeriodKind.MONTHS, months=12)

RULES = (
    RuleOfLevel(
        level="gold",
        reach=Thresholds(spend_fen=200_000),
        keep=Thresholds(spend_fen=150_000),
        window=_YEAR,
        period=_HELD,
        grace_days=7,
    ),
    RuleOfLevel(
        level="black",
        reach=Thresholds(spend_fen=800_000, purchases=40),
        keep=Thresholds(spend_fen=600_000),
        window=_YEAR,
        period=_HELD,
        grace_days=15,
    ),
)
BENEFITS = {
    "silver": ["生日当月双倍积分"],
    "gold": ["生日当月双倍积分", "免费停车 2 小时"],
    "black": ["生日当月双倍积分", "免费停车 4 小时", "专属客服"],
}
GROUP = GroupIn(
    number="G2026001",
    name="远航科技有限公司",
    contact="行政部 周经理",
    note="员工福利采购",
    level="silver",
    discount_bp=400,
    member_limit=50,
    rules=(GroupRule("gold", 3_000_000),),
)
ROLES = (GroupRole.OWNER, GroupRole.MANAGER, GroupRole.MEMBER, GroupRole.MEMBER, GroupRole.MEMBER)
KEY, GIVEN = 20, 21
"""Which members have an agreement, and a level that was given, in the order of joining."""


async def load() -> None:
    """Everything once; what was bought in the year before counts."""
    while await clockwork.look_back():
        pass
    admin = await get_caller(await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'"))
    async with db.transaction() as tx:
        for level, benefits in BENEFITS.items():
            await db.raw(tx).execute(
                "UPDATE member_level SET benefits = to_jsonb($2::text[]) WHERE code = $1", level, benefits
            )
    rows = await db.fetch(
        "SELECT id, member_no FROM member WHERE status = 'active' ORDER BY created_at, id LIMIT $1", GIVEN + 1
    )
    await rules.put_rules(RulesIn(version=0, rules=RULES), admin)
    while await runs.go_on():
        pass
    group = await groups.create_group(GROUP, admin)
    for row, role in zip(rows[10:], ROLES, strict=False):
        await people.add_member(group.id, AddMember(member_no=row["member_no"], role=role), admin)
    agreed = KeyAccountIn(staff_id=str(admin.staff_id), discount_bp=1_000, level_locked=True, note="集团采购，季度结算")
    await keys.put_key_account(admin, str(rows[KEY]["id"]), agreed)
    until = clock.local_date(clock.now(), settings().timezone) + timedelta(days=180)
    async with db.transaction() as tx:
        await service.grant(
            tx,
            rows[GIVEN]["id"],
            "gold",
            source=Source.CAMPAIGN,
            reason="周年庆抽奖：金卡半年",
            until=until,
            key="demo/anniversary",
        )
    await spending.settle_levels()
    await clockwork.count_stages()
