"""The handbook's tree: who is shown which chapter, and where a chapter may be put."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..types import Chapter, Visibility

DEEPEST = 4
"""How many chapters lie one below the other at most."""


def shown_to(chapters: Sequence[Chapter], *, level: str | None, staff: bool) -> list[Chapter]:
    """The chapters that a reader is shown, in their order: each published and meant for them, and so all above it.

    ``level`` is a member's, None for a reader of whom nothing is known; staff are shown what everybody is.
    """
    by_id = {chapter.id: chapter for chapter in chapters}
    return [
        chapter
        for chapter in in_order(chapters)
        if all(_open(one, level, staff) for one in (chapter, *above(by_id, chapter)))
    ]


def _open(chapter: Chapter, level: str | None, staff: bool) -> bool:
    if chapter.current is None:
        return False
    if staff or chapter.visibility is Visibility.EVERYONE:
        return True
    return chapter.visibility is Visibility.LEVELS and level in chapter.levels


def above(by_id: Mapping[str, Chapter], chapter: Chapter) -> list[Chapter]:
    """The chapters above one, the highest first."""
    found: list[Chapter] = []
    parent = chapter.parent_id
    while parent is not None and len(found) < DEEPEST:
        found.insert(0, by_id[parent])
        parent = by_id[parent].parent_id
    return found


def in_order(chapters: Sequence[Chapter]) -> list[Chapter]:
    """As a book is read: each chapter, then those below it; next to each other by ``sort``, then id."""
    below: dict[str | None, list[Chapter]] = {}
    for chapter in sorted(chapters, key=lambda one: (one.sort, one.id)):
        below.setdefault(chapter.parent_id, []).append(chapter)
    found: list[Chapter] = []

    def walk(parent: str | None) -> None:
        for chapter in below.get(parent, ()):
            found.append(chapter)
            walk(chapter.id)

    walk(None)
    return found


def depth_of(chapters: Sequence[Chapter], chapter_id: str | None) -> int:
    """On which level a chapter lies, 1 for the highest; 0 for None."""
    parents = {chapter.id: chapter.parent_id for chapter in chapters}
    depth = 0
    while chapter_id is not None:
        chapter_id, depth = parents[chapter_id], depth + 1
    return depth


def height_of(chapters: Sequence[Chapter], chapter_id: str) -> int:
    """How many levels a chapter and what lies below it take."""
    below = [chapter.id for chapter in chapters if chapter.parent_id == chapter_id]
    return 1 + max((height_of(chapters, id_) for id_ in below), default=0)


def lies_below(chapters: Sequence[Chapter], chapter_id: str, other: str | None) -> bool:
    """Whether a chapter is the other or lies below it."""
    parents = {chapter.id: chapter.parent_id for chapter in chapters}
    at: str | None = chapter_id
    while at is not None:
        if at == other:
            return True
        at = parents.get(at)
    return False
