"""Gifts for points: scarce pieces that orders want too, codes at two tills at once, redemptions that come to nothing.

What a client was told is held against what is stored; what is stored of each redemption moves the model, for some of
it happens by the clock.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..journal import Request
from ..world import Member, Op, Till, World, encode
from . import Domain, Operation
from .coupon_books import local_date
from .shelves import Shelves
from .wallet import Wallet

if TYPE_CHECKING:
    from ..oracle import Books

GIFTS = "/v1/admin/gifts"
MINE = "/v1/member/gift-redemptions"
REDEMPTIONS = "/v1/admin/gift-redemptions"
PRICE, PRICE_OF_VALUE, PAY_FEN, VALUE_FEN = 4, 3, 150, 80
MOST_OF_A_MEMBER, MOST_OF_ALL = 3, 25
LEAST_ON_SHELF = 4
UNDONE = frozenset({"cancelled", "expired", "returned"})
NOT_TO_BE_HAD = frozenset(
    {
        *("gift_sold_out", "gift_limit_reached", "out_of_stock", "insufficient_balance", "stored_limit_reached"),
        *("pin_required", "pin_locked", "gift_not_redeemable"),
    }
)


class Gift(NamedTuple):
    """A gift as head office offered it."""

    id: str
    kind: str
    points: int
    pay_fen: int
    gives_fen: int
    store_id: str | None
    sku: str | None


class Row(NamedTuple):
    """What is stored of a redemption."""

    id: str
    member_id: int
    gift_id: str
    state: str
    quantity: int
    points: int
    pay_fen: int
    place_id: str | None
    sku: str | None
    terminal_id: str | None
    key: str | None
    due_on: date | None
    ended_at: datetime | None
    counted: bool


class Told(NamedTuple):
    """A redemption as it was acknowledged."""

    member: Member
    gift: Gift
    quantity: int


class Gifts(Domain):
    """A gift is had as often as it is offered, costs what it costs, is handed over once, and goes back whole."""

    order: ClassVar[int] = 22  # before shelves, which hear what gifts took of them
    jobs: ClassVar = ("gifts.expire_waiting",)
    machines: ClassVar = {
        "gift_redemption": {
            "": ("waiting", "given"),
            "waiting": ("handed_over", "cancelled", "expired"),
            "handed_over": ("returned",),
            "given": ("returned",),
            **dict.fromkeys(UNDONE, ()),
        }
    }
    facts: ClassVar = {
        "redemptions": "SELECT id, member_id, gift_id, state, quantity, points, pay_fen, place_id, sku, terminal_id,"
        " key, due_on, ended_at, counted FROM gifts_redemption",
        "gifts taken": "SELECT id, taken FROM gifts_gift",
        "promised to gifts": "SELECT order_id, place_id, sku, qty FROM stock_reservation WHERE order_id LIKE 'J%'",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.gifts: dict[str, Gift] = {}
        self.told: dict[str, Told] = {}
        self.handed: dict[str, tuple[str, str]] = {}
        self.tried: set[tuple[str, str, str]] = set()
        self.ended: dict[str, str] = {}
        self.applied: dict[str, tuple[int, int]] = {}

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones, tills and staff do."""
        return (
            Operation("gift redeemed", 2.5, self.redeem),
            Operation("gift fetched", 1.5, self.fetch),
            Operation("gift given up", 0.6, self.give_up),
            Operation("gift taken back", 0.5, self.take_back),
            Operation("other's gift", 0.3, self.spy),
        )

    async def prepare(self) -> None:
        """In each store something that is scarce there, for points alone and with money; and stored value."""
        op = Op(-1, "gifts", Random(0))
        for store_id in self.world.stores:
            sku = await self._scarce(op, store_id)
            if sku is not None:
                goods = {"kind": "goods", "sku": sku, "pickup": True, "stores": [store_id], "pickup_days": 3}
                await self._offer(op, goods | {"points": PRICE, "total": MOST_OF_ALL}, store_id)
                await self._offer(op, goods | {"points": PRICE, "pay_fen": PAY_FEN}, store_id)
        value = {"kind": "stored", "points": PRICE_OF_VALUE, "stored_fen": VALUE_FEN, "stored_days": 2}
        await self._offer(op, value, None)

    async def _scarce(self, op: Op, store_id: str) -> str | None:
        found: list[Any] = []
        request = Request(self.world.admin, "GET", f"/v1/admin/stock/levels?place_id={store_id}&limit=100")
        await self.world.ask(op, request, accept=lambda page: found.extend(page["items"]))
        there = sorted((one["on_hand"], one["sku"]) for one in found if one["on_hand"] >= LEAST_ON_SHELF)
        own = [sku for _, sku in there if not sku.startswith("TORTURE-")]
        return own[0] if own else None

    async def _offer(self, op: Op, body: dict[str, Any], store_id: str | None) -> None:
        made: list[Any] = []
        wanted = {"title": "礼品", "per_member": MOST_OF_A_MEMBER} | body
        await self.world.ask(op, Request(self.world.admin, "POST", GIFTS, encode(wanted)), accept=made.append)
        gift_id = made[-1]["id"]
        await self.world.ask(op, Request(self.world.admin, "POST", f"{GIFTS}/{gift_id}/publish", b"{}"))
        self.gifts[gift_id] = Gift(
            gift_id,
            body["kind"],
            body["points"],
            body.get("pay_fen", 0),
            body.get("stored_fen", 0),
            store_id,
            body.get("sku"),
        )

    # -- what clients do

    async def redeem(self, op: Op) -> None:
        """One piece or two; at times the same request twice at once, or two members want one gift."""
        gift = self.gifts[op.random.choice(sorted(self.gifts))]
        members = [self.world.pick(op.random)]
        if op.random.random() < 0.2:
            members.append(self.world.pick(op.random))
        times = 2 if op.random.random() < 0.2 else 1
        await asyncio.gather(
            *(self.redeem_for(op, member, gift, turn) for turn, member in enumerate(members) for _ in range(times))
        )

    async def redeem_for(
        self, op: Op, member: Member, gift: Gift, turn: int, *, refusals: frozenset[str] = frozenset()
    ) -> None:
        """Once, as that member."""
        body: dict[str, Any] = {"gift_id": gift.id}
        quantity = 2 if (op.number + turn) % 4 == 0 else 1
        if quantity > 1:
            body["quantity"] = quantity
        if (op.number + turn) % 3:
            body |= {"points": gift.points * quantity, "pay_fen": gift.pay_fen * quantity}
        if gift.store_id is not None:
            body["store_id"] = gift.store_id
        if gift.pay_fen and member.pin:
            body["pin"] = member.pin

        def accept(answer: Any) -> None:
            made = Told(member, gift, quantity)
            if self.told.setdefault(answer["id"], made) != made or answer["points"] != gift.points * quantity:
                self.world.blame(f"redemption {answer['id']} of {gift} was answered {answer}")

        key = f"j{self.world.seed}-{op.number}-{turn}"
        request = Request(member, "POST", MINE, encode(body), key, f"member/{member.id}")
        await self.world.ask(op, request, accept=accept, refusals=NOT_TO_BE_HAD | refusals)

    def _pick(self, op: Op) -> tuple[str, Told] | None:
        among = [(id_, told) for id_, told in self.told.items() if id_ not in self.ended]
        return op.random.choice(among[-60:]) if among else None

    async def _code(self, op: Op, redemption_id: str, member: Member) -> str:
        shown: list[str] = []
        request = Request(member, "GET", f"{MINE}/{redemption_id}")
        await self.world.ask(op, request, accept=lambda one: shown.append(one["code"] or ""))
        return shown[-1] if shown else ""

    async def fetch(self, op: Op) -> None:
        """The member shows the code; sometimes at two tills at once, at another store's, or while giving it up."""
        picked = self._pick(op)
        if picked is None or picked[1].gift.store_id is None:
            return
        redemption_id, told = picked
        code = await self._code(op, redemption_id, told.member)
        if not code:
            return
        tills = [till for till in self.world.tills if till.store_id == told.gift.store_id]
        others = [till for till in self.world.tills if till.store_id != told.gift.store_id]
        if others and op.random.random() < 0.1:
            await self._vain(op, redemption_id, code, op.random.choice(others))
        both = op.random.sample(tills, 2 if op.random.random() < 0.3 and len(tills) > 1 else 1)
        steps = [self._hand(op, redemption_id, code, till) for till in both]
        if op.random.random() < 0.15:
            steps.append(self._cancel(op, redemption_id, told.member))
        await asyncio.gather(*steps)

    async def _hand(self, op: Op, redemption_id: str, code: str, till: Till) -> None:
        key = f"j{self.world.seed}-{op.number}-{till.id}"
        self.tried.add((redemption_id, till.id, key))

        def accept(answer: Any) -> None:
            if self.handed.setdefault(redemption_id, (till.id, key)) != (till.id, key):
                self.world.blame(f"gift {redemption_id} was handed over by {self.handed[redemption_id]} and {till.id}")

        path = f"/v1/pos/gift-pickups/{redemption_id}/handover"
        request = Request(till, "POST", path, encode({"code": code}), key, booked=False)
        refusals = frozenset({"gift_handed_over", "redemption_conflict"})
        await self.world.ask(op, request, accept=accept, refusals=refusals)

    async def _vain(self, op: Op, redemption_id: str, code: str, till: Till) -> None:
        path = f"/v1/pos/gift-pickups/{redemption_id}/handover"
        key = f"j{self.world.seed}-{op.number}-elsewhere"
        request = Request(till, "POST", path, encode({"code": code}), key, booked=False)
        await self.world.ask_in_vain(op, request, refusals=frozenset({"not_found"}))

    async def give_up(self, op: Op) -> None:
        """Before it is fetched; at times twice at once."""
        picked = self._pick(op)
        if picked is not None:
            times = 2 if op.random.random() < 0.3 else 1
            await asyncio.gather(*(self._cancel(op, picked[0], picked[1].member) for _ in range(times)))

    async def _cancel(self, op: Op, redemption_id: str, member: Member) -> None:
        def accept(answer: Any) -> None:
            self.ended[redemption_id] = answer["status"]
            if answer["status"] != "cancelled":
                self.world.blame(f"gift {redemption_id} was given up and is {answer['status']}")

        request = Request(member, "POST", f"{MINE}/{redemption_id}/cancel", b"{}")
        await self.world.ask(op, request, accept=accept, refusals=frozenset({"redemption_conflict"}))

    async def take_back(self, op: Op) -> None:
        """Staff undo what was handed over or given; at times two of them at once."""
        picked = self._pick(op)
        if picked is None:
            return
        redemption_id, _ = picked

        def accept(answer: Any) -> None:
            self.ended[redemption_id] = answer["status"]

        body = encode({"reason": "goodwill", "note": "核对", "restock": True})
        request = Request(self.world.admin, "POST", f"{REDEMPTIONS}/{redemption_id}/return", body)
        refusals = frozenset({"redemption_conflict", "gift_spent"})
        times = 2 if op.random.random() < 0.3 else 1
        await asyncio.gather(*(self.world.ask(op, request, accept=accept, refusals=refusals) for _ in range(times)))

    async def spy(self, op: Op) -> None:
        """Somebody else's redemption is not there."""
        picked, other = self._pick(op), self.world.pick(op.random)
        if picked is not None and picked[1].member is not other:
            request = Request(other, "POST", f"{MINE}/{picked[0]}/cancel", b"{}")
            await self.world.ask_in_vain(op, request, refusals=frozenset({"not_found"}))

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Each redemption is one that was told, at its price, and stands where it was brought; shelves hear of it."""
        rows = [Row(*row) for row in books.facts["redemptions"]]
        kept, gone = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        unknown, begun = 0, len(self.world.journal.begun) + len(self.world.journal.doubtful)
        for row in rows:
            unknown += row.id not in self.told
            self._apply(row)
            if row.place_id is not None and row.sku is not None:
                kept[row.place_id, row.sku] += row.quantity if row.state == "waiting" else 0
                gone[row.place_id, row.sku] += row.quantity if row.state == "handed_over" else 0
            yield from self._agrees(row, final=final)
        if final and unknown > begun + 1:
            yield f"{unknown} redemptions were never acknowledged"
        for id_ in self.told.keys() - {row.id for row in rows}:
            yield f"redemption {id_} was acknowledged and is not stored"
        yield from self._counts(rows, books)
        self.world.domain(Shelves).gifts(kept, gone)

    def _apply(self, row: Row) -> None:
        """Let the model have what a redemption does as it stands."""
        gift = self.gifts[row.gift_id]
        done = row.state not in UNDONE
        pieces = row.quantity if done else 0
        effect = -gift.points * pieces, (gift.gives_fen - gift.pay_fen) * pieces
        if row.id not in self.applied:
            gifts = self.world.domain(Wallet).gifts  # bonus that may expire
            gifts[row.member_id] = gifts.get(row.member_id, 0) + gift.gives_fen * row.quantity
        before = self.applied.setdefault(row.id, (0, 0))
        if effect != before:
            self.world.model.move(row.member_id, points=effect[0] - before[0], stored=effect[1] - before[1])
            self.applied[row.id] = effect

    def _agrees(self, row: Row, *, final: bool) -> Iterator[str]:
        gift, told = self.gifts[row.gift_id], self.told.get(row.id)
        if (row.points, row.pay_fen, row.sku) != (gift.points * row.quantity, gift.pay_fen * row.quantity, gift.sku):
            yield f"redemption {row} is not at the price of {gift}"
        person = self.world.person
        stored = (person(row.member_id), row.gift_id, row.quantity)
        if told is not None and (person(told.member.id), told.gift.id, told.quantity) != stored:
            yield f"redemption {row.id} was acknowledged as {told}, it is {row}"
        ended = self.ended.get(row.id)
        if ended is not None and row.state != ended:
            yield f"redemption {row.id} was acknowledged as {ended} and is {row.state}"
        handed = self.handed.get(row.id)
        if handed is not None and handed != (row.terminal_id, row.key):
            yield f"gift {row.id} was handed over by {row.terminal_id}, acknowledged was {handed}"
        if row.terminal_id is not None and (row.id, row.terminal_id, row.key) not in self.tried:
            yield f"gift {row.id} was handed over by {row.terminal_id}, who never asked"
        if row.state == "expired" and not (row.due_on and row.ended_at and local_date(row.ended_at) > row.due_on):
            yield f"gift {row.id} waits until {row.due_on} and expired at {row.ended_at}"

    def _counts(self, rows: Sequence[Row], books: Books) -> Iterator[str]:
        taken = {row[0]: row[1] for row in books.facts["gifts taken"]}
        counted, of_members = Counter[str](), Counter[tuple[int, str]]()
        for row in rows:
            counted[row.gift_id] += row.quantity if row.counted else 0
            of_members[row.member_id, row.gift_id] += row.quantity if row.state not in UNDONE else 0
        for gift_id, gift in self.gifts.items():
            if taken.get(gift_id) != counted[gift_id]:
                yield f"gift {gift_id} was taken {taken.get(gift_id)} times, {counted[gift_id]} redemptions count"
            if gift.kind == "goods" and not gift.pay_fen and counted[gift_id] > MOST_OF_ALL:
                yield f"of gift {gift_id} there were {MOST_OF_ALL}, {counted[gift_id]} are out"
        for (member_id, gift_id), count in of_members.items():
            if count > MOST_OF_A_MEMBER:
                yield f"member {member_id} has {count} of gift {gift_id}"
        waiting = {(row.id, row.place_id, row.sku, row.quantity) for row in rows if row.state == "waiting"}
        promised = {tuple(row) for row in books.facts["promised to gifts"]}
        for one in waiting ^ promised:
            yield f"gift {one} is promised: {one in promised}, waits: {one in waiting}"
