"""The letters that care brings along; staff may change their texts and channels, or write others."""

from __future__ import annotations

from backend.messages import service as messages
from backend.messages.types import Builtin, Purpose, Variable, VariableKind

VARIABLES = (
    Variable("gift", label="礼物（没有礼物时为空）", sample="送您 100 积分，已放入您的账户。"),
    Variable("amount", label="数量（即将过期的积分）", sample="320"),
    Variable("on", VariableKind.DATE, label="日期（生日、过期日、上次购买日）", sample="2026-11-27"),
)
"""What every letter of care is given; one that has no meaning for a trigger is empty, or the day itself."""

BIRTHDAY = "care.birthday"
WELCOME = "care.welcome"
MISSED = "care.missed"
AFTER_SALE = "care.after_sale"
LEVEL = "care.level"
POINTS = "care.points_expiring"
COUPON = "care.coupon_expiring"
GREETING = "care.greeting"

_TEXTS = (
    (BIRTHDAY, "生日快乐", "{member_name}，祝您生日快乐！{gift}"),
    (WELCOME, "欢迎加入", "{member_name}，感谢您加入{chain}，有任何需要请告诉我们。{gift}"),
    (MISSED, "好久不见", "{member_name}，您上次购物是 {on}，我们想念您。{gift}"),
    (AFTER_SALE, "用得还好吗", "{member_name}，您 {on} 买的商品用得还好吗？有问题随时找我们。{gift}"),
    (LEVEL, "恭喜升级", "{member_name}，恭喜您成为{level}！{gift}"),
    (POINTS, "积分即将过期", "{member_name}，您有 {amount} 积分将于 {on} 过期。{gift}"),
    (COUPON, "优惠券即将过期", "{member_name}，您有优惠券将于 {on} 过期，记得使用。{gift}"),
    (GREETING, "来自{chain}的问候", "{member_name}，{chain}向您问好！{gift}"),
)
messages.declare(*(Builtin(code, Purpose.CARE, title, body, variables=VARIABLES) for code, title, body in _TEXTS))
