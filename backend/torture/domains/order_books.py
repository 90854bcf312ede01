"""Orders of the mall as phone and store know them, and what must hold between them, books and PSP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from .sale import Sale, by_type

if TYPE_CHECKING:
    from ..oracle import Books

WAITING, CLOSED, PAID = "awaiting_payment", "closed", "paid"
STATES: Mapping[str, Sequence[str]] = {
    "": (WAITING, PAID),
    WAITING: (PAID, "cancelled", CLOSED),
    PAID: ("ready_for_pickup", "shipped", "received", "cancelled"),
    "ready_for_pickup": ("received", "cancelled"),
    "shipped": ("received",),
    "received": ("completed",),
    "completed": (),
    "cancelled": (),
    CLOSED: (),
}
"""Of an order that is fetched at its store, sent from it or brought to a table: where it may go in one step."""

STANDS: Mapping[str, frozenset[str]] = {
    WAITING: frozenset({WAITING}),
    CLOSED: frozenset({CLOSED, "cancelled"}),
    PAID: frozenset({PAID, "ready_for_pickup", "shipped", "received", "completed"}),
    "partly_refunded": frozenset({PAID, "ready_for_pickup", "shipped", "received", "completed"}),
    "refunded": frozenset({"cancelled", "shipped", "received", "completed"}),
    "cancelled": frozenset({"cancelled"}),
}
"""What the order may say of itself, by what its document says."""

LATE = "L"
"""What the number of a late payment's refund ends with."""


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
    ``tried`` what was asked of it since, ``told`` the answers that must hold. ``delivery``: ``pickup``, ``express`` or
    ``spot``.
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
    freight_fen: int = 0
    delivery: str = "pickup"

    @property
    def id(self) -> str:
        """Its number."""
        return self.sale.id

    @property
    def held_fen(self) -> int:
        """What of the member's money, gift cards' among it, it holds while it waits."""
        return self.sale.tenders.get("stored", 0) + self.sale.tenders.get("gift_card", 0)

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


def ahead(state: str) -> set[str]:
    """Where an order may be found next time, with any steps between."""
    found, next_ones = {state}, list(STATES[state])
    while next_ones:
        now = next_ones.pop()
        if now not in found:
            found.add(now)
            next_ones += STATES[now]
    return found


def compare_holds(orders: Iterable[Order], facts: Mapping[str, Sequence[Sequence[Any]]]) -> Iterator[str]:
    """What is held is what open orders hold."""
    waiting = [order for order in orders if order.state == WAITING]
    for (held,) in facts["held for orders"]:
        if held != (want := sum(order.held_fen for order in waiting)):
            yield f"{held} fen are held for orders, open ones hold {want}"
    for (held,) in facts["points held for orders"]:
        if held != (want := sum(order.sale.points_paid for order in waiting)):
            yield f"{held} points are held for orders, open ones hold {want}"


def compare_payments(
    payments: Iterable[Payment], orders: Mapping[str, Order], books: Books, *, final: bool
) -> Iterator[str]:
    """WeChat's money pays orders once, or goes back; what it gives back are the shares of refunds."""
    at_psp = {row[0]: (row[1], row[2]) for row in books.facts["orders"]}
    given: dict[str, dict[str, int]] = {}
    for trade_no, refund_no, amount in books.facts["refunds at the PSP"]:
        given.setdefault(trade_no, {})[refund_no] = amount
    owed: dict[str, dict[str, int]] = {}
    for id_, state, text in books.facts["refunds of orders"]:
        body = msgspec.json.decode(text) if isinstance(text, str) else text
        order, fen = orders.get(body["sale_id"]), by_type(body["by_tender"]).get("wechat", 0)
        if order is not None and fen:
            owed.setdefault(order.payment_id, {})[id_] = fen
        if final and state != "posted":
            yield f"refund {id_} of an order is {state}, {fen} fen are at the PSP"
    for payment in payments:
        document = books.documents.get(payment.id)
        state, (there, fen) = document.state if document else "gone", at_psp.get(payment.id, ("none", payment.fen))
        back = given.get(payment.id, {})
        if fen != payment.fen or any(order.state == WAITING for order in payment.orders) != (state == "pending"):
            yield f"payment {payment.id} of {payment.fen} fen is {state} here, {there} with {fen} fen at the PSP"
        if (state == "paid") != all(order.sale.paid for order in payment.orders):
            yield f"payment {payment.id} is {state}, its orders are {[order.state for order in payment.orders]}"
        if state == "paid" and there not in ("SUCCESS", "REFUND"):
            yield f"payment {payment.id} paid for orders, and is {there} at the PSP"
        right = owed.get(payment.id, {}) if state == "paid" else {f"{payment.id}{LATE}": payment.fen}
        if any(right.get(refund_no) != amount for refund_no, amount in back.items()):
            yield f"payment {payment.id}: the PSP gave back {back}, owed was {right}"
        if final and there != "none" and payment.paid and back != right:
            yield f"payment {payment.id} is {state} here, the PSP gave back {back} of {right}"
        if final and there == "SUCCESS" and state in ("pending", "closed"):
            yield f"payment {payment.id} is {state}, but its money is at the PSP"
