"""What two members who become one person ask for on their phones, around the moment when they do: and ask again.

Each of these calls has a key, under which its phone asks again when no answer came, also when its member has become
somebody else meanwhile. Then the first answer comes again, and nothing is done twice: what is stored that was never
acknowledged, and any balance that is too large, is found where such things are compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, ClassVar

from ..journal import Entry
from ..world import Member, Op
from . import Domain, Operation
from .allotments import Allotments
from .coupon_books import Piece
from .coupon_gifts import CouponGifts
from .coupon_sales import GONE, OFFERED, CouponSales
from .coupons import Coupons
from .gifts import Gifts
from .merges import SHUT_OUT, Merges, Twins
from .order_books import PAID
from .orders import Orders
from .points import Points
from .pos import Pos
from .shelves import Shelves
from .stamps import Stamps
from .wallet import Wallet

BETWEEN = frozenset({"member_inactive", "not_found", "unauthenticated", "pin_invalid", "coupon_not_held"})
"""Refusals to a phone whose member becomes somebody else at that moment, with that one's PIN."""

MOST_AT_ONCE = 4
LAST = 60
"""Of what was answered, how much may be asked for again."""


class TwinCalls(Domain):
    """Whoever asks again after they were merged is answered as before, and nothing is there twice."""

    order: ClassVar[int] = 62

    @property
    def operations(self) -> Sequence[Operation]:
        """What twins do on their phones."""
        return (
            Operation("twin's calls", 4, self.call),
            Operation("merge amid calls", 0.5, self.merge),
            Operation("twin asks again", 2, self.ask_again),
            Operation("twin's coupon at the till", 1.5, self.sell),
        )

    @property
    def _merges(self) -> Merges:
        return self.world.domain(Merges)

    async def call(self, op: Op) -> None:
        """One or a few things at once, by either of a pair."""
        pair = self._merges.pick(op)
        if pair is not None:
            await asyncio.gather(*self._calls(op, pair, op.random.randint(1, 2)))

    async def merge(self, op: Op) -> None:
        """They become one while both ask for something; then the source's phone asks for all of it again."""
        pair = self._merges.pick(op, merged=False)
        if pair is None:
            return
        before = len(self.world.journal.accepted)
        await self._merges.make_one(op, pair, *self._calls(op, pair, MOST_AT_ONCE))
        entries = list(self.world.journal.accepted.values())[before:]
        if pair.merged:
            await self._again(op, [entry for entry in entries if _is_of(entry, pair)])

    async def ask_again(self, op: Op) -> None:
        """The phone of somebody who was merged asks once more for what it was answered long ago."""
        pair = self._merges.pick(op, merged=True)
        if pair is not None:
            entries = [entry for entry in self.world.journal.accepted.values() if _is_of(entry, pair)][-LAST:]
            await self._again(op, op.random.sample(entries, min(2, len(entries))))

    async def _again(self, op: Op, entries: Sequence[Entry]) -> None:
        await asyncio.gather(*(self.world.ask_again(op, entry) for entry in entries))

    def _calls(self, op: Op, pair: Twins, times: int) -> list[Awaitable[Any]]:
        """Of each kind one at most: an operation's number is in their keys."""
        kinds = (self._claim, self._claim, self._redeem, self._order, self._transfer, self._recharge, self._give)
        chosen = op.random.sample((*kinds, self._accept, self._check_in, self._allot), times)
        return [one(op, pair, op.random.choice((pair.source, pair.target))) for one in dict.fromkeys(chosen)]

    # -- what they ask for

    async def _claim(self, op: Op, pair: Twins, member: Member) -> None:
        coupons = self.world.domain(Coupons)
        key = f"c{self.world.seed}-{op.number}-t"
        await coupons.claim_one(op, member, op.random.choice(coupons.centre), key, refusals=BETWEEN)

    async def _redeem(self, op: Op, pair: Twins, member: Member) -> None:
        """Mostly what is given at once; what waits to be fetched keeps them from becoming one."""
        gifts = self.world.domain(Gifts)
        among = [gift for gift in gifts.gifts.values() if gift.kind == "stored" or op.random.random() < 0.1]
        if among:
            await gifts.redeem_for(op, member, op.random.choice(among), 7, refusals=BETWEEN)

    async def _order(self, op: Op, pair: Twins, member: Member) -> None:
        """Cancelled at once, for it keeps them two: whoever asks again is told of it all the same."""
        orders, wanted = self.world.domain(Orders), self.world.domain(Shelves).wanted(op.random)
        if not wanted:
            return
        await orders.place(op, member, wanted, [{"type": "stored"}], refusals=BETWEEN)
        for order in [one for one in list(orders.recent)[-20:] if one.sale.member is member and one.state == PAID]:
            await orders.cancel_one(op, order)
            if "cancelled" in order.told and order in orders.recent:
                orders.recent.remove(order)

    async def _transfer(self, op: Op, pair: Twins, member: Member) -> None:
        """To a friend, or to the other one."""
        points, own = self.world.domain(Points), BETWEEN | {"points_transfer_own"}
        other = pair.target if member is pair.source else pair.source
        friend = other if op.random.random() < 0.3 else self.world.pick(op.random)
        request = await points.wish(op, member, friend, "t", refusals=own)
        if request is not None:
            await points.send(op, request, member, friend, refusals=own)

    async def _recharge(self, op: Op, pair: Twins, member: Member) -> None:
        body = {"amount_fen": op.random.randrange(100, 5_000)}
        await self.world.domain(Wallet).recharge_for(op, member, body, pays=op.random.random() < 0.8)

    async def _give(self, op: Op, pair: Twins, member: Member) -> None:
        piece = self._piece(op, member)
        if piece is not None:
            refusals = BETWEEN | {"coupon_not_transferable"}
            await self.world.domain(CouponGifts).offer(op, piece, f"g{self.world.seed}-{op.number}", refusals=refusals)

    async def _accept(self, op: Op, pair: Twins, member: Member) -> None:
        """What a friend offers, or the other of the two."""
        coupons, gifts = self.world.domain(Coupons), self.world.domain(CouponGifts)
        open_ = [gift for gift in list(coupons.told.given.values())[-LAST:] if not gift.received]
        if open_:
            key, refusals = f"g{self.world.seed}-{op.number}-t", BETWEEN | {"coupon_gift_own"}
            await gifts.take(op, op.random.choice(open_), member, key, refusals=refusals)

    async def _check_in(self, op: Op, pair: Twins, member: Member) -> None:
        stamps = self.world.domain(Stamps)
        await stamps.check_in_for(op, member, op.random.choice((stamps.daily, stamps.scarce)), refusals=BETWEEN)

    async def _allot(self, op: Op, pair: Twins, member: Member) -> None:
        await self.world.domain(Allotments).allot(op, pair, member, refusals=BETWEEN)

    async def sell(self, op: Op) -> None:
        """One of their coupons pays at a till, by a code that may be dead by then; it may come back long afterwards."""
        pair, step = self._merges.pick(op, merged=op.random.random() < 0.4), self.world.step()
        if pair is None:
            return
        member = op.random.choice((pair.source, pair.target))
        piece, phone = self._piece(op, member), next((one for one in member.phones if one.last_step < step), None)
        if piece is None or phone is None:
            return
        phone.last_step = step
        pos, key = self.world.domain(Pos), f"{self.world.seed}-{op.number}-coupon"
        till = self.world.till_of(op.random, member.home)
        shown = {"code": pos.codes.show(phone, step, till), "order_no": key}
        basket = self.world.domain(CouponSales).basket(op, piece) | shown
        refusals = SHUT_OUT | GONE | OFFERED | BETWEEN | {"coupon_void"}
        await pos.ring_up(op, till, member, basket, key, (phone, step), refusals=refusals)
        self._merges.note_sales(pair)

    def _piece(self, op: Op, member: Member) -> Piece | None:
        """One of their last coupons, also one that the other brought them."""
        pieces = [piece for piece in self.world.domain(Coupons).told.pieces.values() if piece.member_id == member.id]
        return op.random.choice(pieces[-LAST:]) if pieces else None


def _is_of(entry: Entry, pair: Twins) -> bool:
    return entry.request.scope == f"member/{pair.source.id}"
