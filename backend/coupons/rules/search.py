"""The best set of coupons, exactly.

Most wallets are simple: where the dearest coupons that may be used together do not get into each other's way, nothing
takes more. The others are searched limit by limit (sets of at most so many), and where the limit leaves room for all,
part by part, as coupons that share no scarce line and no group do not matter to each other. That gives the amount and
the number of coupons: where a set is known that pays all, by asking for a smaller one that does, else by looking for a
better one. Then, coupon by coupon from the one that expires first, it is asked whether there is a set as good with it.
Coupons without which all others together take less are in every set that is as good, so they are never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from .allocate import lower
from .branches import Budget, Field, Spent, Walk
from .closing import Closing, Reach
from .contest import Contest, Pick, members
from .guesses import guess
from .offers import Offer

STEPS = 400
"""How many steps one search may take before the best set found so far must do."""

MOST_OFFERS = 300
"""Of more offers that may be used than these, those with the highest amounts are searched."""

MANY = 64
"""Of more offers in a part than these it is not asked which are needed or close a line: that costs their square."""

TRIES = 1
"""How many coupons of a good set are exchanged for an earlier one before a walk is begun."""


class Found(msgspec.Struct, frozen=True):
    """Offers to use together; ``exact`` where there are no better ones, ``most`` where none take more."""

    offers: list[Offer]
    exact: bool
    most: bool


def best(offers: Sequence[Offer], payable: Sequence[int], must: Sequence[Offer] = (), steps: int = STEPS) -> Found:
    """The offers to use: most off, then fewest, then the earliest to expire, then by id.

    Args:
        payable: what the lines of the board cost before coupons.
        must: offers that have to be among them; they may be used together.
    """
    named = {offer.held.id for offer in must}
    few = _few(offers, named)
    contest = Contest(few, payable)
    fixed = sum(1 << number for number, offer in enumerate(contest.offers) if offer.held.id in named)
    search = _Search(contest, fixed, Budget(steps))
    exact = search.run() and len(few) == len(offers)
    most = exact or (search.is_most and len(few) == len(offers)) or search.found.total == _cost(offers, payable)
    return Found([contest.offers[number] for number in members(search.found.picks)], exact, most)


def _cost(offers: Sequence[Offer], payable: Sequence[int]) -> int:
    """What all lines of these cost; no more can be taken."""
    return sum([payable[line] for line in {line for offer in offers for line in offer.lines}])


def _few(offers: Sequence[Offer], named: set[str]) -> Sequence[Offer]:
    if len(offers) <= MOST_OFFERS:
        return offers
    by_amount = sorted(offers, key=lambda offer: (offer.held.id not in named, -offer.verdict.amount_fen))
    return by_amount[:MOST_OFFERS]


class _Search:
    """One search: ``found`` is the best set so far; ``is_most`` where none takes more than it."""

    def __init__(self, contest: Contest, fixed: int, budget: Budget) -> None:
        self.contest, self.fixed, self.budget = contest, fixed, budget
        groups = {contest.group[number] for number in members(fixed)}
        self.able = [number for number, group in enumerate(contest.group) if group not in groups or fixed >> number & 1]
        self.found = contest.settle(fixed)
        self.is_most = False
        self._fields: dict[int, Field] = {}
        self._reaches: dict[int, Reach] = {}

    def run(self) -> bool:
        """Find the best set; False where the budget ended before it was proven to be."""
        try:
            for bound, among, room in self._limits():
                if bound.worth > self.found.worth:
                    self._most(among, room)
            self.is_most = True
            self._earliest()
        except Spent:
            return False
        return True

    def _limits(self) -> list[tuple[Pick, int, int]]:
        """Per limit what its sets may take at most, the offers that allow so many, and the limit; the most first."""
        limits = []
        for room in {self.contest.most[number] for number in self.able}:
            among = self._that_allow(room)
            if self.fixed.bit_count() <= room and self.fixed & ~among == 0:
                limits.append((self.contest.dearest(among, room, self.fixed), among, room))
        return sorted(limits, key=lambda limit: limit[0].worth, reverse=True)

    def _that_allow(self, size: int) -> int:
        return sum([1 << number for number in self.able if self.contest.most[number] >= size])

    def _most(self, among: int, room: int) -> None:
        """Find the set of at most ``room`` that takes most, and the fewest that take as much."""
        parts = _parts(self.contest, among, room)
        simple = [self._simple(part, room) for part in parts]
        picks = [
            pick or guess(self.contest, part, room, self.fixed & part) for part, pick in zip(parts, simple, strict=True)
        ]
        self._offer(picks)
        for at, part in enumerate(parts):
            if simple[at] is not None:
                continue
            known = self.found if len(parts) == 1 else picks[at]
            must = self.fixed & part | self._needed(part, known.total)
            if must.bit_count() > room:
                continue

            def keep(pick: Pick, at: int = at) -> None:
                picks[at] = pick
                self._offer(picks)

            look = self._for_fewer if self._pays_all(part, known) else self._for_better
            look(part, room, must, known, keep)

    def _for_fewer(self, part: int, room: int, must: int, known: Pick, keep: Callable[[Pick], None]) -> None:
        """Look for smaller and smaller sets that pay all, as the known one does."""
        closing = Closing(self._field(part), self._reach(part), self.budget, must)
        better = closing.run(min(room, known.size - 1))
        while better is not None:
            keep(better)
            better = closing.run(better.size - 1)

    def _for_better(self, part: int, room: int, must: int, known: Pick, keep: Callable[[Pick], None]) -> None:
        """Look for the best set, where the known one is not it."""
        walk = Walk(self._field(part), self.budget, min(room, self.contest.units(part)), must)
        try:
            walk.run(known.worth)
        finally:
            if walk.best is not None:
                keep(walk.best)

    def _needed(self, part: int, total: int) -> int:
        """The offers without which all others together do not take so much, whatever rounding moves."""
        if part.bit_count() > MANY:
            return 0
        enough, settle = total - sum(self._field(part).rounding), self.contest.settle
        return sum([1 << number for number in members(part) if settle(part ^ 1 << number).total < enough])

    def _pays_all(self, part: int, pick: Pick) -> bool:
        return part.bit_count() <= MANY and pick.total == self._field(part).cost

    def _simple(self, part: int, room: int) -> Pick | None:
        """The best set where the dearest coupons do not get into each other's way."""
        dearest = self.contest.dearest(part, room, self.fixed & part)
        return dearest if self.contest.settle(dearest.picks) == dearest else None

    def _offer(self, picks: Sequence[Pick]) -> None:
        """Keep these sets, one of each part, where they are better together."""
        together = Pick(sum(pick.total for pick in picks), sum(pick.picks for pick in picks))
        if together.worth > self.found.worth:
            self.found = together

    def _earliest(self) -> None:
        """Of the sets that are as good with as few, find the one whose coupons expire first."""
        among = self._that_allow(self.found.size)
        room = min((self.contest.most[number] for number in members(among)), default=0)
        for part in _parts(self.contest, among, room):
            pick = self.contest.settle(self.found.picks & part)
            if self.contest.dearest(part, pick.size, self.fixed & part) != pick:
                self._earliest_of(part, pick)

    def _earliest_of(self, part: int, pick: Pick) -> None:
        fixed, barred = self.fixed & part | self._needed(part, pick.total), 0
        for number in self.contest.by_rank:
            if not part >> number & 1 or fixed >> number & 1:
                continue
            if fixed.bit_count() == pick.size:
                return
            bit = 1 << number
            other = pick if pick.picks & bit else self._with(number, part, pick, fixed, barred)
            if other is None:
                barred |= bit
                continue
            fixed |= bit
            self.found = Pick(self.found.total, self.found.picks ^ pick.picks ^ other.picks)
            pick = other

    def _with(self, number: int, part: int, pick: Pick, fixed: int, barred: int) -> Pick | None:
        """A set as good as ``pick`` with this offer and all the fixed, without the barred."""
        contest, held = self.contest, fixed | 1 << number
        if contest.group[number] in {contest.group[other] for other in members(fixed)}:
            return None
        if contest.dearest(part & ~barred, pick.size, held).total < pick.total:
            return None
        for other in self._latest(pick.picks & ~fixed)[:TRIES]:
            swapped = pick.picks ^ 1 << other | 1 << number
            if contest.units(swapped) == pick.size and contest.sum(swapped) >= pick.total:
                settled = contest.settle(swapped)
                if settled == Pick(pick.total, swapped):
                    return settled
        if self._pays_all(part, pick):
            return Closing(self._field(part), self._reach(part), self.budget, held, barred).run(pick.size)
        walk = Walk(self._field(part), self.budget, pick.size, held, barred)
        walk.run((pick.total, -pick.size - 1), first=True)
        return walk.best

    def _latest(self, picks: int) -> list[int]:
        return sorted(members(picks), key=self.contest.rank.__getitem__, reverse=True)

    def _field(self, part: int) -> Field:
        if part not in self._fields:
            self._fields[part] = Field(self.contest, part)
        return self._fields[part]

    def _reach(self, part: int) -> Reach:
        if part not in self._reaches:
            self._reaches[part] = Reach(self._field(part))
        return self._reaches[part]


def _parts(contest: Contest, among: int, room: int) -> list[int]:
    """Split offers into parts that do not matter to each other: no group in common, and no line that may run out.

    Where there is not room for all, they all matter to each other.
    """
    if contest.units(among) > room:
        return [among]
    touched = _touched(contest, list(members(among)))
    rest, parts = among, []
    while rest:
        part, border = 0, rest & -rest
        while border:
            part |= border
            rest &= ~border
            border = 0
            for number in members(part):
                border |= touched[number] & rest
        parts.append(part)
    return parts


def _touched(contest: Contest, numbers: Sequence[int]) -> dict[int, int]:
    """Which others each offer matters to; ``numbers`` ascend, so that they are in the order in which they take.

    Of two for a common line the later one feels the earlier, if its lines may run out, or if what it leaves on them is
    felt by one that takes after it.
    """
    mates: dict[str | int, int] = {}
    for number in numbers:
        mates[contest.group[number]] = mates.get(contest.group[number], 0) | 1 << number
    left = _left_by_all(contest, numbers)
    rounding = sum([2 * len(contest.lines[number]) for number in numbers if len(contest.lines[number]) > 1])
    near = {number: [other for other in numbers if contest.mask[other] & contest.mask[number]] for number in numbers}
    feels = 0
    for number in reversed(numbers):
        later = [other for other in near[number] if other > number]
        if any(feels >> other & 1 for other in later) or (
            sum([left[line] for line in contest.lines[number]]) <= rounding
            and _is_scarce(contest, number, near[number])
        ):
            feels |= 1 << number
    return {
        number: mates[contest.group[number]]
        | sum([1 << other for other in near[number] if feels >> max(number, other) & 1])
        for number in numbers
    }


def _left_by_all(contest: Contest, numbers: Sequence[int]) -> list[int]:
    """What all of them together leave: no set leaves less on any line, but for the fen that rounding moves."""
    left = list(contest.payable)
    for number in numbers:
        lower(contest.amount[number], contest.lines[number], left)
    return left


def _is_scarce(contest: Contest, number: int, near: Sequence[int]) -> bool:
    """Whether all that may be taken from a coupon's lines is more than they cost."""
    demand: dict[str | int, int] = {}
    for other in near:
        group = contest.group[other]
        demand[group] = max(demand.get(group, 0), contest.amount[other])
    return sum(demand.values()) > contest.offers[number].scope_fen
