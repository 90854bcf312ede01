"""Campaign cards by the oracle: silent about true books, and every planted lie is told."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from backend.torture import domains
from backend.torture.domains.coupon_books import Counts, Offer, Row
from backend.torture.domains.coupons import Coupons
from backend.torture.domains.growth import Growth
from backend.torture.domains.pos import Pos
from backend.torture.domains.sale import Sale
from backend.torture.domains.stamps import PAID_FROM_FEN, Campaign, Given, Held, Stamps
from backend.torture.oracle import Books, Document, Oracle
from backend.torture.wire import Client
from backend.torture.world import Clerk, Till, World

TILL = Till("S1-T1", "secret", "S1")


class Story:
    """A member who bought four times and came one day: four stamps became a reward, one of them was refunded."""

    def __init__(self) -> None:
        self.world = World(
            1,
            Client("127.0.0.1", 1, 1),
            lambda: 1_795_435_200.0,
            tills=[TILL, Till("S2-T1", "secret", "S2")],
            staff=[Clerk("admin", "", "admin", None)],
            wechat={},
            members=2,
            phones=1,
        )
        self.domains = domains.load(self.world)
        self.oracle = Oracle(self.world, self.domains)
        self.stamps = self.world.domain(Stamps)
        self.member = self.world.members[1]
        self.world.members[0].id, self.member.id = 70, 77
        offer = self.world.domain(Coupons).told.offers["T1"] = Offer("T1", {}, None, None, {1}, 100)
        self.stamps.campaigns = {"P1": Campaign("P1", 4, offer), "P2": Campaign("P2", 2, offer)}
        self.stamps.per_sale, self.stamps.daily = "P1", "P2"
        for number in range(1, 6):
            self.sale(f"S{number}", PAID_FROM_FEN if number < 5 else PAID_FROM_FEN - 1)
        self.world.domain(Pos).sales["S4"].back["cash"] = 1
        self.stamps.tried.add((77, "P2", "2026-12-01"))
        self.stamps.told.add((77, "P2", "2026-12-01"))
        self.given = {f"S{number}": Given(77, "P1", f"S{number}", 1, int(number == 4)) for number in range(1, 5)}
        self.given["day"] = Given(77, "P2", "day:2026-12-01", 1, 0)
        self.cards = {"P1": Held(77, "P1", 1, False, 0, 1), "P2": Held(77, "P2", 0, False, 1, 0)}
        self.rows = {"C1": Row("C1", 77, "T1", "stamps:P1:1", date(2026, 12, 30), None, 1, 1, 0, None)}

    def sale(self, id_: str, fen: int) -> None:
        sale = Sale(id_, self.member, TILL, "completed", fen, {"cash": fen}, 0, 0, [], paid=True)
        self.world.domain(Pos).sales[id_] = sale

    def books(self) -> Books:
        facts: dict[str, list[tuple[Any, ...]]] = {
            name: [] for domain in self.domains for name in (*domain.facts, *domain.psp_facts)
        }
        facts |= {
            "stamps given": [tuple(row) for row in self.given.values()],
            "stamp cards": [tuple(card) for card in self.cards.values()],
            "coupons": [tuple(row) for row in self.rows.values()],
            "coupon accounts": [(id_, row.member_id, 1) for id_, row in self.rows.items()],
            "coupon templates": [tuple(Counts("T1", None, len(self.rows), 0, len(self.rows), len(self.rows)))],
            "growth": [],
            "device marks": [],
            "orders": [],
        }
        balances: Counter[tuple[int, str]] = Counter()
        for card in self.cards.values():
            balances[card.member_id, "stamps"] += card.stamps
            balances[card.member_id, "stamps_owed"] += card.owed
        balances[77, "coupon"] = len(self.rows)
        documents: dict[str, Document] = {}
        return Books(balances, documents, frozenset(), {}, 0, facts)

    def findings(self, *, final: bool = True) -> list[str]:
        """Without what only whole books have: the sales' documents, and growth."""
        found = self.oracle.check(self.books(), final=final)
        return [finding for finding in found if "is not stored" not in finding or "check-in" in finding]


@pytest.fixture
def story(monkeypatch) -> Story:
    monkeypatch.setattr(Growth, "check", lambda self, books, *, final: iter(()))
    return Story()


def test_true_books_are_taken_again_and_again(story):
    assert story.findings(final=False) == []
    assert story.findings() == []


def stamp_a_sale_that_is_too_small(story: Story) -> None:
    story.given["S5"] = Given(77, "P1", "S5", 1, 0)


def stamp_a_sale_of_somebody_else(story: Story) -> None:
    story.given["S3"] = story.given["S3"]._replace(member_id=70)


def stamp_a_sale_twice(story: Story) -> None:
    story.given["S1"] = story.given["S1"]._replace(given=2)


def stamp_a_day_that_nobody_came(story: Story) -> None:
    story.given["day"] = story.given["day"]._replace(source="day:2026-12-02")


def keep_the_stamp_of_a_refunded_sale(story: Story) -> None:
    story.given["S4"] = story.given["S4"]._replace(taken=0)
    story.cards["P1"] = story.cards["P1"]._replace(owed=0)


def forget_a_sale(story: Story) -> None:
    del story.given["S2"]


def forget_a_day(story: Story) -> None:
    del story.given["day"]


def give_a_reward_without_a_coupon(story: Story) -> None:
    story.cards["P1"] = story.cards["P1"]._replace(rewards=2)


def give_a_coupon_of_another_template(story: Story) -> None:
    story.rows["C1"] = story.rows["C1"]._replace(source="stamps:P9:1")


def give_a_reward_twice(story: Story) -> None:
    story.rows["C2"] = story.rows["C1"]._replace(id="C2")


def hold_and_owe(story: Story) -> None:
    story.cards["P1"] = story.cards["P1"]._replace(stamps=1, owed=2)


def forget_the_debt(story: Story) -> None:
    story.cards["P1"] = story.cards["P1"]._replace(owed=0)


def leave_a_card_full(story: Story) -> None:
    story.cards["P2"] = story.cards["P2"]._replace(stamps=2, waiting=True)


def say_that_it_waits(story: Story) -> None:
    story.cards["P2"] = story.cards["P2"]._replace(waiting=True)


LIES = {
    stamp_a_sale_that_is_too_small: "was given and is not deserved",
    stamp_a_sale_of_somebody_else: "was given and is not deserved",
    stamp_a_sale_twice: "was given and is not deserved",
    stamp_a_day_that_nobody_came: "was given and is not deserved",
    keep_the_stamp_of_a_refunded_sale: "sale S4 has 1 stamps and deserves 0",
    forget_a_sale: "sale S2 has 0 stamps and deserves 1",
    forget_a_day: "the check-in of member 77 in campaign P2 on 2026-12-01 was acknowledged and is not stored",
    give_a_reward_without_a_coupon: "had 1 coupons for 2 rewards",
    give_a_coupon_of_another_template: "came for stamps:P9:1",
    give_a_reward_twice: "came for stamps:P1:1",
    hold_and_owe: "owes stamps and holds some",
    forget_the_debt: "stamps is 1, acknowledged was 0",
    leave_a_card_full: "is full and no reward",
    say_that_it_waits: "is waiting and not full",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_in_the_books_is_told(story, lie):
    lie(story)

    assert any(LIES[lie] in finding for finding in story.findings()), story.findings()


def test_a_stamp_that_was_taken_back_does_not_return(story):
    assert story.findings(final=False) == []

    story.given["S4"] = story.given["S4"]._replace(taken=0)

    assert any("holds 1 after 0" in finding for finding in story.findings(final=False))
