"""Members who are one person: they buy and bring back, are merged meanwhile by two hands at once, and bring back more.

What both have together is known: a merge moves it, and changes none of it. Nobody else picks them; what they do besides
buying is in ``twin_calls``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Clerk, Member, Op, World, encode
from . import Domain, Operation
from .members import Members
from .pos import SALE, Pos
from .sale import Sale
from .wallet import Wallet

if TYPE_CHECKING:
    from ..oracle import Books

MERGES = "/v1/admin/merges"
MOST_PAIRS = 40
MOST_PIECES, MOST_FEN = 3, 700
FIRST_NUMBER, APART = 70_000_002, 3
"""Of their phones, which nobody else has; with such numbers members have a PIN."""

NOT_NOW = frozenset({"merge_blocked", "merge_status", "approval_decided", "approval_key_reused", "too_many_approvals"})
SHUT_OUT = SALE | {"member_inactive", "member_frozen", "code_invalid", "code_expired", "not_found", "unauthenticated"}


@dataclass
class Twins:
    """Two members who are one person; ``sales`` are the source's."""

    source: Member
    target: Member
    asked: bool = False
    merged: bool = False
    sales: list[str] = field(default_factory=list)


class Merges(Domain):
    """What two members have is what one of them has afterwards; what comes later finds its way."""

    order: ClassVar[int] = 60
    jobs: ClassVar = ("merging.sweep",)
    facts: ClassVar = {
        "merges": "SELECT source_id, target_id FROM merging_merge",
        "answers carried": "SELECT scope, key FROM ledger_key WHERE result ? 'carried'",
        "left on merged books": """
SELECT a.member_id, a.kind, a.ref, a.balance FROM ledger_account a JOIN merging_merge m ON m.source_id = a.member_id
 WHERE a.balance > 0 AND a.kind <> 'stored_held'""",
        "between merged books": """
SELECT t.document_id, e.unit, sum(e.amount)::bigint FROM ledger_entry e
  JOIN ledger_transfer t ON t.member_id = e.member_id AND t.seq = e.seq
 WHERE e.kind = 'house.merge_clearing' GROUP BY 1, 2 HAVING sum(e.amount) <> 0""",
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.pairs: list[Twins] = []
        self.second = Clerk("twins", "correct horse battery staple", "member_centre", None)

    @property
    def operations(self) -> Sequence[Operation]:
        """What twins do, and what is done with them."""
        return (
            Operation("twins join", 0.8, self.join),
            Operation("twin's purchase", 3, self.buy),
            Operation("twin's recharge", 1, self.recharge),
            Operation("merge", 0.5, self.merge),
            Operation("twin's return", 2, self.bring_back),
        )

    async def prepare(self) -> None:
        """Somebody who approves."""
        body = {"username": self.second.username, "password": self.second.password, "role": self.second.role}
        op = Op(-70_000, "twins prepare", Random(f"{self.world.seed}:twins"))
        await self.world.ask(
            op,
            Request(self.world.admin, "POST", "/v1/admin/staff", encode(body)),
            refusals=frozenset({"already_exists", "username_taken"}),
        )

    async def join(self, op: Op) -> None:
        """Somebody joins twice."""
        if len(self.pairs) >= MOST_PAIRS:
            return
        number, home = FIRST_NUMBER + 2 * APART * op.number, op.random.choice(self.world.stores)
        numbers = (number, number + APART)
        both = [Member(one, f"t{self.world.seed}-{one}", f"137{one % 10**8:08d}", home) for one in numbers]
        for member in both:
            await self.world.domain(Members).join(member)
        self.world.apart += both
        self.pairs.append(Twins(both[0], both[1]))

    def pick(self, op: Op, *, merged: bool | None = None) -> Twins | None:
        """Some pair, or one that is merged or not, as far as was told."""
        among = [pair for pair in self.pairs if merged is None or pair.merged is merged]
        return op.random.choice(among) if among else None

    async def buy(self, op: Op) -> None:
        """In cash, or with what points and value there are; by the old code too, in vain once they are one."""
        pair = self.pick(op, merged=op.random.random() < 0.25)
        if pair is None:
            return
        member = op.random.choice((pair.source, pair.source, pair.target))
        step = self.world.step()
        phone = next((one for one in member.phones if one.last_step < step), None)
        if phone is None:
            return
        phone.last_step = step
        pos, key = self.world.domain(Pos), f"{self.world.seed}-{op.number}"
        till = self.world.till_of(op.random, member.home)
        ways = (
            [{"type": "cash"}],
            [{"type": "cash"}],
            [{"type": "points", "points": 3}, {"type": "cash"}],
            [{"type": "stored"}],
        )
        basket = {
            "order_no": key,
            "lines": [
                {
                    "sku": "X-7",
                    "qty": op.random.randint(1, MOST_PIECES),
                    "unit_price_fen": op.random.randint(60, MOST_FEN),
                }
            ],
            "tenders": op.random.choice(ways),
            "code": pos.codes.show(phone, step, till),
        }
        await pos.ring_up(op, till, member, basket, key, (phone, step), refusals=SHUT_OUT)
        self.note_sales(pair)

    def note_sales(self, pair: Twins) -> None:
        """Remember what the source bought last; it may come back."""
        pos = self.world.domain(Pos)
        sold = [sale.id for sale in list(pos.recent)[-40:] if sale.member is pair.source]
        pair.sales = list(dict.fromkeys([*pair.sales, *sold]))

    async def recharge(self, op: Op) -> None:
        """Value for one of them; paid a moment before or after they become one."""
        pair = self.pick(op, merged=False)
        if pair is not None:
            member = op.random.choice((pair.source, pair.target))
            body = {"amount_fen": op.random.randrange(100, 5_000)}
            pays = op.random.random() < 0.8
            await self.world.domain(Wallet).recharge_for(op, member, body, pays=pays)

    async def merge(self, op: Op) -> None:
        """One of head office asks, another approves, at times twice at once, while the source brings something back."""
        pair = self.pick(op, merged=False)
        if pair is not None:
            meanwhile = [self._bring_back(op, pair)] if op.random.random() < 0.5 else []
            await self.make_one(op, pair, *meanwhile)

    async def make_one(self, op: Op, pair: Twins, *meanwhile: Awaitable[Any]) -> None:
        """Ask and approve, and let something else happen at that moment; it happens in any case."""
        approvals = await self._asked(op, pair)
        await asyncio.gather(*approvals, *meanwhile)

    async def _asked(self, op: Op, pair: Twins) -> list[Awaitable[Any]]:
        """A merge was asked for: what approves it; nothing where it was refused."""
        made: list[str] = []
        body = {"source_no": pair.source.member_no, "target_no": pair.target.member_no, "reason": "同一人"}
        asked = Request(self.world.admin, "POST", MERGES, encode(body), key=f"m{op.number}", booked=False)

        def hears(answer: Any) -> None:
            made.append(answer["approval_id"])

        # Whose approval went through though its answer was lost are one by now.
        one_already = {"merge_same"} if pair.asked else set()
        await self.world.ask(op, asked, accept=hears, refusals=NOT_NOW | one_already)
        if not made:
            return []
        approve = Request(self.second, "POST", f"/v1/admin/approvals/{made[0]}/approve", b"{}")
        if op.random.random() < 0.2:
            own = Request(self.world.admin, "POST", f"/v1/admin/approvals/{made[0]}/approve", b"{}")
            await self.world.ask_in_vain(op, own, refusals=NOT_NOW | {"approval_own"})

        def merged(_: Any) -> None:
            pair.merged, pair.source.pin = True, pair.target.pin

        pair.asked = True
        times = 2 if op.random.random() < 0.3 else 1
        return [self.world.ask(op, approve, accept=merged, refusals=NOT_NOW) for _ in range(times)]

    async def bring_back(self, op: Op) -> None:
        """Something that the source bought, mostly after they became one."""
        pair = self.pick(op, merged=op.random.random() < 0.8)
        if pair is not None:
            await self._bring_back(op, pair)

    async def _bring_back(self, op: Op, pair: Twins) -> None:
        pos = self.world.domain(Pos)
        paid: list[Sale] = [pos.sales[one] for one in pair.sales if pos.sales[one].paid]
        if paid:
            await pos.give_back(op, op.random.choice(paid))

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Both together have what was acknowledged to either; who was merged has nothing."""
        merges = {(row[0], row[1]) for row in books.facts["merges"]}
        for document_id, unit, amount in books.facts["between merged books"]:
            yield f"merge {document_id}: {amount} {unit} are between two books"
        yield from self._answers(books, merges)
        for pair in self.pairs:
            ids = (pair.source.id, pair.target.id)
            if pair.merged and ids not in merges:
                yield f"{ids[0]} was told to be merged into {ids[1]}, and is not"
            yield from compare_sums(self.world, books, ids)
        if final and not books.events:
            for member_id, kind, ref, balance in books.facts["left on merged books"]:
                yield f"merged member {member_id} still has {balance} of {kind} {ref}"

    def _answers(self, books: Books, merges: Collection[tuple[int, int]]) -> Iterator[str]:
        """What the source was answered before is the target's answer to the same key."""
        carried = {tuple(row) for row in books.facts["answers carried"]}
        for source_id, target_id in merges:
            mine, theirs = f"member/{source_id}", f"member/{target_id}"
            for scope, key in books.keys:
                if scope == mine and (theirs, key) not in carried and (theirs, key) not in books.keys:
                    yield f"the answer to {key} of {source_id} did not become an answer to {target_id}"
        given = {key for _, key in books.keys}
        for scope, key in carried:
            if key not in given:
                yield f"{scope} has an answer to {key} that nobody was given"


def compare_sums(world: World, books: Books, ids: Sequence[int]) -> Iterator[str]:
    """Whether these members, of whom a merge may have made one, together have what was acknowledged to any of them."""
    for name, accounts in ((name, accounts) for domain in world.domains for name, accounts in domain.sums.items()):
        have = sum(sign * books.balances.get((one, kind), 0) for one in ids for kind, sign in accounts.items())
        want = sum(sign * books.expired.get((one, kind), 0) for one in ids for kind, sign in accounts.items())
        want += sum(world.model.held(one, name) for one in ids)
        if have != want:
            yield f"members {ids}: {name} is {have}, acknowledged was {want}"
