"""What is said where a coupon cannot be used: to the cashier, and to the member."""

from __future__ import annotations

from collections.abc import Mapping

from ..types import Reason, Verdict

TEXTS: Mapping[Reason, tuple[str, str]] = {
    Reason.USED: ("此券已使用", "已使用"),
    Reason.LOCKED: ("此券已被另一订单占用或正在转赠", "正在另一订单中使用或转赠中"),
    Reason.GIVEN: ("此券已转赠他人", "已转赠"),
    Reason.VOID: ("此券已作废", "已作废"),
    Reason.EXPIRED: ("此券已过期，有效期至 {day}", "已过期"),
    Reason.NOT_YET_VALID: ("此券 {day} 起可用", "{day} 起可用"),
    Reason.OTHER_STORE: ("此券不适用于本店", "本店不可用"),
    Reason.OTHER_CHANNEL: ("此券不适用于本渠道（门店或商城）", "本渠道不可用"),
    Reason.OTHER_LEVEL: ("会员等级不符合此券要求", "当前会员等级不可用"),
    Reason.WRONG_WEEKDAY: ("此券今天不可用", "今天不可用"),
    Reason.WRONG_HOUR: ("此券当前时段不可用", "当前时段不可用"),
    Reason.NO_ARTICLE_IN_SCOPE: ("购物车中没有此券适用的商品", "没有适用的商品"),
    Reason.BELOW_THRESHOLD: ("未达到使用门槛，还差 {missing}", "还差 {missing} 可用"),
    Reason.NOTHING_TO_TAKE: ("没有可抵扣的金额", "没有可抵扣的金额"),
    Reason.NOT_HELD: ("该会员没有此券", "没有这张券"),
    Reason.NOT_TOGETHER: ("不能与已选的券同时使用", "不能与已选的券同时使用"),
    Reason.TOO_MANY: ("本单最多同时使用 {most} 张券", "最多同时使用 {most} 张券"),
    Reason.ADDS_NOTHING: ("已选的券已是最优，再用此券不会多减", "再用这张不会多减"),
}
"""Per reason the sentence for the cashier and the one for the member, with the verdict's numbers to be put in."""


def for_cashier(verdict: Verdict) -> str:
    """Why the coupon is not used, as the till shows it; empty where it is."""
    return _say(verdict, 0)


def for_member(verdict: Verdict) -> str:
    """Why the coupon is not used, as the phone shows it; empty where it is."""
    return _say(verdict, 1)


def yuan(fen: int) -> str:
    """An amount as people read it: ``¥12.00``."""
    return f"¥{fen // 100}.{fen % 100:02d}"


def _say(verdict: Verdict, column: int) -> str:
    if verdict.reason is None:
        return ""
    day = verdict.day.isoformat() if verdict.day else "—"
    return TEXTS[verdict.reason][column].format(missing=yuan(verdict.missing_fen), day=day, most=verdict.most)
