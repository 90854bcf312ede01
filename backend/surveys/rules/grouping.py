"""What is said in many ways, put together: numbers in ten spans, dates by month; no table has a column for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from ..types import Question, QuestionKind
from .walking import number_text

SPANS = 10
MOST_TOLD = 20
"""Different numbers or days that stand one by one in a table."""

MOST_MONTHS = 36


class Groups(NamedTuple):
    """Groups of answers: their names by id, in their order, and the group of each choice."""

    names: dict[str, str]
    of: Mapping[str, str]


def by_question(question: Question, said: Iterable[str]) -> Groups:
    """The groups of a table: options one by one; numbers and days too where they are few."""
    if question.options:
        return Groups(
            {option.id: option.text for option in question.options}, {one.id: one.id for one in question.options}
        )
    choices = set(said)
    if question.kind is QuestionKind.DATE:
        return _each(sorted(choices)) if len(choices) <= MOST_TOLD else by_month(choices)
    if question.kind is QuestionKind.NUMBER and len(choices) > MOST_TOLD:
        return by_span(choices, question.decimals)
    return _each(sorted(choices, key=float))


def by_span(said: Iterable[str], decimals: int) -> Groups:
    """Ten equal spans from the least number to the most; one where all are the same."""
    return _spans({choice: float(choice) for choice in said}, lambda value: number_text(round(value, decimals + 1)))


def by_month(said: Iterable[str]) -> Groups:
    """The months of days; ten equal spans where these are many."""
    days = set(said)
    months = sorted({day[:7] for day in days})
    if len(months) <= MOST_MONTHS:
        return Groups({month: month for month in months}, {day: day[:7] for day in days})
    ordinals = {day: float(date.fromisoformat(day).toordinal()) for day in days}
    return _spans(ordinals, lambda value: date.fromordinal(int(value)).isoformat())


def _each(choices: Iterable[str]) -> Groups:
    names = {choice: choice for choice in choices}
    return Groups(names, names)


def _spans(values: Mapping[str, float], told: Callable[[float], str]) -> Groups:
    if not values:
        return Groups({}, {})
    low, high = min(values.values()), max(values.values())
    if low == high:
        return Groups({"0": told(low)}, dict.fromkeys(values, "0"))
    width = (high - low) / SPANS
    names = {str(span): f"{told(low + span * width)}–{told(low + (span + 1) * width)}" for span in range(SPANS)}
    return Groups(names, {choice: str(min(int((value - low) / width), SPANS - 1)) for choice, value in values.items()})
