"""A walk over sets that pay a field in full, so that nothing is left on any of its lines.

Where coupons are worth several baskets, many sets do, and sums do not tell how few are enough: they could nearly all
lie on the lines in some other way than the rules lay them. What tells is this: a coupon that finds more than its amount
leaves something on every line of its own. So each line needs a coupon that takes all that it finds (that closes it),
and few find so little, because not many others may have taken of it before.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from .allocate import lower
from .branches import Budget, Field
from .contest import Pick, members

MOST = 12
"""Of more coupons than so many it is not asked how much they take of the lines of one behind them: it may be all."""

_ALL = 10**15


class Reach:
    """How much of a coupon's lines those before it may take, at most.

    ``rows[place][first]`` is of those from ``first`` on: the sums of the n that may take most.
    """

    def __init__(self, field: Field) -> None:
        self._field = field
        self._costs: dict[int, int] = {}
        self.rows = [self._rows(place) for place in range(len(field.numbers))]

    def _rows(self, place: int) -> list[list[int]]:
        mask, amount = self._field.mask, self._field.amount
        highest: list[int] = []
        rows = [[0]] * (place + 1)
        for other in range(place - 1, -1, -1):
            common = mask[place] & mask[other]
            if not common:
                rows[other] = rows[other + 1]
                continue
            insort(highest, -min(amount[other], self._cost(common)))
            rows[other] = sums = [0]
            for each in highest[:MOST]:
                sums.append(sums[-1] - each)
            if len(highest) > MOST:
                sums.append(_ALL)
        return rows

    def _cost(self, lines: int) -> int:
        if lines not in self._costs:
            self._costs[lines] = sum([self._field.payable[line] for line in members(lines)])
        return self._costs[lines]


class Outlook(msgspec.Struct):
    """What the coupons from a place on may do, by place, for what is left there.

    ``finds`` is what each would take now, ``most`` what all from there on may, ``fewer`` the same with one less.
    ``lowest`` is the least that one may meet on its lines when its turn comes; what it meets at least it cannot close.
    ``closed`` are the lines that one from there on may close.
    """

    finds: list[int]
    lowest: list[int]
    most: list[int]
    fewer: list[int]
    closed: list[int]


class Closing:
    """A walk over the sets of a field that hold all of ``fixed``, none of ``barred``, and pay everything."""

    def __init__(self, field: Field, reach: Reach, budget: Budget, fixed: int = 0, barred: int = 0) -> None:
        taken = {field.unit[place] for place, number in enumerate(field.numbers) if fixed >> number & 1}
        places = [
            place
            for place, number in enumerate(field.numbers)
            if fixed >> number & 1 or not (barred >> number & 1 or field.unit[place] in taken)
        ]
        self.budget, self.cost, self.payable = budget, field.cost, field.payable
        self.bit = [1 << field.numbers[place] for place in places]
        self.amount = [field.amount[place] for place in places]
        self.lines = [field.lines[place] for place in places]
        self.mask = [field.mask[place] for place in places]
        self.on = [field.on[place] for place in places]
        self.unit = [1 << field.unit[place] for place in places]
        self.rows = [[reach.rows[place][first] for first in places[: at + 1]] for at, place in enumerate(places)]
        self.fixed = [fixed >> field.numbers[place] & 1 for place in places]
        self.waiting = [sum(self.fixed[at:]) for at in range(len(places) + 1)]
        self.all = sum([1 << line for line in set().union(*field.lines)])
        self.last = len(places)
        like = [None, *(None if fixed else field.like[at] for fixed, at in zip(self.fixed, places, strict=True))]
        self.twin = [one is not None and one == other for one, other in pairwise(like)]

    def run(self, room: int) -> Pick | None:
        """A set of at most ``room``; None where there is none."""
        return self._extend(0, self.payable, self.cost, room, 0, 0)

    def _extend(self, first: int, left: list[int], need: int, room: int, used: int, picks: int) -> Pick | None:
        """Extend a set by at most ``room`` coupons from the first on, which have to pay all ``need`` that is left."""
        self.budget.spend()
        free = room - self.waiting[first]
        if free < 0:
            return None
        if room == 1:
            return self._one(first, left, need, used, picks)
        if room == 2:
            return self._two(first, left, need, used, picks)
        ahead = self._look_ahead(first, left, room, used)
        for at in self._next(first, left, need, free, ahead):
            branch = left.copy()
            rest = need - lower(self.amount[at], self.lines[at], branch)
            extended = picks | self.bit[at]
            if rest:
                found = self._extend(at + 1, branch, rest, room - 1, used | self.unit[at], extended)
            else:
                found = None if self.waiting[at + 1] else Pick(self.cost, extended)
            if found is not None:
                return found
        return None

    def _next(self, first: int, left: Sequence[int], need: int, free: int, ahead: Outlook) -> list[int]:
        """Which coupons may be the next, those that find most first: so a set is found soon where there is one."""
        open_, able = self._open(left), []
        for at in range(first, self.last):
            if ahead.most[at] < need or self._stays(open_ & ~ahead.closed[at], ahead, at, left):
                break
            finds, fixed = ahead.finds[at], self.fixed[at]
            again = at > first and self.twin[at]  # whoever leaves out the first of two that are alike has tried this
            if finds and not again and (free or fixed):
                behind = ahead.most[at + 1] if fixed else ahead.fewer[at + 1]
                if finds + behind >= need:
                    able.append(at)
            if fixed:
                break
        able.sort(key=ahead.finds.__getitem__, reverse=True)
        return able

    def _one(self, first: int, left: Sequence[int], need: int, used: int, picks: int) -> Pick | None:
        """One coupon that pays the rest."""
        for at in range(first, self.last):
            if self.amount[at] < need or used & self.unit[at] or self.waiting[first] > self.fixed[at]:
                continue
            if sum(self.on[at](left)) == need:
                return Pick(self.cost, picks | self.bit[at])
        return None

    def _two(self, first: int, left: list[int], need: int, used: int, picks: int) -> Pick | None:
        """Two coupons that pay the rest, or one. The second takes all; what the first does not close it must hold."""
        waiting, open_, cheapest = self.waiting[first], self._open(left), min(filter(None, left))
        behind: list[int] = []
        highest = 0
        for at in range(self.last - 1, first - 1, -1):
            amount = self.amount[at]
            if used & self.unit[at]:
                continue
            finds = sum(self.on[at](left)) if amount + highest >= need else 0
            rest, extended = need - min(amount, finds), picks | self.bit[at]
            if not rest and waiting == self.fixed[at]:
                return Pick(self.cost, extended)
            if rest and finds:
                beyond = open_ & ~self.mask[at] if amount >= finds else open_
                for other in behind:
                    if self.amount[other] >= rest and not beyond & ~self.mask[other] and self._both(at, other, waiting):
                        return Pick(self.cost, extended | self.bit[other])
                if 0 < (finds - amount) * cheapest < finds and waiting == self.fixed[at] + self.waiting[at + 1]:
                    branch = left.copy()  # its shares may be rounded so that some line has nothing left
                    lower(amount, self.lines[at], branch)
                    found = self._one(at + 1, branch, rest, used | self.unit[at], extended)
                    if found is not None:
                        return found
            behind.append(at)
            highest = max(highest, amount)
        return None

    def _both(self, one: int, other: int, waiting: int) -> bool:
        """Whether these two may be used together, and no fixed one is waiting besides."""
        return self.unit[one] != self.unit[other] and self.fixed[one] + self.fixed[other] == waiting

    def _look_ahead(self, first: int, left: list[int], room: int, used: int) -> Outlook:
        free, last, amounts, on, unit = room - self.waiting[first], self.last, self.amount, self.on, self.unit
        finds, lowest, most, fewer, closed = (
            [0] * last,
            [0] * last,
            [0] * (last + 1),
            [0] * (last + 1),
            [0] * (last + 1),
        )
        best: list[int] = []
        sure = bound = less = lines = 0
        for at in range(last - 1, first - 1, -1):
            there = 0 if used & unit[at] else sum(on[at](left))
            if there:
                amount, row = amounts[at], self.rows[at][first]
                lowest[at] = low = there - (row[room - 1] if room <= len(row) else row[-1])
                if low <= amount:
                    lines |= self.mask[at]
                finds[at] = found = min(there, amount)
                if self.fixed[at]:
                    sure += found
                    bound += found
                    less += found
                elif len(best) < free:
                    insort(best, found)
                    bound += found
                    less = bound - best[0] if len(best) == free else bound
                elif best and found > best[0]:
                    bound += found - best[0]
                    del best[0]
                    insort(best, found)
                    less = bound - best[0]
            most[at], fewer[at], closed[at] = bound, less, lines
        return Outlook(finds, lowest, most, fewer, closed)

    def _open(self, left: Sequence[int]) -> int:
        """The lines on which something is left."""
        return sum([1 << line for line, fen in enumerate(left) if fen]) & self.all

    def _stays(self, lines: int, ahead: Outlook, first: int, left: Sequence[int]) -> bool:
        """Whether on one of these lines, which none from the first on may close, something is left in the end.

        A coupon that meets so much leaves each line its part of the rest; only where that is less than a fen, nothing.
        """
        for line in members(lines):
            fen = left[line]
            for at in range(first, self.last):
                if ahead.finds[at] and self.mask[at] >> line & 1:
                    fen = fen * (ahead.lowest[at] - self.amount[at]) // ahead.lowest[at]
            if fen:
                return True
        return False
