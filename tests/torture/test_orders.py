"""Orders by the oracle: silent about true books, and every planted lie is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from backend.torture import domains
from backend.torture.domains.gift_cards import Card, GiftCards
from backend.torture.domains.order_books import Asked
from backend.torture.domains.orders import Orders
from backend.torture.domains.parcels import Parcels
from backend.torture.domains.pos import Pos
from backend.torture.domains.shelves import Shelves
from backend.torture.domains.tables import Tables
from backend.torture.oracle import Books, Document, Oracle
from backend.torture.wire import Client
from backend.torture.world import Clerk, Till, World

NOW = datetime(2026, 12, 1, 4, tzinfo=UTC)
LATER = "2026-12-01T04:15:00Z"


def placed(
    order_id: str,
    qty: int,
    tenders: list[dict[str, Any]],
    status: str,
    payment: dict[str, Any] | None,
    *,
    freight_fen: int = 0,
    delivery: str = "pickup",
) -> dict[str, Any]:
    fen = sum(tender["amount_fen"] for tender in tenders) - freight_fen
    line = {"line_no": 1, "sku": "A", "qty": qty, "list_fen": 500, "payable_fen": fen, "steps": []}
    line["steps"] = [{"kind": "level", "off_fen": 500 * qty - fen}]
    order = {
        "id": order_id,
        "store_id": "S1",
        "status": status,
        "delivery": "express" if freight_fen else delivery,
        "freight_fen": freight_fen,
        "lines": [line],
        "total_fen": 500 * qty + freight_fen,
        "payable_fen": fen + freight_fen,
        "discount_fen": 500 * qty - fen,
        "tenders": tenders,
        "points_earned": 4,
    }
    return {"checkout_id": order_id, "orders": [order], "payment": payment}


class Story:
    """Orders: one paid by value and half given back, one by WeChat and fetched, one waits, one left, one brought."""

    def __init__(self) -> None:
        self.world = World(
            1,
            Client("127.0.0.1", 1, 1),
            lambda: NOW.timestamp(),
            tills=[Till("S1-T1", "secret", "S1"), Till("S2-T1", "secret", "S2")],
            staff=[Clerk("admin", "", "admin", None)],
            wechat={},
            members=2,
            phones=1,
        )
        self.domains = domains.load(self.world)
        self.orders = self.world.domain(Orders)
        self.member = self.world.members[0]
        self.member.id = 77
        self.world.model.move(77, stored=10_000, points=50)
        self.world.domain(Shelves).opening = {("S1", "A"): 10}
        stored, points = {"type": "stored", "amount_fen": 960}, {"type": "points", "amount_fen": 20, "points": 20}
        wechat = {"type": "wechat", "amount_fen": 400}
        pay = {"pay_fen": 400, "pay_until": LATER}
        self.place(placed("D1", 2, [points, stored], "paid", None))
        self.place(placed("D2", 1, [wechat], "awaiting_payment", pay | {"id": "Q2"}))
        some, card = {"type": "stored", "amount_fen": 30}, {"type": "gift_card", "reference": "900", "amount_fen": 50}
        self.world.domain(GiftCards).cards["900"] = Card("8812345678901232", "271828", "900", 1_000, member_id=77)
        self.place(placed("D3", 1, [some, card, wechat], "awaiting_payment", pay | {"id": "Q3"}))
        self.orders.payments["Q2"].paid = True
        self.place(placed("D4", 1, [{"type": "stored", "amount_fen": 1_000}], "paid", None, freight_fen=600))
        brought = placed("D5", 1, [{"type": "stored", "amount_fen": 300}], "paid", None, delivery="spot")
        self.place(brought)
        first, second, _, fourth, fifth = self.orders.orders.values()
        fourth.tried = {"send T1"}
        self.world.domain(Parcels).sent = {"D4": {"T1"}}
        self.parcel: list[Any] = ["D4", "T1", '{"1":1}', None]
        self.review: list[Any] = ["D2", 1, 77, '["p1"]']
        self.upload: list[Any] = ["p1", 77, "D2-1"]
        first.asked["W1"] = Asked("W1", "refund", 1, 1, {"pay"}, "F1")
        second.tried = {"ready", "fetch S1-T1 k1"}
        second.handed = "S1-T1", "k1"
        fifth.tried, fifth.told = {"serve S1-T1"}, {"served"}
        self.served: list[Any] = ["D5", "S1-T1"]
        self.states = {"D1": "paid", "D2": "received", "D3": "awaiting_payment", "D4": "shipped", "D5": "received"}
        self.documents = {
            "D1": "partly_refunded",
            "D2": "paid",
            "D3": "awaiting_payment",
            "D4": "paid",
            "D5": "paid",
            "Q2": "paid",
            "Q3": "pending",
        }
        self.documents["F1"] = "posted"
        self.refund = {
            "id": "F1",
            "sale_id": "D1",
            "refund_fen": 490,
            "by_tender": [{"type": "points", "amount_fen": 10}, {"type": "stored", "amount_fen": 480}],
            "points_returned": 10,
            "points_clawed_back": 2,
            "coupons_returned": [],
        }
        self.after_sale = ["W1", "D1", "refund", "refunded", '{"1":1}', False, True]
        self.handed = ["D2", "S1-T1", "k1"]
        self.shelf: list[Any] = ["S1", "A", 10 - 2 - 1 + 1 - 1 - 1, 1, 0, 500]
        self.promised: list[Any] = ["D3", "S1", "A", 1]
        self.held, self.points_held = 80, 0
        self.psp = {"Q2": ("SUCCESS", 400), "Q3": ("NOTPAY", 400)}
        self.psp_refunds: list[tuple[Any, ...]] = []
        self.balances = {(77, "stored"): 10_000 - 960 + 480 - 30 - 1_000 - 300}
        self.balances[77, "points"] = 50 - 20 + 4 + 10 - 2 + 4 + 4 + 4
        self.balances[900, "gift_card"] = 1_000 - 50

    def place(self, answer: dict[str, Any]) -> None:
        (order,) = answer["orders"]
        wanted = {"lines": [{"sku": "A", "qty": order["lines"][0]["qty"]}]}
        self.orders._placed(answer, {"orders": [wanted], "payable_fen": order["payable_fen"]}, self.member)

    def findings(self) -> list[str]:
        return [*self.world.wrong, *Oracle(self.world, self.domains).check(self.books())]

    def books(self) -> Books:
        kinds = {"D": "order", "Q": "order_payment", "F": "refund"}
        documents = {
            id_: Document(77, id_, kinds[id_[0]], state, 2, 5, None, "{}") for id_, state in self.documents.items()
        }
        facts: dict[str, list[tuple[Any, ...]]] = {
            name: [] for domain in self.domains for name in (*domain.facts, *domain.psp_facts)
        }
        facts |= {
            "orders of the mall": list(self.states.items()),
            "refunds of orders": [("F1", self.documents["F1"], msgspec.json.encode(self.refund).decode())],
            "after-sales": [tuple(self.after_sale)],
            "hand-overs": [tuple(self.handed)],
            "served": [tuple(self.served)],
            "parcels": [tuple(self.parcel)],
            "reviews": [tuple(self.review)],
            "uploads": [tuple(self.upload)],
            "shelves": [tuple(self.shelf)],
            "promised": [tuple(self.promised)],
            "held for orders": [(self.held,)],
            "points held for orders": [(self.points_held,)],
            "orders": [(id_, *order) for id_, order in self.psp.items()],
            "refunds at the PSP": self.psp_refunds,
            "gift cards": [("900", "active", 77)],
        }
        return Books(self.balances, documents, frozenset(), {}, 0, facts)


@pytest.fixture
def story() -> Story:
    return Story()


def test_true_books_are_silent(story):
    assert story.findings() == []
    assert story.world.domain(Pos).refunds == {"F1"}


@pytest.mark.parametrize(("state", "waits"), [("awaiting_payment", True), ("closed", False)])
def test_a_check_waits_for_the_end_of_an_order_that_was_refused_when_its_time_was_over(story, state, waits):
    story.documents.update(D9=state)

    assert story.orders.pending(story.books()) is waits


LIES: dict[str, Any] = {
    "order D1 is received, its document awaiting_payment": lambda story: (
        story.states.update(D1="received"),
        story.documents.update(D1="awaiting_payment"),
    ),
    "order D2 went from awaiting_payment to lost": lambda story: story.states.update(D2="lost"),
    "order D3 was cancelled, and nobody asked for it": lambda story: (
        story.states.update(D3="cancelled"),
        story.documents.update(D3="closed", Q3="closed"),
    ),
    "order D3 was closed before its time": lambda story: (
        story.states.update(D3="closed"),
        story.documents.update(D3="closed", Q3="closed"),
    ),
    "order D1 is ready, and nobody packed it": lambda story: story.states.update(D1="ready_for_pickup"),
    "order D1 was told to be cancelled and is paid": lambda story: story.orders.orders["D1"].told.add("cancelled"),
    "order D9 was never acknowledged": lambda story: story.documents.update(D9="paid"),
    "order D1 was acknowledged and is not stored": lambda story: story.states.pop("D1"),
    "shelf S1 A has 9": lambda story: story.shelf.__setitem__(2, 9),
    "2 promised": lambda story: story.shelf.__setitem__(3, 2),
    "was promised 2 pieces, and waits for 1": lambda story: story.promised.__setitem__(3, 2),
    "81 fen are held for orders, open ones hold 80": lambda story: setattr(story, "held", 81),
    "gift card 900 has 1000, acknowledged was 950": lambda story: story.balances.update({(900, "gift_card"): 1_000}),
    "5 points are held for orders, open ones hold 0": lambda story: setattr(story, "points_held", 5),
    "refund F1 of order D1 was never asked for": lambda story: story.orders.orders["D1"].asked.clear(),
    "is refunded, and nobody asked for it": lambda story: story.orders.orders["D1"].asked["W1"].tried.clear(),
    "is exchanged, and nobody asked for it": lambda story: story.after_sale.__setitem__(3, "exchanged"),
    "parcel T1 of order D4 left, and nobody sent it": lambda story: story.orders.orders["D4"].tried.clear(),
    "of 1 pieces of line 1 of order D4 2 were sent": lambda story: story.parcel.__setitem__(2, '{"1":2}'),
    "parcels {'T1'} of order D4 were acknowledged and are not stored": lambda story: (
        story.parcel.__setitem__(0, "D5"),
    ),
    "order D4 is shipped, and nothing was sent": lambda story: story.parcel.__setitem__(3, "W9"),
    "order D4 was told to be received and is shipped": lambda story: story.orders.orders["D4"].told.add("received"),
    "shows a picture of (78, 'D2-1')": lambda story: story.upload.__setitem__(1, 78),
    "shows a picture that is not there": lambda story: story.upload.__setitem__(0, "p2"),
    "picture p1 is shown 2 times": lambda story: story.review.__setitem__(3, '["p1","p1"]'),
    "picture p1 was used for D2-1, which does not show it": lambda story: story.review.__setitem__(3, "[]"),
    "was told to be refunded": lambda story: story.after_sale.__setitem__(3, "requested"),
    "of 2 pieces of line 1 of order D1 3 came back": lambda story: story.after_sale.__setitem__(4, '{"1":3}'),
    "stored is 8190, acknowledged was 8189": lambda story: story.refund.update(
        refund_fen=489, by_tender=[{"type": "points", "amount_fen": 10}, {"type": "stored", "amount_fen": 479}]
    ),
    "who never asked": lambda story: story.handed.__setitem__(2, "k2"),
    "order D5 is received, served by None": lambda story: story.served.__setitem__(0, "D9"),
    "order D5 was served by S1-T2, which never asked": lambda story: story.served.__setitem__(1, "S1-T2"),
    "order D5 was served by S1-T2 and again by S1-T1": lambda story: (
        story.world.domain(Tables).served.update(D5="S1-T2"),
    ),
    "order D5 was told to be served and is paid": lambda story: (
        story.states.update(D5="paid"),
        story.served.__setitem__(0, "D9"),
    ),
    "order D5 was placed at a table and is shipped": lambda story: story.states.update(D5="shipped"),
    "order D1 has no table and was served by S1-T1": lambda story: story.served.__setitem__(0, "D1"),
    "order D2 is received, handed over by None": lambda story: story.handed.__setitem__(0, "D9"),
    "payment Q2 paid for orders, and is NOTPAY at the PSP": lambda story: story.psp.update(Q2=("NOTPAY", 400)),
    "399 fen at the PSP": lambda story: story.psp.update(Q3=("NOTPAY", 399)),
    "the PSP gave back {'F9': 4}": lambda story: story.psp_refunds.append(("Q2", "F9", 4)),
    "payment Q3 is paid, its orders are": lambda story: story.documents.update(Q3="paid"),
}


@pytest.mark.parametrize("told", LIES)
def test_a_lie_is_told(story, told):
    LIES[told](story)

    assert any(told in finding for finding in story.findings()), story.findings()
