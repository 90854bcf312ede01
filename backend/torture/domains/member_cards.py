"""Member cards: given, replaced, lost, found, shown and brought back, while head office moves its stock."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Member, Op, Phone, Till, encode
from . import Domain, Operation
from .codes import CODE, Codes
from .pos import SALE, Pos

if TYPE_CHECKING:
    from ..oracle import Books

AT_TILL = "/v1/pos/member-cards"
ADMIN = "/v1/admin/member-card"
TYPE, TOTAL, DEPOSIT_FEN, FEE_FEN = "torture", 1_200, 500, 200
EACH_STORE, AGENTS_QUOTA = 250, 120

CARD = frozenset(
    {"card_invalid", "card_taken", "card_ended", "card_held", "card_elsewhere", "card_conflict", "card_dues_changed"}
)
NOT_NOW = CARD | CODE | {"member_inactive", "member_frozen", "not_found", "unauthenticated", "forbidden"}
MOVED = frozenset({"cards_not_there", "card_quota", "card_stock_conflict"})


class MemberCards(Domain):
    """A member has one card, a card one member; quotas are exact; what was paid for cards is what the books have."""

    order: ClassVar[int] = 62
    machines: ClassVar = {
        "member_card": {"": ("posted",), "posted": ()},
        "member_card_back": {"": ("posted",), "posted": ()},
    }
    facts: ClassVar = {
        "member cards": f"""
SELECT id, number, state, member_id, deposit_state, deposit_fen FROM membercard WHERE type_code = '{TYPE}'""",  # noqa: S608
        "members with two cards": """
SELECT member_id, count(*) FROM membercard WHERE state IN ('issued', 'lost') GROUP BY member_id HAVING count(*) > 1""",
        "card quotas": """
SELECT i.id, i.quota, i.taken, (SELECT count(*) FROM membercard c WHERE c.issuer_id = i.id)
       + (SELECT coalesce(sum(m.to_serial - m.next_serial + 1), 0) FROM membercard_move m
           WHERE m.issuer_id = i.id AND m.kind = 'allot' AND m.state = 'running') FROM membercard_issuer i""",
        "money of cards": """
SELECT kind, coalesce(sum(amount), 0)::bigint FROM ledger_entry
 WHERE kind IN ('house.card_deposits', 'house.card_fees') GROUP BY kind""",
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.numbers: list[str] = []
        self.batch = ""
        self.agent = ""
        self.given: dict[str, int] = {}
        self.holding: dict[int, str] = {}
        self.back: set[str] = set()
        self.replaced: set[str] = set()
        self.number_of: dict[str, str] = {}
        self.deposits_fen = 0
        self.fees_fen = 0
        self.answered: set[str] = set()
        self.turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def operations(self) -> Sequence[Operation]:
        """What members and tills do with cards, and head office with those that nobody has."""
        return (
            Operation("card given", 2.4, self.give),
            Operation("card wanted by two", 0.4, self.contend),
            Operation("card lost and found", 0.8, self.lose),
            Operation("card brought back", 0.8, self.bring_back),
            Operation("purchase by card", 1.2, self.buy),
            Operation("cards moved", 0.5, self.move),
        )

    async def prepare(self) -> None:
        """A kind of card with a deposit and a fee, printed, and allotted to the stores and an agent."""
        op = Op(-71_000, "cards prepare", Random(f"{self.world.seed}:cards"))
        kind = {"code": TYPE, "name": "压测卡", "prefix": "9777", "length": 16, "deposit_fen": DEPOSIT_FEN,
                "fee_fen": FEE_FEN}  # fmt: skip
        await self._admin(op, f"{ADMIN}-types", kind)
        self.batch = (await self._admin(op, f"{ADMIN}-batches", {"type_code": TYPE, "total": TOTAL}))["id"]
        export = Request(self.world.admin, "POST", f"{ADMIN}-batches/{self.batch}/export")
        lines = (await self.world.ask(op, export)).body.decode("utf-8-sig").splitlines()[1:]
        self.numbers = [line.split(",")[0].replace(" ", "") for line in lines]
        first = 1
        for store in self.world.stores:
            body = {"store_id": store, "quota": EACH_STORE}
            await self._admin(op, f"{ADMIN}-issuers/stores", body, refusals=frozenset({"card_stock_conflict"}))
            await self._move(op, "allot", f"S-{store}", first, first + EACH_STORE - 51, f"prepare-{store}")
            first += EACH_STORE
        agent = await self._admin(op, f"{ADMIN}-issuers/agents", {"name": "压测代理", "quota": AGENTS_QUOTA})
        self.agent = agent["id"]

    async def _admin(self, op: Op, path: str, body: dict[str, Any], refusals: frozenset[str] = frozenset()) -> Any:
        answer = await self.world.ask(op, Request(self.world.admin, "POST", path, encode(body)), refusals=refusals)
        return answer.json

    # -- at a till

    def _picked(self, op: Op) -> tuple[Member, Phone, int, Till] | None:
        picked = self.world.pick_phone(op.random)
        if picked is None:
            return None
        member, phone, step = picked
        return member, phone, step, self.world.till_of(op.random, op.random.choice(self.world.stores))

    def _holder(self, op: Op) -> tuple[Member, Phone, int, Till] | None:
        """Somebody who has a card, with a phone whose code of now was not shown yet."""
        step = self.world.step()
        held = [one for one in self.world.members if one.id in self.holding]
        free = [(one, phone) for one in held for phone in one.phones if phone.last_step < step]
        if not free:
            return None
        member, phone = op.random.choice(free)
        phone.last_step = step
        return member, phone, step, self.world.till_of(op.random, op.random.choice(self.world.stores))

    async def give(self, op: Op) -> None:
        """Some card, free or not, of this store or not, in the place of another or not."""
        picked = self._picked(op)
        if picked is not None:
            number = op.random.choice(self.numbers)
            async with self.turns[picked[0].id]:
                await self._give(op, picked, number, replace=op.random.random() < 0.7, suffix="c")

    async def _give(
        self, op: Op, picked: tuple[Member, Phone, int, Till], number: str, *, replace: bool, suffix: str
    ) -> None:
        member, phone, step, till = picked
        codes = self.world.domain(Codes)
        code, key = codes.show(phone, step, till), f"{self.world.seed}-{op.number}-{suffix}"
        who = {"code": code, "card_no": number}
        asked = await self.world.ask(op, Request(till, "POST", f"{AT_TILL}/quote", encode(who)), refusals=NOT_NOW)
        if not asked.good:
            return
        body = who | {"replace": replace, "due_fen": asked.json["card"]["due_fen"]}

        def accept(made: Any) -> None:
            codes.spend(phone, step, key)
            if made["id"] in self.answered:
                return
            self.answered.add(made["id"])
            self.number_of[made["card_id"]] = number
            if self.given.setdefault(number, member.id) != member.id:
                self.world.blame(f"card {number} was given to {self.given[number]} and to {member.id}")
            before = self.holding.get(member.id)
            if before not in (None, number) and made["replaced"]:
                self.replaced.add(str(before))
            self.holding[member.id] = number
            self.deposits_fen += made["deposit_fen"]
            self.fees_fen += made["fee_fen"]

        request = Request(till, "POST", AT_TILL, encode(body), key, f"terminal/{till.id}")
        await self.world.ask(op, request, accept=accept, refusals=NOT_NOW)

    async def contend(self, op: Op) -> None:
        """Two members want the same card at the same moment, or one member two cards."""
        first, second = self._picked(op), self._picked(op)
        if first is None or second is None:
            return
        number, other = op.random.choice(self.numbers), op.random.choice(self.numbers)
        if op.random.random() < 0.6:
            other = number
        await asyncio.gather(
            self._give(op, first, number, replace=op.random.random() < 0.5, suffix="a"),
            self._give(op, second, other, replace=op.random.random() < 0.5, suffix="b"),
        )

    async def bring_back(self, op: Op) -> None:
        """A card for its deposit, at times twice at once, at any store."""
        picked = self._holder(op) if op.random.random() < 0.8 else self._picked(op)
        if picked is None:
            return
        member, phone, step, till = picked
        number = self.holding.get(member.id) or op.random.choice(self.numbers)
        codes, key = self.world.domain(Codes), f"{self.world.seed}-{op.number}-k"
        body = {"code": codes.show(phone, step, till), "card_no": number}

        def accept(made: Any) -> None:
            codes.spend(phone, step, key)
            if made["id"] in self.answered:
                return
            self.answered.add(made["id"])
            if number in self.back:
                self.world.blame(f"card {number} was taken back twice")
            self.back.add(number)
            self.deposits_fen -= made["total_fen"]
            if self.holding.get(member.id) == number:
                del self.holding[member.id]

        request = Request(till, "POST", f"{AT_TILL}/return", encode(body), key, f"terminal/{till.id}")
        async with self.turns[member.id]:
            times = 2 if op.random.random() < 0.2 else 1
            await asyncio.gather(*(self.world.ask(op, request, accept=accept, refusals=NOT_NOW) for _ in range(times)))

    # -- on the phone

    async def lose(self, op: Op) -> None:
        """Lost, and good nowhere; mostly found again."""
        member = self.world.pick(op.random)
        async with self.turns[member.id]:
            number = self.holding.get(member.id)
            lost = Request(member, "POST", "/v1/member/card/lost")
            refusals = frozenset({"not_found", "card_conflict", "unauthenticated", "member_inactive", "member_frozen"})
            answer = await self.world.ask(op, lost, refusals=refusals)
            if answer.good and number is not None and answer.json["number"] == number:
                till = self.world.till_of(op.random, member.home)
                await self._ask_for(op, till, member, number, found=False)
            if op.random.random() < 0.7:
                await self.world.ask(
                    op, Request(member, "POST", "/v1/member/card/found"), refusals=refusals | {"rate_limited"}
                )

    async def buy(self, op: Op) -> None:
        """A card is shown, its member says yes on the phone, and pays in cash."""
        held = [member for member in self.world.members if member.id in self.holding]
        if not held:
            return
        member = op.random.choice(held)
        till, key = self.world.till_of(op.random, member.home), f"{self.world.seed}-{op.number}"
        async with self.turns[member.id]:
            number = self.holding.get(member.id)
            token = await self._ask_for(op, till, member, number) if number is not None else None
        if token is None:
            return
        basket = {
            "scan_token": token,
            "order_no": key,
            "lines": [{"sku": "X-8", "qty": 1, "unit_price_fen": op.random.randint(60, 900)}],
            "tenders": [{"type": "cash"}],
        }
        await self.world.domain(Pos).ring_up(op, till, member, basket, key, None, refusals=SALE | NOT_NOW)

    async def _ask_for(self, op: Op, till: Till, member: Member, number: str, *, found: bool = True) -> str | None:
        """Show a card at a till, and let its member answer; the token that a sale takes, or None."""
        ask = Request(till, "POST", "/v1/pos/identities", encode({"card_no": number}))
        asked = await self.world.ask(op, ask, refusals=frozenset({"rate_limited"}))
        if not asked.good:
            return None
        path = f"/v1/member/identities/{asked.json['id']}"
        yes = Request(member, "POST", path, encode({"decision": "approve"}))
        refusals = frozenset({"not_found", "identity_decided", "unauthenticated", "member_inactive", "member_frozen"})
        if not found:
            await self.world.ask_in_vain(op, yes, refusals=refusals)
            return None
        if not (await self.world.ask(op, yes, refusals=refusals)).good:
            return None
        shown = await self.world.ask(op, Request(till, "GET", f"/v1/pos/identities/{asked.json['id']}"))
        scan = shown.json["scan"] if shown.good else None
        if scan is None:
            return None
        if scan["member"]["id"] != str(member.id):
            self.world.blame(f"card {number} of member {member.id} identified {scan['member']['id']}")
        return str(scan["scan_token"])

    # -- head office

    async def move(self, op: Op) -> None:
        """A run to the agent, or back from it, whatever was issued meanwhile."""
        size, key = op.random.randint(1, 30), f"{self.world.seed}-{op.number}"
        first = op.random.randint(1, len(self.numbers) - size)
        kind = op.random.choice(("allot", "allot", "return"))
        await self._move(op, kind, self.agent, first, first + size - 1, key)

    async def _move(self, op: Op, kind: str, issuer_id: str, first: int, last: int, key: str) -> None:
        body = {"kind": kind, "batch_id": self.batch, "from_serial": first, "to_serial": last, "issuer_id": issuer_id,
                "reason": "压测"}  # fmt: skip
        request = Request(self.world.admin, "POST", f"{ADMIN}-moves", encode(body), key=key, booked=False)
        await self.world.ask(op, request, refusals=MOVED)

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """One card a member, one member a card; quotas; what was paid."""
        for member_id, count in books.facts["members with two cards"]:
            yield f"member {member_id} has {count} cards"
        for issuer_id, quota, taken, cards in books.facts["card quotas"]:
            if not taken == cards <= quota:
                yield f"issuer {issuer_id} has taken {taken} cards of {quota}, there are {cards}"
        rows = {row[1]: row for row in books.facts["member cards"]}
        for number, row in rows.items():
            if row[3] is not None and self.given.get(number) != row[3]:
                yield f"card {number} is of member {row[3]}, acknowledged was {self.given.get(number)}"
        for number in self.given:
            if rows[number][3] is None:
                yield f"card {number} is nobody's, and was given to {self.given[number]}"
        for number in self.back:
            if (rows[number][2], rows[number][4]) not in (("void", "back"), ("void", "none"), ("void", "due")):
                yield f"card {number} was taken back, and is {rows[number][2]}, its deposit {rows[number][4]}"
        booked = {row[0]: row[1] for row in books.facts["money of cards"]}
        held = sum(row[5] for row in rows.values() if row[4] == "held")
        want = (self.deposits_fen, self.deposits_fen, self.fees_fen)
        have = (booked.get("house.card_deposits", 0), held, booked.get("house.card_fees", 0))
        if have != want:
            yield f"deposits (booked, on cards) and fees are {have}, acknowledged were {want}"
