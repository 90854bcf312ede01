"""Answers as tables for spreadsheets: a line each, in the words that were chosen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.sheets import Cell, Page

from .queries.answers import AnswerRow, list_answers
from .reporting import columns_of
from .rules.walking import number_text
from .types import Given, Medium, Outcome, Question, QuestionKind, Survey

PAGE = 500

_MEDIA = {Medium.PHONE: "小程序", Medium.PAPER: "纸质", Medium.TELEPHONE: "电话"}
_NAMED = ("会员号", "时间", "门店", "等级", "奖励")


def heading(survey: Survey, questions: Sequence[Question]) -> list[str]:
    """The names of the columns; of an anonymous survey without those that would tell who it was."""
    named = () if survey.terms.anonymous else _NAMED
    asked = [_title(question, row) for question, row in columns_of(questions)]
    return ["答卷", "版本", *named, "方式", "录入人", "得分", *asked]


def _title(question: Question, row: str) -> str:
    names = {one.id: one.text for one in question.rows}
    return f"{question.title} - {names[row]}" if row else question.title


async def pages(
    survey: Survey, questions: Sequence[Question], *, version: int | None, store_id: str | None
) -> AsyncIterator[Page]:
    """All answers, some hundred at a time."""
    after = None
    while True:
        found = await list_answers(survey, version=version, medium=None, store_id=store_id, after=after, limit=PAGE)
        yield [_line(survey, questions, answer) for answer in found]
        if len(found) < PAGE:
            return
        after = (found[-1].at, found[-1].id)


def _line(survey: Survey, questions: Sequence[Question], answer: AnswerRow) -> list[Cell]:
    by_id = {given.question: given for given in answer.given}
    at = answer.at.astimezone(clock.zone(settings().timezone)).strftime("%Y-%m-%d %H:%M:%S") if answer.at else None
    named = (
        () if survey.terms.anonymous else (answer.member_no, at, answer.store_id, answer.level, _won(answer.outcome))
    )
    staff = str(answer.entered_by) if answer.entered_by is not None else None
    said = [_said(question, row, by_id.get(question.id)) for question, row in columns_of(questions)]
    return [str(answer.id), answer.version, *named, _MEDIA[answer.medium], staff, answer.score, *said]


def _won(outcome: Outcome | None) -> Cell:
    """What was given: the prize that was drawn, else points or a coupon."""
    if outcome is None:
        return None
    return outcome.title or (f"{outcome.points} 积分" if outcome.points else outcome.template_id)


def _said(question: Question, row: str, given: Given | None) -> Cell:
    """What was answered, in words."""
    if given is None:
        return None
    names = {option.id: option.text for option in question.options}
    if question.kind is QuestionKind.MATRIX:
        column = given.cells.get(row)
        return names.get(column, column) if column else None
    if given.choices:
        chosen = "；".join(names.get(choice, choice) for choice in given.choices)
        return f"{chosen}：{given.text}" if given.text else chosen
    if given.number is not None:
        return int(given.number) if given.number == int(given.number) else number_text(given.number)
    if given.on is not None:
        return given.on.isoformat()
    return "；".join(given.photos) if given.photos else given.text or None
