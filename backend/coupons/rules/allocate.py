"""A coupon's amount over its lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import sub


def take(amount_fen: int, lines: Sequence[int], left: list[int]) -> list[int]:
    """Take up to ``amount_fen`` off the lines, in proportion to what is left of each; what each gave, in their order.

    Shares are cumulative: the first n lines together give ⌊amount × what is left of them ÷ what is left of all⌋. So
    they round down, the remainder ends on the last line that has something left, and no line gives more than it has.

    Args:
        lines: positions in ``left``.
        left: fen left of every line of the basket; lowered in place.
    """
    weights = [left[line] for line in lines]
    total = sum(weights)
    if amount_fen >= total:
        for line in lines:
            left[line] = 0
        return weights
    given = [amount_fen * end // total for end in accumulate(weights)]
    parts = list(map(sub, given, [0, *given]))
    for line, weight, part in zip(lines, weights, parts, strict=True):
        left[line] = weight - part
    return parts


def lower(amount_fen: int, lines: Sequence[int], left: list[int]) -> int:
    """The same without the shares: what was taken, for whoever asks only how much; ``left`` is lowered alike."""
    weights = [left[line] for line in lines]
    total = sum(weights)
    if amount_fen >= total:
        if total:
            for line in lines:
                left[line] = 0
        return total
    end = before = 0
    for line, weight in zip(lines, weights, strict=True):
        if weight:
            end += weight
            given = amount_fen * end // total
            left[line] = weight + before - given
            before = given
    return amount_fen


def drain(amount_fen: int, lines: Sequence[int], left: list[int]) -> int:
    """Take as much off the first lines that have it: right where nobody asks any more which of the lines gave it."""
    rest = amount_fen
    for line in lines:
        weight = left[line]
        if weight >= rest:
            left[line] = weight - rest
            return amount_fen
        if weight:
            left[line] = 0
            rest -= weight
    return amount_fen - rest
