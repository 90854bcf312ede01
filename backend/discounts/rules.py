"""Which rules compete for which line. Pure; what they take off, ``sales.rules.pricing`` says."""

from __future__ import annotations

from collections.abc import Sequence

from backend.points.rules.conditions import holds_for, holds_on
from backend.points.types import EarningLine, Occasion
from backend.sales.types import Line, LineOffer

from .types import Rule


def offers(rules: Sequence[Rule], lines: Sequence[Line], here: Occasion) -> tuple[tuple[LineOffer, ...], ...]:
    """For each line the offers of the highest priority that holds for it; nothing at all where none holds.

    ``min_fen`` of a condition is what the whole basket costs before any discount but the till's own.
    """
    basket_fen = sum(line.qty * line.unit_price_fen - line.discount_fen for line in lines)
    found = [rule for rule in rules if holds_on(rule.terms.condition, here, basket_fen)]
    if not found:
        return ()
    return tuple(_of_line(found, line, number) for number, line in enumerate(lines, 1))


def _of_line(rules: Sequence[Rule], line: Line, number: int) -> tuple[LineOffer, ...]:
    seen = EarningLine(number, line.sku, line.category, line.brand, 0, 0)
    found = [rule for rule in rules if holds_for(rule.terms.condition, seen)]
    highest = max((rule.terms.priority for rule in found), default=0)
    return tuple(
        LineOffer(rule.reference, rule.terms.rate_bp, rule.terms.piece_fen, stackable=rule.terms.stackable)
        for rule in found
        if rule.terms.priority == highest
    )
