"""Members who became one, by the oracle: what went over is followed, and every lie about it is told."""

from __future__ import annotations

from datetime import date

import pytest

from backend.torture.domains.coupon_books import Counts
from backend.torture.domains.growth import Growth
from backend.torture.domains.pos import Pos
from backend.torture.domains.stamps import PAID_FROM_FEN, Given, Held
from backend.torture.journal import Entry, Request
from backend.torture.oracle import Books
from backend.torture.wire import Answer
from tests.torture.test_stamps import Story

THEIRS, ON = "member/70", "member/77"
DAY = "day:2026-12-01"


class Merged(Story):
    """Member 70, who had a coupon, bought once, and checked in on a day as 77 did, went on as 77."""

    def __init__(self) -> None:
        super().__init__()
        self.sale("S6", PAID_FROM_FEN)
        self.world.domain(Pos).sales["S6"].member = self.world.members[0]
        self.stamps.tried.add((70, "P2", "2026-12-01"))
        self.stamps.told.add((70, "P2", "2026-12-01"))
        self.given |= {"S6": Given(77, "P1", "S6", 1, 0), "theirs": Given(70, "P2", DAY, 1, 0)}
        self.cards = {"P1": Held(77, "P1", 1, False, 0, 0), "P2": Held(77, "P2", 1, False, 0, 0)}
        self.cards["emptied"] = Held(70, "P1", 0, False, 0, 0)
        reward = self.rows["C1"]
        self.rows = {
            "C1": reward._replace(member_id=70, ended_as="given", carried=1),
            "C9": reward._replace(id="C9", times=0, issued=0, brought=1),
            "C2": reward._replace(id="C2", source="stamps:P2:1"),
        }
        self.carried = [("M1", 70, "C1", -1, 0), ("M1", 77, "C9", 1, 1)]
        self.issued = 2
        self.keys = {(THEIRS, "k1"), (ON, "k2")}
        self.answers = {(ON, "k1")}
        for scope, key in ((THEIRS, "k1"), (THEIRS, "k2")):  # of the second nothing had arrived when they became one
            entry = Entry("claim", Request(None, "POST", "/v1/member/coupons/claim", b"", key, scope))
            self.world.journal.note(entry, Answer(201, {}, b"{}"))

    def books(self) -> Books:
        books = super().books()
        theirs = sum(row.member_id == 77 for row in self.rows.values())
        balances = {**books.balances, (77, "coupon"): theirs}
        facts = {
            **books.facts,
            "merges": [(70, 77)],
            "answers carried": sorted(self.answers),
            "coupons carried": self.carried,
            "coupon accounts": [(id_, row.member_id, 1 - row.carried) for id_, row in self.rows.items()],
            "coupon templates": [tuple(Counts("T1", None, self.issued, 0, self.issued, self.issued))],
        }
        return books._replace(balances=balances, facts=facts, keys=frozenset(self.keys))


@pytest.fixture
def story(monkeypatch) -> Merged:
    monkeypatch.setattr(Growth, "check", lambda self, books, *, final: iter(()))
    return Merged()


def test_what_went_over_is_followed_again_and_again(story):
    assert story.findings(final=False) == []
    assert story.findings() == []


def stamp_a_sale_under_both_numbers(story: Merged) -> None:
    story.given["again"] = Given(70, "P1", "S6", 1, 0)


def lose_a_stamp_on_the_way(story: Merged) -> None:
    del story.given["S6"]


def owe_what_the_other_paid(story: Merged) -> None:
    story.cards["P1"] = story.cards["P1"]._replace(owed=1)


def forget_a_reward_of_theirs(story: Merged) -> None:
    story.cards["P1"] = story.cards["P1"]._replace(rewards=0)


def lose_a_coupon_on_the_way(story: Merged) -> None:
    del story.rows["C9"]
    story.carried.pop()


def bring_a_coupon_twice(story: Merged) -> None:
    story.rows["C10"] = story.rows["C9"]._replace(id="C10")
    story.carried.append(("M1", 77, "C10", 1, 1))


def bring_a_coupon_with_another_last_day(story: Merged) -> None:
    story.rows["C9"] = story.rows["C9"]._replace(expires_on=date(2027, 1, 1))


def leave_a_coupon_behind_too(story: Merged) -> None:
    story.rows["C1"] = story.rows["C1"]._replace(carried=0)


def count_what_went_over_as_issued(story: Merged) -> None:
    story.issued = 3


def forget_an_answer(story: Merged) -> None:
    story.answers.clear()


def answer_what_nobody_asked(story: Merged) -> None:
    story.answers.add((ON, "k9"))


def do_twice_what_was_asked_twice(story: Merged) -> None:
    story.keys.add((ON, "k1"))


def lose_what_was_asked_afterwards(story: Merged) -> None:
    story.keys.discard((ON, "k2"))


LIES = {
    stamp_a_sale_under_both_numbers: "was given and is not deserved",
    lose_a_stamp_on_the_way: "sale S6 has 0 stamps and deserves 1",
    owe_what_the_other_paid: "stamps is -1, acknowledged was 0",
    forget_a_reward_of_theirs: "member 77 had 1 coupons for 0 rewards of P1",
    lose_a_coupon_on_the_way: "a merge took 1 coupons too many",
    bring_a_coupon_twice: "a merge brought 1 coupons too many",
    bring_a_coupon_with_another_last_day: "a merge brought 1 coupons too many",
    leave_a_coupon_behind_too: "member 70: coupons is 0, acknowledged was 1",
    count_what_went_over_as_issued: "template T1: 2 coupons, but",
    forget_an_answer: "the answer to k1 of 70 did not become an answer to 77",
    answer_what_nobody_asked: "member/77 has an answer to k9 that nobody was given",
    do_twice_what_was_asked_twice: "stored 2 times: member/77 k1",
    lose_what_was_asked_afterwards: "acknowledged but not stored: member/77 k2",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_about_who_was_merged_is_told(story, lie):
    lie(story)

    found = story.oracle.check(story.books(), final=True)

    assert any(LIES[lie] in finding for finding in found), found
