"""Reads of the handbook: its tree, its texts, and what questions find in it."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.kept import Kept

from ..rules import asking, tree
from ..types import Chapter, Found, Version, Visibility
from .shared import blocks_of, names_of

KEPT_S = 2.0
MOST_CHAPTERS = 500
HISTORY = 50

_CHAPTERS = """
SELECT c.id, c.parent_id, c.sort, coalesce(v.title, d.title) AS title, c.visibility, c.levels, c.current,
       d.number AS draft, c.updated_at
  FROM notice_chapter c
  LEFT JOIN notice_version v ON v.chapter_id = c.id AND v.number = c.current
  LEFT JOIN LATERAL (SELECT title, number, published_at FROM notice_version w WHERE w.chapter_id = c.id
                      ORDER BY number DESC LIMIT 1) n ON true
  LEFT JOIN LATERAL (SELECT n.title, CASE WHEN n.published_at IS NULL THEN n.number END AS number) d ON true
 WHERE c.removed_at IS NULL"""


def _chapter(row: db.Record) -> Chapter:
    return Chapter(**dict(row) | {"visibility": Visibility(row["visibility"]), "levels": names_of(row["levels"])})


async def _read_chapters() -> list[Chapter]:
    return [_chapter(row) for row in await db.fetch(f"{_CHAPTERS} LIMIT {MOST_CHAPTERS}")]


_chapters = Kept(_read_chapters, keep_s=KEPT_S)


async def list_chapters(*, fresh: bool = False) -> list[Chapter]:
    """Every chapter, at most two seconds old unless it is to be ``fresh``."""
    return await _read_chapters() if fresh else await _chapters.get()


def forget_chapters() -> None:
    """Read the tree again at the next question: it was changed here."""
    _chapters.forget()


async def find_chapter(chapter_id: str) -> Chapter | None:
    """A chapter as it stands, or None."""
    row = await db.fetchrow(f"{_CHAPTERS} AND c.id = $1", chapter_id)
    return _chapter(row) if row else None


VERSION = (
    "SELECT chapter_id, number, title, body, blocks, note, revision, staff_id, saved_at, published_at"
    " FROM notice_version"
)


def version_of(row: db.Record) -> Version:
    """A row of ``VERSION``."""
    return Version(**dict(row) | {"blocks": blocks_of(row["blocks"])})


async def find_version(chapter_id: str, number: int) -> Version | None:
    """A version of a chapter that is still there, or None."""
    row = await db.fetchrow(
        f"{VERSION} WHERE chapter_id = $1 AND number = $2"
        " AND EXISTS (SELECT FROM notice_chapter c WHERE c.id = $1 AND c.removed_at IS NULL)",
        chapter_id,
        number,
    )
    return version_of(row) if row else None


async def list_versions(chapter_id: str, *, before: int | None) -> list[Version]:
    """Fifty versions of a chapter before that number, the newest first."""
    rows = await db.fetch(
        f"{VERSION} WHERE chapter_id = $1 AND ($2::int IS NULL OR number < $2) ORDER BY number DESC LIMIT {HISTORY}",
        chapter_id,
        before,
    )
    return [version_of(row) for row in rows]


_SEARCH = """
SELECT v.chapter_id, v.title, v.plain, m.written
  FROM notice_chapter c JOIN notice_version v ON v.chapter_id = c.id AND v.number = c.current,
       LATERAL (SELECT count(*) FILTER (WHERE v.title_terms @@ w::tsquery) AS named,
                       count(*) FILTER (WHERE v.terms @@ w::tsquery) AS written
                  FROM unnest($1::text[]) AS w) m,
       LATERAL (SELECT count(*) AS alike FROM unnest($2::text[]) AS w WHERE v.title_terms @@ w::tsquery) t
 WHERE c.id = ANY($3) AND m.written > 0
 ORDER BY 6 * m.named + 2 * m.written + t.alike DESC, c.sort, c.id LIMIT $4"""


async def search_chapters(text: str, chapters: list[Chapter], *, limit: int) -> list[Found]:
    """Where in these chapters (of the tree as it was read) a question is answered, the best first.

    At least half of what was asked must be there. A word in a title counts as much as three in the text, a character
    in a title as much as half a word.
    """
    asked = asking.asked(text)
    if not asked or not chapters:
        return []
    by_id = {chapter.id: chapter for chapter in chapters}
    rows = await db.fetch(_SEARCH, asked, asking.characters(text), list(by_id), limit)
    return [
        Found(
            chapter_id=row["chapter_id"],
            title=row["title"],
            above=tuple(one.title for one in tree.above(by_id, by_id[row["chapter_id"]])),
            excerpt=asking.excerpt(row["plain"], text),
            score=row["written"] * 10_000 // len(asked),
        )
        for row in rows
        if 2 * row["written"] >= len(asked)
    ]


async def search_handbook(text: str, limit: int, *, level: str | None = None, staff: bool = False) -> list[Found]:
    """Chapters that answer a question, the best first (public).

    Args:
        text: what somebody asked, in their own words.
        limit: how many chapters at most.
        level: the code of the member's level; without one only what is for everybody is found.
        staff: what is for staff only, too.
    """
    shown = tree.shown_to(await list_chapters(), level=level, staff=staff)
    return await search_chapters(text, shown, limit=limit)
