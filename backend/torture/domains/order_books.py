"""Orders of the mall as phone and store know them, and what must hold between them, books, shelves and PSP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .sale import Sale

WAITING, CLOSED, PAID = "awaiting_payment", "closed", "paid"
STATES: Mapping[str, Sequence[str]] = {
    "": (WAITING, PAID),
    WAITING: (PAID, "cancelled", CLOSED),
    PAID: ("ready_for_pickup", "cancelled"),
    "ready_for_pickup": ("received", "cancelled"),
    "received": ("completed",),
    "completed": (),
    "cancelled": (),
    CLOSED: (),
}
"""Of an order that is fetched at its store: where it may go in one step."""

STANDS: Mapping[str, frozenset[str]] = {
    WAITING: frozenset({WAITING}),
    CLOSED: frozenset({CLOSED, "cancelled"}),
    PAID: frozenset({PAID, "ready_for_pickup", "received", "completed"}),
    "partly_refunded": frozenset({PAID, "ready_for_pickup", "received", "completed"}),
    "refunded": frozenset({"cancelled", "received", "completed"}),
    "cancelled": frozenset({"cancelled"}),
}
"""What the order may say of itself, by what its document says."""

FACTS = {
    "orders of the mall": "SELECT id, state FROM orders_order",
    "refunds of orders": (
        "SELECT id, state, body FROM ledger_document WHERE kind = 'refund' AND starts_with(body->>'sale_id', 'D')"
    ),
    "after-sales": "SELECT id, order_id, kind, state, pieces::text, dispatched, restock FROM orders_after_sale",
    "hand-overs": "SELECT order_id, terminal_id, key FROM orders_pickup WHERE handed_at IS NOT NULL",
    "shelves": (
        "SELECT l.place_id, l.sku, l.on_hand, l.reserved, l.short, a.unit_price_fen"
        " FROM stock_level l JOIN mall_article a USING (sku)"
    ),
    "promised": "SELECT order_id, place_id, sku, qty FROM stock_reservation",
    "held for orders": ("SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entry WHERE kind = 'house.order_held'"),
    "points held for orders": (
        "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entry WHERE kind = 'house.order_points_held'"
    ),
}
PSP_FACTS = {"refunds at the PSP": "SELECT out_trade_no, out_refund_no, amount FROM refund"}


class AfterSale(NamedTuple):
    """What is stored of a request; ``pieces`` by line, as JSON."""

    id: str
    order_id: str
    kind: str
    state: str
    pieces: str
    dispatched: bool
    restock: bool


@dataclass
class Asked:
    """A request as it was acknowledged; ``approved``: staff were asked to pay it."""

    id: str
    kind: str
    line_no: int
    qty: int
    tried: set[str] = field(default_factory=set)
    told: str = ""


@dataclass
class Order:
    """An order as it was acknowledged, and how far the model has followed it.

    ``sale`` is what it is as a purchase. ``skus`` is what each line is of, ``payment_id`` what WeChat is to be paid by,
    ``tried`` what was asked of it since, ``told`` the answers that must hold.
    """

    sale: Sale
    store_id: str
    skus: Mapping[int, str]
    payment_id: str = ""
    pay_until: float = 0.0
    state: str = ""
    tried: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    asked: dict[str, Asked] = field(default_factory=dict)
    handed: tuple[str, str] | None = None
    code: str = ""

    @property
    def id(self) -> str:
        """Its number."""
        return self.sale.id

    @property
    def held_fen(self) -> int:
        """What of the member's money it holds while it waits."""
        return self.sale.tenders.get("stored", 0)

    @property
    def pieces(self) -> Counter[tuple[str, str]]:
        """What it takes off which shelf."""
        found: Counter[tuple[str, str]] = Counter()
        for line in self.sale.lines:
            if line.number in self.skus:
                found[self.store_id, self.skus[line.number]] += line.qty
        return found

    def most_fen(self, line_no: int, qty: int) -> int:
        """What so many pieces of a line cost at most."""
        return next(line.share(qty) for line in self.sale.lines if line.number == line_no)


@dataclass
class Payment:
    """What WeChat is to be paid for the orders of a checkout; ``paid``: it took the money."""

    id: str
    fen: int
    orders: list[Order]
    paid: bool = False


def shelves(
    opening: Mapping[tuple[str, str], int], orders: Sequence[Order], back: Mapping[tuple[str, str], int]
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """What must lie on each shelf, and how much of it must be promised."""
    on_hand, promised = Counter(opening), Counter[tuple[str, str]]()
    for order in orders:
        if order.state == WAITING:
            promised.update(order.pieces)
        elif order.sale.paid:
            on_hand.subtract(order.pieces)
    on_hand.update(back)
    return on_hand, promised


def compare_shelves(
    opening: Mapping[tuple[str, str], int],
    orders: Sequence[Order],
    back: Mapping[tuple[str, str], int],
    facts: Mapping[str, Sequence[Sequence[Any]]],
) -> Iterator[str]:
    """Shelves hold what was there less what orders took plus what came back; what is promised waits to be paid."""
    on_hand, promised = shelves(opening, orders, back)
    seen = set()
    for place_id, sku, have, reserved, short, _ in facts["shelves"]:
        seen.add((place_id, sku))
        want = on_hand[place_id, sku], promised[place_id, sku], 0
        if (have, reserved, short) != want:
            yield f"shelf {place_id} {sku} has {have}, {reserved} promised and {short} short; it must be {want}"
        if not reserved <= have:
            yield f"shelf {place_id} {sku} has {have} and promises {reserved}"
    for shelf in on_hand.keys() - seen:
        yield f"shelf {shelf} is gone"
    waiting = {
        (order.id, *shelf): qty for order in orders if order.state == WAITING for shelf, qty in order.pieces.items()
    }
    there = {tuple(row[:3]): row[3] for row in facts["promised"]}
    for key in waiting.keys() | there.keys():
        if waiting.get(key, 0) != there.get(key, 0):
            yield f"order {key} was promised {there.get(key, 0)} pieces, and waits for {waiting.get(key, 0)}"
