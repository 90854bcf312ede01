"""``bench combine``: how long the best set of coupons takes to find, and how often it is proven, over many wallets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from random import Random

import msgspec

from backend.coupons.rules.combine import combine

from .wallets import COUPONS, FAMILIES, LINES, OCCASION, ON, Family, basket

GOAL_MS = 5.0
GOAL_SHARE = 0.99


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One family: milliseconds of CPU for each wallet, ascending, and how many answers were proven.

    ``exact`` ones are the best; of ``most`` it is proven that no set takes more, though fewer coupons may do.
    """

    family: str
    usual: bool
    ms: list[float]
    exact: int
    most: int

    @property
    def within(self) -> float:
        """The share that took no longer than the goal."""
        return sum(each <= GOAL_MS for each in self.ms) / len(self.ms)

    @property
    def proven(self) -> float:
        """The share whose answer is proven to be the best."""
        return self.exact / len(self.ms)

    @property
    def reached(self) -> bool:
        """Whether as many as wanted were both."""
        return self.within >= GOAL_SHARE and self.proven >= GOAL_SHARE

    def percentile(self, share: float) -> float:
        """So many are no slower."""
        return self.ms[min(len(self.ms) - 1, int(len(self.ms) * share))]


def measure(wallets: int, say: Callable[[str], None], families: Sequence[Family] = FAMILIES) -> list[Measured]:
    """Find the best set for so many wallets of each family; the same ones each time."""
    found = []
    for family in families:
        say(family.name)
        found.append(_measure(family, wallets))
    return found


def _measure(family: Family, wallets: int) -> Measured:
    spent, exact, most = [], 0, 0
    for number in range(-3, wallets):  # a few to warm up
        dice = Random(f"{family.name}:{max(0, number)}")  # noqa: S311 - so that runs can be compared
        lines = basket(dice)
        helds = family.make(dice, lines)
        began = time.thread_time()
        best = combine(helds, lines, OCCASION, ON)
        if number >= 0:
            spent.append((time.thread_time() - began) * 1000)
            exact += best.exact
            most += best.most
    return Measured(family=family.name, usual=family.usual, ms=sorted(spent), exact=exact, most=most)


def rows(found: Sequence[Measured]) -> list[tuple[str, ...]]:
    """The table: a family, p50, p99, the share within the goal, of what share the amount is proven, and of what all."""
    return [
        (
            each.family,
            f"{each.percentile(0.5):.1f}",
            f"{each.percentile(0.99):.1f}",
            f"{each.within:.1%}",
            f"{each.most / len(each.ms):.1%}",
            f"{each.proven:.1%}",
        )
        for each in found
    ]


def verdict(found: Sequence[Measured]) -> str:
    """What came of the usual families, in a sentence."""
    usual = [each for each in found if each.usual]
    good = sum(each.reached for each in usual)
    return (
        f"{COUPONS} coupons × {LINES} lines: {good} of {len(usual)} usual families with at least {GOAL_SHARE:.0%}"
        f" within {GOAL_MS:g} ms and proven"
    )


def as_json(found: Sequence[Measured]) -> list[dict[str, object]]:
    """Everything that was measured."""
    return [msgspec.to_builtins(each) for each in found]
