"""Three campaigns as a neighbourhood shop runs them, and cards that members have begun."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from backend.kernel import db
from backend.kernel.db import Tx
from backend.ledger import queries as ledger
from backend.stamps import locks, queries, service
from backend.stamps.commands import campaigns
from backend.stamps.schemas import CampaignIn, EarningIn, TaskIn
from backend.stamps.types import CampaignKind, Per, TaskOn

TEA, DAILY, WELCOME = "PDEMOTEA", "PDEMODAILY", "PDEMOWELCOME"

CAMPAIGNS = {
    TEA: CampaignIn(
        title="茶饮买十送一",
        note="任意茶饮每瓶集 1 个，集满 10 个送一瓶",
        kind=CampaignKind.STAMPS,
        goal=10,
        earning=EarningIn(per=Per.PIECE, categories=("tea",), most_a_sale=5),
        reward=("TDEMOFREETEA",),
        sort=1,
    ),
    DAILY: CampaignIn(
        title="七日签到",
        note="连续签到 7 天，送满 100 减 20 券一张",
        kind=CampaignKind.ATTENDANCE,
        goal=7,
        earning=EarningIn(in_a_row=True),
        reward=("TDEMO100OFF20",),
        per_member=2,
        sort=2,
    ),
    WELCOME: CampaignIn(
        title="新人任务",
        note="完成三件事，送免运费券",
        kind=CampaignKind.TASKS,
        goal=3,
        earning=EarningIn(
            tasks=(
                TaskIn(code="profile", title="完善生日与性别", on=TaskOn.PROFILE),
                TaskIn(code="recharge", title="首次充值", on=TaskOn.RECHARGE),
                TaskIn(code="gift_card", title="绑定一张礼品卡", on=TaskOn.GIFT_CARD),
            )
        ),
        reward=("TDEMOFREESHIP",),
        per_member=1,
        sort=3,
    ),
}

ONE_IN_TEA, ONE_IN_DAILY = 6, 8
MOST_TEA, MOST_DAILY = 9, 6


async def load_campaigns(now: datetime) -> None:
    """Make the three campaigns and let them run."""
    async with db.transaction() as tx:
        for campaign_id, body in CAMPAIGNS.items():
            await campaigns.write(tx, campaign_id, body, now)
        await db.raw(tx).execute("UPDATE stamp_campaign SET state = 'active'")
    queries.forget_running()


async def begin_cards(member_ids: Sequence[int], now: datetime) -> int:
    """Give some of the members stamps for their last sales and days; returns how many stamps it were."""
    given = 0
    for number, member_id in enumerate(member_ids):
        async with db.transaction() as tx:
            if number % ONE_IN_TEA == 0:
                given += await _for_sales(tx, member_id, 1 + number // ONE_IN_TEA % MOST_TEA, now)
            if number % ONE_IN_DAILY == 0:
                given += await _for_days(tx, member_id, 1 + number // ONE_IN_DAILY % MOST_DAILY, now)
    return given


async def _for_sales(tx: Tx, member_id: int, count: int, now: datetime) -> int:
    sales = await ledger.list_documents(member_id, "sale", states=["completed"], limit=count)
    campaign = (await locks.hold_campaigns(tx, [TEA]))[TEA]
    card = (await locks.lock_cards(tx, [(member_id, TEA)], now))[member_id, TEA]
    given = 0
    for sale in reversed(sales):
        card, stamps = await service.give(tx, campaign, card, 1, source=sale.id, now=now, on=service.today(now))
        given += stamps
    return given


async def _for_days(tx: Tx, member_id: int, days: int, now: datetime) -> int:
    """The days before today, so that somebody who looks can check in."""
    campaign = (await locks.hold_campaigns(tx, [DAILY]))[DAILY]
    card = (await locks.lock_cards(tx, [(member_id, DAILY)], now))[member_id, DAILY]
    given = 0
    for ago in range(days, 0, -1):
        day = service.today(now - timedelta(days=ago))
        card, stamps = await service.give(tx, campaign, card, 1, source=f"day:{day}", now=now, on=day, day=day)
        given += stamps
    return given
