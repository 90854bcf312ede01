"""Boxes in numbers, as tables and charts: by whole months, and no stars that few gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

from backend.kernel.charts import Stacks

from .schemas import MonthOut

HEADING = (
    *("意见箱", "月份", "收到", "匿名", "已答复", "已关闭", "评价数", "平均分（不足 5 个评价不显示）"),
    "首次答复中位数（天）",
)
LEAST_RATED = 5
"""Of fewer ratings the average would tell what one of them was."""

MOST_DRAWN = 40
TITLES = {"month": "意见箱：每月收到", "box": "意见箱：各箱收到"}


def whole_months(since: date, until: date) -> tuple[date, date]:
    """From the first day of the one's month to the last of the other's: no single day can be asked for."""
    first_of_next = (until.replace(day=28) + timedelta(days=4)).replace(day=1)
    return since.replace(day=1), first_of_next - timedelta(days=1)


def average(rated: int, rating_sum: int) -> float | None:
    """Stars on average, None of fewer than five ratings."""
    return round(rating_sum / rated, 2) if rated >= LEAST_RATED else None


def row(one: MonthOut) -> tuple[str | int | None, ...]:
    """A line of the table."""
    rating = None if one.rating is None else f"{one.rating:.2f}"
    days = None if one.answer_days is None else f"{one.answer_days:g}"
    counts = (one.received, one.anonymous, one.answered, one.closed, one.rated)
    return (one.box_title, one.month, *counts, rating, days)


def chart(months: Sequence[MonthOut], by: Literal["month", "box"]) -> Stacks:
    """What was received, signed and anonymous, by month (the oldest first) or by box (most first)."""
    received, anonymous, names = Counter[str](), Counter[str](), dict[str, str]()
    for one in months:
        key = one.month if by == "month" else one.box_id
        names[key] = one.month if by == "month" else one.box_title
        received[key] += one.received
        anonymous[key] += one.anonymous
    keys = sorted(names) if by == "month" else sorted(names, key=lambda key: (-received[key], key))
    lines = [(names[key], [received[key] - anonymous[key], anonymous[key]]) for key in keys[:MOST_DRAWN]]
    answered = sum(one.answered for one in months)
    subtitle = f"共 {received.total()} 条，其中匿名 {anonymous.total()} 条，已答复 {answered} 条"
    return Stacks(TITLES[by], subtitle, "条", ["署名", "匿名"], lines)
