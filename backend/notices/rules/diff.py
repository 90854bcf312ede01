"""What changed between two versions of a text, line by line."""

from __future__ import annotations

from collections.abc import Sequence

from ..types import Line, Mark

MOST_CHANGES = 600
"""Lines that were added or removed; of texts that differ in more, all between what both begin and end with is new."""


def lines(old: str, new: str) -> list[Line]:
    """Every line of both texts, in their order; of what was replaced the old lines first."""
    before, after = old.split("\n"), new.split("\n")
    head = _alike(before, after)
    tail = _alike(before[head:][::-1], after[head:][::-1])
    return [
        *(Line(Mark.SAME, text) for text in before[:head]),
        *_changed(before[head : len(before) - tail], after[head : len(after) - tail]),
        *(Line(Mark.SAME, text) for text in before[len(before) - tail :]),
    ]


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """With how many lines both begin."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _changed(before: list[str], after: list[str]) -> list[Line]:
    """The same of texts that begin and end differently."""
    marks: list[Line] = []
    removed: list[Line] = []
    added: list[Line] = []
    at = at_new = 0
    for old, new in [*_shared(before, after), (len(before), len(after))]:
        removed += (Line(Mark.REMOVED, text) for text in before[at:old])
        added += (Line(Mark.ADDED, text) for text in after[at_new:new])
        if old < len(before):
            marks += [*removed, *added, Line(Mark.SAME, before[old])]
            removed, added = [], []
        at, at_new = old + 1, new + 1
    return marks + removed + added


def _shared(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    """The places of lines that stay, in both texts: as many as can; none where too much has changed.

    ``reach[k]`` is how far ``changes`` steps lead in the old text on the diagonal ``k`` (old place less new one).

    Source: E. W. Myers, An O(ND) Difference Algorithm and Its Variations, 1986.
    """
    reach = {1: 0}
    history: list[dict[int, int]] = []
    for changes in range(min(MOST_CHANGES, len(before) + len(after)) + 1):
        history.append(dict(reach))
        for k in range(-changes, changes + 1, 2):
            down = k == -changes or (k != changes and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(before) and x - k < len(after) and before[x] == after[x - k]:
                x += 1
            reach[k] = x
            if x >= len(before) and x - k >= len(after):
                return _walked_back(history, len(before), len(after))
    return []


def _walked_back(history: Sequence[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for changes in range(len(history) - 1, -1, -1):
        reach, k = history[changes], x - y
        down = k == -changes or (k != changes and reach[k - 1] < reach[k + 1])
        start = reach[k + 1] if down else reach[k - 1] + 1
        found += ((at, at - k) for at in range(x - 1, start - 1, -1))
        x, y = (start, start - k - 1) if down else (start - 1, start - k)
    return found[::-1]
