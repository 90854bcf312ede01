"""Levels under rules: up with a purchase, down only because the purchase that brought them came back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Op, World, encode
from . import Domain

if TYPE_CHECKING:
    from ..oracle import Books

GOALS = {"silver": 4_000, "gold": 12_000}
"""What reaches a level; a member of a run spends some tens of yuan."""

MOST_TOLD = 5
HAD, HAPPENED, GIVEN_BACK = "members' levels", "what was bought", "what came back"

_COUPONS = "coalesce((SELECT sum((c->>'amount_fen')::bigint) FROM jsonb_array_elements(d.body->'coupons') c), 0)"
_BOUGHT = f"""
SELECT d.member_id, coalesce((d.body->>'occurred_at')::timestamptz, d.at) AS at, d.id,
       coalesce((d.body->>'payable_fen')::bigint,
                (SELECT sum((l->>'payable_fen')::bigint) FROM jsonb_array_elements(d.body->'lines') l),
                (d.body->>'total_fen')::bigint) - {_COUPONS}
  FROM ledger_document d
 WHERE d.kind = 'accrual' OR d.kind IN ('sale', 'order') AND (
       d.state NOT IN ('awaiting_confirmation', 'rejected', 'expired', 'cancelled', 'awaiting_payment', 'closed')
       OR coalesce((d.progress->>'refunded_fen')::bigint, 0) > 0)"""  # noqa: S608 - constants
_BACK = f"""
SELECT d.member_id, d.at, d.body->>'sale_id', (d.body->>'refund_fen')::bigint - {_COUPONS}
  FROM ledger_document d WHERE d.kind = 'refund'"""  # noqa: S608 - constants


class Levels(Domain):
    """In the end each member has the level that follows from what they bought and gave back, in the order of time."""

    order: ClassVar[int] = 33
    facts: ClassVar = {
        HAD: "SELECT id, coalesce(own_level, level_id) FROM member",
        HAPPENED: _BOUGHT,
        GIVEN_BACK: _BACK,
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.ruled = False

    async def prepare(self) -> None:
        """Head office puts rules in force, before anybody buys."""
        window = {"kind": "months", "months": 36}
        rules = [
            {"level": code, "reach": {"spend_fen": fen}, "window": window, "period": {"kind": "months", "months": 36}}
            for code, fen in GOALS.items()
        ]
        body = encode({"version": 0, "rules": rules})
        op = Op(-1, "level rules", Random(0))
        answer = await self.world.ask(op, Request(self.world.admin, "PUT", "/v1/admin/level-rules", body))
        self.ruled = answer.good

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Compare every member's, once nothing is under way."""
        if final and self.ruled and not books.events:
            ours = {member.id for member in self.world.members}
            yield from compare(ours, books.facts)


def compare(members: Iterable[int], facts: Mapping[str, Sequence[Sequence[Any]]]) -> Iterator[str]:
    """What does not agree, in words; a few of it."""
    story: dict[int, list[tuple[Any, int, str, int]]] = defaultdict(list)
    for member_id, at, sale_id, fen in facts[HAPPENED]:
        story[member_id].append((at, 0, sale_id, int(fen)))
    for member_id, at, sale_id, fen in facts[GIVEN_BACK]:
        story[member_id].append((at, 1, sale_id, int(fen)))
    had = {row[0]: row[1] for row in facts[HAD]}
    wrong = [
        f"member {member_id} is at {had[member_id]}, by what they bought at {want}"
        for member_id in sorted(members)
        if member_id in had and had[member_id] != (want := level_after(sorted(story[member_id])))
    ]
    yield from wrong[:MOST_TOLD]


def level_after(story: Sequence[tuple[Any, int, str, int]]) -> str:
    """The level that somebody has after all this; each is a time, whether something came back, a purchase, and fen."""
    left: dict[str, int] = {}
    touched: set[str] = set()
    reached: list[tuple[str, str]] = []  # levels with the purchases that brought them, one upon the other
    for _, back, sale_id, fen in story:
        left[sale_id] = left.get(sale_id, 0) + (-fen if back else fen)
        if back:
            touched.add(sale_id)
            if reached and reached[-1][1] == sale_id:
                while reached and reached[-1][1] in touched and sum(left.values()) < GOALS[reached[-1][0]]:
                    reached.pop()
                if reached and reached[-1][1] in touched:  # another purchase has brought it, then
                    reached[-1] = (reached[-1][0], _bringer(left, GOALS[reached[-1][0]]))
        above = [code for code in GOALS if not reached or GOALS[code] > GOALS[reached[-1][0]]]
        for code in reversed(above):
            if sum(left.values()) >= GOALS[code]:
                reached.append((code, _bringer(left, GOALS[code])))
                break
    return reached[-1][0] if reached else "basic"


def _bringer(left: Mapping[str, int], goal: int) -> str:
    """The purchase with which so much was spent, as they stand; they are in the order of time."""
    so_far = 0
    for sale_id, fen in left.items():
        so_far += fen
        if so_far >= goal:
            return sale_id
    raise AssertionError("so much was spent")
