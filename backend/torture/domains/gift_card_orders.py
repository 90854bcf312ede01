"""Gift cards in orders: members' own and those whose PIN is typed, while tills want the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..journal import Request
from ..world import Op, encode
from . import Domain, Operation
from .gift_cards import REFUSALS, GiftCards
from .orders import ORDERS, Orders
from .sale import LEAST_PAYABLE_FEN
from .shelves import Shelves

MOST_FEN = 2 * LEAST_PAYABLE_FEN
"""Less than any order costs."""


class GiftCardOrders(Domain):
    """An order takes of a gift card once what it says, and while it waits for WeChat nobody else has it."""

    order: ClassVar[int] = 38

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones do."""
        return (
            Operation("order with gift card", 4, self.buy),
            Operation("other's gift card in an order", 0.4, self.steal),
        )

    @property
    def _cards(self) -> GiftCards:
        return self.world.domain(GiftCards)

    async def buy(self, op: Op) -> None:
        """The card pays a part, or all; stored value or WeChat pay the rest, which is mostly paid."""
        dice, member = op.random, self._cards.whose(op.random) or self.world.pick(op.random)
        wanted = self.world.domain(Shelves).wanted(dice)
        tender = await self._cards.tender_online(op, member, MOST_FEN) if wanted else None
        if tender is None:
            return
        tenders = [{name: tender[name] for name in ("type", "reference")}]
        if dice.random() < 0.8:
            tenders = [tender, {"type": dice.choice(("stored", "wechat"))}]
        pays, orders = dice.random() < 0.7, self.world.domain(Orders)
        for payment in await orders.place(op, member, wanted, tenders, refusals=REFUSALS):
            if pays:
                await orders.pay(payment)

    async def steal(self, op: Op) -> None:
        """Somebody else's card is not there by its id alone."""
        member, bound = self.world.pick(op.random), [card for card in self._cards.recent if card.member_id]
        wanted = self.world.domain(Shelves).wanted(op.random)
        if not (bound and wanted):
            return
        card = op.random.choice(bound)
        if card.member_id == member.id:
            return
        tenders = [{"type": "gift_card", "reference": card.id}]
        body, key = {"orders": wanted, "tenders": tenders, "payable_fen": 1}, f"{self.world.seed}-{op.number}-stolen"
        request = Request(member, "POST", ORDERS, encode(body), key, f"member/{member.id}")
        await self.world.ask_in_vain(op, request, refusals=frozenset({"gift_card_not_held", "out_of_stock"}))
