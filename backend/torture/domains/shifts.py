"""Cashiers' shifts: opened, looked at, closed and handed over while the till sells, by two hands at once at times."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Op, Till, encode
from . import Domain, Operation

if TYPE_CHECKING:
    from ..oracle import Books

SHIFTS = "/v1/pos/shifts"
CURRENT = f"{SHIFTS}/current"
NONE, OPEN = frozenset({"shift_none"}), frozenset({"shift_open"})
BEHIND = frozenset({"shift_books_behind"})
TAKINGS, ENTERED, REPORTS = "takings of tills", "entries of shifts", "reports of shifts"

# What tills did since their first shift, as the documents say it: nothing here is the program's own way to count.
_TAKINGS = """
SELECT t.terminal_id, d.kind, count(*), sum(coalesce(d.body->>'payable_fen', d.body->>'refund_fen')::bigint)::bigint
  FROM shift_terminal t JOIN ledger_document d
    ON t.terminal_id = CASE d.kind WHEN 'sale' THEN d.body->>'terminal_id' ELSE d.memo->>'terminal_id' END
 WHERE d.at >= t.since AND (d.kind = 'refund' OR d.kind = 'sale'
       AND d.state IN ('completed', 'partly_refunded', 'refunded'))
 GROUP BY t.terminal_id, d.kind"""
_ENTERED = """
SELECT terminal_id, kind, count(*), sum(fen)::bigint FROM shift_entry WHERE kind IN ('sale', 'refund')
 GROUP BY terminal_id, kind"""
_REPORTS = """
SELECT s.terminal_id, s.z_number, (s.figures->'sales'->>'fen')::bigint, (s.figures->'refunds'->>'fen')::bigint,
       coalesce(sum(e.fen) FILTER (WHERE e.kind = 'sale'), 0)::bigint,
       coalesce(sum(e.fen) FILTER (WHERE e.kind = 'refund'), 0)::bigint,
       (SELECT (x->>'expected_fen')::bigint FROM jsonb_array_elements(s.figures->'tenders') x
         WHERE x->>'tender' = 'cash'),
       s.float_fen + coalesce((SELECT sum(CASE m.kind WHEN 'pay_in' THEN m.amount_fen ELSE -m.amount_fen END)
                                 FROM shift_movement m WHERE m.shift_id = s.id), 0)::bigint
       + coalesce(sum(CASE WHEN e.kind IN ('sale', 'recharge', 'gift_card', 'member_card') THEN 1 ELSE -1 END
                      * coalesce((e.by_tender->>'cash')::bigint, 0)), 0)::bigint
       + coalesce((SELECT sum((x->>'amount_fen')::bigint) FROM jsonb_array_elements(s.figures->'outside') x
                    WHERE x->>'tender' = 'cash'), 0)::bigint
  FROM shift s LEFT JOIN shift_entry e ON e.shift_id = s.id WHERE s.state = 'closed' GROUP BY s.id"""


class Shifts(Domain):
    """A Z is the sum of its entries; every sale and refund of a till is in exactly one, whenever it was closed."""

    order: ClassVar[int] = 60
    jobs: ClassVar = ("shifts.count_entries",)
    facts: ClassVar = {TAKINGS: _TAKINGS, ENTERED: _ENTERED, REPORTS: _REPORTS}

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.told: set[tuple[str, int]] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What cashiers do."""
        return (
            Operation("shift closed", 0.8, self.close),
            Operation("shift handed over", 0.4, self.hand_over),
            Operation("shift looked at", 0.5, self.look),
            Operation("cash in or out", 0.5, self.move),
        )

    async def prepare(self) -> None:
        """Every till has a shift before it sells anything; one that is open already stays so."""
        for number, till in enumerate(self.world.tills):
            await self._ask(Op(-1, "shift opened", Random(0)), till, SHIFTS, {"cashier": "小李"}, f"{number}", OPEN)

    async def close(self, op: Op) -> None:
        """At times by two at once, of whom one closes; and the next one is opened."""
        till = op.random.choice(self.world.tills)
        body = {"counted": [{"tender": "cash", "amount_fen": op.random.randrange(100_000)}]}
        turns = range(2 if op.random.random() < 0.3 else 1)
        await asyncio.gather(*(self._close(op, till, f"{CURRENT}/close", body, f"{turn}") for turn in turns))
        await self._ask(op, till, SHIFTS, {"cashier": "小王", "float_fen": 5_000}, "next", OPEN)

    async def hand_over(self, op: Op) -> None:
        """Closed and opened in one."""
        till = op.random.choice(self.world.tills)
        body = {"counted": [{"tender": "cash", "amount_fen": 50_000}], "left_fen": 20_000, "next_cashier": "小张"}
        await self._close(op, till, f"{CURRENT}/handover", body, "over")

    async def _close(self, op: Op, till: Till, path: str, body: Any, turn: str) -> None:
        def accept(answer: Any) -> None:
            closed = answer.get("closed", answer)
            number = till.id, closed["z_number"]
            if number in self.told:
                self.world.blame(f"till {till.id} was told twice that it closed Z{closed['z_number']}")
            self.told.add(number)

        await self._ask(op, till, path, body, turn, NONE, accept)

    async def look(self, op: Op) -> None:
        """An X changes nothing but its number."""
        till = op.random.choice(self.world.tills)
        await self._ask(op, till, f"{CURRENT}/reports", {}, "x", NONE)

    async def move(self, op: Op) -> None:
        """Change is brought, or the takings fetched."""
        kind, fen = op.random.choice(("pay_in", "pay_out")), op.random.randint(1, 50_000)
        body = {"kind": kind, "amount_fen": fen, "reason": "零钱"}
        await self._ask(op, op.random.choice(self.world.tills), f"{CURRENT}/movements", body, "cash", NONE)

    async def _ask(
        self, op: Op, till: Till, path: str, body: Any, turn: str, refusals: frozenset[str], accept: Any = None
    ) -> None:
        key = f"{self.world.seed}-{op.number}-shift-{turn}"
        request = Request(till, "POST", path, encode(body), key, booked=False)
        await self.world.ask(op, request, accept=accept, refusals=refusals | BEHIND)

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Each Z adds up; numbers have no gaps; in the end what tills did and what shifts counted is the same."""
        numbers: Counter[str] = Counter()
        last: dict[str, int] = {}
        for till, number, sales, refunds, entered, returned, cash, drawer in books.facts.get(REPORTS, ()):
            numbers[till] += 1
            last[till] = max(last.get(till, 0), number)
            if (sales, refunds, cash) != (entered, returned, drawer):
                yield (
                    f"Z{number} of {till} says {sales} sold, {refunds} back, {cash} in the drawer;"
                    f" its entries {entered}, {returned}, {drawer}"
                )
        for till, count in numbers.items():
            if last[till] != count:
                yield f"till {till} has {count} Z, the last is number {last[till]}"
        stored = {(row[0], row[1]) for row in books.facts.get(REPORTS, ())}
        for till, number in sorted(self.told - stored):
            yield f"Z{number} of {till} was acknowledged and is not stored"
        if final:
            yield from self._all_counted(books)

    def _all_counted(self, books: Books) -> Iterator[str]:
        did = {(row[0], row[1]): (row[2], row[3]) for row in books.facts.get(TAKINGS, ())}
        counted = {(row[0], row[1]): (row[2], row[3]) for row in books.facts.get(ENTERED, ())}
        for till, kind in sorted(did.keys() | counted.keys()):
            one, other = did.get((till, kind), (0, 0)), counted.get((till, kind), (0, 0))
            if one != other:
                yield f"{kind}s of {till} are {one[0]} of {one[1]} fen, its shifts counted {other[0]} of {other[1]} fen"
