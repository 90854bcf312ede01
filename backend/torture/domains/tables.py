"""Orders at tables: placed by the code that hangs there, brought by a till of the store, noted by two at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Op, Till, encode
from . import Domain, Operation
from .order_books import PAID, Order
from .orders import ORDERS, Orders
from .shelves import Shelves

if TYPE_CHECKING:
    from ..oracle import Books

SPOTS, TO_SERVE = "/v1/admin/mall/spots", "/v1/pos/spot-orders"
TABLE = "考验桌"
_SERVED = ("received", "completed")


class Tables(Domain):
    """What is ordered at a table is brought there once, by a till of its store, or given back; it goes no other way."""

    order: ClassVar[int] = 28  # compares when it is known where every order stands
    facts: ClassVar = {
        "served": "SELECT order_id, terminal_id FROM orders_fulfilment WHERE terminal_id IS NOT NULL",
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.codes: dict[str, str] = {}
        self.served: dict[str, str] = {}

    @property
    def operations(self) -> Sequence[Operation]:
        """What members at tables do, and who brings it to them."""
        return (
            Operation("order at a table", 2, self.buy),
            Operation("order served", 3, self.serve),
            Operation("tables' orders", 0.5, self.look),
        )

    async def prepare(self) -> None:
        """A table in every store; its code is what members scan."""
        op = Op(-1, "tables", Random(0))
        for store_id in self.world.stores:
            made = Request(
                self.world.admin, "POST", SPOTS, encode({"store_id": store_id, "kind": "table", "name": TABLE})
            )
            await self.world.ask(op, made, refusals=frozenset({"validation_failed"}))  # made by what was lost

            def accept(shown: Any, store_id: str = store_id) -> None:
                self.codes[store_id] = next(one["code"] for one in shown["items"] if one["name"] == TABLE)

            shown = Request(self.world.admin, "GET", f"{SPOTS}?store_id={store_id}")
            await self.world.ask(op, shown, accept=accept)

    @property
    def _orders(self) -> Orders:
        return self.world.domain(Orders)

    async def buy(self, op: Op) -> None:
        """At a table of the store, paid by what the member has or by WeChat; a code of another store is refused."""
        dice, member = op.random, self.world.pick(op.random)
        wanted = self.world.domain(Shelves).wanted(dice)
        if not wanted:
            return
        tenders = [{"type": "stored"}] if dice.random() < 0.6 else [{"type": "wechat"}]
        elsewhere = dice.choice([store_id for store_id in self.world.stores if store_id != wanted[0]["store_id"]])
        if dice.random() < 0.1:
            wanted[0]["delivery"] = {"kind": "spot", "spot_code": self.codes[elsewhere]}
            body = encode({"orders": wanted, "tenders": tenders})
            request = Request(member, "POST", f"{ORDERS}/quote", body)
            await self.world.ask_in_vain(op, request, refusals=frozenset({"spot_invalid"}))
        wanted[0]["delivery"] = {"kind": "spot", "spot_code": self.codes[wanted[0]["store_id"]]}
        for payment in await self._orders.place(op, member, wanted, tenders):
            await self._orders.pay(payment)

    async def serve(self, op: Op) -> None:
        """A till notes that it was brought; sometimes two do, or the member changes their mind at that moment."""
        dice = op.random
        among = [one for one in self._orders.recent if one.delivery == "spot" and one.state in (PAID, "received")]
        if not among:
            return
        order = dice.choice(among)
        tills = [till for till in self.world.tills if till.store_id == order.store_id]
        if dice.random() < 0.1:
            other = dice.choice([till for till in self.world.tills if till.store_id != order.store_id])
            await self.world.ask_in_vain(op, _note(order, other), refusals=frozenset({"not_found"}))
        both = dice.sample(tills, 2 if dice.random() < 0.2 and len(tills) > 1 else 1)
        acts = [self._serve(op, order, till) for till in both]
        if dice.random() < 0.1:
            acts.append(self._orders.cancel_one(op, order))
        await asyncio.gather(*acts)

    async def _serve(self, op: Op, order: Order, till: Till) -> None:
        order.tried.add(f"serve {till.id}")

        def accept(answer: Any) -> None:
            order.told.add("served")
            if answer["status"] not in _SERVED or answer["spot"] != TABLE:
                self.world.blame(f"order {order.id} was served and is {answer}")

        refusals = frozenset({"order_not_receivable", "after_sale_open"})
        await self.world.ask(op, _note(order, till), accept=accept, refusals=refusals)

    async def look(self, op: Op) -> None:
        """What waits at a store's tables is of that store."""
        till = op.random.choice(self.world.tills)

        def accept(shown: Any) -> None:
            for item in shown["items"]:
                order = self._orders.orders.get(item["order_id"])
                if order is not None and (order.store_id, order.delivery) != (till.store_id, "spot"):
                    self.world.blame(f"order {order.id} of {order.store_id} waits at the tables of {till.store_id}")

        await self.world.ask(op, Request(till, "GET", TO_SERVE), accept=accept)

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """An order at a table was served once, by a till that asked, and stands nowhere else."""
        rows = {row[0]: row[1] for row in books.facts["served"]}
        for order in self._orders.orders.values():
            till_id = rows.get(order.id)
            if order.delivery != "spot":
                if till_id is not None:
                    yield f"order {order.id} has no table and was served by {till_id}"
                continue
            if order.state in ("ready_for_pickup", "shipped"):
                yield f"order {order.id} was placed at a table and is {order.state}"
            if (till_id is not None) != (order.state in _SERVED):
                yield f"order {order.id} is {order.state}, served by {till_id}"
            if till_id is not None and f"serve {till_id}" not in order.tried:
                yield f"order {order.id} was served by {till_id}, which never asked"
            if "served" in order.told and till_id is None:
                yield f"order {order.id} was told to be served and is {order.state}"
            if till_id is not None and self.served.setdefault(order.id, till_id) != till_id:
                yield f"order {order.id} was served by {self.served[order.id]} and again by {till_id}"


def _note(order: Order, till: Till) -> Request:
    return Request(till, "POST", f"{TO_SERVE}/{order.id}/serve")
