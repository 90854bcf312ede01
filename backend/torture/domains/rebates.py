"""Rebates: months are counted, closed and paid by hands that do it twice at once or stop it; members pay with them.

What is paid follows from purchases and returns, whenever they were heard of. What a member's statements gave is held
against that, by an algorithm of its own; each is in the books once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Op, encode
from . import Domain, Operation
from .pos import SALE, Pos
from .sale import LEAST_PAYABLE_FEN

if TYPE_CHECKING:
    from ..oracle import Books

FIRST_BP, FROM_FEN, THEN_BP, CAP_FEN, LEAST_FEN = 200, 3_000, 600, 1_500, 40
RUNS = "/v1/admin/rebates/runs"
STARTS = frozenset({"rebate_period_done", "rebate_period_open", "rebate_run_open"})
MOVES = frozenset({"rebate_run_conflict"})
MOST_TOLD = 5
BOUGHT, BACK, STATEMENTS, MONTHS = "bought for rebates", "came back for rebates", "rebate statements", "rebate runs"
BOOKED, LATE = "rebates by the books", "rebates that wait"
_BEIJING = timedelta(hours=8)

_BOUGHT = """
SELECT coalesce(v.target_id, d.member_id), d.id, date_trunc('month', coalesce((d.body->>'occurred_at')::timestamptz,
                                                                           d.at) AT TIME ZONE 'Asia/Shanghai')::date,
       CASE WHEN d.kind = 'accrual' AND NOT d.body ? 'lines' THEN (d.body->>'total_fen')::bigint ELSE
            (SELECT coalesce(sum((l->>'payable_fen')::bigint), 0) FROM jsonb_array_elements(d.body->'lines') l
              WHERE (l->>'line_no')::int > 0) END
  FROM ledger_document d LEFT JOIN rebate_moved v ON v.member_id = d.member_id
 WHERE d.kind = 'accrual' OR d.kind IN ('sale', 'order') AND (
       d.state NOT IN ('awaiting_confirmation', 'rejected', 'expired', 'cancelled', 'awaiting_payment', 'closed')
       OR coalesce((d.progress->>'refunded_fen')::bigint, 0) > 0)"""
_BACK = """
SELECT d.body->>'sale_id', sum((l->>'fen')::bigint) FROM ledger_document d, jsonb_array_elements(d.body->'lines') l
 WHERE d.kind = 'refund' AND (l->>'line_no')::int > 0 GROUP BY 1"""
_STATEMENTS = """
SELECT s.id, s.holder_id, s.payout_fen, CASE WHEN s.carried_into IS NULL THEN s.carried_fen ELSE 0 END,
       s.paid_at IS NOT NULL, r.state
  FROM rebate_statement s JOIN rebate_run r ON r.id = s.run_id"""
_BOOKED = """
SELECT t.document_id, count(DISTINCT t.seq), sum(e.amount)::bigint
  FROM ledger_transfer t JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq AND e.kind = 'rebate'
 WHERE t.kind = 'rebate_payout' GROUP BY 1"""


class Rebates(Domain):
    """Each month's statement gives what its purchases are worth, once; later returns are taken off the next."""

    order: ClassVar[int] = 34
    jobs: ClassVar = ("rebates.go_on", "rebates.expire", "rebates.roll_up")
    machines: ClassVar = {"rebate": {"": ("paid",), "paid": ()}}
    facts: ClassVar = {
        BOUGHT: _BOUGHT,
        BACK: _BACK,
        STATEMENTS: _STATEMENTS,
        BOOKED: _BOOKED,
        LATE: "SELECT DISTINCT member_id FROM rebate_late WHERE run_id IS NULL",
        MONTHS: "SELECT first_on, state FROM rebate_run WHERE kind = 'statements' AND state <> 'cancelled'",
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.ruled = False
        self.began = date.min
        self.credited: set[str] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What finance and members do."""
        return (
            Operation("rebate run", 0.6, self.run),
            Operation("rebate sale", 2, self.pay),
            Operation("rebate look", 0.6, self.look),
        )

    async def prepare(self) -> None:
        """A scheme that counts from this month on, by whatever is paid."""
        tiers = [{"from_fen": 0, "rate_bp": FIRST_BP}, {"from_fen": FROM_FEN, "rate_bp": THEN_BP}]
        counts = ["money", "principal", "gift_card", "bonus", "points", "coupon", "rebate"]
        terms = {"tiers": tiers, "counts": counts, "cap_fen": CAP_FEN, "min_payout_fen": LEAST_FEN, "valid_months": 1}
        self.began = self._month()
        body = {"title": "返利", "period": "month", "first_on": self.began.isoformat(), "terms": terms}
        op, made = Op(-1, "rebate scheme", Random(0)), list[str]()
        path = "/v1/admin/rebates/schemes"
        request = Request(self.world.admin, "POST", path, encode(body))
        await self.world.ask(op, request, accept=lambda answer: made.append(answer["id"]))
        answer = await self.world.ask(op, Request(self.world.admin, "POST", f"{path}/{made[0]}/activate"))
        self.ruled = answer.good

    def _month(self) -> date:
        """The first day of the month in which the clock stands."""
        return (datetime.fromtimestamp(self.world.now(), UTC) + _BEIJING).date().replace(day=1)

    async def run(self, op: Op) -> None:
        """The month that is over is begun, or the run that there is goes on: closed, paid, stopped, thrown away."""
        twice = 2 if op.random.random() < 0.4 else 1
        found = await self._runs(op)
        open_ = [one for one in found if one["state"] in ("draft", "closed", "paying")]
        if not open_ or op.random.random() < 0.3:
            await asyncio.gather(*(self._start(op, found) for _ in range(twice)))
            return
        one = open_[-1]
        what = {"draft": "close", "closed": "pay", "paying": "pay"}[one["state"]]
        if one["state"] != "closed" and op.random.random() < 0.25:
            what = "cancel"
        await asyncio.gather(*(self._move(op, one["id"], what, turn) for turn in range(twice)))

    async def _runs(self, op: Op) -> list[dict[str, Any]]:
        """The runs with statements, newest first."""
        found: list[dict[str, Any]] = []
        request = Request(self.world.admin, "GET", f"{RUNS}?kind=statements&limit=100")
        await self.world.ask(op, request, accept=lambda answer: found.extend(answer["items"]))
        return found

    async def _start(self, op: Op, found: Sequence[Mapping[str, Any]]) -> None:
        """The first month since the scheme began that has no statements and is over, or one that is not over."""
        have = sorted(date.fromisoformat(one["first_on"]) for one in found if one["state"] != "cancelled")
        month = (have[-1] + timedelta(days=32)).replace(day=1) if have else self.began
        body = {"period": "month", "first_on": month.isoformat()}
        request = Request(self.world.admin, "POST", RUNS, encode(body))
        await self.world.ask(op, request, refusals=STARTS)

    async def _move(self, op: Op, run_id: str, what: str, turn: int) -> None:
        key = f"{self.world.seed}-{op.number}-{turn}-{what}" if what == "close" else ""
        body = b"{}" if what == "close" else b""
        request = Request(self.world.admin, "POST", f"{RUNS}/{run_id}/{what}", body, key, booked=False)
        await self.world.ask(op, request, refusals=MOVES)

    async def pay(self, op: Op) -> None:
        """Somebody who has rebate pays with some of it."""
        picked = self.world.pick_phone(op.random)
        if picked is None:
            return
        member, phone, step = picked
        has: list[int] = []
        request = Request(member, "GET", "/v1/member/rebates")
        await self.world.ask(op, request, accept=lambda answer: has.append(answer["rebate_fen"]))
        if not has or has[0] < 1:
            return
        pos = self.world.domain(Pos)
        till, key = pos.till(op.random, member), f"{self.world.seed}-{op.number}"
        fen = op.random.randint(1, min(has[0], LEAST_PAYABLE_FEN - 1))
        basket = pos.basket(op) | {"tenders": [{"type": "rebate", "amount_fen": fen}, {"type": "cash"}]}
        basket |= {"code": pos.codes.show(phone, step, till)}
        await pos.ring_up(op, till, member, basket, key, (phone, step), refusals=SALE)

    async def look(self, op: Op) -> None:
        """A statement shows its sums to its member, and nothing to another."""
        member, other = self.world.pick(op.random), self.world.pick(op.random)
        shown: list[dict[str, Any]] = []
        request = Request(member, "GET", "/v1/member/rebates/statements")
        await self.world.ask(op, request, accept=lambda answer: shown.extend(answer["items"]))
        for one in shown[:1]:
            left = one["amount_fen"] + one["corrected_fen"] + one["brought_fen"]
            if left != one["payout_fen"] + one["carried_fen"]:
                self.world.blame(f"statement {one['id']} does not add up: {one}")
            if other is not member:
                spying = Request(other, "GET", f"/v1/member/rebates/statements/{one['id']}")
                await self.world.ask_in_vain(op, spying, refusals=frozenset({"not_found"}))

    async def settle(self) -> None:
        """Close and pay what is there; a month that nobody began is not looked for."""
        op = Op(-1, "rebate end", Random(0))
        for one in await self._runs(op):
            if one["state"] in ("draft", "closed"):
                await self._move(op, one["id"], "close" if one["state"] == "draft" else "pay", len(self.credited))

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Payments are those of statements; in the end statements gave what purchases are worth."""
        booked = {row[0]: (row[1], row[2]) for row in books.facts[BOOKED]}
        paid = {row[0]: row for row in books.facts[STATEMENTS] if row[4]}
        for id_ in sorted(booked.keys() ^ paid.keys())[:MOST_TOLD]:
            yield f"rebate statement {id_} is {'' if id_ in paid else 'not '}paid, the books say otherwise"
        for id_, row in paid.items():
            if id_ in booked and booked[id_] != (1, row[2]):
                yield f"rebate statement {id_} of {row[2]} fen was paid (times, fen) {booked[id_]}"
            if id_ not in self.credited:
                self.credited.add(id_)
                self.world.model.move(row[1], rebate=row[2])
        for id_ in self.credited - paid.keys():
            yield f"rebate statement {id_} was paid and is not"
        if not final or not self.ruled or books.events:
            return
        under_way = [f"{row[0]}: {row[1]}" for row in books.facts[MONTHS] if row[1] not in ("paid", "closed")]
        yield from (f"a rebate run is not over: {one}" for one in under_way)
        if not under_way:
            yield from compare({member.id for member in self.world.members}, books.facts)


def compare(members: Iterable[int], facts: Mapping[str, Sequence[Sequence[Any]]]) -> Iterator[str]:
    """Whose statements gave other than what their purchases of those months are worth, in words; a few."""
    months = {row[0] for row in facts[MONTHS]}
    back = {row[0]: int(row[1]) for row in facts[BACK]}
    worth: dict[tuple[int, date], int] = defaultdict(int)
    for member_id, sale_id, month, fen in facts[BOUGHT]:
        if month in months:
            worth[member_id, month] += int(fen) - back.get(sale_id, 0)
    due: dict[int, int] = defaultdict(int)
    for (member_id, _), fen in worth.items():
        due[member_id] += rebate_of(fen)
    gave: dict[int, int] = defaultdict(int)
    for _, member_id, payout, carried, _, _ in facts[STATEMENTS]:
        gave[member_id] += payout + carried
    waiting = {row[0] for row in facts[LATE]}
    wrong = [
        f"member {member_id}: rebate statements gave {gave[member_id]} fen, purchases are worth {due[member_id]}"
        for member_id in sorted(members)
        if member_id not in waiting and gave[member_id] != due[member_id]
    ]
    yield from wrong[:MOST_TOLD]


def rebate_of(fen: int) -> int:
    """What so much is worth: the first part at the first rate, the rest at the other, at most the cap."""
    low = min(fen, FROM_FEN)
    return min(CAP_FEN, (low * FIRST_BP + (fen - low) * THEN_BP) // 10_000)
