"""What changed between two versions of a text, line by line."""

from __future__ import annotations

from difflib import SequenceMatcher

from ..types import Line, Mark


def lines(old: str, new: str) -> list[Line]:
    """Every line of both texts, in their order; of what was replaced the old lines first."""
    before, after = old.split("\n"), new.split("\n")
    found: list[Line] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after).get_opcodes():
        if kind == "equal":
            found += [Line(Mark.SAME, text) for text in before[i1:i2]]
            continue
        found += [Line(Mark.REMOVED, text) for text in before[i1:i2]]
        found += [Line(Mark.ADDED, text) for text in after[j1:j2]]
    return found
