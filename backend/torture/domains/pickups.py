"""Orders that are fetched: the code at the store, two tills at once, another store's till."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Op, Till, encode
from . import Domain, Operation
from .order_books import Order
from .orders import ORDERS, Orders

if TYPE_CHECKING:
    from ..oracle import Books


class Pickups(Domain):
    """Goods are handed over once, to whoever has the code, by a till of the store."""

    order: ClassVar[int] = 28  # compares when it is known where every order stands
    facts: ClassVar = {
        "hand-overs": "SELECT order_id, terminal_id, key FROM orders_pickup WHERE handed_at IS NOT NULL",
    }

    @property
    def operations(self) -> Sequence[Operation]:
        """What members do at the counter."""
        return (Operation("order fetched", 3, self.fetch),)

    @property
    def _orders(self) -> Orders:
        return self.world.domain(Orders)

    async def fetch(self, op: Op) -> None:
        """The member shows the code at the store; sometimes at two tills at once, or at another store's."""
        order = self._orders.pick(op.random, "ready_for_pickup", "received")
        if order is None:
            return
        if not order.code:
            request = Request(order.sale.member, "GET", f"{ORDERS}/{order.id}/delivery")

            def accept(shown: Any) -> None:
                order.code = shown.get("pickup", {}).get("code", "")

            await self.world.ask(op, request, accept=accept)
        if not order.code:
            return
        if op.random.random() < 0.1:
            await self._fetch_elsewhere(op, order)
        tills = [till for till in self.world.tills if till.store_id == order.store_id]
        both = op.random.sample(tills, 2 if op.random.random() < 0.2 and len(tills) > 1 else 1)
        await asyncio.gather(*(self._fetch(op, order, till) for till in both))

    async def _fetch(self, op: Op, order: Order, till: Till) -> None:
        key = f"{self.world.seed}-{op.number}-{till.id}"
        order.tried.add(f"fetch {till.id} {key}")

        def accept(answer: Any) -> None:
            if order.handed not in (None, (till.id, key)) or answer["status"] not in ("received", "completed"):
                self.world.blame(f"order {order.id} was handed over by {order.handed} and by {till.id}: {answer}")
            order.handed = till.id, key

        path, body = f"/v1/pos/pickups/{order.id}/handover", encode({"code": order.code})
        request = Request(till, "POST", path, body, key, booked=False)
        refusals = frozenset({"pickup_done", "after_sale_open", "order_not_receivable"})
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    async def _fetch_elsewhere(self, op: Op, order: Order) -> None:
        till = op.random.choice([till for till in self.world.tills if till.store_id != order.store_id])
        path, body = f"/v1/pos/pickups/{order.id}/handover", encode({"code": order.code})
        request = Request(till, "POST", path, body, f"{self.world.seed}-{op.number}-elsewhere", booked=False)
        await self.world.ask_in_vain(op, request, refusals=frozenset({"not_found"}))

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """An order is handed over once, by the till that was told so."""
        rows = {row[0]: (row[1], row[2]) for row in books.facts["hand-overs"]}
        for order in self._orders.orders.values():
            handed = rows.get(order.id)
            if handed is not None and f"fetch {handed[0]} {handed[1]}" not in order.tried:
                yield f"order {order.id} was handed over by {handed}, who never asked"
            if order.handed is not None and handed != order.handed:
                yield f"order {order.id} was handed over by {handed}, acknowledged was {order.handed}"
            if order.delivery == "pickup" and (handed is not None) != (order.state in ("received", "completed")):
                yield f"order {order.id} is {order.state}, handed over by {handed}"
