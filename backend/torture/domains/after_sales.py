"""What comes after an order: pieces asked back, brought, paid for, refused, withdrawn, at times by two at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from ..journal import Request
from ..world import Op, encode
from . import Domain, Operation
from .order_books import PAID, Asked, Order
from .orders import ORDERS, Orders
from .shelves import Shelves

if TYPE_CHECKING:
    from ..oracle import Books

AFTER_SALES = "/v1/admin/after-sales"


class Stored(NamedTuple):
    """What is stored of a request; ``pieces`` by line, as JSON."""

    id: str
    order_id: str
    kind: str
    state: str
    pieces: str
    dispatched: bool
    restock: bool


class AfterSales(Domain):
    """What is given back is paid for once, and lies on a shelf once if it can be sold again."""

    order: ClassVar[int] = 27  # looks at orders that were followed to where they stand
    facts: ClassVar = {
        "after-sales": "SELECT id, order_id, kind, state, pieces::text, dispatched, restock FROM orders_after_sale",
    }

    @property
    def operations(self) -> Sequence[Operation]:
        """What members ask for, and staff decide."""
        return (Operation("after-sale", 4, self.give_back),)

    @property
    def _orders(self) -> Orders:
        return self.world.domain(Orders)

    async def give_back(self, op: Op) -> None:
        """Some pieces of a line: asked for, brought back where they had left, paid back, at times by two at once."""
        order = self._orders.pick(op.random, PAID, "ready_for_pickup", "shipped", "received")
        if order is None:
            return
        dice = op.random
        line = dice.choice(order.sale.lines)
        qty, key = dice.randint(1, line.qty), f"{self.world.seed}-{op.number}-back"
        kind = "refund"
        if order.state in ("shipped", "received"):
            kind = dice.choice(("refund", "return", "return", "exchange"))
        made: list[Asked] = []

        def accept(answer: Any) -> None:
            made.append(order.asked.setdefault(answer["id"], Asked(answer["id"], kind, line.number, qty)))

        body = {"kind": kind, "lines": [{"line_no": line.number, "qty": qty}], "reason": "不想要了"}
        path = f"{ORDERS}/{order.id}/after-sales"
        request = Request(order.sale.member, "POST", path, encode(body), key, booked=False)
        refusals = frozenset({"after_sale_unavailable", "refund_exceeds_paid"})
        await self.world.ask(op, request, accept=accept, refusals=refusals)
        if made:
            await self._follow(op, order, made[0])

    async def _follow(self, op: Op, order: Order, asked: Asked) -> None:
        """What staff make of a request; sometimes the member withdraws it at the same moment."""
        dice, path = op.random, f"{AFTER_SALES}/{asked.id}"
        fault = {"fault": "shop"} if dice.random() < 0.3 else {}
        if asked.kind != "refund":
            await self._step(op, order, asked, f"{path}/approve", fault, "approve")
            goods = {"restock": dice.random() < 0.7}
            await self._step(op, order, asked, f"{path}/goods", goods, "goods")
        chance = dice.random()
        if chance < 0.1:
            await self._step(op, order, asked, f"{path}/reject", {"note": "不符"}, "reject")
            return
        times = 2 if dice.random() < 0.2 else 1
        if asked.kind == "exchange":
            parcel = {"carrier": "YTO", "tracking_no": f"X{self.world.seed}-{op.number}"}
            steps = [self._step(op, order, asked, f"{path}/exchange", parcel, "exchange") for _ in range(times)]
        else:
            pays = f"{path}/refund" if asked.kind == "return" else f"{path}/approve"
            steps = [self._step(op, order, asked, pays, fault, "pay") for _ in range(times)]
        if chance < 0.2:
            steps.append(self._withdraw(op, order, asked))
        elif chance < 0.3 and asked.kind == "refund" and order.state == PAID:
            steps.append(self._orders.cancel_one(op, order))
        await asyncio.gather(*steps)

    async def _step(self, op: Op, order: Order, asked: Asked, path: str, body: Any, what: str) -> None:
        asked.tried.add(what)

        def accept(answer: Any) -> None:
            if what != "pay":
                return
            refund, most = answer.get("refund"), order.most_fen(asked.line_no, asked.qty) + order.freight_fen
            if answer["status"] != "refunded" or refund is None or not 0 < refund["refund_fen"] <= most:
                self.world.blame(f"request {asked.id} for {asked.qty} pieces of at most {most} fen is {answer}")
            else:
                asked.told = refund["id"]

        refusals = frozenset({"after_sale_conflict", "refund_exceeds_paid", "return_exceeds_sold"})
        if what == "exchange":
            refusals |= {"out_of_stock"}
        await self.world.ask(
            op, Request(self.world.admin, "POST", path, encode(body)), accept=accept, refusals=refusals
        )

    async def _withdraw(self, op: Op, order: Order, asked: Asked) -> None:
        asked.tried.add("withdraw")
        request = Request(order.sale.member, "POST", f"/v1/member/after-sales/{asked.id}/cancel")
        await self.world.ask(op, request, refusals=frozenset({"after_sale_conflict"}))

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """What a request gave back comes to a shelf once, if it never left or came back fit to be sold."""
        orders, shelves = self._orders.orders, self.world.domain(Shelves)
        pieces: Counter[tuple[str, int]] = Counter()
        cancelled = {order.id for order in orders.values() if order.state == "cancelled" and order.sale.paid}
        shelves.back.clear()
        for row in map(Stored._make, books.facts["after-sales"]):
            order = orders.get(row.order_id)
            if order is None:
                yield f"{row} is about an order that was never acknowledged"
                continue
            asked = order.asked.get(row.id)
            yield from _unasked(row, asked)
            if row.state == "exchanged" and not row.restock:
                for line_no, qty in msgspec.json.decode(row.pieces).items():
                    shelves.back[order.store_id, order.skus[int(line_no)]] -= qty  # another left for what is broken
            if asked is not None and asked.told and row.state != "refunded":
                yield f"{row} was told to be refunded"
            if row.state != "refunded":
                continue
            for line_no, qty in msgspec.json.decode(row.pieces).items():
                pieces[order.id, int(line_no)] += qty
                if not row.dispatched or (row.kind == "return" and row.restock):
                    shelves.back[order.store_id, order.skus[int(line_no)]] += qty
        for (order_id, line_no), qty in pieces.items():
            line = next(line for line in orders[order_id].sale.lines if line.number == line_no)
            if qty > line.qty:
                yield f"of {line.qty} pieces of line {line_no} of order {order_id} {qty} came back"
        for order_id in cancelled - {order_id for order_id, _ in pieces}:
            shelves.back.update(orders[order_id].pieces)


def _unasked(row: Stored, asked: Asked | None) -> Iterator[str]:
    for state, step in (("refunded", "pay"), ("exchanged", "exchange")):
        if row.state == state and (asked is None or step not in asked.tried):
            yield f"{row} is {state}, and nobody asked for it"
