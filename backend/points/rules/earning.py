"""What a purchase earns: of the base rules the best for each line, then promotions on top. Docs: docs/points.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from ..types import CapUse, Earned, Earning, EarningLine, Extra, LineEarned, Occasion, Rule, RuleKind
from .conditions import holds_for, holds_on

BP = 10_000
_UNIT = 100 * BP * BP * BP
"""Fen in ¥1, and three rates in 1/10000."""


def standard_points(earning_fen: int, rate_bp: int, multiplier_bp: int, per_yuan_bp: int) -> int:
    """What the standard rule gives a line: category rate × level multiplier × points per ¥1, rounded down.

    Source: CONTRACT, POS, points earned.
    """
    return earning_fen * rate_bp * multiplier_bp * per_yuan_bp // _UNIT


def earn_by_standard(lines: Iterable[tuple[int, int, int]], here: Occasion) -> Earned:
    """What ``earn`` says where no rule lives, for lines as ``(line_no, earning fen, rate)``: the till's usual case."""
    by_yuan = here.multiplier_bp * here.per_yuan_bp
    return Earned(tuple([LineEarned(number, fen * rate_bp * by_yuan // _UNIT) for number, fen, rate_bp in lines]))


def earn(lines: Sequence[EarningLine], payable_fen: int, earning: Earning) -> Earned:
    """What each line earns, and by what.

    The standard rule always applies; another base rule wins where it gives more. A line that never earns (its rate is
    0) and one to which the base rules give nothing get nothing of promotions either.

    Args:
        payable_fen: what the whole purchase costs, after discounts and before tenders.
    """
    here = earning.occasion
    found = [rule for rule in earning.rules if holds_on(rule.terms.condition, here, payable_fen)]
    bases = [rule for rule in found if rule.kind is RuleKind.BASE]
    promotions = _Promotions([rule for rule in found if rule.kind is RuleKind.PROMOTION], here)
    earned = []
    for line in lines:
        points, base = _base(line, bases, here)
        extras = promotions.add_to(line, points) if points else ()
        total = points + sum(extra.points for extra in extras)
        earned.append(LineEarned(line.line_no, total, base.reference if base else None, extras))
    return Earned(tuple(earned), promotions.caps())


def live_at(rules: Sequence[Rule], at: datetime) -> tuple[Rule, ...]:
    """The versions that lived at that instant."""
    return tuple(rule for rule in rules if rule.from_at <= at and (rule.until_at is None or at < rule.until_at))


def cap_mark(rule_id: str, on: date) -> str:
    """The name under which the ledger counts what a promotion added for a member on a day."""
    return f"points:{rule_id}:{on.isoformat()}"


def _base(line: EarningLine, bases: Sequence[Rule], here: Occasion) -> tuple[int, Rule | None]:
    """The most that a base rule gives this line, and which; None for the standard rule, which wins where it is even."""
    best = standard_points(line.earning_fen, line.rate_bp, here.multiplier_bp, here.per_yuan_bp)
    winner = None
    if not line.rate_bp:
        return 0, None
    for rule in bases:
        if holds_for(rule.terms.condition, line):
            multiplier_bp = here.multiplier_bp if rule.terms.by_level else BP
            points = line.earning_fen * rule.terms.rate_bp * multiplier_bp // (100 * BP * BP)
            if points > best:
                best, winner = points, rule
    return best, winner


class _Promotions:
    """The promotions of a purchase, and what is left of their most for the member and the day, line by line."""

    def __init__(self, rules: Sequence[Rule], here: Occasion) -> None:
        self._rules = rules
        self._most_times_bp = here.most_times_bp
        self._on = here.at.date()
        self._left = {
            rule.id: max(0, rule.terms.day_cap - here.taken.get(cap_mark(rule.id, self._on), 0))
            for rule in rules
            if rule.terms.day_cap is not None
        }
        self._added: dict[str, int] = {}

    def add_to(self, line: EarningLine, base_points: int) -> tuple[Extra, ...]:
        """What is added to a line: by the best promotion that stands alone, or by all stackable ones together."""
        found = [rule for rule in self._rules if holds_for(rule.terms.condition, line)]
        alone = [self._extras([rule], base_points) for rule in found if not rule.terms.stackable]
        together = self._extras([rule for rule in found if rule.terms.stackable], base_points)
        best = max([*alone, together], key=_total)  # the first of equals
        for rule, points in best:
            self._added[rule.id] = self._added.get(rule.id, 0) + points
            if rule.id in self._left:
                self._left[rule.id] -= points
        return tuple(Extra(rule.reference, points) for rule, points in best)

    def _extras(self, rules: Sequence[Rule], base_points: int) -> list[tuple[Rule, int]]:
        """What these add together, in the order of the rules; their multipliers make no more than the most in all.

        What the day's most keeps back of one leaves its room to the next.
        """
        room, extras = base_points * (self._most_times_bp - BP) // BP, []
        for rule in rules:
            times = min(base_points * (rule.terms.times_bp - BP) // BP, room)
            points = times + rule.terms.plus
            points = min(points, self._left.get(rule.id, points))
            room -= min(times, points)
            if points > 0:
                extras.append((rule, points))
        return extras

    def caps(self) -> tuple[CapUse, ...]:
        """What was taken of the most for the member and the day."""
        return tuple(
            CapUse(cap_mark(rule.id, self._on), self._added[rule.id], rule.terms.day_cap)
            for rule in self._rules
            if rule.terms.day_cap is not None and self._added.get(rule.id)
        )


def _total(extras: Sequence[tuple[Rule, int]]) -> int:
    return sum(points for _, points in extras)
