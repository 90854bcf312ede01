"""Suggestions and feedback by the oracle: silent about true books, and every planted lie is told."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from backend.suggestions import tickets
from backend.torture import domains
from backend.torture.blinding import Ticket
from backend.torture.domains.cases import Case, Cases
from backend.torture.domains.suggestions import Suggestions
from backend.torture.oracle import Books
from backend.torture.wire import Client
from backend.torture.world import Clerk, Till, World

OPEN = (1, "open", "received")
STEPS = [OPEN, (2, "answer", "answered"), (3, "say", "answered"), (4, "confirm", "confirmed"), (5, "close", "closed")]


class Story:
    """A member's case to its end, a signed suggestion and one without a name, and those whose answers were lost."""

    def __init__(self) -> None:
        self.world = World(
            1,
            Client("127.0.0.1", 1, 1),
            lambda: 1_795_435_200.0,
            tills=[Till("S1-T1", "secret", "S1")],
            staff=[Clerk("admin", "", "admin", None)],
            wechat={},
            members=1,
            phones=1,
        )
        domains.load(self.world)
        member = self.world.members[0]
        member.id = 77
        cases, boxes = self.world.domain(Cases), self.world.domain(Suggestions)
        cases.asked = {"torture 1", "torture 2"}
        cases.cases = {"K1": Case("K1", member, "torture 1", 5, {2: "answer", 4: "confirm", 5: "close"})}
        boxes.asked = {"torture 3": 77, "torture 4": None, "torture 5": None}
        boxes.told = {"G1": "torture 3", "G2": "torture 4"}
        self.cases: list[Any] = [["K1", 77, "closed", 5, "torture 1"], ["K2", 77, "received", 1, "torture 2"]]
        self.steps: list[Any] = [["K1", *step] for step in STEPS] + [["K2", *OPEN]]
        self.suggestions: list[Any] = [
            ["G1", 77, False, True, "torture 3"],
            ["G2", None, True, False, "torture 4"],
            ["G3", None, True, False, "torture 5"],
        ]

    def findings(self) -> list[str]:
        facts = {"cases": self.cases, "case_steps": self.steps, "suggestions": self.suggestions}
        books = Books({}, {}, frozenset(), {}, 0, facts)
        checks = (self.world.domain(Cases), self.world.domain(Suggestions))
        return [found for domain in checks for found in domain.check(books, final=True)]


def test_true_books_are_no_finding():
    assert Story().findings() == []


def put(rows: str, number: int, place: int, value: object) -> Callable[[Story], None]:
    def lie(story: Story) -> None:
        getattr(story, rows)[number][place] = value

    return lie


def drop(rows: str, number: int) -> Callable[[Story], None]:
    return lambda story: getattr(story, rows).pop(number)


LIES: dict[str, tuple[Callable[[Story], Any], str]] = {
    "a case that nobody opened": (put("cases", 1, 4, "torture 9"), "nobody opened it"),
    "a case is another's": (put("cases", 0, 1, 78), "case K1 is 78's"),
    "a case opened twice": (put("cases", 1, 4, "torture 1"), "torture 1 was opened 2 times"),
    "a case lost": (drop("cases", 0), "case K1 was acknowledged and is not stored"),
    "a state that no step made": (put("cases", 0, 2, "received"), "its last step left it closed"),
    "a step lost": (drop("steps", 2), "has version 5 and steps [1, 2, 4, 5]"),
    "another step than was acknowledged": (put("steps", 1, 2, "start"), "acknowledged as answer, stored is start"),
    "closed without an answer": (put("steps", 1, 3, "in_progress"), "from received to in_progress"),
    "a suggestion that nobody wrote": (put("suggestions", 0, 4, "x"), "nobody wrote it"),
    "a suggestion stored twice": (put("suggestions", 2, 4, "torture 4"), "torture 4 is stored 2 times"),
    "a suggestion lost": (drop("suggestions", 1), "suggestion G2 was acknowledged and is not stored"),
    "an unnamed one has a member": (put("suggestions", 1, 1, 77), "was written by None, stored is 77"),
    "an unnamed one has an instant": (put("suggestions", 1, 2, False), "has an instant or a receipt"),
    "a signed one has a receipt": (put("suggestions", 0, 3, False), "has an instant or a receipt"),
}


@pytest.mark.parametrize("what", LIES)
def test_every_lie_is_told(what):
    story = Story()
    lie, told = LIES[what]

    lie(story)

    found = story.findings()
    assert any(told in one for one in found), found


def test_the_torturer_s_tickets_are_good_by_the_library():
    private = tickets.make_private()
    key = {"key_id": "K1", "modulus": tickets.to_base64url(tickets.modulus(private)), "label": tickets.LABEL.decode()}
    ticket = Ticket(key, Random(1))
    signed = tickets.sign_blinded(private, tickets.from_base64url(ticket.blinded) or b"")

    read = tickets.read_ticket(ticket.shown(tickets.to_base64url(signed)) or "")

    assert read is not None
    assert tickets.is_signed(private, *read)
    assert ticket.shown(tickets.to_base64url(bytes(256))) is None
