"""The way through a survey: from the first question forward, until a jump or the last question ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..types import END, Given, Jump, Question, QuestionKind


def shown(questions: Sequence[Question], given: Mapping[str, Given]) -> list[Question]:
    """The questions that somebody who answers so is shown, in their order.

    The first jump that holds decides; a jump leads forward only, so the way ends after at most every question.
    """
    places = {question.id: place for place, question in enumerate(questions)}
    way: list[Question] = []
    place = 0
    while place < len(questions):
        question = questions[place]
        way.append(question)
        answer = given.get(question.id)
        target = next((jump.to for jump in question.jumps if holds(jump, question, answer)), None)
        if target == END:
            break
        place = places[target] if target is not None else place + 1
    return way


def holds(jump: Jump, question: Question, answer: Given | None) -> bool:
    """Whether the answer to the jump's question is as the jump says."""
    answered = answer is not None and is_answered(answer)
    if jump.unanswered:
        return not answered
    if answer is None or not answered:
        return is_always(jump)
    chosen = set(answer.choices)
    number = number_of(question, answer)
    return (
        (not jump.any_of or bool(chosen & set(jump.any_of)))
        and not chosen & set(jump.none_of)
        and (jump.at_least is None or (number is not None and number >= jump.at_least))
        and (jump.at_most is None or (number is not None and number <= jump.at_most))
    )


def is_always(jump: Jump) -> bool:
    """Whether the jump says nothing that could fail to hold."""
    return not (jump.any_of or jump.none_of or jump.unanswered) and jump.at_least is None and jump.at_most is None


def is_answered(answer: Given) -> bool:
    """Whether it says anything."""
    return bool(
        answer.choices or answer.text.strip() or answer.number is not None or answer.on or answer.cells or answer.photos
    )


def number_of(question: Question, answer: Given) -> float | None:
    """The number that was answered, for questions that ask for one."""
    return answer.number if question.kind in NUMBERS else None


def number_text(number: float) -> str:
    """A number as it is told and counted: to three decimals, none that is zero, and no ``-0``."""
    return f"{number + 0.0:.3f}".rstrip("0").rstrip(".")


NUMBERS = frozenset({QuestionKind.RATING, QuestionKind.NPS, QuestionKind.NUMBER})
"""Kinds whose answers are averaged."""
