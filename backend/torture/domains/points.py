"""Points that members give each other, and that staff give and take with a second person: none is lost or made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..journal import Request
from ..world import Clerk, Member, Op, World, encode
from . import Domain, Operation

if TYPE_CHECKING:
    from ..oracle import Books

OWN = "/v1/member/points"
MOST_A_DAY = 5_000
"""What the settings allow where nobody said otherwise."""

NOT_NOW = frozenset(
    {"points_not_transferable", "points_transfer_limit", "points_recipient_changed", "not_found", "pin_locked"}
)
DECIDED = frozenset({"approval_decided", "approval_expired", "insufficient_balance", "not_found"})


class Asked(NamedTuple):
    """An adjustment that somebody asked for."""

    member_id: int
    points: int


class Points(Domain):
    """What leaves one member arrives at the other with its last days; what one person asks for, another approves."""

    order: ClassVar[int] = 36
    machines: ClassVar = {
        "points_transfer": {"": ("done",), "done": ("reversed",), "reversed": ()},
        "points_adjustment": {"": ("posted",), "posted": ()},
    }
    facts: ClassVar = {
        "points transfers": "SELECT id, giver_id, receiver_id, points FROM points_transfer",
        "points between members": """
SELECT coalesce(sum(amount), 0)::bigint FROM ledger_entry WHERE kind = 'house.points_clearing'""",
        "points whose last day changed hands": """
SELECT t.document_id, l.expires_on, sum(m.amount)::bigint
  FROM ledger_transfer t
  JOIN ledger_lot_move m ON m.member_id = t.member_id AND m.seq = t.seq
  JOIN ledger_lot l ON l.member_id = m.member_id AND l.lot_id = m.lot_id
 WHERE t.kind = 'points_transfer' GROUP BY 1, 2 HAVING sum(m.amount) <> 0""",
        "points given in a day": """
SELECT giver_id, max(given) FROM (
  SELECT giver_id, sum(points)::bigint AS given FROM points_transfer
   GROUP BY giver_id, (at AT TIME ZONE 'Asia/Shanghai')::date) d GROUP BY giver_id""",
        "points adjusted": """
SELECT member_id, id, (body->>'points')::bigint FROM ledger_document WHERE kind = 'points_adjustment'""",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.told: dict[str, tuple[int, int, int]] = {}
        self.asked: dict[str, Asked] = {}
        self.approved: set[str] = set()
        self.waiting: list[tuple[str, str, Member]] = []
        self.known: set[str] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones and staff do."""
        return (
            Operation("points given", 2, self.give),
            Operation("points given to and fro", 0.5, self.exchange),
            Operation("points given without right", 0.4, self.overstep),
            Operation("points adjusted", 0.8, self.adjust),
            Operation("points approved", 0.8, self.approve),
        )

    # -- members

    def _giver(self, op: Op) -> Member | None:
        among = [member for member in self.world.members if member.pin]
        return op.random.choice(among) if among else None

    async def give(self, op: Op) -> None:
        """A few points for a friend; sometimes the same request twice at once."""
        giver, friend = self._giver(op), self.world.pick(op.random)
        if giver is None or giver.id == friend.id:
            return
        request = await self.wish(op, giver, friend, "")
        times = 2 if op.random.random() < 0.3 else 1
        if request is not None:
            await asyncio.gather(*(self.send(op, request, giver, friend) for _ in range(times)))

    async def exchange(self, op: Op) -> None:
        """Two friends give each other points at one moment."""
        one, other = self._giver(op), self._giver(op)
        if one is None or other is None or one.id == other.id:
            return
        wishes = [
            (await self.wish(op, one, other, "a"), one, other),
            (await self.wish(op, other, one, "b"), other, one),
        ]
        await asyncio.gather(*(self.send(op, wish, giver, to) for wish, giver, to in wishes if wish is not None))

    async def wish(
        self, op: Op, giver: Member, friend: Member, suffix: str, *, refusals: frozenset[str] = frozenset()
    ) -> Request | None:
        """The request, with the name that the giver is shown and confirms; None where nobody is shown."""
        shown: list[Any] = []
        body = encode({"member_no": friend.member_no})
        looked = Request(giver, "POST", f"{OWN}/recipient", body)
        await self.world.ask(op, looked, accept=shown.append, refusals=frozenset({"not_found"}) | refusals)
        if not shown:
            return None
        points = op.random.randrange(1, 12)
        body = encode(shown[0] | {"points": points, "pin": giver.pin})
        key = f"x{self.world.seed}-{op.number}{suffix}"
        return Request(giver, "POST", f"{OWN}/transfers", body, key, f"member/{giver.id}")

    async def send(
        self, op: Op, request: Request, giver: Member, friend: Member, *, refusals: frozenset[str] = frozenset()
    ) -> None:
        """Ask for a transfer, which both members' points follow once it is acknowledged."""

        def accept(answer: Any) -> None:
            made = (giver.id, friend.id, answer["points"])
            before = self.told.setdefault(answer["id"], made)
            if before != made or answer["state"] != "done" or answer["direction"] != "out":
                self.world.blame(f"transfer {answer['id']} of {before} was answered {answer}")
            if answer["id"] not in self.known:
                self.known.add(answer["id"])
                self.world.model.move(giver.id, points=-answer["points"])
                self.world.model.move(friend.id, points=answer["points"])

        await self.world.ask(op, request, accept=accept, refusals=NOT_NOW | refusals)

    async def overstep(self, op: Op) -> None:
        """To oneself, or to somebody whose name was never confirmed: nothing moves."""
        giver, friend = self._giver(op), self.world.pick(op.random)
        if giver is None or giver.id == friend.id:
            return
        body = {"member_no": friend.member_no, "name_masked": "谁", "points": 1, "pin": giver.pin}
        what, code = op.random.choice(
            (
                ({"member_no": giver.member_no}, "points_transfer_own"),
                ({}, "points_recipient_changed"),
            )
        )
        key = f"x{self.world.seed}-{op.number}"
        request = Request(giver, "POST", f"{OWN}/transfers", encode(body | what), key, f"member/{giver.id}")
        await self.world.ask_in_vain(op, request, refusals=frozenset({code, "not_found", "pin_locked"}))

    # -- staff

    def _manager(self) -> Clerk:
        return next(clerk for clerk in self.world.staff if clerk.role == "manager")

    async def adjust(self, op: Op) -> None:
        """Head office asks for points that one member gets or loses; sometimes twice at once."""
        manager = self._manager()
        among = [member for member in self.world.members if member.home == manager.store_id]
        if not among:
            return
        member, points = op.random.choice(among), op.random.choice((5, 8, 13, -3, -6))
        body = encode({"points": points, "reason": "correction", "text": "盘点"})
        path, key = f"/v1/admin/members/{member.id}/points-adjustments", f"y{self.world.seed}-{op.number}"
        request = Request(self.world.admin, "POST", path, body, key=key, booked=False)

        def accept(answer: Any) -> None:
            if answer["status"] == "posted":
                self.world.blame(f"adjustment {answer['id']} was posted by one person alone")
            asked = Asked(member.id, points)
            if self.asked.setdefault(answer["id"], asked) != asked:
                self.world.blame(f"adjustment {answer['id']} of {self.asked[answer['id']]} was answered for {asked}")
            if all(known[1] != answer["approval_id"] for known in self.waiting):
                self.waiting.append((answer["id"], answer["approval_id"], member))

        refusals = frozenset({"approval_key_reused", "too_many_approvals"})
        times = 2 if op.random.random() < 0.2 else 1
        await asyncio.gather(*(self.world.ask(op, request, accept=accept, refusals=refusals) for _ in range(times)))

    async def approve(self, op: Op) -> None:
        """The store's manager approves, sometimes twice at once; whoever asked for it cannot."""
        if not self.waiting:
            return
        adjustment_id, approval_id, _ = self.waiting[op.random.randrange(len(self.waiting))]
        path = f"/v1/admin/approvals/{approval_id}/approve"
        if op.random.random() < 0.2:
            own = Request(self.world.admin, "POST", path, b"{}")
            await self.world.ask_in_vain(op, own, refusals=DECIDED | {"approval_own"})

        def accept(answer: Any) -> None:
            self.approved.add(adjustment_id)

        request = Request(self._manager(), "POST", path, b"{}")
        times = 2 if op.random.random() < 0.3 else 1
        await asyncio.gather(*(self.world.ask(op, request, accept=accept, refusals=DECIDED) for _ in range(times)))

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Both sides of a transfer agree, to the last day; adjustments were asked for, what was approved is there."""
        if between := sum(row[0] for row in books.facts["points between members"]):
            yield f"{between} points are on their way between members"
        for document_id, day, points in books.facts["points whose last day changed hands"]:
            yield f"transfer {document_id} changed the last day {day} of {points} points"
        for giver_id, given in books.facts["points given in a day"]:
            if given > MOST_A_DAY:
                yield f"member {giver_id} gave {given} points away in one day"
        stored = {row[0]: self._between(row[1:]) for row in books.facts["points transfers"]}
        for id_, made in self.told.items():
            if stored.get(id_) != self._between(made):
                yield f"transfer {id_} was acknowledged as {made} and is stored as {stored.get(id_)}"
        yield from self._adjustments(books)

    def _between(self, made: Sequence[int]) -> tuple[int, int, int]:
        """Who gave whom how much, each by the number under which they go on."""
        return self.world.person(made[0]), self.world.person(made[1]), made[2]

    def _adjustments(self, books: Books) -> Iterator[str]:
        there = {id_: Asked(member_id, points) for member_id, id_, points in books.facts["points adjusted"]}
        for id_, found in there.items():
            if id_ in self.known:
                continue
            self.known.add(id_)
            self.world.model.move(found.member_id, points=found.points)
            if self.asked.get(id_, found) != found:
                yield f"adjustment {id_} is stored as {found}, asked for was {self.asked[id_]}"
        for id_ in self.approved - there.keys():
            yield f"adjustment {id_} was approved and is not stored"
