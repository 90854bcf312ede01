"""What is told of answers: of an anonymous survey, by store, level or another answer, nothing that few said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from backend.auth import queries as auth
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members

from . import queries
from .errors import SurveyTooFew
from .queries import counting
from .queries.counting import Group, Narrow
from .rules import grouping, privacy, tallying
from .rules.tallying import Tally
from .rules.walking import NUMBERS
from .schemas.results import (
    BreakdownQuery,
    CountOut,
    CrossQuery,
    HeadOut,
    LineOut,
    MomentOut,
    OverTimeOut,
    OverTimeQuery,
    QuestionOut,
    StatisticsOut,
    TableOut,
)
from .types import Question, QuestionKind, Survey

_TEXTS = frozenset({QuestionKind.TEXT, QuestionKind.PHOTO})
_SINGLE = frozenset({QuestionKind.SINGLE, QuestionKind.MATRIX})
Cells = dict[tuple[str | None, str], int]


async def questions_of(survey: Survey, version: int | None = None) -> list[Question]:
    """The questions of a version, or of all of them together."""
    if version is not None:
        if not 0 < version <= survey.version:
            raise NotFound("there is no such version")
        return (await queries.get_version(survey.id, version)).questions
    return tallying.merged(list((await queries.list_versions(survey)).values()))


async def question_of(survey: Survey, narrow: Narrow, question_id: str) -> QuestionOut | None:
    """One question in numbers, None for none; of an anonymous survey narrowed by one thing at most."""
    questions = [one for one in await questions_of(survey, narrow.version) if one.id == question_id]
    return next(iter((await _told(survey, questions, narrow, question_id))[0]), None)


async def statistics(survey: Survey, narrow: Narrow) -> StatisticsOut:
    """A survey in numbers; of an anonymous one narrowed by one thing at most."""
    questions = await questions_of(survey, narrow.version)
    told, hidden = await _told(survey, questions, narrow)
    answers, score = await counting.totals(survey.id, narrow)
    return StatisticsOut(
        survey_id=survey.id,
        title=survey.terms.title,
        anonymous=survey.terms.anonymous,
        answers=answers,
        begun=None if any(narrow) else await counting.count_begun(survey.id),
        score_average=None if hidden else score,
        versions=await _counts(survey, "version", narrow),
        media=await _counts(survey, "medium", narrow),
        stores=await _counts(survey, "store_id", narrow),
        levels=await _counts(survey, "level", narrow),
        questions=told,
    )


async def _told(
    survey: Survey, questions: Sequence[Question], narrow: Narrow, only: str | None = None
) -> tuple[list[QuestionOut], bool]:
    """These questions in numbers, and whether some of it is not told; ``only`` where it is one."""
    hidden: dict[tuple[str, str], set[str]] = {}
    if survey.terms.anonymous and any(narrow):
        tallies, hidden = await _guarded(survey, narrow, only)
    else:
        tallies = await counting.tally(survey.id, narrow, only)
    answered = Counter[tuple[str, str]]()
    for tally in tallies:
        answered[tally.question, tally.row] += tally.times
    several = [question.id for question in questions if question.kind is QuestionKind.MULTIPLE]
    counted = await counting.count_answered(survey.id, several, narrow)
    told = tallying.statistics(questions, tallies, dict(answered) | counted, hidden)
    return told, any(hidden.values())


async def _guarded(
    survey: Survey, narrow: Narrow, only: str | None
) -> tuple[list[Tally], dict[tuple[str, str], set[str]]]:
    """What one group of an anonymous survey said, and what of it is not told.

    It is read off the table of all groups, so that this group less than all does not tell what another said.
    """
    group, key = _only(narrow)
    counts = await counting.count_by(survey.id, group, Narrow())
    if key not in counts or key in privacy.hidden_groups(counts):
        raise SurveyTooFew
    tables: dict[tuple[str, str], Cells] = {}
    for tally, of in await counting.tally_by(survey.id, group, Narrow(), only):
        tables.setdefault((tally.question, tally.row), {})[of, tally.choice] = tally.times
    told = [
        Tally(question, row, choice, count)
        for (question, row), cells in tables.items()
        for (of, choice), count in cells.items()
        if of == key
    ]
    hidden = {
        question: {choice for of, choice in privacy.hidden_cells(cells) if of == key}
        for question, cells in tables.items()
    }
    return told, hidden


def _only(narrow: Narrow) -> tuple[Group, str]:
    said: list[tuple[Group, str]] = []
    if narrow.version is not None:
        said.append(("version", str(narrow.version)))
    if narrow.store_id is not None:
        said.append(("store_id", narrow.store_id))
    if narrow.level is not None:
        said.append(("level", narrow.level))
    if len(said) != 1:
        raise SurveyTooFew("an anonymous survey is told by version, store or level: one at a time")
    return said[0]


async def _counts(survey: Survey, group: Group, narrow: Narrow) -> list[CountOut]:
    if survey.terms.anonymous and any(narrow):
        return []  # two things at once
    counts = await counting.count_by(survey.id, group, narrow)
    hidden = privacy.hidden_groups(counts) if survey.terms.anonymous else set()
    return [CountOut(key, None if key in hidden else count) for key, count in counts.items()]


async def cross(survey: Survey, query: CrossQuery) -> TableOut:
    """A table of two questions: who answered so to the one, how they answered the other."""
    if survey.terms.anonymous and query.version is not None:
        raise SurveyTooFew("an anonymous survey is told by one thing at a time")
    questions = {question.id: question for question in await questions_of(survey, query.version)}
    one = _find(questions, query.rows, query.rows_row, "/query/rows")
    other = _find(questions, query.columns, query.columns_row, "/query/columns")
    if (query.rows, query.rows_row) == (query.columns, query.columns_row):
        raise invalid("/query/columns", "is the same question")
    pair = ((one.id, query.rows_row or ""), (other.id, query.columns_row or ""))
    counted = await counting.cross(survey.id, *pair, query.version)
    lines = grouping.by_question(one, {row for row, _ in counted})
    cells = Counter[tuple[str | None, str]]()
    for (row, choice), count in counted.items():
        cells[lines.of[row], choice] += count
    return _table(f"{one.title} × {other.title}", lines.names, cells, survey, other)


async def breakdown(survey: Survey, query: BreakdownQuery, store_id: str | None) -> TableOut:
    """A question by store or level, as they were when it was answered; ``store_id``: of that store only."""
    if survey.terms.anonymous and (query.version is not None or (store_id is not None and query.by == "level")):
        raise SurveyTooFew("an anonymous survey is told by one thing at a time")
    questions = {question.id: question for question in await questions_of(survey, query.version)}
    question = _find(questions, query.question, query.row, "/query/question")
    group: Group = "store_id" if query.by == "store" else "level"
    narrow = Narrow(query.version, store_id if not survey.terms.anonymous else None)
    cells: Cells = {
        (of, tally.choice): tally.times
        for tally, of in await counting.tally_by(survey.id, group, narrow, question.id)
        if (tally.question, tally.row) == (question.id, query.row or "")
    }
    names = await _group_names(query.by, {of for of, _ in cells})
    table = _table(question.title, names, cells, survey, question)
    if store_id is not None:
        table.lines = [line for line in table.lines if query.by == "level" or line.id == store_id]
    return table


def _find(questions: Mapping[str, Question], question_id: str, row: str | None, pointer: str) -> Question:
    question = questions.get(question_id)
    if question is None or question.kind in _TEXTS:
        raise invalid(pointer, "there is no such question that is counted")
    if row not in ({one.id for one in question.rows} if question.kind is QuestionKind.MATRIX else {None}):
        raise invalid(pointer, "name a row of a matrix, and of nothing else")
    return question


async def _group_names(by: str, said: set[str | None]) -> dict[str | None, str]:
    if by == "store":
        known = {store.id: store.name for store in await auth.list_stores()}
    else:
        known = {level.code: level.name for level in (await members.levels()).values()}
    return {key: known.get(key or "", key or "—") for key in [*known, *said] if key in said}


MOST_LINES = 1000
"""As many stores as an audience may name."""


def _table(
    title: str, lines: Mapping[str | None, str] | Mapping[str, str], said: Cells, survey: Survey, question: Question
) -> TableOut:
    """A table of how each line answered the question: in its groups, with the average of what was said."""
    columns = grouping.by_question(question, {choice for _, choice in said})
    cells, numbers = Counter[tuple[str | None, str]](), dict[str | None, dict[str, int]]()
    for (line, choice), count in said.items():
        cells[line, columns.of[choice]] += count
        numbers.setdefault(line, {})[choice] = count
    hidden = privacy.hidden_cells(cells) if survey.terms.anonymous else set()
    made = []
    for key, text in list(lines.items())[:MOST_LINES]:
        counts = [None if (key, column) in hidden else cells[key, column] for column in columns.names]
        told = [count for count in counts if count is not None]
        whole = len(told) == len(counts)
        averaged = whole and question.kind in NUMBERS
        made.append(
            LineOut(
                id=key,
                text=text,
                total=sum(told) if whole else None,
                average=tallying.average(numbers.get(key, {})) if averaged else None,
                counts=counts,
            )
        )
    heads = [HeadOut(column, text) for column, text in columns.names.items()]
    return TableOut(title=title, columns=heads, lines=made, hidden=bool(hidden))


async def over_time(survey: Survey, query: OverTimeQuery, store_id: str | None) -> OverTimeOut:
    """Answers by day or week, with a question's average; of an anonymous one by week, where five answered."""
    if survey.terms.anonymous and store_id is not None:
        raise SurveyTooFew("an anonymous survey is told by one thing at a time")
    by: Literal["day", "week"] = "week" if survey.terms.anonymous else query.by
    found = await counting.over_time(survey.id, by, store_id)
    averages = {}
    if query.question is not None:
        question = _find({one.id: one for one in await questions_of(survey)}, query.question, None, "/query/question")
        if question.kind not in NUMBERS:
            raise invalid("/query/question", "is not answered with a number")
        averages = await counting.averages_over_time(survey.id, query.question, by, store_id)
    least = privacy.LEAST if survey.terms.anonymous else 1
    return OverTimeOut(
        by,
        [
            MomentOut(on, answers, averages[on][1] if on in averages and averages[on][0] >= least else None)
            for on, answers in found
        ],
    )


def columns_of(questions: Sequence[Question]) -> list[tuple[Question, str]]:
    """The columns of a table of answers: a question each, of a matrix a row each."""
    return [
        (question, row)
        for question in questions
        for row in ([one.id for one in question.rows] if question.kind is QuestionKind.MATRIX else [""])
    ]
