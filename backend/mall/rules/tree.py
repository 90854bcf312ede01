"""Categories lie under each other."""

from __future__ import annotations

from collections.abc import Mapping

MOST_LEVELS = 5
"""How deep the tree may be."""


def with_all_below(parents: Mapping[str, str | None], code: str) -> list[str]:
    """A category and everything under it, sorted; ``parents`` says under which each lies. Empty where it is none."""
    if code not in parents:
        return []
    found, last = {code}, {code}
    for _ in range(MOST_LEVELS):
        last = {below for below, parent in parents.items() if parent in last and below not in found}
        found |= last
    return sorted(found)


def depth_under(parents: Mapping[str, str | None], code: str | None) -> int | None:
    """How many categories lie above something put under ``code``; None where they go round in a circle."""
    seen: set[str] = set()
    while code is not None:
        if code in seen:
            return None
        seen.add(code)
        code = parents.get(code)
    return len(seen)


def may_move(parents: Mapping[str, str | None], code: str, parent: str | None) -> bool:
    """Whether a category may lie under another: not under itself, and the tree stays within its depth."""
    moved = {**parents, code: parent}
    depths = [depth_under(moved, each) for each in (code, *with_all_below(moved, code))]
    return all(depth is not None and depth <= MOST_LEVELS for depth in depths)
