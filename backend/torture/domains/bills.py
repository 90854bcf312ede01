"""WeChat's bills, taken by the clock and by hand while days go by: none makes a difference that there is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, ClassVar

from ..journal import Request
from ..world import Op, encode
from . import Domain, Operation

if TYPE_CHECKING:
    from ..oracle import Books

DAYS = "/v1/admin/reconciliation/days"
BEIJING = timedelta(hours=8)
NOT_NOW = frozenset({"rate_limited", "unavailable"})
SIDES, WAITING, TAKEN, PAID, BACK = "sides of items", "differences", "bills taken", "paid there", "given back there"
MOST_TOLD = 10


class Bills(Domain):
    """What a bill has is what WeChat has; in the end both sides agree, and nobody is told otherwise."""

    order: ClassVar[int] = 61
    jobs: ClassVar = ("reconciliation.take_bills",)
    facts: ClassVar = {
        SIDES: "SELECT kind, number, day, theirs_fen, ours_fen FROM reconciliation_item",
        WAITING: "SELECT kind, number, what, theirs_fen, ours_fen FROM reconciliation_difference"
        " WHERE state IN ('open', 'working')",
        TAKEN: "SELECT day, paid_fen, refunded_fen FROM reconciliation_bill WHERE state <> 'waiting'",
    }
    psp_facts: ClassVar = {
        PAID: "SELECT out_trade_no, total, success_at FROM pay_order WHERE success_at IS NOT NULL",
        BACK: "SELECT out_refund_no, amount, created_at FROM refund",
    }

    @property
    def operations(self) -> Sequence[Operation]:
        """What the finance clerk does."""
        return (Operation("bill taken", 0.15, self.take),)

    async def take(self, op: Op) -> None:
        """Yesterday's bill, or an older one, now."""
        await self._take(op, self._today() - timedelta(days=op.random.choice((1, 1, 2, 5))))

    def _today(self) -> date:
        return (datetime.fromtimestamp(self.world.now(), UTC) + BEIJING).date()

    async def _take(self, op: Op, day: date) -> None:
        request = Request(self.world.admin, "POST", DAYS, encode({"day": str(day)}))
        # a clock that went back over midnight makes yesterday today again
        await self.world.ask(op, request, refusals=NOT_NOW | {"bill_day_refused"})

    async def settle(self) -> None:
        """Take the last day's bill once more: what came since is judged with it."""
        await self._take(Op(-1, "bill taken", Random(0)), self._today() - timedelta(days=1))

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """No bill says what WeChat does not; in the end no difference waits."""
        there = {("payment", row[0]): (row[1], row[2]) for row in books.facts.get(PAID, ())}
        there |= {("refund", row[0]): (row[1], row[2]) for row in books.facts.get(BACK, ())}
        sums: dict[tuple[date, str], int] = {}
        for (kind, _), (fen, at) in there.items():
            day = (at.astimezone(UTC) + BEIJING).date()
            sums[day, kind] = sums.get((day, kind), 0) + fen
        for kind, number, _, theirs, ours in books.facts.get(SIDES, ()):
            if theirs is not None and (kind, number) in there and theirs != there[kind, number][0]:
                yield f"{kind} {number} is {theirs} fen by the bill, {there[kind, number][0]} at WeChat, {ours} here"
        for day, paid, back in books.facts.get(TAKEN, ()):
            told = sums.get((day, "payment"), 0), sums.get((day, "refund"), 0)
            if (paid, back) != told:
                yield f"the bill of {day} has {paid} fen paid and {back} given back, WeChat {told[0]} and {told[1]}"
        if final:
            for kind, number, what, theirs, ours in books.facts.get(WAITING, ())[:MOST_TOLD]:
                at = there.get((kind, number))
                yield f"{kind} {number} differs ({what}): {theirs} there, {ours} here, at WeChat {at and at[0]}"
