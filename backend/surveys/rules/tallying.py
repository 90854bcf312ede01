"""Counts as statistics: shares, averages, NPS; over all versions a question is what its newest version says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from ..schemas.results import ChoiceOut, QuestionOut, RowOut
from ..types import Content, Option, Question, QuestionKind
from . import grouping
from .answering import bounds
from .grouping import Groups
from .publishing import CHOOSING

PROMOTER_FROM, DETRACTOR_TO = 9, 6
_SCALES = frozenset({QuestionKind.RATING, QuestionKind.NPS})


class Tally(NamedTuple):
    """How often something was said."""

    question: str
    row: str
    choice: str
    times: int


def merged(contents: Sequence[Content]) -> list[Question]:
    """The questions of several versions (oldest first): each as the newest has it, with every option there was."""
    found: dict[str, Question] = {}
    for content in reversed(contents):
        for question in content.questions:
            newer = found.get(question.id)
            if newer is None:
                found[question.id] = question
            else:
                found[question.id] = msgspec.structs.replace(
                    newer, options=_union(newer.options, question.options), rows=_union(newer.rows, question.rows)
                )
    return list(found.values())


def _union(newer: tuple[Option, ...], older: tuple[Option, ...]) -> tuple[Option, ...]:
    known = {option.id for option in newer}
    return newer + tuple(option for option in older if option.id not in known)


def statistics(
    questions: Sequence[Question],
    tallies: Iterable[Tally],
    answered: Mapping[tuple[str, str], int],
    hidden: Mapping[tuple[str, str], set[str]] | None = None,
) -> list[QuestionOut]:
    """What was answered to each question.

    ``answered`` is how many answered each question and row; ``hidden`` the choices of these that are not told: where
    there are any, neither average nor NPS is, for these would tell them.
    """
    counts: dict[tuple[str, str], Counter[str]] = {}
    for tally in tallies:
        counts.setdefault((tally.question, tally.row), Counter())[tally.choice] += tally.times
    return [_question(question, counts, answered, hidden or {}) for question in questions]


def _question(
    question: Question,
    counts: Mapping[tuple[str, str], Counter[str]],
    answered: Mapping[tuple[str, str], int],
    hidden: Mapping[tuple[str, str], set[str]],
) -> QuestionOut:
    told = QuestionOut(id=question.id, kind=question.kind, title=question.title, answered=0)
    if question.kind is QuestionKind.MATRIX:
        told.rows = [
            RowOut(
                row.id,
                row.text,
                answered.get((question.id, row.id), 0),
                _chosen(question, row.id, counts, answered, hidden),
            )
            for row in question.rows
        ]
        told.answered = max((row.answered for row in told.rows), default=0)
        return told
    key = (question.id, "")
    told.answered = answered.get(key, 0)
    mine, secret = counts.get(key, Counter()), hidden.get(key, set())
    if question.kind in CHOOSING:
        told.choices = _chosen(question, "", counts, answered, hidden)
    elif question.kind in _SCALES or question.kind is QuestionKind.NUMBER:
        _number(told, question, mine, secret)
    elif question.kind is QuestionKind.DATE and not secret:
        told.choices = _grouped(grouping.by_month(mine), mine, told.answered)
    return told


def _chosen(
    question: Question,
    row: str,
    counts: Mapping[tuple[str, str], Counter[str]],
    answered: Mapping[tuple[str, str], int],
    hidden: Mapping[tuple[str, str], set[str]],
) -> list[ChoiceOut]:
    key = (question.id, row)
    mine, secret, all_ = counts.get(key, Counter()), hidden.get(key, set()), answered.get(key, 0)
    right = set(question.reference.choices) if question.reference else set()
    return [
        _choice(
            option.id, option.text, None if option.id in secret else mine[option.id], all_, right=option.id in right
        )
        for option in question.options
    ]


def _choice(id_: str, text: str, count: int | None, of: int, *, right: bool = False) -> ChoiceOut:
    share_bp = None if count is None else count * 10_000 // of if of else 0
    return ChoiceOut(id=id_, text=text, count=count, share_bp=share_bp, right=right)


def _number(told: QuestionOut, question: Question, counts: Counter[str], secret: set[str]) -> None:
    if question.kind in _SCALES:
        least, most = bounds(question)
        told.choices = [
            _choice(str(value), str(value), None if str(value) in secret else counts[str(value)], told.answered)
            for value in range(least or 0, (most or 0) + 1)
        ]
    values = sorted((float(choice), count) for choice, count in counts.items() if count)
    if secret or not values:
        return
    told.average, told.least, told.most = average(counts), values[0][0], values[-1][0]
    if question.kind is QuestionKind.NPS:
        told.nps = nps(counts)
    elif question.kind is QuestionKind.NUMBER:
        told.choices = _grouped(grouping.by_span(counts, question.decimals), counts, told.answered)


def _grouped(groups: Groups, counts: Mapping[str, int], of: int) -> list[ChoiceOut]:
    sums = Counter[str]()
    for choice, count in counts.items():
        sums[groups.of[choice]] += count
    return [_choice(key, text, sums[key], of) for key, text in groups.names.items()]


def average(counts: Mapping[str, int]) -> float | None:
    """The average of numbers, to two places; None of none."""
    answered = sum(counts.values())
    return round(sum(float(choice) * count for choice, count in counts.items()) / answered, 2) if answered else None


def nps(counts: Mapping[str, int]) -> float | None:
    """Promoters (9, 10) less detractors (0–6), in hundredths of all who answered, to one place; None of none.

    Source: Reichheld, The One Number You Need to Grow (Harvard Business Review, 2003).
    """
    answered = sum(counts.values())
    promoters = sum(count for choice, count in counts.items() if float(choice) >= PROMOTER_FROM)
    detractors = sum(count for choice, count in counts.items() if float(choice) <= DETRACTOR_TO)
    return round((promoters - detractors) * 100 / answered, 1) if answered else None
