"""What of an anonymous survey is not told, so that nobody is found out: what fewer than five said, and what tells it.

A small count is hidden; and where a sum is told all the same, another one with it, or the sum would give it away.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

LEAST = 5

K = TypeVar("K", bound=Hashable)
R = TypeVar("R", bound=Hashable)
C = TypeVar("C", bound=Hashable)


def hidden_groups(counts: Mapping[K, int]) -> set[K]:
    """The groups whose counts are not told: each below five, and the smallest others until five are hidden together."""
    order = sorted((key for key in counts if counts[key] > 0), key=lambda key: counts[key])
    hidden = {key for key in order if counts[key] < LEAST}
    for key in order:
        if not hidden or sum(counts[one] for one in hidden) >= LEAST:
            break
        hidden.add(key)
    return hidden


def hidden_cells(cells: Mapping[tuple[R, C], int]) -> set[tuple[R, C]]:
    """The cells of a table that are not told, where the sums of its rows and columns are.

    Hidden are cells below five, all of a row or column whose sum is below five, and, where only one of a row or column
    would be hidden, the smallest other of it, for the sum would give the one away.
    """
    rows, columns = sorted({row for row, _ in cells}, key=str), sorted({column for _, column in cells}, key=str)
    lines = [[(row, column) for column in columns] for row in rows]
    lines += [[(row, column) for row in rows] for column in columns]
    hidden = {cell for cell, count in cells.items() if 0 < count < LEAST}
    for line in lines:
        if 0 < sum(cells.get(cell, 0) for cell in line) < LEAST:
            hidden |= set(line)
    while more := {cell for line in lines if (cell := _second(line, cells, hidden)) is not None}:
        hidden |= more
    return hidden


def _second(line: list[tuple[R, C]], cells: Mapping[tuple[R, C], int], hidden: set[tuple[R, C]]) -> tuple[R, C] | None:
    """The cell of a line that must be hidden too; None where none or several are hidden."""
    if sum(cell in hidden for cell in line) != 1:
        return None
    others = [cell for cell in line if cell not in hidden]
    return min(others, key=lambda cell: (cells.get(cell, 0) == 0, cells.get(cell, 0), str(cell)), default=None)
