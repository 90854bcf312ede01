"""What members are told of their level: texts that staff may change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from backend.messages import service as messages
from backend.messages.types import Builtin, Channel, Purpose, Variable

_LEVEL = Variable("new_level", label="等级", sample="金卡")
_UNTIL = Variable("until", label="有效期", sample="有效期至 2027年11月27日")
_BEFORE = Variable("old_level", label="原等级", sample="银卡")
_WAYS = (Channel.INBOX, Channel.WECHAT)

GROWN = Builtin("member.level_reached", Purpose.SERVICE, "会员等级提升", "恭喜您升级为{level}，快来看看新的权益。")
"""What is said where levels go by growth."""

REACHED = Builtin(
    "level.reached",
    Purpose.SERVICE,
    "恭喜升级为{new_level}",
    "您已升级为{new_level}，{until}。权益即刻生效。",
    _WAYS,
    (_LEVEL, _BEFORE, _UNTIL),
)
LOST = Builtin(
    "level.lost",
    Purpose.SERVICE,
    "您的等级变为{new_level}",
    "您的等级由{old_level}变为{new_level}，{until}。{reason}",
    _WAYS,
    (_LEVEL, _BEFORE, _UNTIL, Variable("reason", label="原因", sample="有效期内未达到保级条件。")),
)
ENDING = Builtin(
    "level.ending",
    Purpose.SERVICE,
    "{level_name}即将到期",
    "您的{level_name}有效期至 {day}。再{missing}，即可续保。",
    _WAYS,
    (
        Variable("level_name", label="等级", sample="金卡"),
        Variable("day", label="到期日", sample="2026年12月31日"),
        Variable("missing", label="还差", sample="消费 ¥300"),
    ),
)
messages.declare(GROWN, REACHED, LOST, ENDING)


def day_text(on: date) -> str:
    """A day as members read it."""
    return f"{on.year}年{on.month}月{on.day}日"


def until_text(until: date | None) -> str:
    """The end of a period as members read it."""
    return "长期有效" if until is None else f"有效期至 {day_text(until)}"


def missing_text(lacks: Mapping[str, int], *, all_of_them: bool) -> str:
    """What is still lacking, as members read it: ``消费 ¥300、购物 2 次``."""
    parts = [_SAID[name](amount) for name, amount in lacks.items() if amount]
    return ("、" if all_of_them else "，或").join(parts)


def _money(fen: int) -> str:
    return f"消费 ¥{fen // 100:,}" + (f".{fen % 100:02d}" if fen % 100 else "")


_SAID: dict[str, Callable[[int], str]] = {
    "spend_fen": _money,
    "points": lambda points: f"获得 {points:,} 积分",
    "purchases": lambda times: f"购物 {times:,} 次",
}
