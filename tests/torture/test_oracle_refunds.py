"""Lies about recharges that were given back, and what the oracle says to each."""

from __future__ import annotations

from typing import Any

import pytest

from backend.torture.domains.recharge_refunds import RechargeRefunds
from backend.torture.oracle import Books
from tests.torture.test_oracle import Story

Row = tuple[str, int, str, str, int, int, int, int]


class Refunded(Story):
    """The story, in which 3,000 fen of the recharge went back to the payer."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = [("Y1", 77, "R1", "done", 3_000, 0, 0, 0)]
        self.paid: list[tuple[str, str, int]] = [("Y1", "R1", 3_000)]
        self.forfeited: list[tuple[int, int]] = []
        self.world.domain(RechargeRefunds).asked["Y1"] = "R1", 3_000
        self.balances[77, "stored"] -= 3_000
        self.orders["R1"] = ("REFUND", 10_000)
        self.document("recharge", "R1", "paid", {"bonus_fen": 0, "points": 0, "refunded_fen": 3_000})

    def books(self) -> Books:
        books = super().books()
        facts: dict[str, Any] = dict(books.facts) | {
            "recharge refunds": self.rows,
            "refunds of recharges": self.paid,
            "forfeited bonus": self.forfeited,
        }
        return books._replace(facts=facts)


@pytest.fixture
def story() -> Refunded:
    return Refunded()


def test_what_went_back_as_it_was_asked_for_is_right(story):
    assert story.findings() == []
    assert story.findings(final=True) == []


def test_what_is_held_is_off_the_balance(story):
    story.rows[0] = ("Y1", 77, "R1", "frozen", 3_000, 0, 0, 0)
    story.paid.clear()
    story.document("recharge", "R1", "paid", {"bonus_fen": 0, "points": 0})

    assert "member 77: held is 0, acknowledged was 3000" in story.findings()
    story.balances[77, "stored_held"] = 3_000
    assert story.findings() == []


def test_bonus_that_was_taken_again_is_off_the_balance(story):
    story.findings()

    story.forfeited.append((77, 50))

    assert story.findings() == [f"member 77: stored is {6_420}, acknowledged was {6_370}"]


@pytest.mark.parametrize(
    ("row", "paid", "said"),
    [
        (("Y1", 77, "R1", "done", 3_000, 0, 0, 0), [], "is done, and the PSP paid nothing"),
        (("Y1", 77, "R1", "done", 3_000, 0, 0, 0), [("Y1", "R1", 2_999)], "the PSP paid ('R1', 2999)"),
        (("Y1", 77, "R1", "failed", 3_000, 0, 0, 0), [("Y1", "R1", 3_000)], "was paid by the PSP all the same"),
        (("Y1", 77, "R1", "sent", 3_000, 0, 0, 0), [], "is still under way"),
        (("Y1", 77, "R1", "done", 3_001, 0, 0, 0), [("Y1", "R1", 3_001)], "acknowledged was ('R1', 3000)"),
        (("Y1", 77, "R1", "done", 3_000, 0, 0, 0), [("Y1", "R1", 3_000), ("Y2", "R1", 1)], "the PSP paid Y2"),
        (("Y1", 77, "R1", "done", 2_000, 0, 0, 0), [("Y1", "R1", 2_000)], "2000 fen went back, it says 3000"),
    ],
)
def test_what_the_psp_and_the_recharge_do_not_agree_with_is_found(story, row, paid, said):
    story.rows, story.paid = [row], paid

    assert any(said in finding for finding in story.findings(final=True))
