"""Carts: the same line changed on two devices at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ..journal import Request
from ..world import Op, encode
from . import Domain, Operation
from .shelves import Shelves

CART = "/v1/member/cart"


class Carts(Domain):
    """A cart holds what was last put into it; it takes nothing and promises nothing."""

    @property
    def operations(self) -> Sequence[Operation]:
        """What two devices of one member do."""
        return (Operation("cart", 1, self.fill),)

    async def fill(self, op: Op) -> None:
        """A cart on two devices at once: the last word counts, and it is one of both."""
        wanted = self.world.domain(Shelves).wanted(op.random)
        if not wanted:
            return
        member, store_id, sku = self.world.pick(op.random), wanted[0]["store_id"], wanted[0]["lines"][0]["sku"]

        async def put(qty: int) -> None:
            request = Request(member, "PUT", f"{CART}/{store_id}/{sku}", encode({"qty": qty}))
            await self.world.ask(op, request)

        await asyncio.gather(*(put(qty) for qty in (1, 2)))
