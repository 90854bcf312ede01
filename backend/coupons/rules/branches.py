"""Branch and bound over coupons that get into each other's way.

A set is built up in the order in which coupons take, so what is left on the lines is exact at every step. A branch ends
when what may still be taken is not enough to make a better set:

- of each group one coupon, of all no more than there is room for, none more than is left on its lines;
- scopes within each other form a forest: what the coupons of a tree take lies on the lines of its root;
- all of them no more than is left on all their lines;
- no set takes more than all coupons together would, but for the fen that rounding moves. (Were shares not rounded, one
  coupon more would never leave more on a line. Rounding a coupon's shares moves less than half a fen a line, and later
  coupons do not make a difference larger. Both sides are rounded, so it is a fen a line. What is for one line only has
  no shares, and of coupons for the same lines, behind which nothing else comes, nobody asks which lines gave.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from operator import itemgetter

from .allocate import drain, lower
from .contest import Contest, Pick, members, tail_of

SPARE = 3
"""How many more coupons may be left than there is room for, so that it is worth while to see what all would take."""

Gather = Callable[[Sequence[int]], tuple[int, ...]]
Flow = tuple[int, int, Gather, int]
"""A unit, the most that may be taken by it, what reads its lines, and its parent."""


class Spent(Exception):
    """The steps that a search may take are used up."""


class Budget:
    """Steps that are left; one search has one budget for all that it does."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self) -> None:
        """Take a step."""
        self.left -= 1
        if self.left < 0:
            raise Spent


class Field:
    """Some offers of a contest, by place, and the units in which bounds count them: of a unit one offer is used.

    A unit's parent is the next larger one whose lines hold all of its own; -1 at a root.
    """

    def __init__(self, contest: Contest, among: int) -> None:
        self.numbers = list(members(among))
        self.payable = [*contest.payable, 0]
        self.amount = [contest.amount[number] for number in self.numbers]
        self.lines = [contest.lines[number] for number in self.numbers]
        self.mask = [contest.mask[number] for number in self.numbers]
        self.on = [gather(lines) for lines in self.lines]
        tail = tail_of(self.lines)
        self.take = [lower if place < tail else drain for place in range(len(self.lines))]
        self.rounding = [len(lines) if place < tail and len(lines) > 1 else 0 for place, lines in enumerate(self.lines)]
        units: dict[str | int, set[int]] = {}
        for number in self.numbers:
            units.setdefault(contest.group[number], set()).update(contest.lines[number])
        groups = sorted(units, key=lambda group: len(units[group]))
        lines = [units[group] for group in groups]
        self.unit = [groups.index(contest.group[number]) for number in self.numbers]
        self.parent = [
            next((at for at in range(low + 1, len(lines)) if lines[low] <= lines[at]), -1) for low in range(len(lines))
        ]
        self.gather = [gather(each) for each in lines]
        self.cost = sum([contest.payable[line] for line in set().union(*lines)])
        self.like = [contest.like[number] for number in self.numbers]
        self.twin = [*(one == other for one, other in pairwise(self.like)), False]


class Ahead:
    """What a walk may still use from a place on.

    ``amounts`` by unit; ``flow`` are the units through which they may flow, each before its parent; ``sure`` are the
    units of the fixed and ``size`` how many; ``lines`` are those of all and ``pool`` reads them, ``rounding`` is how
    many lines they have, each on its own, and ``highest`` the sum of the n highest amounts. Made from what is ahead
    of the next place.
    """

    __slots__ = ("amounts", "flow", "highest", "lines", "pool", "rounding", "size", "sure")

    def __init__(self, field: Field, later: Ahead | None, place: int, *, fixed: bool, barred: bool) -> None:
        self.amounts: list[int] = later.amounts.copy() if later else [0] * len(field.gather)
        self.sure: int = later.sure if later else 0
        self.rounding: int = later.rounding if later else 0
        self.lines: int = later.lines if later else 0
        if not barred:
            unit = field.unit[place]
            self.amounts[unit] = max(self.amounts[unit], field.amount[place])
            self.rounding += field.rounding[place]
            self.lines |= field.mask[place]
            self.sure |= fixed << unit
        self.size = self.sure.bit_count()
        same = later is not None and later.lines == self.lines
        self.pool: Gather = later.pool if later and same else gather(members(self.lines))
        same = same and later is not None and later.amounts == self.amounts
        self.flow: list[Flow] = later.flow if later and same else _flow_of(field, self.amounts)
        self.highest: list[int] = later.highest if later and same else _highest(self.amounts)


def _highest(amounts: Sequence[int]) -> list[int]:
    return [0, *accumulate(sorted(filter(None, amounts), reverse=True))]


class Tables:
    """What a walk may use of a field when some offers are fixed and some barred, and the next place to go on from."""

    def __init__(self, field: Field, fixed: int, barred: int) -> None:
        places = range(len(field.numbers))
        self.field = field
        self.fixed = [bool(fixed >> number & 1) for number in field.numbers]
        taken = {field.unit[place] for place in places if self.fixed[place]}
        self.barred = [
            bool(barred >> field.numbers[place] & 1) or (field.unit[place] in taken and not self.fixed[place])
            for place in places
        ]
        self.skip = [place + 1 for place in places]
        for place in reversed(places):
            if field.twin[place] and not self.fixed[place + 1]:
                self.skip[place] = self.skip[place + 1]
        self.ahead = self._look_ahead()

    def _look_ahead(self) -> list[Ahead]:
        """What may be used from each place on, and behind the last one."""
        last = len(self.field.numbers)
        found = [Ahead(self.field, None, last, fixed=False, barred=True)]
        for place in reversed(range(last)):
            found.append(Ahead(self.field, found[-1], place, fixed=self.fixed[place], barred=self.barred[place]))
        found.reverse()
        return found


class Walk:
    """A walk over the sets of a field that hold all of ``fixed``, none of ``barred``, and at most ``room``.

    ``best`` is the best set so far that is better than ``goal``; with ``first`` the walk ends there.
    """

    def __init__(self, field: Field, budget: Budget, room: int, fixed: int, barred: int = 0) -> None:
        self.field, self.budget, self.room = field, budget, room
        self.tables = Tables(field, fixed, barred)
        self.best: Pick | None = None
        self.goal = (0, 0)
        self.first = False

    def run(self, goal: tuple[int, int], *, first: bool = False) -> None:
        """Look for sets worth more than ``goal``."""
        self.goal, self.first = goal, first
        self._extend(0, self.field.payable, 0, 0, 0, 0)

    def _extend(self, place: int, left: list[int], total: int, size: int, used: int, picks: int, most: int = 0) -> None:
        """Extend a set by offers from this place on.

        Args:
            used: its units.
            most: what it takes together with all that may follow, rounding aside; 0 where that is not known.
        """
        tables, field = self.tables, self.field
        if not tables.ahead[place].size and (total, -size) > self.goal:
            self.best, self.goal = Pick(total, picks), (total, -size)
        while place < len(field.numbers) and not (self.first and self.best):
            self.budget.spend()
            if not self._may_win(place, left, total, size, used):
                return
            ahead = tables.ahead[place]
            if self.goal[0] < field.cost and len(ahead.highest) <= self.room - size + SPARE:
                most = most or total + self._all(place, left, used)
                if most + ahead.rounding < self.goal[0]:
                    return
            fixed, unit = tables.fixed[place], 1 << field.unit[place]
            if not (tables.barred[place] or used & unit):
                if fixed or size + ahead.size < self.room:
                    branch = left.copy()
                    taken = field.take[place](field.amount[place], field.lines[place], branch)
                    if taken:
                        extended = picks | 1 << field.numbers[place]
                        self._extend(place + 1, branch, total + taken, size + 1, used | unit, extended, most)
                most = 0
            if fixed:
                return
            place = tables.skip[place]

    def _all(self, place: int, left: Sequence[int], used: int) -> int:
        """What all offers from this place on take together."""
        field, rest, total = self.field, list(left), 0
        for number in range(place, len(field.numbers)):
            if not (self.tables.barred[number] or used >> field.unit[number] & 1):
                total += field.take[number](field.amount[number], field.lines[number], rest)
        return total

    def _may_win(self, place: int, left: Sequence[int], total: int, size: int, used: int) -> bool:
        """Whether offers from this place on may still make a set that is better than the goal."""
        ahead, goal_size = self.tables.ahead[place], -self.goal[1]
        need = self.goal[0] - total
        spare = self.room - size
        highest = ahead.highest
        on_lines = sum(ahead.pool(left))
        at_most = min(on_lines, highest[min(spare, len(highest) - 1)])
        fewer = max(0, min(goal_size - 1 - size, len(highest) - 1))
        if at_most < need or (at_most == need and highest[fewer] < need):
            return False
        flow, certain, rests = self._flow(ahead, left, used)
        if flow < need:
            return False
        rests.sort(reverse=True)
        del rests[max(0, spare - ahead.size) :]
        bound, fewest = certain, size + ahead.size
        for rest in rests:
            if bound >= need:
                break
            bound += rest
            fewest += 1
        if bound < need:
            return False
        return fewest < goal_size or min(flow, on_lines, certain + sum(rests)) > need

    def _flow(self, ahead: Ahead, left: Sequence[int], used: int) -> tuple[int, int, list[int]]:
        """What may flow out of the forest; what the fixed may take of it, and each other unit by itself."""
        inflow = [0] * len(ahead.amounts)
        flow, certain, rests = 0, 0, []
        for unit, amount, read, parent in ahead.flow:
            if amount and used >> unit & 1:
                amount = 0
            carried = inflow[unit] + amount
            if not carried:
                continue
            cap = sum(read(left))
            if amount:
                rest = min(amount, cap)
                if ahead.sure >> unit & 1:
                    certain += rest
                else:
                    rests.append(rest)
            if carried > cap:
                carried = cap
            if parent < 0:
                flow += carried
            else:
                inflow[parent] += carried
        return flow, certain, rests


def _flow_of(field: Field, amounts: Sequence[int]) -> list[Flow]:
    reached = [amount > 0 for amount in amounts]
    for unit, parent in enumerate(field.parent):
        if reached[unit] and parent >= 0:
            reached[parent] = True
    return [
        (unit, amount, field.gather[unit], field.parent[unit]) for unit, amount in enumerate(amounts) if reached[unit]
    ]


def gather(lines: Iterable[int]) -> Gather:
    """Reads what is left of some lines at once; the last place is no line and holds nothing, as two are needed."""
    return itemgetter(*lines, -1, -1)
