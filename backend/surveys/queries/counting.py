"""What was answered, counted by the database: every count is read off one index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal, NamedTuple

from backend.kernel import db
from backend.kernel.errors import NotFound

from ..rules.tallying import Tally
from ..schemas.admin import EntryOut, QuotaOut
from ..types import TOTAL, Quota, Survey

Group = Literal["store_id", "level", "version", "medium"]
MOST_DAYS = 731


class Narrow(NamedTuple):
    """Only answers of a version, a store, a level; None: of any."""

    version: int | None = None
    store_id: str | None = None
    level: str | None = None


_NARROW = (
    "($2::int IS NULL OR version = $2) AND ($3::text IS NULL OR store_id = $3) AND ($4::text IS NULL OR level = $4)"
)


async def count_each(survey_ids: Sequence[str], store_id: str | None) -> dict[str, int]:
    """How many answers each of these surveys has, of that store or of all."""
    rows = await db.fetch(
        "SELECT survey_id, count(*) FROM survey_answer WHERE survey_id = ANY($1)"
        " AND ($2::text IS NULL OR store_id = $2) GROUP BY survey_id",
        list(survey_ids),
        store_id,
    )
    return {row[0]: row[1] for row in rows}


async def list_quotas(survey_id: str) -> list[QuotaOut]:
    """How much of each quota is taken."""
    rows = await db.fetch("SELECT key, most, taken FROM survey_quota WHERE survey_id = $1 ORDER BY key", survey_id)
    return [QuotaOut(row[0], row[1], row[2]) for row in rows]


async def list_full(surveys: Iterable[Survey], level: str) -> set[str]:
    """Which of these surveys have all the answers they were to have, of members of that level."""
    bounded = [survey.id for survey in surveys if survey.terms.total is not None or survey.terms.quotas]
    if not bounded:
        return set()
    rows = await db.fetch(
        "SELECT DISTINCT survey_id FROM survey_quota WHERE survey_id = ANY($1) AND key = ANY($2) AND taken >= most",
        bounded,
        [TOTAL, Quota(limit=1, level=level).key],
    )
    return {row["survey_id"] for row in rows}


async def get_entry(survey_id: str, answer_id: int) -> EntryOut:
    """An answer that staff entered; ``NotFound`` for none."""
    row = await db.fetchrow(
        'SELECT id, medium, entered_by, "on", score FROM survey_answer'
        " WHERE survey_id = $1 AND id = $2 AND entered_by IS NOT NULL",
        survey_id,
        answer_id,
    )
    if row is None:
        raise NotFound("there is no such answer")
    return EntryOut(
        id=str(row["id"]),
        medium=row["medium"],
        entered_by=str(row["entered_by"]),
        answered_on=row["on"],
        score=row["score"],
    )


async def count_begun(survey_id: str) -> int:
    """Members who have saved something and not sent it; also where it was forgotten since."""
    return int(
        await db.fetchval(
            "SELECT count(*) FROM survey_participation"
            " WHERE survey_id = $1 AND done_on IS NULL AND version IS NOT NULL",
            survey_id,
        )
    )


async def totals(survey_id: str, narrow: Narrow) -> tuple[int, float | None]:
    """How many answers, and their average score."""
    row = await db.fetchrow(
        f"SELECT count(*), round(avg(score), 2)::float8 FROM survey_answer WHERE survey_id = $1 AND {_NARROW}",  # noqa: S608
        survey_id,
        *narrow,
    )
    assert row is not None
    return row[0], row[1]


async def count_by(survey_id: str, group: Group, narrow: Narrow) -> dict[str | None, int]:
    """Answers of each store, level, version or medium."""
    rows = await db.fetch(
        f"SELECT {group}::text, count(*) FROM survey_answer WHERE survey_id = $1 AND {_NARROW}"  # noqa: S608
        " GROUP BY 1 ORDER BY 1",
        survey_id,
        *narrow,
    )
    return {row[0]: row[1] for row in rows}


_ONE = "($5::text IS NULL OR question = $5)"


async def tally(survey_id: str, narrow: Narrow, question: str | None = None) -> list[Tally]:
    """How often everything was said, or everything to one question."""
    rows = await db.fetch(
        f'SELECT question, "row", choice, count(*) FROM survey_choice WHERE survey_id = $1 AND {_NARROW}'  # noqa: S608
        f' AND {_ONE} GROUP BY question, "row", choice',
        survey_id,
        *narrow,
        question,
    )
    return [Tally(*row) for row in rows]


async def tally_by(
    survey_id: str, group: Group, narrow: Narrow, question: str | None = None
) -> list[tuple[Tally, str | None]]:
    """The same by store, level or version."""
    rows = await db.fetch(
        f'SELECT question, "row", choice, count(*), {group}::text FROM survey_choice'  # noqa: S608
        f' WHERE survey_id = $1 AND {_NARROW} AND {_ONE} GROUP BY question, "row", choice, {group}',
        survey_id,
        *narrow,
        question,
    )
    return [(Tally(row[0], row[1], row[2], row[3]), row[4]) for row in rows]


_ANSWERED = f"""
SELECT question, "row", count(DISTINCT answer_id) FROM survey_choice
 WHERE survey_id = $1 AND question = ANY($5) AND {_NARROW} GROUP BY question, "row"
"""  # noqa: S608 - put together of constants


async def count_answered(survey_id: str, questions: Sequence[str], narrow: Narrow) -> dict[tuple[str, str], int]:
    """How many answered these questions, where one answer may say several things."""
    rows = await db.fetch(_ANSWERED, survey_id, *narrow, list(questions)) if questions else []
    return {(row[0], row[1]): row[2] for row in rows}


async def cross(
    survey_id: str, one: tuple[str, str], other: tuple[str, str], version: int | None
) -> dict[tuple[str, str], int]:
    """How many said each pair of answers to two questions (and rows)."""
    rows = await db.fetch(
        "SELECT a.choice, b.choice, count(*) FROM survey_choice a JOIN survey_choice b"
        '   ON b.survey_id = a.survey_id AND b.answer_id = a.answer_id AND b.question = $4 AND b."row" = $5'
        ' WHERE a.survey_id = $1 AND a.question = $2 AND a."row" = $3 AND b.survey_id = $1'
        " AND ($6::int IS NULL OR a.version = $6) GROUP BY 1, 2",
        survey_id,
        *one,
        *other,
        version,
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def over_time(survey_id: str, by: Literal["day", "week"], store_id: str | None) -> list[tuple[date, int]]:
    """Answers by day, or by week from Monday, the oldest first; of the last two years with any."""
    rows = await db.fetch(
        f'SELECT date_trunc($2, "on")::date AS since, count(*) FROM survey_answer WHERE survey_id = $1'  # noqa: S608
        f" AND ($3::text IS NULL OR store_id = $3) GROUP BY 1 ORDER BY 1 DESC LIMIT {MOST_DAYS}",
        survey_id,
        by,
        store_id,
    )
    return [(row[0], row[1]) for row in reversed(rows)]


async def averages_over_time(
    survey_id: str, question: str, by: Literal["day", "week"], store_id: str | None
) -> dict[date, tuple[int, float]]:
    """How many answered a question with a number by day or week, and their average."""
    rows = await db.fetch(
        'SELECT date_trunc($3, "on")::date, count(*), round(avg(number)::numeric, 2)::float8 FROM survey_choice'
        " WHERE survey_id = $1 AND question = $2 AND number IS NOT NULL AND ($4::text IS NULL OR store_id = $4)"
        " GROUP BY 1",
        survey_id,
        question,
        by,
        store_id,
    )
    return {row[0]: (row[1], row[2]) for row in rows}
