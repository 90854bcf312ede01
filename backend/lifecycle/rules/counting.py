"""What counts for a level: net spending, points and purchases, over a window. No I/O, clock or randomness."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta

from ..types import Facts, Match, Purchase, Thresholds, Totals, Window, WindowKind

NOTHING = Totals()


def add_months(on: date, months: int) -> date:
    """The same day so many months later (or earlier), or the last one of a month that has no such day."""
    month = on.year * 12 + on.month - 1 + months
    year, month = month // 12, month % 12 + 1
    return date(year, month, min(on.day, monthrange(year, month)[1]))


def first_day(window: Window, as_of: date, joined_on: date) -> date:
    """The first day that a window has on a day; a rolling one has the day and all but its namesake months ago."""
    match window.kind:
        case WindowKind.EVER:
            return date.min
        case WindowKind.JOINED:
            return joined_on
        case WindowKind.MONTHS:
            return add_months(as_of, -window.months) + timedelta(days=1)
        case WindowKind.YEAR:
            return date(as_of.year, 1, 1)


def met(wanted: Thresholds | None, have: Totals) -> bool:
    """Whether these totals meet the thresholds; None is met by nothing."""
    if wanted is None:
        return False
    judged = [
        have_one >= want
        for want, have_one in (
            (wanted.spend_fen, have.spend_fen),
            (wanted.points, have.points),
            (wanted.purchases, have.purchases),
        )
        if want is not None
    ]
    return all(judged) if wanted.match is Match.ALL else any(judged)


def plus(one: Totals, other: Totals) -> Totals:
    """Both together."""
    return Totals(one.spend_fen + other.spend_fen, one.points + other.points, one.purchases + other.purchases)


def minus(one: Totals, other: Totals) -> Totals:
    """The one without the other, which is a part of it."""
    return Totals(one.spend_fen - other.spend_fen, one.points - other.points, one.purchases - other.purchases)


class Ledger:
    """A member's purchases as they stand at some moment of the story: told one by one, and what came back of them.

    Sums up to each purchase are kept, so that a window costs the same however much was bought; they are made anew from
    the purchase on of which something came back.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._told: list[Purchase] = []
        self._places: dict[str, int] = {}
        self._back: dict[str, tuple[int, int]] = {}
        self._sums: list[Totals] = [NOTHING]

    def buy(self, purchase: Purchase) -> None:
        """Hear of a purchase; in the order of time."""
        self._places[purchase.id] = len(self._told)
        self._told.append(purchase)

    def take_back(self, sale_id: str, fen: int, points: int) -> None:
        """Hear that some of a purchase came back."""
        before = self._back.get(sale_id, (0, 0))
        self._back[sale_id] = (before[0] + fen, before[1] + points)
        if (place := self._places.get(sale_id)) is not None:
            del self._sums[place + 1 :]

    def came_back(self, sale_id: str) -> bool:
        """Whether anything of a purchase came back so far."""
        return self._back.get(sale_id, (0, 0)) != (0, 0)

    def worth(self, purchase: Purchase) -> Totals:
        """What is left of a purchase; it is one as long as something of what was spent is left."""
        fen, points = self._back.get(purchase.id, (0, 0))
        left = max(0, purchase.spent_fen - fen)
        return Totals(left, max(0, purchase.points - points), int(left > 0))

    def between(self, first: date, last: date, *, after: str | None = None) -> Totals:
        """What is left of what was bought from one day to another; only behind one purchase, where it is known."""
        begin, end = self._span(first, last)
        if after is not None:
            begin = min(end, max(begin, self._places.get(after, -1) + 1))
        return minus(self._sum(end), self._sum(begin))

    def _span(self, first: date, last: date) -> tuple[int, int]:
        """Where those told of from one day to another begin and end; days go up with time."""
        begin = bisect_left(self._told, first, key=_day)
        return begin, max(begin, bisect_right(self._told, last, key=_day))

    def _sum(self, count: int) -> Totals:
        """What is left of the first so many purchases together."""
        while len(self._sums) <= count:
            self._sums.append(plus(self._sums[-1], self.worth(self._told[len(self._sums) - 1])))
        return self._sums[count]

    def before(self, window: Window) -> Totals:
        """What a window has besides the purchases that are told of."""
        if window.kind is WindowKind.EVER:
            return plus(self._facts.older, Totals(self._facts.brought_fen))
        if window.kind is WindowKind.JOINED:
            return self._facts.older_joined
        return NOTHING

    def counted(self, window: Window, as_of: date) -> Totals:
        """What a window has on a day."""
        first = first_day(window, as_of, self._facts.joined_on)
        return plus(self.before(window), self.between(first, as_of))

    def crossing(self, wanted: Thresholds, window: Window, as_of: date) -> str | None:
        """The purchase with which the thresholds were met, in the order of time; None where they were without any."""
        have = self.before(window)
        if met(wanted, have):
            return None
        begin, end = self._span(first_day(window, as_of, self._facts.joined_on), as_of)
        for one in self._told[begin:end]:
            have = plus(have, self.worth(one))
            if met(wanted, have):
                return one.id
        return None


def _day(purchase: Purchase) -> date:
    return purchase.on


def missing(wanted: Thresholds, have: Totals) -> Mapping[str, int]:
    """What each threshold still lacks, by its name; 0 where it is met."""
    pairs = (
        ("spend_fen", wanted.spend_fen, have.spend_fen),
        ("points", wanted.points, have.points),
        ("purchases", wanted.purchases, have.purchases),
    )
    return {name: max(0, want - has) for name, want, has in pairs if want is not None}
