"""The wallet: recharges through the PSP, balances, statements."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ..journal import Request
from ..world import Member, Op, encode
from . import Domain, Operation

if TYPE_CHECKING:
    from ..oracle import Books, Document

PENDING = ("paid", "closed", "refunded", "refunding")
CREDITED = "paid"
_REFUSED = frozenset({"offer_unavailable", "stored_limit_reached"})
_OVER = frozenset({"recharge_closed"})  # stored, but its time was over before the PSP had it
AT_ONCE = 8
OPENING_FEN = 100_000


@dataclass
class Recharge:
    """A recharge as its client knows it.

    ``paid``: the PSP took the money; ``credited``: the model knows.
    """

    id: str
    member: Member
    pay_fen: int
    offer: str | None
    paid: bool = False
    credited: bool = False


class Wallet(Domain):
    """Money comes in by recharges only: each paid one once, with the gift its offer promised."""

    order: ClassVar[int] = 20
    jobs: ClassVar = ("wallet.advance_recharges", "wallet.age_lots")
    sums: ClassVar = {
        "stored": {"stored": 1},
        "held": {"stored_held": 1},
        "points": {"points": 1, "points_pending": 1, "points_debt": -1},
        "rebate": {"rebate": 1},
    }
    psp_facts: ClassVar = {"orders": "SELECT out_trade_no, state, total FROM pay_order"}
    machines: ClassVar = {
        "recharge": {
            "": ("pending",),
            "pending": PENDING,
            "paid": ("refunded",),
            "closed": ("refunding",),
            "refunding": ("refunded",),
            "refunded": (),
        }
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.recharges: dict[str, Recharge] = {}
        self.recent: deque[Recharge] = deque(maxlen=400)
        self.offers: dict[str, tuple[int, set[tuple[int, int]]]] = {}
        self.settled: dict[str, tuple[int, str]] = {}
        self.gifts: dict[int, int] = {}
        self.given_back: set[str] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones and the PSP do."""
        return (
            Operation("wallet", 9, self.look),
            Operation("statement", 5, self.read_statement),
            Operation("offers", 1, self.list_offers),
            Operation("recharge", 6, self.recharge),
            Operation("recharge look", 3, self.look_at_recharge),
            Operation("pay late", 0.4, self.pay_late),
            Operation("forged payment", 1, self.forge),
            Operation("other's recharge", 1, self.spy),
        )

    async def prepare(self) -> None:
        """Everybody begins with some money."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def fund(member: Member) -> None:
            async with gate:
                op = Op(-1 - member.number, "recharge", Random(f"{self.world.seed}:fund:{member.number}"))
                await self._recharge(op, member, {"amount_fen": OPENING_FEN}, key=f"open-{member.number}", pays=True)

        await self.list_offers(Op(-1, "offers", Random(0)))
        await asyncio.gather(*(fund(member) for member in self.world.members))

    # -- what clients do

    async def look(self, op: Op) -> None:
        """One's own wallet: its parts make the whole."""

        def accept(wallet: Any) -> None:
            stored = wallet["stored"]
            if stored["total_fen"] != stored["principal_fen"] + stored["bonus_fen"] or min(stored.values()) < 0:
                self.world.blame(f"a wallet says {stored}")

        await self.world.ask(op, Request(self.world.pick(op.random), "GET", "/v1/member/wallet"), accept=accept)

    async def read_statement(self, op: Op) -> None:
        """A page of a statement: each line follows from the one before."""
        account = op.random.choice(("stored", "points"))

        def accept(page: Any) -> None:
            items = page["items"]
            for later, earlier in pairwise(items):
                if later["balance_after"] - later["amount"] != earlier["balance_after"]:
                    self.world.blame(f"a statement of {account} does not follow: {earlier}, {later}")

        path = f"/v1/member/wallet/entries?account={account}&limit={op.random.choice((1, 10, 50))}"
        await self.world.ask(op, Request(self.world.pick(op.random), "GET", path), accept=accept)

    async def list_offers(self, op: Op) -> None:
        """The offers of now; what one has ever promised may be given."""

        def accept(shown: Any) -> None:
            for item in shown["items"]:
                promised = self.offers.setdefault(item["id"], (item["pay_fen"], set()))[1]
                promised.add((item["bonus_fen"], item["points"]))

        await self.world.ask(
            op, Request(self.world.pick(op.random), "GET", "/v1/member/recharge-offers"), accept=accept
        )

    async def recharge(self, op: Op) -> None:
        """Open a recharge and mostly pay it."""
        offer = op.random.choice(sorted(self.offers))
        body = {"offer_id": offer} if op.random.random() < 0.5 else {"amount_fen": op.random.randrange(100, 30_000)}
        key = f"{self.world.seed}-{op.number}"
        await self._recharge(op, self.world.pick(op.random), body, key=key, pays=op.random.random() < 0.85)

    async def recharge_for(self, op: Op, member: Member, body: dict[str, Any], *, pays: bool) -> None:
        """A recharge of that member's."""
        await self._recharge(op, member, body, key=f"{self.world.seed}-{op.number}", pays=pays)

    async def _recharge(self, op: Op, member: Member, body: dict[str, Any], *, key: str, pays: bool) -> None:
        offer = body.get("offer_id")
        pay_fen = self.offers[offer][0] if offer else body["amount_fen"]
        made: list[Recharge] = []

        def accept(answer: Any) -> None:
            recharge = self.recharges.setdefault(answer["id"], Recharge(answer["id"], member, pay_fen, offer))
            self.recent.append(recharge)
            made.append(recharge)

        request = Request(member, "POST", "/v1/member/recharges", encode(body), key, f"member/{member.id}")
        await self.world.ask(op, request, accept=accept, refusals=_REFUSED, over=_OVER)
        if made and pays:
            await self._pay(made[0])

    async def _pay(self, recharge: Recharge, *, force: bool = False) -> None:
        """As the payer: the PSP takes the money, and tells the backend in its own time."""
        path = f"/mock/wechat/pay/{recharge.id}/pay"
        answer = await self.world.plain("POST", path, {"force": force})
        if answer.good and not recharge.paid:
            recharge.paid = True
        if not answer.good and answer.code not in ("ORDER_CLOSED", "ORDER_EXPIRED"):
            self.world.blame(f"the PSP answered {answer.status} {answer.code} to a payer")

    async def look_at_recharge(self, op: Op) -> None:
        """How a recharge stands."""
        if not self.recent:
            return
        recharge = op.random.choice(self.recent)

        def accept(shown: Any) -> None:
            if shown["pay_fen"] != recharge.pay_fen or (shown["status"] == CREDITED and not recharge.paid):
                self.world.blame(f"recharge {recharge.id} of {recharge.pay_fen} fen is shown as {shown}")

        request = Request(recharge.member, "GET", f"/v1/member/recharges/{recharge.id}")
        await self.world.ask(op, request, accept=accept)

    async def pay_late(self, op: Op) -> None:
        """The money was on its way when the order was closed."""
        unpaid = [recharge for recharge in self.recent if not recharge.paid]
        if unpaid:
            await self._pay(op.random.choice(unpaid), force=True)

    async def forge(self, op: Op) -> None:
        """A notification that the PSP never sent."""
        body = {"id": op.number, "event_type": "TRANSACTION.SUCCESS", "resource": {"ciphertext": "AAAA"}}
        request = Request(None, "POST", "/v1/wechat/pay/notify", encode(body))
        refusals = frozenset({"signature_invalid", "notification_refused", "validation_failed"})
        await self.world.ask_in_vain(op, request, refusals=refusals)

    async def spy(self, op: Op) -> None:
        """Somebody else's recharge is not there."""
        other = self.world.pick(op.random)
        if not self.recent:
            return
        recharge = op.random.choice(self.recent)
        if recharge.member is not other:
            request = Request(other, "GET", f"/v1/member/recharges/{recharge.id}")
            await self.world.ask_in_vain(op, request, refusals=frozenset({"not_found"}))

    # -- what must hold

    async def settle(self) -> None:
        """Look at every recharge whose money is at the PSP and not here: looking makes the backend ask."""
        for recharge in self.recharges.values():
            if recharge.paid and not recharge.credited and recharge.id not in self.settled:
                request = Request(recharge.member, "GET", f"/v1/member/recharges/{recharge.id}")
                await self.world.ask(Op(-1, "recharge look", Random(0)), request)

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """The PSP and the recharges agree, every gift is one that was promised, and only gifts and points expire."""
        unknown = 0
        self.given_back = {row[2] for row in books.facts["recharge refunds"]}
        orders = {row[0]: (row[1], row[2]) for row in books.facts["orders"]}
        for id_, document in books.documents.items():
            if document.kind != "recharge":
                continue
            order = orders.get(id_)
            if order is not None and self.settled.get(id_) == (document.version, order[0]):
                continue
            recharge = self.recharges.get(id_)
            if recharge is None:
                unknown += 1
                if unknown > len(self.world.journal.begun) or document.state not in ("pending", "closed"):
                    yield f"recharge {id_} was never acknowledged and is {document.state}"
                continue
            yield from self._agrees(recharge, document, order, final=final)
        for id_ in self.recharges.keys() - books.documents.keys():
            yield f"recharge {id_} was acknowledged and is not stored"
        yield from self._expired(books)

    def _expired(self, books: Books) -> Iterator[str]:
        """Of stored value only what was given ends; a merge may have made it the other's meanwhile."""
        given, ended = Counter[int](), Counter[int]()
        for member_id, fen in self.gifts.items():
            given[self.world.person(member_id)] += fen
        for (member_id, kind), amount in books.expired.items():
            if amount > 0:
                yield f"of member {member_id} {-amount} of {kind} expired"
            if kind == "stored":
                ended[self.world.person(member_id)] -= amount
        for member_id, fen in ended.items():
            if fen > given[member_id]:
                yield f"of member {member_id} {fen} of stored expired, gifts were {given[member_id]}"

    def _agrees(
        self, recharge: Recharge, document: Document, order: tuple[str, int] | None, *, final: bool
    ) -> Iterator[str]:
        state, at_psp = document.state, order[0] if order else "none"
        if order is not None and order[1] != recharge.pay_fen:
            yield f"recharge {recharge.id}: {recharge.pay_fen} fen here, {order[1]} at the PSP"
        credited = state == CREDITED or "refunded_fen" in msgspec.json.decode(document.facts)
        if recharge.credited and not credited:
            yield f"recharge {recharge.id} was credited and is {state}"
        kept = ("SUCCESS", "REFUND") if recharge.id in self.given_back else ("SUCCESS",)
        if recharge.credited and at_psp not in kept:  # what went back of it: recharge_refunds
            yield f"recharge {recharge.id} was credited, but is {at_psp} at the PSP"
        if credited and not recharge.credited:
            if at_psp not in kept:
                yield f"recharge {recharge.id} is credited, but {at_psp} at the PSP"
            yield from self._credit(recharge, document)
            self.settled[recharge.id] = document.version, at_psp
        elif state == "refunded" and at_psp != "REFUND":
            yield f"recharge {recharge.id} is refunded, but {at_psp} at the PSP"
        elif final and at_psp == "SUCCESS" and state in ("pending", "closed"):
            yield f"recharge {recharge.id} is {state}, but its money is at the PSP"

    def _credit(self, recharge: Recharge, document: Document) -> Iterator[str]:
        given = msgspec.json.decode(document.facts)
        gift = (given.get("bonus_fen") or 0, given.get("points") or 0)
        promised = self.offers[recharge.offer][1] | {(0, 0)} if recharge.offer else {(0, 0)}
        if gift not in promised:
            yield f"recharge {recharge.id} gave {gift}, promised were {sorted(promised)}"
        recharge.credited = True
        self.gifts[recharge.member.id] = self.gifts.get(recharge.member.id, 0) + gift[0]
        self.world.model.move(recharge.member.id, stored=recharge.pay_fen + gift[0], points=gift[1])
