"""Announcements and care by the oracle: silent about what is true, and every planted lie is told."""

from __future__ import annotations

from typing import Any

import pytest

from backend.torture import domains
from backend.torture.domains.care import Care
from backend.torture.domains.notices import Notices
from backend.torture.oracle import Books
from backend.torture.wire import Client
from backend.torture.world import Clerk, Till, World


def world() -> World:
    made = World(
        1,
        Client("127.0.0.1", 1, 1),
        lambda: 1_795_435_200.0,
        tills=[Till("S1-T1", "secret", "S1")],
        staff=[Clerk("admin", "", "admin", None)],
        wechat={"app_id": "wx1"},
        members=3,
        phones=1,
    )
    domains.load(made)
    for number, member in enumerate(made.members):
        member.id = 100 + number
    return made


def found(domain: domains.Domain, facts: dict[str, list[tuple[Any, ...]]], *, final: bool = True) -> list[str]:
    return list(domain.check(Books({}, {}, frozenset(), {}, 0, facts), final=final))


class Told:
    """Two announcements, one read by two members, the other by one."""

    def __init__(self) -> None:
        self.notices = world().domain(Notices)
        self.notices.titles = {"N1": "公告1", "N2": "公告2"}
        self.notices.tried = {(101, "N1"), (102, "N1"), (101, "N2")}
        self.notices.told = {(101, "N1"), (102, "N1")}
        self.facts: dict[str, list[tuple[Any, ...]]] = {
            "announcements": [("N1", "公告1"), ("N2", "公告2")],
            "receipts": [(101, "N1"), (102, "N1"), (101, "N2")],
        }

    def found(self) -> list[str]:
        return found(self.notices, self.facts)


def test_is_silent_about_announcements_that_were_read():
    assert Told().found() == []


@pytest.mark.parametrize(
    ("what", "lie", "said"),
    [
        ("receipts", [(101, "N1"), (101, "N2")], "member 102 was told that N1 is read, and there is no receipt"),
        ("receipts", [(101, "N1"), (102, "N1"), (100, "N1")], "a receipt of member 100 for N1 was never asked for"),
        ("announcements", [("N1", "公告1"), ("N3", "公告1")], "there are 2 announcements called 公告1"),
        ("announcements", [("N1", "公告1")], "the announcement N2 was acknowledged and is not there"),
    ],
)
def test_tells_every_lie_about_announcements(what, lie, said):
    story = Told()
    story.facts[what] = lie

    assert said in story.found()


class Cared:
    """Two members were called and written to; the third is one who may be frozen."""

    def __init__(self) -> None:
        self.care = world().domain(Care)
        self.care.call, self.care.letter = "P1", "P2"
        self.care.tried, self.care.told = {"K1", "K2"}, {"K1"}
        self.tasks: list[tuple[Any, ...]] = [
            ("K1", "P1", 101, "done", '{"points": 3}'),
            ("K2", "P1", 102, "open", None),
            ("K3", "P2", 101, "sent", '{"points": 2}'),
            ("K4", "P2", 102, "sent", '{"points": 2}'),
            ("K5", "P2", 100, "failed", None),
        ]
        self.letters = [(101, 1, 101), (102, 1, 102)]
        self.runs = [("P1",), ("P2",)]

    def found(self) -> list[str]:
        facts = {"care tasks": self.tasks, "care letters": self.letters, "care runs": self.runs}
        return found(self.care, facts)


def test_is_silent_about_care_that_was_given_once_and_knows_the_points():
    story = Cared()

    assert story.found() == []
    assert story.found() == []
    held = story.care.world.model.held
    assert [held(member_id, "points") for member_id in (100, 101, 102)] == [0, 5, 2]


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (("K9", "P1", 101, "open", None), "member 101 has 2 tasks of plan P1"),
        (("K1", "P1", 101, "open", None), "K1 was acknowledged as done and is not"),
        (("K1", "P1", 101, "done", '{"points": 6}'), "gave something else than 3 points"),
        (("K1", "P1", 101, "done", None), "gave something else than 3 points"),
        (("K6", "P1", 101, "done", '{"points": 3}'), "was never said to be done"),
        (("K4", "P2", 102, "due", None), "is still due"),
        (("K4", "P3", 102, "open", None), "member 102 has no task of plan P2, whose day was run"),
    ],
)
def test_tells_every_lie_about_tasks(task, said):
    story = Cared()
    story.tasks = [row for row in story.tasks if row[0] != task[0]] + [task]

    assert any(said in finding for finding in story.found())


def test_tells_of_letters_that_are_lost_or_doubled():
    lost, doubled = Cared(), Cared()
    lost.letters = [(101, 1, 101)]
    doubled.letters = [(101, 2, 101), (102, 1, 102)]

    assert any("letters were sent to [102]" in finding for finding in lost.found())
    assert "member 101 has 2 letters of one task" in doubled.found()
