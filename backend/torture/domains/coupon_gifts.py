"""Coupons that go from friend to friend: offered by a link, accepted by one of many, taken back, or too late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..journal import Request
from ..world import Member, Op
from . import Domain, Operation
from .coupon_books import FRIEND, Given, Piece, Row, Told
from .coupons import JOB_LATE, Coupons

if TYPE_CHECKING:
    from ..oracle import Books

LAST = 60
"""Gifts that somebody still has the link of."""

ENDED = frozenset({"coupon_unavailable", "coupon_locked", "coupon_used", "coupon_given", "coupon_expired"})
OVER, OWN = frozenset({"coupon_gift_over"}), frozenset({"coupon_gift_own"})
NO_LINK = frozenset({"not_found"})


class Stored(NamedTuple):
    """A gift as it is stored, and what lies on the held account of its coupon."""

    id: str
    coupon_id: str
    amount: int
    ended_as: str | None
    expires_at: datetime
    accepted_as: str | None
    held: int


class CouponGifts(Domain):
    """What one member gives, one friend gets, once: or it is the giver's again."""

    order: ClassVar[int] = 34  # before every coupon is compared
    jobs: ClassVar = ("coupons.return_gifts",)
    facts: ClassVar = {
        "coupon gifts": """
SELECT g.id, g.coupon_id, g.amount, g.ended_as, g.expires_at, g.accepted_as, coalesce(a.balance, 0)
  FROM coupon_gift g LEFT JOIN ledger_account a
    ON a.member_id = g.member_id AND a.kind = 'coupon_held' AND a.ref = g.coupon_id"""
    }

    @property
    def operations(self) -> Sequence[Operation]:
        """What givers and their friends do."""
        return (
            Operation("coupon gift", 2.5, self.give),
            Operation("coupon gift accepted", 2, self.accept),
            Operation("coupon gift taken back", 0.8, self.take_back),
            Operation("coupon gift looked at", 0.7, self.look),
            Operation("other's coupon given", 0.4, self.give_others),
        )

    @property
    def _coupons(self) -> Coupons:
        return self.world.domain(Coupons)

    @property
    def _told(self) -> Told:
        return self._coupons.told

    def _pick(self, op: Op) -> Given | None:
        """A gift of late; mostly one that nobody has accepted."""
        gifts = list(self._told.given.values())[-LAST:]
        among = gifts if op.random.random() < 0.2 else [gift for gift in gifts if not gift.received]
        return op.random.choice(among) if among else None

    # -- the giver

    async def give(self, op: Op) -> None:
        """Offer a coupon; sometimes the same request twice at once, sometimes two of them."""
        piece, key = self._coupons.pick(op.random), f"g{self.world.seed}-{op.number}"
        if piece is None:
            return
        if not piece.offer.terms.get("transferable"):
            refusals = ENDED | {"coupon_not_transferable"}
            await self.world.ask_in_vain(op, self._giving(self._coupons.holder(piece), piece, key), refusals=refusals)
            return
        chance = op.random.random()
        keys = [key] * 2 if chance < 0.15 else [f"{key}-a", f"{key}-b"] if chance < 0.3 else [key]
        await asyncio.gather(*(self.offer(op, piece, one) for one in keys))

    async def offer(self, op: Op, piece: Piece, key: str, *, refusals: frozenset[str] = frozenset()) -> None:
        """Once, as whoever has that coupon."""

        def accept(answer: Any) -> None:
            known = self._told.given.setdefault(answer["gift_id"], Given(answer["gift_id"], answer["token"], piece))
            if (known.token, known.piece.id) != (answer["token"], piece.id):
                self.world.blame(f"gift {known.id} was answered for coupons {known.piece.id} and {piece.id}")

        request = self._giving(self._coupons.holder(piece), piece, key)
        await self.world.ask(op, request, accept=accept, refusals=ENDED | refusals)

    def _giving(self, member: Member, piece: Piece, key: str) -> Request:
        return Request(member, "POST", f"/v1/member/coupons/{piece.id}/gifts", b"", key, f"member/{member.id}")

    async def give_others(self, op: Op) -> None:
        """Somebody else's coupon is not there to be given, nor its gift to be taken back."""
        piece, member = self._coupons.pick(op.random), self.world.pick(op.random)
        if piece is None or piece.member_id == member.id:
            return
        request = self._giving(member, piece, f"g{self.world.seed}-{op.number}")
        await self.world.ask_in_vain(op, request, refusals=NO_LINK)
        gift = self._pick(op)
        if gift is not None and gift.piece.member_id != member.id:
            path = f"/v1/member/coupons/{gift.piece.id}/gifts/{gift.id}"
            await self.world.ask_in_vain(op, Request(member, "DELETE", path), refusals=NO_LINK)

    async def take_back(self, op: Op) -> None:
        """The giver thinks better of it, sometimes while a friend accepts."""
        gift = self._pick(op)
        if gift is None:
            return
        both = [self._take_back(op, gift)]
        if op.random.random() < 0.5:
            both.append(self.take(op, gift, self.world.pick(op.random), f"g{self.world.seed}-{op.number}"))
        await asyncio.gather(*both)

    async def _take_back(self, op: Op, gift: Given) -> None:
        path = f"/v1/member/coupons/{gift.piece.id}/gifts/{gift.id}"
        request = Request(self._coupons.holder(gift.piece), "DELETE", path)
        if gift.received:
            await self.world.ask_in_vain(op, request, refusals=OVER)
            return

        def accept(answer: Any) -> None:
            gift.taken_back = True
            self._contradiction(gift)

        await self.world.ask(op, request, accept=accept, refusals=OVER)

    # -- friends

    async def accept(self, op: Op) -> None:
        """By one friend, or by three at once; the giver may be among them, and is refused."""
        gift = self._pick(op)
        if gift is None:
            return
        friends = [self.world.pick(op.random) for _ in range(1 if op.random.random() < 0.6 else 3)]
        if op.random.random() < 0.1:
            friends.append(self._coupons.holder(gift.piece))
        key = f"g{self.world.seed}-{op.number}"
        await asyncio.gather(*(self.take(op, gift, friend, f"{key}-{n}") for n, friend in enumerate(friends)))

    async def take(
        self, op: Op, gift: Given, friend: Member, key: str, *, refusals: frozenset[str] = frozenset()
    ) -> None:
        """Accept it as that friend."""
        path = f"/v1/member/coupon-gifts/{gift.token}/accept"
        request = Request(friend, "POST", path, b"", key, f"member/{friend.id}")
        own = friend.id == gift.piece.member_id
        if own or gift.received or gift.taken_back:
            vain = OVER if not own else OWN | OVER if self._may_be_over(gift) else OWN
            await self.world.ask_in_vain(op, request, refusals=vain | refusals)
            return

        def accept(answer: Any) -> None:
            self._received(gift, answer, friend, f"{friend.id} {key}")

        await self.world.ask(op, request, accept=accept, refusals=OVER | refusals)

    def _may_be_over(self, gift: Given) -> bool:
        """Of somebody who may be merged nobody is told that it was taken back."""
        return any(member.id == gift.piece.member_id for member in self.world.apart)

    def _received(self, gift: Given, answer: Any, friend: Member, by: str) -> None:
        known = self._told.pieces.get(answer["id"])
        if known is not None and known.by == by:  # the first answer again
            return
        giver, amount = gift.piece, answer["balance"]
        right = answer["template_id"] == giver.offer.id and 0 < amount <= giver.amount
        if known is not None or gift.received or not right or answer["state"] != "available":
            self.world.blame(f"gift {gift.id} of coupon {giver.id} was answered {answer} to {by}, known was {gift}")
        gift.received = answer["id"]
        giver.given += amount
        self.world.model.move(giver.member_id, coupons=-amount)
        self._coupons.keep(Piece(answer["id"], giver.offer, friend.id, amount, by))
        self._contradiction(gift)

    def _contradiction(self, gift: Given) -> None:
        if gift.taken_back and gift.received:
            self.world.blame(f"gift {gift.id} was taken back, and accepted as {gift.received}")

    async def look(self, op: Op) -> None:
        """What a link shows to whoever has it; a link that nobody made shows nothing."""
        gift, member = self._pick(op), self.world.pick(op.random)
        if gift is None or op.random.random() < 0.2:
            token = "".join(op.random.choice("ABCDEFGHabcdefgh01234567-_") for _ in range(22))
            request = Request(member, "GET", f"/v1/member/coupon-gifts/{token}")
            await self.world.ask_in_vain(op, request, refusals=NO_LINK)
            return
        before = bool(gift.received), gift.taken_back

        def accept(shown: Any) -> None:
            states = {"accepted"} if before[0] else {"taken_back", "over"} if before[1] else None
            wrong = states is not None and shown["state"] not in states
            if wrong or shown["own"] != (member.id == gift.piece.member_id):
                self.world.blame(f"gift {gift.id} is shown as {shown}, known is {gift}")

        await self.world.ask(op, Request(member, "GET", f"/v1/member/coupon-gifts/{gift.token}"), accept=accept)

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Each gift stands as it was acknowledged, and what is held is what is open."""
        rows = {row[0]: Row(*row) for row in books.facts["coupons"]}
        stored = {row[0]: Stored(*row) for row in books.facts["coupon gifts"]}
        for id_ in self._told.given.keys() - stored.keys():
            yield f"gift {id_} was acknowledged and is not stored"
        late = datetime.fromtimestamp(self.world.now(), UTC) - JOB_LATE if final else None
        for gift in stored.values():
            given = self._told.given.get(gift.id)
            if given is None:
                yield f"gift {gift.id} of coupon {gift.coupon_id} was never acknowledged"
            else:
                yield from _compare(gift, given, rows)
            if late is not None and gift.ended_as is None and gift.expires_at < late:
                yield f"gift {gift.id} was good until {gift.expires_at} and is still open"
        yield from _held(stored)


def _compare(gift: Stored, given: Given, rows: Mapping[str, Row]) -> Iterator[str]:
    """A friend has it, with the same terms and day; or nobody."""
    accepted = gift.ended_as == "accepted"
    if accepted != bool(given.received) or (gift.accepted_as or "") != given.received:
        yield f"gift {gift.id} is {gift.ended_as or 'open'} as {gift.accepted_as}, acknowledged was {given}"
        return
    if given.taken_back and gift.ended_as not in ("taken_back", "over"):
        yield f"gift {gift.id} is {gift.ended_as or 'open'}, acknowledged was that it is taken back"
    theirs, received = rows.get(gift.coupon_id), rows.get(given.received)
    if not accepted or theirs is None or received is None:
        return  # a coupon that is gone is told where coupons are compared
    same = (theirs.template_id, theirs.expires_on) == (received.template_id, received.expires_on)
    if not same or received.issued != gift.amount or received.source != f"{FRIEND}{gift.id}":
        yield f"gift {gift.id} of {gift.amount} of {theirs} was received as {received}"


def _held(stored: Mapping[str, Stored]) -> Iterator[str]:
    """On a coupon's held account lies what its open gift holds."""
    held = {gift.coupon_id: gift.held for gift in stored.values()}
    waits = {gift.coupon_id: gift.amount for gift in stored.values() if gift.ended_as is None}
    for coupon_id, amount in held.items():
        if amount != waits.get(coupon_id, 0):
            yield f"coupon {coupon_id}: {amount} are held, its open gift is of {waits.get(coupon_id, 0)}"
