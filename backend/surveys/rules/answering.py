"""What an answer must be: in the field of the question's kind, within its bounds, to nothing that was not shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from backend.kernel.errors import FieldError, ValidationFailed

from ..types import Content, Given, Question, QuestionKind, Reference
from .walking import is_answered, shown

RATING = (1, 5)
NPS = (0, 10)
TEXT = (0, 2000)
PHOTOS = (1, 6)

_FIELDS = {
    QuestionKind.SINGLE: ("choices", "text"),
    QuestionKind.MULTIPLE: ("choices", "text"),
    QuestionKind.RATING: ("number",),
    QuestionKind.NPS: ("number",),
    QuestionKind.NUMBER: ("number",),
    QuestionKind.MATRIX: ("cells",),
    QuestionKind.TEXT: ("text",),
    QuestionKind.DATE: ("on",),
    QuestionKind.PHOTO: ("photos",),
}
_ALL = ("choices", "text", "number", "on", "cells", "photos")


def check(content: Content, given: Sequence[Given]) -> list[Given]:
    """The answers to the questions that were shown, in their order, as they are stored; what says nothing is left out.

    Raises ``ValidationFailed`` with a pointer for each that is to an unknown or hidden question, given twice, out of
    bounds, or missing though required.
    """
    questions = content.questions
    known = {question.id: question for question in questions}
    places: dict[str, int] = {}
    flaws: list[FieldError] = []
    for place, answer in enumerate(given):
        if answer.question not in known:
            flaws.append(FieldError(f"/answers/{place}/question", "there is no such question"))
        elif answer.question in places:
            flaws.append(FieldError(f"/answers/{place}/question", "is answered twice"))
        else:
            places[answer.question] = place
            flaws += _flaws(known[answer.question], answer, f"/answers/{place}")
    if flaws:
        raise _refused(flaws)
    by_id = {answer.question: answer for answer in given if is_answered(answer)}
    way = shown(questions, by_id)
    on_way = {question.id for question in way}
    flaws = [
        FieldError(f"/answers/{places[question_id]}/question", "was not shown")
        for question_id in by_id
        if question_id not in on_way
    ]
    flaws += [
        FieldError("/answers", f"the question {question.id} must be answered")
        for question in way
        if question.required and not _is_complete(question, by_id.get(question.id))
    ]
    if flaws:
        raise _refused(flaws)
    return [by_id[question.id] for question in way if question.id in by_id]


def fitting(content: Content, given: Iterable[Given]) -> tuple[Given, ...]:
    """Of saved answers those that this content can still be answered with; the way is walked when they are sent."""
    known = {question.id: question for question in content.questions}
    kept = {
        answer.question: answer
        for answer in given
        if answer.question in known and is_answered(answer) and not _flaws(known[answer.question], answer, "")
    }
    return tuple(kept.values())


def score(content: Content, given: Sequence[Given]) -> tuple[int, int] | None:
    """What was scored, and what could have been on all questions; None where nothing has a right answer."""
    references = {question.id: question for question in content.questions if question.reference}
    if not references:
        return None
    by_id = {answer.question: answer for answer in given}
    got = sum(
        question.reference.score
        for question in references.values()
        if question.reference and question.id in by_id and is_right(question.reference, by_id[question.id])
    )
    return got, sum(question.reference.score for question in references.values() if question.reference)


def is_right(reference: Reference, answer: Given) -> bool:
    """Whether an answer is the right one; texts are compared without case and blanks."""
    if reference.choices:
        return set(answer.choices) == set(reference.choices)
    if reference.texts:
        return _plain(answer.text) in {_plain(text) for text in reference.texts}
    return answer.number is not None and _within(answer.number, reference.at_least, reference.at_most)


def bounds(question: Question) -> tuple[int | None, int | None]:
    """The least and the most of what a question counts: the question's own, else its kind's."""
    least, most = {
        QuestionKind.RATING: RATING,
        QuestionKind.NPS: NPS,
        QuestionKind.TEXT: TEXT,
        QuestionKind.PHOTO: PHOTOS,
        QuestionKind.MULTIPLE: (1, len(question.options)),
    }.get(question.kind, (None, None))
    if question.kind is QuestionKind.NPS:
        return NPS
    return (
        question.at_least if question.at_least is not None else least,
        question.at_most if question.at_most is not None else most,
    )


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def _is_complete(question: Question, answer: Given | None) -> bool:
    if answer is None:
        return False
    return question.kind is not QuestionKind.MATRIX or len(answer.cells) == len(question.rows)


def _flaws(question: Question, answer: Given, at: str) -> list[FieldError]:
    """What is wrong with an answer by itself."""
    fields = _FIELDS[question.kind]
    empty = msgspec.structs.asdict(Given(question=answer.question))
    strange = [name for name in _ALL if name not in fields and getattr(answer, name) != empty[name]]
    if strange:
        return [FieldError(f"{at}/{strange[0]}", f"is not what a {question.kind.value} is answered with")]
    return _CHECKS[question.kind](question, answer, at) if is_answered(answer) else []


def _options(question: Question, answer: Given, at: str) -> list[FieldError]:
    options = {option.id: option for option in question.options}
    if not answer.choices:
        return [FieldError(f"{at}/choices", "a text goes with a choice")]
    if any(choice not in options for choice in answer.choices):
        return [FieldError(f"{at}/choices", "there is no such option")]
    if len(set(answer.choices)) < len(answer.choices):
        return [FieldError(f"{at}/choices", "each option at most once")]
    if question.kind is QuestionKind.SINGLE and len(answer.choices) > 1:
        return [FieldError(f"{at}/choices", "one option")]
    alone = any(options[choice].exclusive for choice in answer.choices)
    if alone and len(answer.choices) > 1:
        return [FieldError(f"{at}/choices", "this option goes with no other")]
    if answer.text and not any(options[choice].free for choice in answer.choices):
        return [FieldError(f"{at}/text", "none of these options takes a text")]
    if question.kind is QuestionKind.MULTIPLE and not alone:
        return _counted(question, len(answer.choices), f"{at}/choices", "options")
    return []


def _number(question: Question, answer: Given, at: str) -> list[FieldError]:
    number = answer.number
    if number is None or not math.isfinite(number) or round(number, question.decimals) != number:
        return [FieldError(f"{at}/number", f"a number with at most {question.decimals} decimals")]
    least, most = bounds(question)
    if not _within(number, least, most):
        return [FieldError(f"{at}/number", f"is not between {least} and {most}")]
    return []


def _cells(question: Question, answer: Given, at: str) -> list[FieldError]:
    rows, columns = {row.id for row in question.rows}, {column.id for column in question.options}
    if not (set(answer.cells) <= rows and set(answer.cells.values()) <= columns):
        return [FieldError(f"{at}/cells", "there is no such row or column")]
    return []


def _text(question: Question, answer: Given, at: str) -> list[FieldError]:
    return _counted(question, len(answer.text.strip()), f"{at}/text", "characters")


def _date(question: Question, answer: Given, at: str) -> list[FieldError]:
    least, most = question.from_on, question.until_on
    if answer.on is None or (least and answer.on < least) or (most and answer.on > most):
        return [FieldError(f"{at}/on", f"is not between {least} and {most}")]
    return []


def _photos(question: Question, answer: Given, at: str) -> list[FieldError]:
    if len(set(answer.photos)) < len(answer.photos):
        return [FieldError(f"{at}/photos", "each photo at most once")]
    return _counted(question, len(answer.photos), f"{at}/photos", "photos")


def _counted(question: Question, count: int, at: str, what: str) -> list[FieldError]:
    least, most = bounds(question)
    return [] if _within(count, least, most) else [FieldError(at, f"{least} to {most} {what}")]


def _within(number: float, least: float | None, most: float | None) -> bool:
    return (least is None or number >= least) and (most is None or number <= most)


def _refused(flaws: list[FieldError]) -> ValidationFailed:
    return ValidationFailed(f"{flaws[0].pointer}: {flaws[0].message}", errors=tuple(flaws[:50]))


_CHECKS: dict[QuestionKind, Callable[[Question, Given, str], list[FieldError]]] = {
    QuestionKind.SINGLE: _options,
    QuestionKind.MULTIPLE: _options,
    QuestionKind.RATING: _number,
    QuestionKind.NPS: _number,
    QuestionKind.NUMBER: _number,
    QuestionKind.MATRIX: _cells,
    QuestionKind.TEXT: _text,
    QuestionKind.DATE: _date,
    QuestionKind.PHOTO: _photos,
}
