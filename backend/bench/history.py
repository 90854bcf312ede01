"""What members did in the past two years, as plans: a recharge, then sales, and a recharge whenever value ends.

Most have a few sales, some have hundreds, and the first ``HEAVY`` of them thousands: long statements to page through.
All of it follows from the population's seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

import msgspec

from backend.kernel import clock, ids
from backend.ledger.plans import NewDocument, Plan
from backend.pos import plans
from backend.pos.types import SaleStatus
from backend.sales import plans as sale_plans
from backend.sales.rules import pricing
from backend.sales.rules.pricing import TenderIn
from backend.sales.types import Line, SaleBody, TenderType

from .plans import SCOPE, recharge_plan
from .population import BONUS_FEN, LEVELS, POINTS, POINTS_PAID, PRINCIPAL_FEN, ZONE, Member, Population

MONTHS = 24
HEAVY = 4
HEAVY_TRANSFERS = 27_200
"""More than 1,000 pages of 20 on stored value: three sales in four are paid with it."""

ENTRIES_EACH = 5.2
"""Entries of a transfer, about."""

_MOST_TRANSFERS = 400
_BUSY = 1.4
_BUSY_MEAN = 3.27  # of paretovariate(1.4), cut off
_POINTS_KEPT = 5_000
_CASH = 4  # one sale in so many is paid in cash and only earns points

_POINTS_SPENT = (TenderIn(TenderType.POINTS, points=POINTS_PAID), TenderIn(TenderType.STORED))
_STORED_SPENT = (TenderIn(TenderType.STORED),)
_CASH_PAID = (TenderIn(TenderType.CASH),)


class _Offer(msgspec.Struct, frozen=True):
    """A basket at a level's prices, paid in one way."""

    body: SaleBody
    stored_fen: int
    points: int
    earned: int


class History:
    """The past of everybody in a population, until ``until``; ``entries`` is how many a member has on average."""

    def __init__(
        self, population: Population, until: datetime, *, entries: float, heavy_transfers: int = HEAVY_TRANSFERS
    ) -> None:
        self._population = population
        self._pace = max(0.0, entries / ENTRIES_EACH - 1) / _BUSY_MEAN
        self._heavy_transfers = heavy_transfers
        self._began = (until - timedelta(days=30 * MONTHS)).replace(microsecond=0)
        self._span_s = int((until - self._began).total_seconds()) - 60
        self._offers = {
            (which, level.code, tenders): self._offer(which, level.discount_bp, level.points_multiplier_bp, tenders)
            for which in range(len(population.baskets))
            for level in LEVELS
            for tenders in (_POINTS_SPENT, _STORED_SPENT, _CASH_PAID)
        }
        self._last_days: dict[date, date] = {}

    @property
    def first_month(self) -> date:
        """The month of the oldest entry."""
        return self._began.date().replace(day=1)

    def transfers(self, number: int) -> int:
        """How many transfers that member has: the opening recharge and what came after it."""
        if number < HEAVY:
            return self._heavy_transfers
        busy = Random(number).paretovariate(_BUSY)  # noqa: S311 - made up, not secret
        return 1 + min(_MOST_TRANSFERS, round(busy * self._pace))

    def plans(self, member: Member) -> Iterator[Plan]:
        """All of a member's plans in the order of time."""
        random = Random(member.id)  # noqa: S311 - made up, not secret
        count = self.transfers(member.number)
        moments = sorted(random.sample(range(self._span_s), count))
        lots: list[tuple[str, int]] = []
        points = 0
        for nth, after_s in enumerate(moments):
            at = self._began + timedelta(seconds=after_s)
            if sum(left for _, left in lots) < BONUS_FEN:
                lots += [("principal", PRINCIPAL_FEN), ("bonus", BONUS_FEN)]
                points += POINTS
                yield self._recharge(member, nth, at, random)
                continue
            which = random.randrange(len(self._population.baskets))
            spent = _CASH_PAID if nth % _CASH == 0 else _POINTS_SPENT if points > _POINTS_KEPT else _STORED_SPENT
            offer = self._offers[which, member.level.code, spent]
            bonus_fen = pricing.bonus_share(offer.stored_fen, lots)
            lots = _spend(lots, offer.stored_fen)
            points += offer.earned - offer.points
            yield self._sale(member, nth, at, offer, bonus_fen, random)

    def _offer(self, which: int, discount_bp: int, multiplier_bp: int, tenders: tuple[TenderIn, ...]) -> _Offer:
        lines = [
            Line(i.sku, i.qty, i.unit_price_fen, i.discount_fen, 10_000) for i in self._population.baskets[which].lines
        ]
        price = pricing.price_lines(lines, discount_bp=discount_bp)
        settled = pricing.settle_tenders(tenders, price.payable_fen, value_bp=10_000)
        taken = {tender.type: tender for tender in settled}
        points = taken[TenderType.POINTS].points if TenderType.POINTS in taken else 0
        earned = sum(
            pricing.points_earned(price.lines, not_earning_fen=points, multiplier_bp=multiplier_bp, per_yuan_bp=10_000)
        )
        body = SaleBody(
            order_no="",
            terminal_id="",
            lines=price.lines,
            tenders=settled,
            total_fen=price.total_fen,
            discount_fen=price.discount_fen,
            payable_fen=price.payable_fen,
            points_earned=earned,
            multiplier_bp=multiplier_bp,
            paid={str(tender.type): tender.amount_fen for tender in settled},
        )
        stored_fen = taken[TenderType.STORED].amount_fen if TenderType.STORED in taken else 0
        return _Offer(body, stored_fen, points, earned)

    def _last_day(self, on: date) -> date:
        if on not in self._last_days:
            self._last_days[on] = clock.end_of_month(on, MONTHS + 1)
        return self._last_days[on]

    def _sale(self, member: Member, nth: int, at: datetime, offer: _Offer, bonus_fen: int, random: Random) -> Plan:
        till = self._population.till_of(member, nth)
        order_no = f"H{member.number}-{nth}"
        on = clock.local_date(at, ZONE)
        body = msgspec.structs.replace(offer.body, order_no=order_no, terminal_id=till.id)
        sale_id = ids.document_id("S", member.id, random.getrandbits(65))
        return Plan(
            member_id=member.id,
            kind=plans.SALE,
            at=at,
            on=on,
            scope=SCOPE,
            key=order_no,
            hash=plans.job_hash(SCOPE, order_no),
            claim=plans.order_claim(till.store_id, order_no),
            document=NewDocument(
                sale_id, plans.SALE, SaleStatus.COMPLETED, sale_plans.encode_body(body), store_id=till.store_id
            ),
            legs=sale_plans.payment_legs(
                body,
                till.store_id,
                bonus_fen=bonus_fen,
                debt=0,
                expires_on=self._last_day(on),
                matures_on=None,
                earned=offer.earned,
            ),
        )

    def _recharge(self, member: Member, nth: int, at: datetime, random: Random) -> Plan:
        recharge_id = ids.document_id("R", member.id, random.getrandbits(65))
        last_day = self._last_day(clock.local_date(at, ZONE))
        return recharge_plan(member, recharge_id, f"R{member.number}-{nth}", at, points_until=last_day)


def _spend(lots: list[tuple[str, int]], stored_fen: int) -> list[tuple[str, int]]:
    """What is left of stored value, in the order it is spent."""
    left = []
    for part, remaining in lots:
        taken = min(stored_fen, remaining)
        stored_fen -= taken
        if remaining > taken:
            left.append((part, remaining - taken))
    return left
