"""Whether what a survey asks and promises holds together; checked before members see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from backend.kernel.errors import FieldError

from ..types import END, WHOLE_BP, Content, Jump, Prize, Question, QuestionKind, Quota, Reward
from .answering import bounds
from .walking import NUMBERS, is_always

MOST_QUESTIONS = 100
CHOOSING = frozenset({QuestionKind.SINGLE, QuestionKind.MULTIPLE})
_WITH_OPTIONS = CHOOSING | {QuestionKind.MATRIX}
_SCALES = {QuestionKind.RATING: (0, 10), QuestionKind.TEXT: (0, 2000), QuestionKind.PHOTO: (1, 6)}


def flaws(content: Content, earlier: Sequence[Content]) -> list[FieldError]:
    """What speaks against publishing this content after ``earlier`` versions; empty where nothing does."""
    questions = content.questions
    found = list(_of_whole(questions))
    kinds = _kinds(earlier)
    for page_no, page in enumerate(content.pages):
        for place, question in enumerate(page.questions):
            at = f"/content/pages/{page_no}/questions/{place}"
            found += _of_question(question, at)
            if kinds.get(question.id, question.kind) is not question.kind:
                found.append(FieldError(f"{at}/kind", "was another kind in an earlier version: give it another id"))
    return found + list(_of_ways(content))


def _kinds(earlier: Sequence[Content]) -> dict[str, QuestionKind]:
    return {question.id: question.kind for content in earlier for question in content.questions}


def _of_whole(questions: Sequence[Question]) -> Iterator[FieldError]:
    if not questions:
        yield FieldError("/content/pages", "has no question")
    if len(questions) > MOST_QUESTIONS:
        yield FieldError("/content/pages", f"has more than {MOST_QUESTIONS} questions")
    if _twice(question.id for question in questions):
        yield FieldError("/content/pages", "two questions have one id")
    if any(question.id == END for question in questions):
        yield FieldError("/content/pages", f"no question can be called {END}")


def _of_question(question: Question, at: str) -> Iterator[FieldError]:
    kind = question.kind
    if (kind in _WITH_OPTIONS) is not (len(question.options) >= 2):
        yield FieldError(f"{at}/options", "two or more, for what is chosen from, and for nothing else")
    if (kind is QuestionKind.MATRIX) is not bool(question.rows):
        yield FieldError(f"{at}/rows", "are what a matrix has, and nothing else")
    if _twice(option.id for option in question.options) or _twice(row.id for row in question.rows):
        yield FieldError(f"{at}/options", "two have one id")
    if any(
        option.exclusive or option.free for option in (*question.rows, *(() if kind in CHOOSING else question.options))
    ):
        yield FieldError(f"{at}/options", "exclusive and free are for single and multiple choice")
    least, most = bounds(question)
    if least is not None and most is not None and least > most:
        yield FieldError(f"{at}/at_least", "is more than at_most")
    low, high = _SCALES.get(kind, (None, None))
    if (low is not None and (least or low) < low) or (high is not None and (most or high) > high):
        yield FieldError(f"{at}/at_most", f"must lie between {low} and {high}")
    if kind is QuestionKind.MULTIPLE and not 1 <= (least or 1) <= len(question.options):
        yield FieldError(f"{at}/at_least", "is more than there are options")
    if question.from_on and question.until_on and question.from_on > question.until_on:
        yield FieldError(f"{at}/from_on", "is after until_on")
    if question.decimals and kind is not QuestionKind.NUMBER:
        yield FieldError(f"{at}/decimals", "is for numbers")
    yield from _of_reference(question, at)


def _of_reference(question: Question, at: str) -> Iterator[FieldError]:
    reference = question.reference
    if reference is None:
        return
    said = {
        "choices": bool(reference.choices),
        "texts": bool(reference.texts),
        "number": reference.at_least is not None or reference.at_most is not None,
    }
    right = "choices" if question.kind in CHOOSING else "number" if question.kind in NUMBERS else "texts"
    if question.kind not in CHOOSING | NUMBERS | {QuestionKind.TEXT} or [name for name in said if said[name]] != [
        right
    ]:
        yield FieldError(f"{at}/reference", "says choices, texts or numbers as the question's kind asks for")
    if not set(reference.choices) <= {option.id for option in question.options}:
        yield FieldError(f"{at}/reference/choices", "there is no such option")
    if question.kind is QuestionKind.SINGLE and len(reference.choices) > 1:
        yield FieldError(f"{at}/reference/choices", "one option")


def _of_ways(content: Content) -> Iterator[FieldError]:
    """Jumps lead forward, ask what can be answered, and leave no question that nobody can ever be shown."""
    questions = content.questions
    places = {question.id: place for place, question in enumerate(questions)}
    ats = {
        question.id: f"/content/pages/{page_no}/questions/{place}"
        for page_no, page in enumerate(content.pages)
        for place, question in enumerate(page.questions)
    }
    reached = {0}
    for place, question in enumerate(questions):
        at = ats[question.id]
        for number, jump in enumerate(question.jumps):
            yield from _of_jump(question, jump, f"{at}/jumps/{number}", places, place)
        if place not in reached:
            yield FieldError(at, "can never be shown: every way leads past it")
            continue
        reached |= {places[jump.to] for jump in question.jumps if places.get(jump.to, -1) > place}
        if not leaves(question):
            reached.add(place + 1)


def leaves(question: Question) -> bool:
    """Whether some jump always holds, so that the way never goes on to the next question."""
    if any(is_always(jump) for jump in question.jumps):
        return True
    plain = [jump for jump in question.jumps if jump.any_of and is_always(_without_choices(jump))]
    covered = {choice for jump in plain for choice in jump.any_of}
    return (
        question.required
        and question.kind is QuestionKind.SINGLE
        and covered >= {option.id for option in question.options}
    )


def _without_choices(jump: Jump) -> Jump:
    return Jump(
        to=jump.to, none_of=jump.none_of, at_least=jump.at_least, at_most=jump.at_most, unanswered=jump.unanswered
    )


def _of_jump(question: Question, jump: Jump, at: str, places: Mapping[str, int], place: int) -> Iterator[FieldError]:
    if jump.to != END and places.get(jump.to, -1) <= place:
        yield FieldError(f"{at}/to", "must be a later question, or end")
    options = {option.id for option in question.options} if question.kind in CHOOSING else set()
    if not {*jump.any_of, *jump.none_of} <= options:
        yield FieldError(f"{at}/any_of", "there is no such option to choose")
    if question.kind not in NUMBERS and (jump.at_least is not None or jump.at_most is not None):
        yield FieldError(f"{at}/at_least", "is for questions that ask for a number")
    if jump.unanswered and (question.required or not is_always(_plain(jump))):
        yield FieldError(f"{at}/unanswered", "stands alone, at a question that need not be answered")


def _plain(jump: Jump) -> Jump:
    return Jump(to=jump.to, any_of=jump.any_of, none_of=jump.none_of, at_least=jump.at_least, at_most=jump.at_most)


def reward_flaws(reward: Reward) -> list[FieldError]:
    """What is wrong with a reward: the chances make the whole, and exactly one prize never runs out."""
    said = [reward.points is not None, reward.template_id is not None, bool(reward.prizes)]
    found = [] if sum(said) == 1 else [FieldError("/reward", "is points, a coupon or prizes: one of the three")]
    for place, prize in enumerate(reward.prizes):
        if (prize.points is None) is (prize.template_id is None):
            found.append(FieldError(f"/reward/prizes/{place}", "is points or a coupon"))
    if reward.prizes and sum(prize.chance_bp for prize in reward.prizes) != WHOLE_BP:
        found.append(FieldError("/reward/prizes", f"the chances must make {WHOLE_BP} together"))
    if reward.prizes and sum(prize.stock is None for prize in reward.prizes) != 1:
        found.append(
            FieldError("/reward/prizes", "exactly one has no stock: it is what is given once another runs out")
        )
    return found


def quota_flaws(quotas: Sequence[Quota], content: Content | None) -> list[FieldError]:
    """What is wrong with quotas: each counts one thing, which (once there is content) can be answered."""
    options = {
        (question.id, option.id)
        for question in (content.questions if content else ())
        if question.kind in CHOOSING
        for option in question.options
    }
    found = []
    for place, quota in enumerate(quotas):
        of_answer = quota.question is not None and quota.choice is not None
        if of_answer is (quota.level is not None) or (quota.question is None) is not (quota.choice is None):
            found.append(FieldError(f"/quotas/{place}", "is for a level, or for a choice of a question"))
        elif of_answer and content is not None and (quota.question, quota.choice) not in options:
            found.append(FieldError(f"/quotas/{place}/choice", "there is no such option to choose"))
    if _twice(quota.key for quota in quotas):
        found.append(FieldError("/quotas", "each thing is counted once"))
    return found


def pick(prizes: Sequence[Prize], number: int) -> int:
    """The prize that a number of 0..9,999 draws, by its place."""
    for place, prize in enumerate(prizes):
        number -= prize.chance_bp
        if number < 0:
            return place
    raise ValueError("the number is not below the sum of the chances")


def consolation(prizes: Sequence[Prize]) -> int:
    """The prize that never runs out, by its place."""
    return next(place for place, prize in enumerate(prizes) if prize.stock is None)


def _twice(ids: Iterable[str]) -> bool:
    return any(one == other for one, other in pairwise(sorted(ids)))
