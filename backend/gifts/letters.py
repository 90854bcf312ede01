"""What members are written about their gifts."""

from __future__ import annotations

from backend.messages import service as messages
from backend.messages.types import Builtin, Purpose, Variable, VariableKind

_TITLE = Variable("title", VariableKind.TEXT, "礼品", "保温杯")
_POINTS = Variable("points", VariableKind.NUMBER, "积分", "500")

SENT = Builtin(
    "gifts.sent",
    Purpose.SERVICE,
    "礼品已寄出",
    "您兑换的「{title}」已寄出，{carrier} {number}。",
    variables=(
        _TITLE,
        Variable("carrier", VariableKind.TEXT, "快递", "顺丰"),
        Variable("number", VariableKind.TEXT, "单号", "SF1234567890"),
    ),
)
EXPIRING = Builtin(
    "gifts.expiring",
    Purpose.SERVICE,
    "礼品待领取",
    "您兑换的「{title}」请于 {day} 前到店领取，逾期将取消并退回积分。",
    variables=(_TITLE, Variable("day", VariableKind.DATE, "最后一天")),
)
EXPIRED = Builtin(
    "gifts.expired",
    Purpose.SERVICE,
    "礼品已过领取期",
    "您兑换的「{title}」逾期未领取，已取消，{points} 积分已退回。",
    variables=(_TITLE, _POINTS),
)
CANCELLED = Builtin(
    "gifts.cancelled",
    Purpose.SERVICE,
    "礼品兑换已取消",
    "您兑换的「{title}」已由门店取消，{points} 积分已退回。",
    variables=(_TITLE, _POINTS),
)
RETURNED = Builtin(
    "gifts.returned",
    Purpose.SERVICE,
    "礼品已退回",
    "您兑换的「{title}」已退回，{points} 积分已退回。",
    variables=(_TITLE, _POINTS),
)
messages.declare(SENT, EXPIRING, EXPIRED, CANCELLED, RETURNED)
