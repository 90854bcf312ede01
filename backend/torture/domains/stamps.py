"""Campaign cards: stamps for sales, which refunds take back, and for days; and the coupons that full cards become."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..journal import Request
from ..world import Member, Op, World, encode
from . import Domain, Operation
from .coupon_books import REWARD, Offer, Row, local_date
from .coupons import COUNTED, SEEN_AFTER_S, Coupons
from .pos import Pos
from .sale import Sale
from .staff import FREEZABLE

if TYPE_CHECKING:
    from ..oracle import Books

CAMPAIGNS = "/v1/admin/campaigns"
CARDS = "/v1/member/campaign-cards"
PAID_FROM_FEN = 900
"""A sale of which so much is paid otherwise than by coupons, and kept, has its stamp."""

SALES_A_REWARD, DAYS_A_REWARD = 4, 2
PIECES_AT_ONCE = 3
DAY = "day:"
NOT_TO_BE_HAD = frozenset({"coupon_sold_out", "campaign_card_not_full", "not_found"})


class Campaign(NamedTuple):
    """A campaign as head office made it."""

    id: str
    goal: int
    reward: Offer


class Given(NamedTuple):
    """What is stored of a source's stamps; a merge makes them the other's."""

    member_id: int
    campaign_id: str
    source: str
    given: int
    taken: int


class Held(NamedTuple):
    """What is stored of a card: rewards so far, whether it waits for one, and the stamps that it holds and owes."""

    member_id: int
    campaign_id: str
    rewards: int
    waiting: bool
    stamps: int
    owed: int


FACTS = {
    "stamps given": "SELECT member_id, campaign_id, source, given, taken FROM stamp_given",
    "stamp cards": """
SELECT c.member_id, c.campaign_id, c.rewards, c.waiting, coalesce(h.balance, 0), coalesce(o.balance, 0)
  FROM stamp_card c
  LEFT JOIN ledger_account h ON h.member_id = c.member_id AND h.kind = 'stamps' AND h.ref = c.campaign_id
  LEFT JOIN ledger_account o ON o.member_id = c.member_id AND o.kind = 'stamps_owed' AND o.ref = c.campaign_id""",
    "stamps due": "SELECT member_id, source FROM stamp_due",
}


class Stamps(Domain):
    """A sale has its stamp once and only while it deserves it; every full card becomes one reward."""

    order: ClassVar[int] = 33  # sales are known, and coupons are not compared yet
    jobs: ClassVar = ("stamps.give_due", "stamps.redeem_waiting")
    sums: ClassVar = {"stamps": {"stamps": 1, "stamps_owed": -1}}
    facts: ClassVar = FACTS

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.campaigns: dict[str, Campaign] = {}
        self.per_sale = self.daily = self.scarce = ""
        self.tried: set[tuple[int, str, str]] = set()
        self.told: set[tuple[int, str, str]] = set()
        self.given: dict[tuple[int, str, str], tuple[int, int]] = {}
        self.rewards: Counter[tuple[int, str]] = Counter()
        self._raising = asyncio.Lock()
        self._pieces = 0

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones and head office do."""
        return (
            Operation("check-in", 3, self.check_in),
            Operation("campaign cards", 1, self.look),
            Operation("full card", 1, self.redeem),
            Operation("more rewards", 0.3, self.raise_total),
        )

    async def prepare(self) -> None:
        """Head office makes a campaign for sales and two for days; of the last one's rewards there are few."""
        op, terms = Op(-1, "campaign", Random(0)), COUNTED | {"validity": {"days": 4}}
        make = self.world.domain(Coupons).make_offer
        plenty = await make("集章礼", terms, claim_by="nobody", per_member=None)
        few = await make("限量礼", terms, claim_by="nobody", per_member=None, total=PIECES_AT_ONCE)
        self._pieces = PIECES_AT_ONCE
        per_sale = {"kind": "stamps", "earning": {"min_fen": PAID_FROM_FEN}}
        self.per_sale = await self._make(op, per_sale, SALES_A_REWARD, plenty)
        self.daily = await self._make(op, {"kind": "attendance"}, DAYS_A_REWARD, plenty)
        self.scarce = await self._make(op, {"kind": "attendance"}, 1, few)
        await asyncio.sleep(SEEN_AFTER_S)

    async def _make(self, op: Op, what: dict[str, Any], goal: int, reward: Offer) -> str:
        body = what | {"title": "集章有礼", "goal": goal, "reward": [reward.id]}
        made: list[Any] = []
        await self.world.ask(op, Request(self.world.admin, "POST", CAMPAIGNS, encode(body)), accept=made.append)
        id_: str = made[0]["id"]
        await self.world.ask(op, Request(self.world.admin, "POST", f"{CAMPAIGNS}/{id_}/activate"))
        self.campaigns[id_] = Campaign(id_, goal, reward)
        return id_

    # -- phones

    async def check_in(self, op: Op) -> None:
        """Today's stamp; often asked for twice at once."""
        member, campaign = self.world.pick(op.random), op.random.choice((self.daily, self.scarce))
        times = 2 if op.random.random() < 0.3 else 1
        await asyncio.gather(*(self.check_in_for(op, member, campaign) for _ in range(times)))

    async def check_in_for(
        self, op: Op, member: Member, campaign: str, *, refusals: frozenset[str] = frozenset()
    ) -> None:
        """Today's stamp, for that member."""
        before = self._today()

        def accept(answer: Any) -> None:
            if answer["card"]["checked_in"] is True and before == self._today():
                self.told.add((member.id, campaign, before.isoformat()))

        try:
            request = Request(member, "POST", f"{CARDS}/{campaign}/check-in")
            await self.world.ask(op, request, accept=accept, refusals=refusals)
        finally:  # it may have been heard on any day meanwhile: the clock is moved, also back
            first, last = sorted((before, self._today()))
            days = range((last - first).days + 3)
            tried = (first + timedelta(days=number - 1) for number in days)
            self.tried.update((member.id, campaign, day.isoformat()) for day in tried)

    def _today(self) -> date:
        return local_date(datetime.fromtimestamp(self.world.now(), UTC))

    async def look(self, op: Op) -> None:
        """The campaigns that run, and one's own cards."""
        member = self.world.pick(op.random)

        def accept(answer: Any) -> None:
            if {item["id"] for item in answer["items"]} != self.campaigns.keys():
                self.world.blame(f"member {member.id} is shown the campaigns {answer['items']}")

        await self.world.ask(op, Request(member, "GET", CARDS), accept=accept)

    async def redeem(self, op: Op) -> None:
        """A card that may be full; twice at once."""
        member = self.world.pick(op.random)
        request = Request(member, "POST", f"{CARDS}/{self.scarce}/redeem")
        await asyncio.gather(*(self.world.ask(op, request, refusals=NOT_TO_BE_HAD) for _ in range(2)))

    async def raise_total(self, op: Op) -> None:
        """Head office adds a few rewards for the cards that wait."""
        reward = self.campaigns[self.scarce].reward
        async with self._raising:
            self._pieces += PIECES_AT_ONCE
            reward.total = self._pieces
            body = encode({"claim_by": "nobody", "per_member": None, "total": self._pieces})
            path = f"/v1/admin/coupons/templates/{reward.id}/offer"
            await self.world.ask(op, Request(self.world.admin, "PUT", path, body))

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """What is stored was deserved and what was acknowledged is stored; the model knows it from now on."""
        yield from self._stamps(list(map(Given._make, books.facts["stamps given"])))
        person = self.world.person
        stored = {(member, campaign, source.removeprefix(DAY)) for member, campaign, source in self.given}
        for member, campaign, day in {(person(told[0]), *told[1:]) for told in self.told} - stored:
            yield f"the check-in of member {member} in campaign {campaign} on {day} was acknowledged and is not stored"
        yield from self._rewards(books)
        if final and not books.events and not books.facts["stamps due"]:
            yield from self._settled(books)

    def _stamps(self, rows: Sequence[Given]) -> Iterator[str]:
        """Each was deserved, and what was taken back stays so; a merge makes the other's what one of two was given."""
        person = self.world.person
        known = _by_person(person, self.given)
        self.given = {}
        tried = {(person(member), campaign, day) for member, campaign, day in self.tried}
        now = defaultdict[tuple[int, str, str], list[Given]](list)
        for row in rows:
            now[person(row.member_id), row.campaign_id, row.source].append(row)
        for key, some in now.items():
            kept, (before, times) = sum(row.given - row.taken for row in some), known.get(key, (0, 0))
            new = len(some) - times
            if new and not (all(row.given == 1 for row in some) and self._is_right(key, len(some), tried)):
                yield f"{some[-1]} was given and is not deserved"
            elif new < 0 or kept > before + new:
                yield f"{some[-1]} holds {kept} after {before}"
            self.given[key] = kept, len(some)
            self.world.model.move(key[0], stamps=kept - before)

    def _is_right(self, key: tuple[int, str, str], times: int, tried: Collection[tuple[int, str, str]]) -> bool:
        """Whether that person may have been given that; one day twice, where they were two people still."""
        who, campaign_id, source = key
        if source.startswith(DAY):
            numbers = 1 + sum(self.world.person(one) == who for one in self.world.merged)
            return times <= numbers and (who, campaign_id, source.removeprefix(DAY)) in tried
        return times == 1 and campaign_id == self.per_sale and self._deserved(who, source)

    def _deserved(self, who: int, sale_id: str) -> bool:
        """Whether a sale of that person was ever worth a stamp."""
        sale = self.world.domain(Pos).sales.get(sale_id)
        if sale is None or not sale.paid or self.world.person(sale.member.id) != who:
            return False
        return _paid_fen(sale) >= PAID_FROM_FEN

    def _rewards(self, books: Books) -> Iterator[str]:
        """Each reward took its stamps and is a coupon; no card owes stamps while it holds some.

        A coupon that a merge brought is one that was counted already.
        """
        person, issued, now = self.world.person, Counter[tuple[int, str]](), Counter[tuple[int, str]]()
        for row in map(Row._make, books.facts["coupons"]):
            if row.source.startswith(REWARD) and not row.brought:
                campaign = self.campaigns.get(row.source.removeprefix(REWARD).partition(":")[0])
                right = campaign is not None and campaign.reward.id == row.template_id
                issued[person(row.member_id), campaign.id if campaign else ""] += 1
                if row.id not in self.world.domain(Coupons).told.pieces:
                    yield from self.world.domain(Coupons).adopt(row, right=right)
        for card in map(Held._make, books.facts["stamp cards"]):
            now[person(card.member_id), card.campaign_id] += card.rewards
            if card.stamps and card.owed:
                yield f"{card} owes stamps and holds some"
        before = Counter[tuple[int, str]]()
        for (member_id, campaign_id), count in self.rewards.items():
            before[person(member_id), campaign_id] += count
        for (who, campaign_id), count in now.items():
            if issued[who, campaign_id] != count:
                yield f"member {who} had {issued[who, campaign_id]} coupons for {count} rewards of {campaign_id}"
            new = count - before[who, campaign_id]
            self.world.model.move(who, stamps=-new * self.campaigns[campaign_id].goal)
        self.rewards = now

    def _settled(self, books: Books) -> Iterator[str]:
        """Every sale has what it deserves by now; only the frozen and who wants what is gone have a full card."""
        for sale in self.world.domain(Pos).sales.values():
            want = int(sale.paid and _paid_fen(sale) - _back_fen(sale) >= PAID_FROM_FEN)
            have, _ = self.given.get((self.world.person(sale.member.id), self.per_sale, sale.id), (0, 0))
            if self.per_sale and have != want:
                yield f"sale {sale.id} has {have} stamps and deserves {want}"
        freezable = {member.id for member in self.world.members if member.number % FREEZABLE == 0}
        for card in map(Held._make, books.facts["stamp cards"]):
            full = card.stamps >= self.campaigns[card.campaign_id].goal
            if full != card.waiting or (full and card.campaign_id != self.scarce and card.member_id not in freezable):
                yield f"{card} is {'full and no reward' if full else 'waiting and not full'}"


def _by_person(
    person: Callable[[int], int], given: Mapping[tuple[int, str, str], tuple[int, int]]
) -> dict[tuple[int, str, str], tuple[int, int]]:
    """What is kept of a source's stamps and how many rows say so, of both who are one person by now together."""
    found: dict[tuple[int, str, str], tuple[int, int]] = {}
    for (member_id, campaign_id, source), (kept, rows) in given.items():
        more = found.get((person(member_id), campaign_id, source), (0, 0))
        found[person(member_id), campaign_id, source] = kept + more[0], rows + more[1]
    return found


def _paid_fen(sale: Sale) -> int:
    """What was paid by anything but coupons."""
    return sum(fen for tender, fen in sale.tenders.items() if tender != "coupon")


def _back_fen(sale: Sale) -> int:
    return sum(fen for tender, fen in sale.back.items() if tender != "coupon")
