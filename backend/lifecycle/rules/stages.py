"""Which stage a member is in, and when that may change by time alone. No I/O, clock or randomness."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from backend.members.types import Stage

from ..types import StageRule

DEFAULT = (
    StageRule(stage=Stage.POTENTIAL, bought=False),
    StageRule(stage=Stage.LOST, idle_days_from=365),
    StageRule(stage=Stage.DORMANT, idle_days_from=180),
    StageRule(stage=Stage.LOYAL, purchases_from=6, within_days=365),
    StageRule(stage=Stage.RETURNING, purchases_from=2),
    StageRule(stage=Stage.NEW),
)
"""What is used until a chain says otherwise."""


class Habits(msgspec.Struct, frozen=True):
    """When a member joined, and the days of purchases of which something was kept, ascending.

    ``more`` are older purchases that are only counted.
    """

    joined_on: date
    days: tuple[date, ...] = ()
    more: int = 0


def stage_of(rules: Sequence[StageRule], habits: Habits, today: date) -> Stage:
    """The stage of the first rule that holds; the last rule always does."""
    return next(rule.stage for rule in rules if _holds(rule, habits, today))


def _holds(rule: StageRule, habits: Habits, today: date) -> bool:
    bought = bool(habits.days) or habits.more > 0
    if rule.bought is not None and rule.bought is not bought:
        return False
    if rule.idle_days_from is not None and not _idle(habits, today) >= rule.idle_days_from:
        return False
    if rule.joined_within_days is not None and (today - habits.joined_on).days > rule.joined_within_days:
        return False
    return rule.purchases_from is None or _count(rule, habits, today) >= rule.purchases_from


def _idle(habits: Habits, today: date) -> int:
    """Days since the last purchase; none were made: none have passed."""
    return (today - habits.days[-1]).days if habits.days else 0


def _count(rule: StageRule, habits: Habits, today: date) -> int:
    if rule.within_days is None:
        return len(habits.days) + habits.more
    return len(habits.days) - bisect_left(habits.days, today - timedelta(days=rule.within_days))


def next_change(rules: Sequence[StageRule], habits: Habits, today: date) -> date | None:
    """The first day after today on which some condition becomes another, without any purchase."""
    ends = set[date]()
    for rule in rules:
        if rule.idle_days_from is not None and habits.days:
            ends.add(habits.days[-1] + timedelta(days=rule.idle_days_from))
        if rule.joined_within_days is not None:
            ends.add(habits.joined_on + timedelta(days=rule.joined_within_days + 1))
        if rule.within_days is not None and rule.purchases_from is not None:
            ends |= {day + timedelta(days=rule.within_days + 1) for day in habits.days}
    return min((day for day in ends if day > today), default=None)
