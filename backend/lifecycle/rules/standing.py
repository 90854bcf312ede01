"""The standing that follows from a base, the facts since, and time: one function, whatever order facts came in.

No I/O, clock or randomness; docs/levels.md says the same in sentences, with examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from ..types import (
    Change,
    Facts,
    Fall,
    LevelRule,
    Period,
    PeriodKind,
    Purchase,
    Return,
    Rung,
    Standing,
    Thresholds,
    Why,
)
from .counting import Ledger, add_months, met

DAY = timedelta(days=1)


def last_day(period: Period, start: date) -> date | None:
    """The last day of a period that begins on ``start`` with a promotion; None for one without an end.

    Months end on the day before their first day's namesake, and with a month that has no such day: a year from 29
    February ends on 28 February.

    Source: 民法典, 第二百零二条 (the month's end where there is no such day).
    """
    match period.kind:
        case PeriodKind.OPEN:
            return None
        case PeriodKind.MONTHS:
            namesake = add_months(start, max(1, period.months))
            return namesake - DAY if namesake.day == start.day else namesake
        case PeriodKind.YEAR:
            return date(add_months(start, period.months).year, 12, 31)


def last_day_again(period: Period, start: date) -> date | None:
    """The last day of a period that follows another; one to a calendar year's end is then that year."""
    return date(start.year, 12, 31) if period.kind is PeriodKind.YEAR else last_day(period, start)


def keeps(rule: LevelRule) -> Thresholds | None:
    """What keeps a level within its period."""
    return rule.keep or rule.reach


class Story:
    """A member's levels as they go on with the facts. ``changes`` is every step, in the order of time."""

    def __init__(self, rungs: Sequence[Rung], facts: Facts, base: Standing) -> None:
        self._rungs = list(rungs)
        self._places = {rung.code: place for place, rung in enumerate(rungs)}
        self._ledger = Ledger(facts)
        self.standing = base
        self.changes: list[Change] = []

    def hear(self, fact: Purchase | Return) -> None:
        """Count a fact that the base knew of."""
        if isinstance(fact, Purchase):
            self._ledger.buy(fact)
        else:
            self._ledger.take_back(fact.sale_id, fact.fen, fact.points)

    def happen(self, fact: Purchase | Return, on: date) -> None:
        """A fact since the base: periods that ended before it end, then it does what it does."""
        self.settle(on)
        self.hear(fact)
        if isinstance(fact, Return) and fact.sale_id == self.standing.sale_id:
            if self._goes_back(self.standing, on):
                self._take_back(on)
            self._lean(on)
        self.rise(on)

    def settle(self, today: date) -> None:
        """End the periods that are over on a day, one after the other."""
        while (until := self.standing.until) is not None and today > until:
            rule = self._rule(self.standing.level)
            last = until + timedelta(days=rule.grace_days)
            have = self._ledger.between(self.standing.start, last, after=self.standing.sale_id)
            if self._place == 0 or met(keeps(rule), have):
                self._renew(until + DAY, rule)
            elif today <= last:
                return  # it is still held, and may still be kept
            else:
                self._fall(until, last + DAY, rule)

    def rise(self, on: date) -> None:
        """Go up to the highest level that is reached on a day."""
        for rung in reversed(self._rungs[self._place + 1 :]):
            reach = rung.rule.reach
            if reach is not None and self._reached(rung, on):
                sale_id = self._ledger.crossing(reach, rung.rule.window, on)
                new = Standing(rung.code, on, on, last_day(rung.rule.period, on), sale_id, self.standing)
                self._move(new, on, Why.PROMOTED, sale_id)
                return

    @property
    def _place(self) -> int:
        return self._places[self.standing.level]

    def _rule(self, code: str) -> LevelRule:
        return self._rungs[self._places[code]].rule

    def _reached(self, rung: Rung, on: date) -> bool:
        return met(rung.rule.reach, self._ledger.counted(rung.rule.window, on))

    def _goes_back(self, standing: Standing, on: date) -> bool:
        """Whether the purchase that brought it was given back, so that it is reached neither then nor now."""
        if standing.sale_id is None or standing.before is None or not self._ledger.came_back(standing.sale_id):
            return False
        rung = self._rungs[self._places[standing.level]]
        return not self._reached(rung, standing.start) and not self._reached(rung, on)

    def _take_back(self, on: date) -> None:
        sale_id, standing = self.standing.sale_id, self.standing
        while self._goes_back(standing, on):
            assert standing.before is not None
            standing = standing.before
        self._move(standing, on, Why.TAKEN_BACK, sale_id)
        self.settle(on)

    def _lean(self, on: date) -> None:
        """Where the purchase that brought the level came back, the one that reaches it without brought it from now on.

        Else two large purchases that come back one after the other would leave the level behind.
        """
        standing = self.standing
        if standing.sale_id is None or not self._ledger.came_back(standing.sale_id):
            return
        rung = self._rungs[self._place]
        day = standing.start if self._reached(rung, standing.start) else on
        if rung.rule.reach is not None and self._reached(rung, day):
            sale_id = self._ledger.crossing(rung.rule.reach, rung.rule.window, day)
            self.standing = msgspec.structs.replace(standing, sale_id=sale_id)

    def _renew(self, start: date, rule: LevelRule) -> None:
        kept = msgspec.structs.replace(
            self.standing, start=start, until=last_day_again(rule.period, start), sale_id=None, before=None
        )
        self._move(kept, start, Why.KEPT)

    def _fall(self, until: date, on: date, rule: LevelRule) -> None:
        place = self._place - 1
        if rule.fall is Fall.BALANCE:
            reached = [n for n in range(1, self._place + 1) if self._reached(self._rungs[n], on)]
            place = max(reached, default=0)
        if place == self._place:
            self._renew(until + DAY, rule)
            return
        rung = self._rungs[place]
        self._move(Standing(rung.code, on, on, last_day(rung.rule.period, on)), on, Why.FELL)

    def _move(self, new: Standing, on: date, why: Why, sale_id: str | None = None) -> None:
        self.changes.append(Change(on, why, self.standing.level, new.level, new.until, sale_id))
        self.standing = new


def follow(
    rungs: Sequence[Rung],
    facts: Facts,
    base: Standing,
    *,
    since: datetime,
    began_on: date,
    until: datetime,
    today: date,
    judge: bool,
) -> tuple[Standing, list[Change]]:
    """The standing on ``today``, and each step that led to it from the base.

    Args:
        rungs: the levels, lowest first.
        since: the base's instant; what happened up to it only counts.
        began_on: its day.
        until: the instant behind the last fact that is heard.
        judge: whether to see at once what is reached: after a change of rules, say.
    """
    story = Story(rungs, facts, base)
    timeline: list[Purchase | Return] = [*facts.purchases, *facts.returns]
    timeline.sort(key=_order)
    known = [fact for fact in timeline if fact.at <= since]
    for fact in known:
        story.hear(fact)
    if judge:
        story.settle(began_on)
        story.rise(began_on)
    for fact in timeline[len(known) :]:
        if fact.at > until:
            break
        story.happen(fact, fact.on)
    story.settle(today)
    return story.standing, story.changes


def _order(fact: Purchase | Return) -> tuple[datetime, bool, str]:
    """By time; of one instant the purchase before what comes back."""
    return fact.at, isinstance(fact, Return), fact.id


def due_on(standing: Standing, rungs: Sequence[Rung], today: date) -> date | None:
    """The next day on which the standing changes by time alone, if it does: after its period, or after the grace."""
    if standing.until is None:
        return None
    if today <= standing.until:
        return standing.until + DAY
    rule = next(rung.rule for rung in rungs if rung.code == standing.level)
    return standing.until + timedelta(days=rule.grace_days + 1)


def under_new_rules(standing: Standing, rungs: Sequence[Rung], on: date) -> Standing:
    """A standing that other rules take over: its period goes on; where there was none, one begins, or it ends."""
    rule = next(rung.rule for rung in rungs if rung.code == standing.level)
    if rule.period.kind is PeriodKind.OPEN:
        return msgspec.structs.replace(standing, until=None)
    if standing.until is None:
        return msgspec.structs.replace(standing, start=on, until=last_day(rule.period, on))
    return standing
