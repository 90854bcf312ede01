"""Recharges that are given back: by staff, by members, by two at once, stopped on the way; reports lost or doubled.

What a client was told moves nothing in the model, for most of it happens by the clock. What is stored of each refund
does, held against what was asked for and what the PSP paid out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from ..journal import Request
from ..world import Op, encode
from . import Domain, Operation
from .wallet import Recharge, Wallet

if TYPE_CHECKING:
    from ..oracle import Books

REFUNDS = "/v1/admin/recharge-refunds"
NOT_TO_BE_HAD = frozenset({"recharge_not_refundable", "refund_exceeds_principal", "recharge_refund_under_way"})
HOLDING = frozenset({"frozen", "sent", "stopping"})
UNPAID = frozenset({"asked", "frozen", "failed", "rejected", "withdrawn"})
MOST_AT_ONCE_FEN = 50_000
"""Above it a second person is asked."""


class Stored(NamedTuple):
    """What is stored of a refund."""

    id: str
    member_id: int
    recharge_id: str
    state: str
    amount_fen: int
    bonus_fen: int
    withheld_fen: int
    points: int

    @property
    def effect(self) -> dict[str, int]:
        """What it does to its member's sums as it stands."""
        whole = self.amount_fen + self.bonus_fen + self.withheld_fen
        if self.state in HOLDING:
            return {"stored": -whole, "held": whole, "points": 0}
        if self.state == "done":
            return {"stored": -whole, "held": 0, "points": -self.points}
        return {"stored": 0, "held": 0, "points": 0}


class RechargeRefunds(Domain):
    """What goes back to a payer is what was left of that recharge, once; what does not is the member's again."""

    order: ClassVar[int] = 21
    jobs: ClassVar = ("wallet.advance_refunds",)
    facts: ClassVar = {
        "recharge refunds": "SELECT id, member_id, recharge_id, state, amount_fen, bonus_fen, withheld_fen, points"
        " FROM wallet_refund",
        "forfeited bonus": "SELECT e.member_id, -sum(e.amount)::bigint FROM ledger_transfer t"
        " JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq"
        " WHERE t.kind = 'bonus_forfeited' AND e.kind = 'stored' GROUP BY e.member_id",
    }
    psp_facts: ClassVar = {
        "refunds of recharges": "SELECT out_refund_no, out_trade_no, amount FROM refund WHERE out_refund_no LIKE 'Y%'"
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.asked: dict[str, tuple[str, int]] = {}
        self.applied: dict[str, dict[str, int]] = {}
        self.forfeited: Counter[int] = Counter()

    @property
    def operations(self) -> Sequence[Operation]:
        """What members and staff want."""
        return (
            Operation("recharge refund", 2, self.by_staff),
            Operation("recharge refund wish", 1, self.by_member),
            Operation("other's recharge refund", 0.4, self.by_stranger),
        )

    def _pick(self, op: Op) -> Recharge | None:
        paid = [one for one in self.world.domain(Wallet).recent if one.paid]
        return op.random.choice(paid) if paid else None

    def _body(self, op: Op, recharge: Recharge) -> bytes:
        most = min(recharge.pay_fen, MOST_AT_ONCE_FEN)
        amount = (
            {} if op.random.random() < 0.4 and most == recharge.pay_fen else {"amount_fen": op.random.randint(1, most)}
        )
        return encode({"reason": "不再光顾"} | amount)

    async def by_staff(self, op: Op) -> None:
        """Frozen at once; at times two of the staff ask at the same moment, or it is stopped again."""
        recharge = self._pick(op)
        if recharge is None:
            return
        body, made = self._body(op, recharge), list[str]()

        async def ask(turn: int) -> None:
            key = f"{self.world.seed}-{op.number}-{turn}"
            path = f"/v1/admin/recharges/{recharge.id}/refunds"
            request = Request(self.world.admin, "POST", path, body, key, booked=False)
            await self.world.ask(op, request, accept=self._hears(recharge, made), refusals=NOT_TO_BE_HAD)

        await asyncio.gather(*(ask(turn) for turn in range(2 if op.random.random() < 0.3 else 1)))
        if made and op.random.random() < 0.3:
            await self._decide(op, made[0], "cancel", {"note": "误操作"})

    async def by_member(self, op: Op) -> None:
        """Asked for on the phone; approved, refused or taken back, at times two of these at once."""
        recharge = self._pick(op)
        if recharge is None:
            return
        made: list[str] = []
        key, path = f"{self.world.seed}-{op.number}-wish", f"/v1/member/recharges/{recharge.id}/refunds"
        request = Request(recharge.member, "POST", path, self._body(op, recharge), key, booked=False)
        await self.world.ask(op, request, accept=self._hears(recharge, made), refusals=NOT_TO_BE_HAD)
        if not made:
            return
        steps = op.random.sample(("approve", "approve", "reject", "withdraw"), op.random.choice((1, 1, 2)))
        await asyncio.gather(*(self._step(op, recharge, made[0], what) for what in steps))

    async def _step(self, op: Op, recharge: Recharge, refund_id: str, what: str) -> None:
        if what == "withdraw":
            path = f"/v1/member/recharge-refunds/{refund_id}/withdraw"
            request = Request(recharge.member, "POST", path, encode({}))
            await self.world.ask(op, request, refusals=frozenset({"recharge_refund_conflict"}))
        else:
            await self._decide(op, refund_id, what, {"note": "核对"} if what == "reject" else {})

    async def _decide(self, op: Op, refund_id: str, what: str, body: Any) -> None:
        request = Request(self.world.admin, "POST", f"{REFUNDS}/{refund_id}/{what}", encode(body))
        refusals = NOT_TO_BE_HAD | {"recharge_refund_conflict"}
        await self.world.ask(op, request, refusals=refusals)

    async def by_stranger(self, op: Op) -> None:
        """Nobody gets another's recharge back."""
        recharge, other = self._pick(op), self.world.pick(op.random)
        if recharge is not None and recharge.member is not other:
            path, key = f"/v1/member/recharges/{recharge.id}/refunds", f"{self.world.seed}-{op.number}-theirs"
            request = Request(other, "POST", path, encode({"reason": "x"}), key, booked=False)
            await self.world.ask_in_vain(op, request, refusals=frozenset({"not_found"}))

    def _hears(self, recharge: Recharge, made: list[str]) -> Any:
        def accept(answer: Any) -> None:
            self.asked[answer["id"]] = recharge.id, answer["amount_fen"]
            made.append(answer["id"])
            if answer["recharge_id"] != recharge.id or not 0 < answer["amount_fen"] <= recharge.pay_fen:
                self.world.blame(f"a refund of {recharge.pay_fen} fen was answered {answer}")

        return accept

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Each refund was asked for and is what the PSP paid, or nothing; together never more than was paid in."""
        at_psp = {row[0]: (row[1], row[2]) for row in books.facts["refunds of recharges"]}
        done: Counter[str] = Counter()
        unknown, begun = 0, len(self.world.journal.begun) + len(self.world.journal.doubtful)
        for row in map(Stored._make, books.facts["recharge refunds"]):
            self._apply(row)
            unknown += row.id not in self.asked
            yield from self._agrees(row, at_psp.get(row.id), final=final)
            if row.state == "done":
                done[row.recharge_id] += row.amount_fen
        if final and unknown > begun + 1:
            yield f"{unknown} refunds of recharges were never acknowledged"
        for refund_id in at_psp.keys() - {row[0] for row in books.facts["recharge refunds"]}:
            yield f"the PSP paid {refund_id}, and there is no such refund"
        yield from self._within(books, done)
        self._forfeit(books)

    def _agrees(self, row: Stored, paid: tuple[str, int] | None, *, final: bool) -> Iterator[str]:
        if paid is not None and paid != (row.recharge_id, row.amount_fen):
            yield f"{row}: the PSP paid {paid}"
        if row.state == "done" and paid is None:
            yield f"{row} is done, and the PSP paid nothing"
        if row.state in UNPAID and paid is not None and final:
            yield f"{row} was paid by the PSP all the same"
        if final and row.state in HOLDING:
            yield f"{row} is still under way"
        known = self.asked.get(row.id)
        if known is not None and (known[0] != row.recharge_id or row.amount_fen > known[1]):
            yield f"{row}: acknowledged was {known}"

    def _within(self, books: Books, done: Counter[str]) -> Iterator[str]:
        """A recharge says what went back of it, which is no more than came."""
        for recharge_id, fen in done.items():
            document, recharge = books.documents.get(recharge_id), self.world.domain(Wallet).recharges.get(recharge_id)
            said = msgspec.json.decode(document.facts).get("refunded_fen", 0) if document else None
            if said != fen:
                yield f"of recharge {recharge_id} {fen} fen went back, it says {said}"
            if recharge is not None and fen > recharge.pay_fen:
                yield f"of recharge {recharge_id}, {recharge.pay_fen} fen, {fen} went back"

    def _apply(self, row: Stored) -> None:
        before, now = self.applied.get(row.id, {}), row.effect
        moved = {name: amount - before.get(name, 0) for name, amount in now.items()}
        if any(moved.values()):
            self.world.model.move(row.member_id, **moved)
        self.applied[row.id] = now

    def _forfeit(self, books: Books) -> None:
        for member_id, fen in books.facts["forfeited bonus"]:
            if more := fen - self.forfeited[member_id]:
                self.world.model.move(member_id, stored=-more)
                self.forfeited[member_id] = fen
