"""Results as charts: which numbers go where, with what words."""

from __future__ import annotations

from typing import Literal

from backend.kernel.charts import HIDDEN, Bar, Bars, Chart, Curve, Stacks
from backend.kernel.errors import invalid

from . import reporting
from .queries.counting import Narrow
from .rules.walking import number_text
from .schemas.results import BreakdownQuery, ChartQuery, ChoiceOut, CrossQuery, OverTimeQuery, QuestionOut, TableOut
from .types import Survey

PEOPLE = "人数"
MOST_DRAWN = 100
"""Lines of a table that a picture has room for."""


async def chart(survey: Survey, query: ChartQuery, narrow: Narrow, store_id: str | None) -> Chart:
    """What is asked for, ready to be drawn; ``store_id``: of that store only."""
    if query.what == "time":
        return await _over_time(survey, query, store_id)
    if query.question is None:
        raise invalid("/query/question", "is required")
    if query.what == "cross":
        wanted = CrossQuery(
            rows=query.question,
            rows_row=query.row,
            columns=query.columns or "",
            columns_row=query.columns_row,
            version=query.version,
        )
        return _stacks(await reporting.cross(survey, wanted), survey)
    if query.what == "breakdown":
        by = query.by
        if by != "store" and by != "level":
            raise invalid("/query/by", "is store or level")
        broken = BreakdownQuery(question=query.question, row=query.row, by=by, version=query.version)
        return _stacks(await reporting.breakdown(survey, broken, store_id), survey)
    found = await reporting.question_of(survey, narrow, query.question)
    if found is None:
        raise invalid("/query/question", "there is no such question")
    return _question(found, query.row)


def _question(question: QuestionOut, row: str | None) -> Chart:
    """A question's choices as bars; a matrix's rows as stacks, one row of it as bars."""
    if question.rows and row is None:
        names = [choice.text for choice in question.rows[0].choices]
        lines = [(one.text, [choice.count for choice in one.choices]) for one in question.rows]
        return Stacks(question.title, f"{question.answered} 人作答", PEOPLE, names, lines)
    if question.rows:
        found = next((one for one in question.rows if one.id == row), None)
        if found is None:
            raise invalid("/query/row", "there is no such row")
        return Bars(f"{question.title}：{found.text}", f"{found.answered} 人作答", PEOPLE, _bars(found.choices))
    words = [f"{question.answered} 人作答"]
    if question.average is not None:
        words.append(f"平均 {number_text(question.average)}")
    if question.nps is not None:
        words.append(f"净推荐值 {question.nps:+g}")
    return Bars(question.title, "，".join(words), PEOPLE, _bars(question.choices))


def _bars(choices: list[ChoiceOut]) -> list[Bar]:
    return [Bar(choice.text, choice.count, _note(choice)) for choice in choices]


def _note(choice: ChoiceOut) -> str:
    if choice.count is None or choice.share_bp is None:
        return HIDDEN
    return f"{choice.count}（{choice.share_bp / 100:.1f}%）"


def _stacks(table: TableOut, survey: Survey) -> Stacks:
    subtitle = f"{survey.terms.title}" + ("，少于 5 人的不显示" if table.hidden else "")
    if len(table.lines) > MOST_DRAWN:
        subtitle += f"，前 {MOST_DRAWN} 行，共 {len(table.lines)} 行"
    return Stacks(
        table.title,
        subtitle,
        PEOPLE,
        [head.text for head in table.columns],
        [(line.text, line.counts) for line in table.lines[:MOST_DRAWN]],
    )


async def _over_time(survey: Survey, query: ChartQuery, store_id: str | None) -> Curve:
    by: Literal["day", "week"] = "week" if query.by == "week" else "day"
    told = await reporting.over_time(survey, OverTimeQuery(by=by, question=query.question), store_id)
    unit = {"day": "每日", "week": "每周"}[told.by]
    if query.question is None:
        points = [(item.on.strftime("%m-%d"), float(item.answers)) for item in told.items]
        return Curve(survey.terms.title, f"{unit}答卷数", "答卷数", points)
    averages = [(item.on.strftime("%m-%d"), item.average) for item in told.items if item.average is not None]
    question = next(one for one in await reporting.questions_of(survey) if one.id == query.question)
    return Curve(question.title, f"{unit}平均", "平均", averages)
