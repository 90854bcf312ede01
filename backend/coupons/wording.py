"""What a coupon promises, in the words a member reads: pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from backend.kernel.money import yuan

from .types import Channel, CouponKind, RefundPolicy, Scope, Stacking, Terms, Validity

_WEEKDAYS = "一二三四五六日"
_CHANNELS = {Channel.POS: "门店", Channel.MALL: "线上商城"}
_REFUNDS = {
    RefundPolicy.RETURN: "整单退款后退回本券",
    RefundPolicy.SPLIT: "退款时按比例退回券内余额",
    RefundPolicy.CLAW_BACK: "退款后不再满足条件的，先扣回优惠再退回本券",
    RefundPolicy.FORFEIT: "使用后退款，本券不退回",
}


def discount(rate_bp: int) -> str:
    """A percentage off as it is said in shops: 1000 is 9折, 1250 is 8.75折."""
    tenths = f"{(10_000 - rate_bp) / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{tenths}折"


def headline(terms: Terms) -> str:
    """The promise in a few characters: 满100元减20元."""
    threshold = f"满{yuan(terms.min_spend_fen)}元" if terms.min_spend_fen else ""
    match terms.kind:
        case CouponKind.CASH if terms.partial_use:
            return f"{threshold}{'可用，' if threshold else ''}{yuan(terms.face_fen)}元分次抵扣"
        case CouponKind.CASH:
            return f"{threshold or '立'}减{yuan(terms.face_fen)}元"
        case CouponKind.PERCENT:
            cap = f"，最多减{yuan(terms.cap_fen)}元" if terms.cap_fen is not None else ""
            return f"{threshold}{discount(terms.rate_bp)}{cap}"
        case CouponKind.SHIPPING:
            return f"{threshold}减{yuan(terms.face_fen)}元运费" if terms.face_fen else f"{threshold}免运费"
        case CouponKind.EXCHANGE:
            return f"{threshold}免费兑换{terms.pieces}件"
        case CouponKind.SERVICE:
            return f"{threshold}免费服务{terms.pieces}次"


def describe(terms: Terms, note: str = "", names: Mapping[str, str] | None = None) -> list[str]:
    """Every condition in a line of its own, then what staff say of it; ``names``: what stores and levels are called."""
    called = names or {}
    lines = [headline(terms), *_where(terms.scope, called)]
    lines.append(_stacking(terms))
    if terms.partial_use:
        lines.append("余额可分次使用，用完为止")
    lines.append("可转赠好友" if terms.transferable else "仅限本人使用")
    lines.append(_REFUNDS[terms.refund])
    return [*lines, note] if note else lines


def validity(terms: Validity) -> str:
    """From when to when, before anybody has one."""
    if terms.days is not None:
        begin = f"领取{terms.after_days}天后生效，" if terms.after_days else "领取后"
        return f"{begin}{terms.days}天内有效"
    return period(terms.from_on, terms.until_on)


def period(valid_from: date | None, expires_on: date | None) -> str:
    """From when to when, both days included."""
    begin = f"{valid_from:%Y-%m-%d}起" if valid_from else ""
    end = f"{expires_on:%Y-%m-%d}前" if expires_on else ""
    return f"{begin}{'，' if begin and end else ''}{end}有效" if begin or end else "长期有效"


def _where(scope: Scope, called: Mapping[str, str]) -> list[str]:
    def named(codes: tuple[str, ...]) -> str:
        return "、".join(called.get(code, code) for code in codes)

    lines = []
    if scope.channels:
        lines.append(f"限{'、'.join(_CHANNELS[channel] for channel in scope.channels)}使用")
    for codes, said in (
        (scope.stores, "适用门店"),
        (scope.categories, "适用品类"),
        (scope.brands, "适用品牌"),
        (scope.skus, "适用商品"),
        (scope.skus_excluded, "不适用商品"),
        (scope.levels, "适用会员等级"),
    ):
        if codes:
            lines.append(f"{said}：{named(codes)}")
    if scope.weekdays:
        lines.append("限" + "、".join(f"周{_WEEKDAYS[day - 1]}" for day in scope.weekdays) + "使用")
    if scope.hours:
        lines.append("限" + "、".join(f"{_clock(h.from_minute)}–{_clock(h.to_minute)}" for h in scope.hours) + "使用")
    return lines


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _stacking(terms: Terms) -> str:
    together = f"，一单最多{terms.max_together}张" if terms.max_together is not None else ""
    match terms.stacking:
        case Stacking.EXCLUSIVE:
            return "不可与其他券同用"
        case Stacking.ONE_OF_GROUP:
            return f"同类券限用一张，可与其他券同用{together}"
        case Stacking.JOINT:
            return f"可与其他券同用{together}"
