"""What of a purchase is kept, and how an audience is asked for."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from backend.audience.rules import conditions, pieces_kept
from backend.audience.types import Audience

BODY = {
    "lines": [{"sku": "a", "qty": 2}, {"sku": "b", "qty": 1}, {"sku": "a", "qty": 3}],
    "payable_fen": 600,
}


@pytest.mark.parametrize(
    ("state", "progress", "kept"),
    [
        ("completed", {}, {"a": 5, "b": 1}),
        ("shipped", {}, {"a": 5, "b": 1}),
        ("partly_refunded", {"line_qty": [1, 1, 0], "refunded_fen": 200}, {"a": 4}),
        ("completed", {"line_qty": [2, 1, 3], "refunded_fen": 500}, {}),
        ("refunded", {"line_qty": [0, 0, 0], "refunded_fen": 600}, {}),  # by amount: nobody said which pieces
        ("partly_refunded", {"line_qty": [0, 0, 0], "refunded_fen": 599}, {"a": 5, "b": 1}),
        ("awaiting_confirmation", {}, {}),
        ("awaiting_payment", {}, {}),
        ("cancelled", {}, {}),
        ("closed", {}, {}),
        ("rejected", {}, {}),
    ],
)
def test_what_was_paid_for_and_did_not_come_back_is_kept(state, progress, kept):
    assert pieces_kept(state, BODY, progress) == kept


def test_the_fee_for_delivery_is_no_article():
    lines = [{"line_no": 1, "sku": "a", "qty": 2}, {"line_no": 0, "sku": "FREIGHT", "qty": 1}]

    assert pieces_kept("paid", {"lines": lines, "payable_fen": 100}, {"line_qty": [1, 0]}) == {"a": 1}


def test_a_purchase_that_cost_nothing_is_kept():
    assert pieces_kept("completed", BODY | {"payable_fen": 0}, {}) == {"a": 5, "b": 1}


def test_a_page_of_buyers_asks_for_nobodys_purchases_before_it():
    """The database does not conclude it, and read the purchases of everybody before a page again for each page."""
    buyers = Audience(levels=("gold",), bought_skus=("A", "B"))

    texts, arguments = conditions(buyers, today=date(2026, 11, 28), zone=ZoneInfo("Asia/Shanghai"), after=77)

    (of_purchases,) = [text for text in texts if "audience_bought" in text]
    assert "b.member_id > $4" in of_purchases
    assert arguments == [["gold"], ["A", "B"], date.min, 77]
