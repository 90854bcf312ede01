"""Gift cards by the oracle: silent about true books, and every planted lie is told."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from backend.torture import domains
from backend.torture.domains.gift_cards import Card, GiftCards
from backend.torture.oracle import Books
from backend.torture.wire import Client
from backend.torture.world import Clerk, Till, World

NOW = datetime(2026, 12, 1, 4, tzinfo=UTC)
TILL = Till("S1-T1", "secret", "S1")


class Story:
    """A bound card of 1,000 that paid 400 of a sale, of which 100 came back; and one that was sold and taken back."""

    def __init__(self) -> None:
        self.world = World(
            1,
            Client("127.0.0.1", 1, 1),
            lambda: NOW.timestamp(),
            tills=[TILL],
            staff=[Clerk("admin", "", "admin", None)],
            wechat={},
            members=2,
            phones=1,
        )
        domains.load(self.world)
        self.cards = self.world.domain(GiftCards)
        self.card = Card("8812345678901232", "271828", "900", 1_000, member_id=77)
        self.cards.cards = {"900": self.card, "901": Card("8812345678901224", "314159", "901")}
        tender = {"type": "gift_card", "reference": "900", "amount_fen": 400}
        self.cards.pay(self.cards.taken([tender, {"type": "cash", "amount_fen": 1}]))
        self.cards.give_back(self.cards.taken([tender | {"amount_fen": 100}]))
        self.rows: list[tuple[Any, ...]] = [("900", "active", 77)]
        self.balances: dict[tuple[int, str], int] = {(900, "gift_card"): 700, (901, "gift_card"): 0}
        self.clearing = 0

    def findings(self) -> list[str]:
        facts = {"gift cards": self.rows, "gift clearing": [(self.clearing,)]}
        books = Books(self.balances, {}, frozenset(), {}, 0, facts)
        return [*self.world.wrong, *self.cards.check(books, final=True)]


@pytest.fixture
def story() -> Story:
    return Story()


def test_true_books_are_silent(story):
    assert story.findings() == []


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        (lambda story: story.balances.update({(900, "gift_card"): 701}), "has 701, acknowledged was 700"),
        (lambda story: story.balances.update({(902, "gift_card"): 5}), "902 was loaded, and nobody was told"),
        (lambda story: story.rows.append(("902", "active", 70)), "902, active, belongs to 70, acknowledged was 0"),
        (lambda story: setattr(story.card, "member_id", 70), "belongs to 77, acknowledged was 70"),
        (lambda story: setattr(story, "clearing", -3), "gave -3 fen more than sales took"),
        (lambda story: story.cards.give_back({"900": 301}), "was loaded with 1000 and has 1001"),
        (
            lambda story: story.cards.taken([{"type": "gift_card", "reference": "9", "amount_fen": 1}]),
            "a gift card 9 was taken that nobody sold",
        ),
    ],
)
def test_a_lie_is_told(story, lie, told):
    lie(story)

    assert any(told in finding for finding in story.findings())


def test_a_success_that_is_heard_twice_counts_once(story):
    assert [story.cards._heard("K1"), story.cards._heard("K1")] == [False, True]


def test_only_cards_that_are_worth_something_are_picked(story):
    story.cards.recent.extend(story.cards.cards.values())

    assert all(story.cards._pick(Random(seed)) is story.card for seed in range(20))
