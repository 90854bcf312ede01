"""Gift cards in members' sales: their own by their code, anybody's by its PIN."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from ..world import Member, Op, Phone, Till
from . import Domain, Operation
from .gift_cards import REFUSALS, GiftCards
from .pos import SALE as SALE_REFUSALS
from .pos import Pos
from .sale import LEAST_PAYABLE_FEN


class GiftCardSales(Domain):
    """A sale and its gift cards stand or fall together; each was paid once, and gave back no more."""

    order: ClassVar[int] = 37

    @property
    def operations(self) -> Sequence[Operation]:
        """What tills do."""
        return (
            Operation("sale with gift card", 5, self.sell),
            Operation("refund with gift card", 2, self.refund),
            Operation("other's gift card at the till", 0.5, self.steal),
        )

    @property
    def _pos(self) -> Pos:
        return self.world.domain(Pos)

    async def sell(self, op: Op) -> None:
        """By one phone of a member, or by two at once with the same card."""
        picked = self.world.pick_phone(op.random)
        if picked is None:
            return
        member, phone, step = picked
        phones = [(phone, step)]
        if op.random.random() < 0.25:
            others = [other for other in member.phones if other.last_step < step][:1]
            for other in others:
                other.last_step = step
            phones += [(other, step) for other in others]
        till = self._pos.till(op.random, member)
        tender = await self.world.domain(GiftCards).tender(op, till, member, LEAST_PAYABLE_FEN)
        if tender is None:
            return
        rest = {"type": op.random.choice(("cash", "stored"))}
        whole = op.random.random() < 0.3
        tenders = [{name: tender[name] for name in ("type", "reference")}] if whole else [tender, rest]
        await asyncio.gather(*(self._sell(op, n, member, code, till, tenders) for n, code in enumerate(phones)))

    async def _sell(
        self, op: Op, number: int, member: Member, code: tuple[Phone, int], till: Till, tenders: list[dict[str, Any]]
    ) -> None:
        key = f"{self.world.seed}-{op.number}-gift{number}"
        basket = self._pos.basket(op) | {"code": self._pos.codes.show(*code, till), "order_no": key, "tenders": tenders}
        await self._pos.ring_up(op, till, member, basket, key, code, refusals=SALE_REFUSALS | REFUSALS)

    async def refund(self, op: Op) -> None:
        """Of a sale that a gift card paid part of."""
        sales = [sale for sale in self._pos.recent if sale.cards]
        if sales:
            await self._pos.give_back(op, op.random.choice(sales[-20:]))

    async def steal(self, op: Op) -> None:
        """Somebody else's card is not there by its id alone."""
        picked, cards = self.world.pick_phone(op.random), self.world.domain(GiftCards)
        bound = [card for card in cards.recent if card.member_id]
        if picked is None or not bound:
            return
        member, phone, _ = picked
        card = op.random.choice(bound)
        if card.member_id == member.id:
            return
        basket = self._pos.basket(op) | {"tenders": [{"type": "gift_card", "reference": card.id}]}
        request = self._pos.buy_with(op, member, phone, suffix="stolen", basket=basket)
        await self.world.ask_in_vain(op, request, refusals=SALE_REFUSALS | {"gift_card_not_held"})
