"""From a schedule that fails to the shortest one that still fails, by trying: delta debugging. Pure but for the tries.

Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (ddmin).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .schedule import Fault

LEAST_AFTER = 25
"""Operations that are left after the last fault, so that it meets something, and taken away at least."""


class Case(NamedTuple):
    """A run: how many operations, and what goes wrong meanwhile."""

    ops: int
    faults: tuple[Fault, ...]


Fails = Callable[[Case], bool]


class OutOfTries(Exception):
    """The bound on tries (or on time, which the caller keeps) is reached; the best so far counts."""


class Shrinker:
    """Keeps the shortest failing case; ``tries`` is what it has spent.

    A case that does not fail is tried ``each`` times: what meets what is a matter of luck too.
    """

    def __init__(self, case: Case, fails: Fails, *, most_tries: int, each: int = 1) -> None:
        self.best = case
        self.tries = 0
        self._fails = fails
        self._most = most_tries
        self._each = each

    def run(self) -> Case:
        """Drop faults, then operations; returns the shortest case seen to fail."""
        try:
            self._drop_faults()
            self._drop_operations()
        except OutOfTries:
            pass
        return self.best

    def _try(self, case: Case) -> bool:
        for _ in range(self._each):
            if self.tries >= self._most:
                raise OutOfTries
            self.tries += 1
            if self._fails(case):
                self.best = case
                return True
        return False

    def _drop_faults(self) -> None:
        """Without any, without each half, without each quarter …, as long as it still fails."""
        if self.best.faults and self._try(Case(self.best.ops, ())):
            return
        parts = 2
        while len(self.best.faults) > 1:
            for kept in _without_each(self.best.faults, parts):
                if self._try(Case(self.best.ops, kept)):
                    parts = max(2, parts - 1)
                    break
            else:
                if parts >= len(self.best.faults):
                    return
                parts = min(len(self.best.faults), parts * 2)

    def _drop_operations(self) -> None:
        """End sooner by halves; what is left of the schedule keeps its distances, and comes sooner by halves too."""
        sooner = True
        while sooner:
            sooner = False
            for case in _shorter(self.best):
                if self._try(case):
                    sooner = True
                    break


def _without_each(faults: Sequence[Fault], parts: int) -> list[tuple[Fault, ...]]:
    size = -(-len(faults) // parts)
    return [tuple(faults[:start]) + tuple(faults[start + size :]) for start in range(0, len(faults), size)]


def _shorter(case: Case) -> list[Case]:
    first, last = (case.faults[0].at, case.faults[-1].at) if case.faults else (0, 0)
    found = []
    if (by := first // 2) > LEAST_AFTER:
        found.append(Case(case.ops - by, tuple(fault._replace(at=fault.at - by) for fault in case.faults)))
    if (ops := last + max(LEAST_AFTER, (case.ops - last) // 2)) < case.ops:
        found.append(Case(ops, case.faults))
    return found
