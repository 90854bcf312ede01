"""Accruals: points for sales of while a till was offline; they never spend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..signing import STEP_S, make_code
from ..world import Op, World, encode
from . import Domain, Operation
from .codes import CODE
from .pos import MOST_POINTS_A_YUAN

if TYPE_CHECKING:
    from ..oracle import Books


class Accruals(Domain):
    """Each is credited once, and each code earns at most once."""

    machines: ClassVar = {"accrual": {"": ("posted",), "posted": ()}}

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.made: set[str] = set()
        self.codes: dict[tuple[str, int], str] = {}

    @property
    def operations(self) -> Sequence[Operation]:
        """What a till sends when it is back."""
        return (Operation("accrual", 3, self.accrue),)

    async def accrue(self, op: Op) -> None:
        """Points for a sale of a minute ago, by the code that was read then or by the member's number."""
        member, at = self.world.pick(op.random), self.world.now() - op.random.randrange(5, 90)
        till = self.world.till_of(op.random, member.home)
        price, key = op.random.randrange(100, 5000), f"{self.world.seed}-{op.number}"
        by_code = op.random.random() < 0.4 and bool(member.phones)
        phone, step = (op.random.choice(member.phones), int(at) // STEP_S) if by_code else (None, 0)
        shown = {"code": make_code(phone.handle, phone.secret, step)} if phone else {"member_no": member.member_no}
        body = shown | {
            "order_no": key,
            "total_fen": price,
            "lines": [{"sku": "X-1", "qty": 1, "unit_price_fen": price}],
            "occurred_at": datetime.fromtimestamp(at, UTC).isoformat(),
        }

        def accept(answer: Any) -> None:
            if phone is not None and self.codes.setdefault((phone.id, step), key) != key:
                self.world.blame(f"the code of step {step} of device {phone.id} earned points twice")
            if answer["id"] not in self.made:
                self.made.add(answer["id"])
                self.world.model.move(member.id, points=answer["points_earned"])
            if not 0 <= answer["points_earned"] <= price * MOST_POINTS_A_YUAN // 100:
                self.world.blame(f"accrual of {price} fen earned {answer['points_earned']} points")

        request = Request(till, "POST", "/v1/pos/accruals", encode(body), key, f"terminal/{till.id}")
        await self.world.ask(op, request, accept=accept, refusals=CODE | {"accrual_limit", "order_exists"})

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Those that are stored are those that were acknowledged."""
        stored = {id_ for id_, document in books.documents.items() if document.kind == "accrual"}
        for id_ in stored ^ self.made:
            yield f"accrual {id_} was {'never acknowledged' if id_ in stored else 'acknowledged and is not stored'}"
