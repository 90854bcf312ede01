"""Pure rules: the way through a survey, and what of a table is not told."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.surveys.rules import privacy
from backend.surveys.rules.publishing import flaws
from backend.surveys.rules.walking import shown
from backend.surveys.types import END, Content, Given, Jump, Option, Page, Question, QuestionKind

OPTIONS = (Option(id="a", text="a"), Option(id="b", text="b"))


@st.composite
def contents(draw):
    """Contents whose jumps lead anywhere."""
    count = draw(st.integers(1, 8))
    names = [f"q{number}" for number in range(count)]
    questions = [
        Question(
            id=name,
            kind=QuestionKind.SINGLE,
            title=name,
            required=draw(st.booleans()),
            options=OPTIONS,
            jumps=tuple(
                Jump(to=draw(st.sampled_from([*names, END])), any_of=draw(st.sampled_from([(), ("a",), ("b",)])))
                for _ in range(draw(st.integers(0, 2)))
            ),
        )
        for name in names
    ]
    return Content(pages=(Page(questions=tuple(questions)),))


@settings(max_examples=200)
@given(content=contents(), chosen=st.lists(st.sampled_from([None, "a", "b"]), min_size=8, max_size=8))
def test_what_can_be_published_ends_after_each_question_at_most_once(content, chosen):
    if flaws(content, []):
        return
    answers = {
        question.id: Given(question=question.id, choices=(choice,))
        for question, choice in zip(content.questions, chosen, strict=False)
        if choice
    }

    way = [question.id for question in shown(content.questions, answers)]

    order = [question.id for question in content.questions]
    assert way == sorted(set(way), key=order.index)
    assert way[0] == order[0]


@settings(max_examples=100)
@given(content=contents())
def test_every_question_that_can_be_published_is_shown_to_somebody(content):
    if flaws(content, []):
        return
    questions = content.questions
    seen: set[str] = set()
    for number in range(3 ** len(questions) if len(questions) <= 5 else 0):
        answers, rest = {}, number
        for question in questions:
            rest, choice = divmod(rest, 3)
            if choice or question.required:
                answers[question.id] = Given(question=question.id, choices=(OPTIONS[choice - 1 if choice else 0].id,))
        seen |= {question.id for question in shown(questions, answers)}

    assert not seen or seen == {question.id for question in questions}


tables = st.dictionaries(st.tuples(st.sampled_from("xyz"), st.sampled_from("abc")), st.integers(0, 12), min_size=1)


@given(cells=tables)
def test_no_small_cell_is_told_nor_follows_from_the_sums(cells):
    hidden = privacy.hidden_cells(cells)

    assert all(cell in hidden for cell, count in cells.items() if 0 < count < privacy.LEAST)
    rows, columns = {row for row, _ in cells}, {column for _, column in cells}
    lines = [[(row, column) for column in columns] for row in rows]
    lines += [[(row, column) for row in rows] for column in columns]
    for line in lines:
        secret = [cell for cell in line if cell in hidden]
        assert len(secret) != 1 or len(line) == 1


@given(counts=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 12)))
def test_no_small_group_is_told_nor_follows_from_the_sum(counts):
    hidden = privacy.hidden_groups(counts)

    assert all(key in hidden for key, count in counts.items() if 0 < count < privacy.LEAST)
    told = sum(counts.values()) - sum(counts[key] for key in hidden)
    assert not hidden or sum(counts[key] for key in hidden) >= privacy.LEAST or told == 0
