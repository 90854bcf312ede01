"""Care as charts: which numbers go where, with what words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from backend.kernel.charts import Bar, Bars, Stacks

from .queries.statistics import KindCount
from .types import Effect, Group, How, On, Plan
from .views import in_words

STANDINGS = ("已发送", "未送达", "待办", "已完成", "已跳过", "对照组")
ON = {
    On.BIRTHDAY: "生日",
    On.REGISTERED: "入会后",
    On.LEVEL: "升级后",
    On.BOUGHT: "购买后",
    On.NOT_BOUGHT: "多日未购",
    On.POINTS_EXPIRING: "积分到期前",
    On.COUPON_EXPIRING: "优惠券到期前",
    On.DAY: "指定日",
}
HOW = {How.LETTER: "消息", How.CALL: "电话", How.VISIT: "到店", How.OTHER: "其他"}


def kinds(counts: Sequence[KindCount], first: date, last: date) -> Stacks:
    """Tasks of a period, a bar for each occasion and way; its parts are how they stand."""
    return Stacks(
        title="关怀任务",
        subtitle=f"{first} 至 {last}，按由头与方式",
        axis="任务数",
        names=STANDINGS,
        lines=[
            (f"{ON[one.on]} · {HOW[one.how]}", (one.sent, one.failed, one.open, one.done, one.skipped, one.held_out))
            for one in counts
        ],
    )


def effect(plan: Plan, cared: Group, held: Group, said: Effect) -> Bars:
    """The shares of buyers on both sides, in per cent; what can be said of them stands below the title."""
    sides = (("关怀组", cared, said.cared_bp), ("对照组", held, said.held_bp))
    return Bars(
        title=f"{plan.title}：{plan.window_days} 天内购买的会员",
        subtitle=in_words(plan, said),
        axis="购买比例（%）",
        bars=[
            Bar(name, (bp or 0) / 100, f"{(bp or 0) / 100:.1f}%（{group.bought} / {group.members} 人）")
            for name, group, bp in sides
        ],
    )
