"""Coupons at the till, and those that a sale is given afterwards."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..world import Member, Op, Phone
from . import Domain, Operation
from .coupon_books import SALE, Piece, Row
from .coupons import GIFT_FROM_FEN, Coupons
from .pos import SALE as SALE_REFUSALS
from .pos import Pos
from .sale import Sale
from .staff import FREEZABLE

if TYPE_CHECKING:
    from ..oracle import Books
    from ..world import World

LEAST_PRICE_FEN = 300
GONE = frozenset({"coupon_unavailable", "coupon_used", "coupon_expired"})
OFFERED = frozenset({"coupon_locked", "coupon_given"})
"""Only of a coupon that may be given away: somebody may just be doing so."""


class CouponSales(Domain):
    """A coupon is used once, or to its balance, by one till; whoever buys enough is given one, once."""

    order: ClassVar[int] = 35  # compares when it is known which sales were paid

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._voided: Counter[str] = Counter()
        self._carried: Counter[str] = Counter()

    @property
    def operations(self) -> Sequence[Operation]:
        """What tills and phones do."""
        return (
            Operation("sale with coupon", 5, self.sell),
            Operation("refund with coupon", 2, self.refund),
            Operation("other's coupon at the till", 0.7, self.steal),
        )

    @property
    def _coupons(self) -> Coupons:
        return self.world.domain(Coupons)

    @property
    def _pos(self) -> Pos:
        return self.world.domain(Pos)

    async def sell(self, op: Op) -> None:
        """By one phone, or by two at two tills at once; sometimes the coupon is used up or over."""
        piece = self._coupons.pick(op.random)
        if piece is None:
            return
        member, step = self._coupons.holder(piece), self.world.step()
        phones = [phone for phone in member.phones if phone.last_step < step][: 1 if op.random.random() < 0.75 else 2]
        for phone in phones:
            phone.last_step = step
        await asyncio.gather(*(self._sell(op, n, member, phone, step, piece) for n, phone in enumerate(phones)))

    async def refund(self, op: Op) -> None:
        """Of a sale that a coupon paid part of."""
        sales = [sale for sale in self._pos.recent if sale.coupons]
        if sales:
            await self._pos.give_back(op, op.random.choice(sales[-20:]))

    async def _sell(self, op: Op, number: int, member: Member, phone: Phone, step: int, piece: Piece) -> None:
        till, key = self._pos.till(op.random, member), f"{self.world.seed}-{op.number}-coupon{number}"
        basket = self.basket(op, piece) | {"code": self._pos.codes.show(phone, step, till), "order_no": key}
        refusals = SALE_REFUSALS | GONE | (OFFERED if piece.offer.terms.get("transferable") else frozenset())
        if piece.by.startswith(SALE):
            refusals |= {"coupon_void"}  # what it was given for was brought back
        await self._pos.ring_up(op, till, member, basket, key, (phone, step), refusals=refusals)

    def basket(self, op: Op, piece: Piece) -> dict[str, Any]:
        """What that coupon pays a part of."""
        basket = self._pos.basket(op)
        line = basket["lines"][0]  # dear enough for every threshold
        line["unit_price_fen"] = max(line["unit_price_fen"], LEAST_PRICE_FEN)
        rest = op.random.choice(({"type": "stored"}, {"type": "cash"}))
        return basket | {"tenders": [{"type": "coupon", "coupon_id": piece.id}, rest]}

    async def steal(self, op: Op) -> None:
        """Somebody else's coupon is not there."""
        picked, piece = self.world.pick_phone(op.random), self._coupons.pick(op.random)
        if picked is None or piece is None or piece.member_id == picked[0].id:
            return
        member, phone, _ = picked
        basket = self.basket(op, piece)
        request = self._pos.buy_with(op, member, phone, suffix="stolen", basket=basket)
        await self.world.ask_in_vain(op, request, refusals=SALE_REFUSALS | {"coupon_not_held"})

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """What a sale was given, it was given once, and it was large enough; in the end each of them was.

        Then every coupon is compared.
        """
        for row in map(Row._make, books.facts["coupons"]):
            if row.source.startswith(SALE) and row.id not in self._coupons.told.pieces:
                sale = self._pos.sales.get(row.source.removeprefix(SALE))
                right = sale is not None and sale.bought_fen >= GIFT_FROM_FEN and self._is_theirs(sale, row)
                yield from self._coupons.adopt(row, right=right and row.template_id == self._coupons.gift.id)
            if row.voided:
                yield from self._was_voided(row)
            if row.carried:
                self.world.model.move(row.member_id, coupons=self._carried[row.id] - row.carried)
                self._carried[row.id] = row.carried
        yield from self._coupons.compare(books, final=final)
        if final and not books.events:
            yield from self._lacking(books)
            yield from self._kept(books)

    def _is_theirs(self, sale: Sale, row: Row) -> bool:
        return self.world.person(sale.member.id) == self.world.person(row.member_id)

    def _was_voided(self, row: Row) -> Iterator[str]:
        """Only a reward is, whose sale was given back; the model knows it from now on."""
        if not self._is_undeserved(row):
            yield f"{row} was made void, and nothing was given back"
        self.world.model.move(row.member_id, coupons=self._voided[row.id] - row.voided)
        self._voided[row.id] = row.voided

    def _lacking(self, books: Books) -> Iterator[str]:
        """Whoever bought enough was given one, or is due one; a frozen member may have been refused."""
        due, given = {row[0] for row in books.facts["coupons due"]}, self._coupons.told.gifts
        for sale in self._pos.sales.values():
            lacks = f"{SALE}{sale.id}" not in given and f"sale:{sale.id}" not in due
            if sale.paid and sale.spent_fen >= GIFT_FROM_FEN and lacks and sale.member.number % FREEZABLE:
                yield f"sale {sale.id} of {sale.bought_fen} fen was given no coupon"

    def _kept(self, books: Books) -> Iterator[str]:
        """Nobody has a coupon for what they brought back, but who used it or gave it away."""
        held = {row[0] for row in books.facts["coupon accounts"] if row[2]}
        for row in map(Row._make, books.facts["coupons"]) if not books.facts["rewards to take back"] else ():
            if row.id in held and self._is_undeserved(row):
                yield f"{row} is still there, and what it was for was given back"

    def _is_undeserved(self, row: Row) -> bool:
        """Whether it is a sale's reward, of which too little is left for one."""
        sale = self._pos.sales.get(row.source.removeprefix(SALE)) if row.source.startswith(SALE) else None
        return sale is not None and sale.spent_fen < GIFT_FROM_FEN
