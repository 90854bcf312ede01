"""A year of a member's recharges and sales as plans, priced by the rules the tills use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from backend.kernel import clock, ids
from backend.kernel.config import Settings
from backend.ledger import plans as ledger
from backend.ledger.plans import Issue, Leg, NewDocument, Plan
from backend.members.types import Level
from backend.pos import plans
from backend.pos.types import SaleStatus
from backend.sales import plans as sale_plans
from backend.sales.rules import pricing
from backend.sales.rules.pricing import TenderIn
from backend.sales.types import Line, Price, SaleBody, Tender, TenderType

from .catalogue import CATEGORIES, Article
from .people import Person

OFFERS = ((10_000, 500, 50), (30_000, 2_000, 200), (50_000, 5_000, 500), (100_000, 12_000, 1_200))
_RATES = {category.code: category.points_rate_bp for category in CATEGORIES}


class Stores(msgspec.Struct, frozen=True):
    """Where it happens: store ids, and each store's terminals."""

    ids: tuple[str, ...]
    terminals: dict[str, tuple[str, ...]]


def _while_open(at: datetime, zone: str) -> datetime:
    """The same day between 8 and 22 o'clock: the day is squeezed, so the order of two moments stays."""
    local = at.astimezone(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(hours=8) + (local - midnight) * (14 / 24)).astimezone(UTC)


class MemberYear:
    """One member's year: knows the balances while it goes, so that every plan can be paid."""

    def __init__(
        self, person: Person, settings: Settings, levels: list[Level], stores: Stores, articles: list[Article]
    ) -> None:
        self.person = person
        self.growth_fen = 0
        self._settings = settings
        self._levels = sorted(levels, key=lambda level: level.growth_from_fen)
        self._stores = stores
        self._articles = articles
        self._random = Random(person.number)  # noqa: S311 - a fixed seed is the point
        self._lots: list[tuple[str, int]] = []
        self._points = 0

    @property
    def level(self) -> Level:
        """The level that the member's spending has reached."""
        return [level for level in self._levels if level.growth_from_fen <= self.growth_fen][-1]

    def plans(self, now: datetime) -> Iterator[Plan]:
        """Recharges and sales in the order of time, all between joining and ``now``, while shops are open."""
        span = (now - self.person.joined_at - timedelta(days=1)).total_seconds()
        kinds = ["recharge"] * self.person.recharges + ["sale"] * self.person.sales
        moments = sorted((self._random.random() * span, kind) for kind in kinds)
        for number, (after, kind) in enumerate(moments):
            joined_at = self.person.joined_at
            at = max(joined_at, _while_open(joined_at + timedelta(seconds=60 + after), self._settings.timezone))
            yield self._recharge(at, number) if kind == "recharge" else self._sale(at, number)

    def _id(self, prefix: str) -> str:
        return ids.document_id(prefix, self.person.member_id, self._random.getrandbits(65))

    def _recharge(self, at: datetime, number: int) -> Plan:
        pay, bonus, points = self._random.choice(OFFERS)
        recharge_id = self._id("R")
        self._lots += [("principal", pay), ("bonus", bonus)]
        self._points += points
        on = clock.local_date(at, self._settings.timezone)
        expires_on = clock.end_of_month(on, self._settings.points_valid_months)
        return Plan(
            member_id=self.person.member_id,
            kind="recharge",
            at=at,
            on=on,
            scope="demo",
            key=f"{self.person.number}:{number}",
            hash=plans.job_hash("demo", recharge_id),
            document=NewDocument(
                recharge_id,
                "recharge",
                "paid",
                {"pay_fen": pay, "bonus_fen": bonus, "points": points, "offer_id": None},
                progress={"bonus_fen": bonus, "points": points},
            ),
            legs=(
                Leg(ledger.STORED, ledger.FEN, pay + bonus, issue=(Issue("principal", pay), Issue("bonus", bonus))),
                Leg(ledger.HOUSE_PSP, ledger.FEN, -pay),
                Leg(ledger.HOUSE_BONUS, ledger.FEN, -bonus),
                *ledger.earn_points(points, 0, Issue("gift", 0, expires_on=expires_on)),
            ),
        )

    def _sale(self, at: datetime, number: int) -> Plan:
        store_id = self._stores.ids[self.person.store if self._random.random() < 0.85 else self._random.randrange(3)]
        terminal_id = self._random.choice(self._stores.terminals[store_id])
        level = self.level
        price = pricing.price_lines(self._basket(), discount_bp=level.discount_bp)
        tenders = self._tenders(price)
        stored = sum(tender.amount_fen for tender in tenders if tender.type is TenderType.STORED)
        bonus = pricing.bonus_share(stored, self._lots)
        earned = self._earned(price, tenders, bonus, level)
        on = clock.local_date(at, self._settings.timezone)
        sale = SaleBody(
            order_no=f"{on:%y%m%d}-{self.person.number:04d}-{number:03d}",
            terminal_id=terminal_id,
            lines=price.lines,
            tenders=tenders,
            total_fen=price.total_fen,
            discount_fen=price.discount_fen,
            payable_fen=price.payable_fen,
            points_earned=earned,
            multiplier_bp=level.points_multiplier_bp,
            paid={str(tender.type): tender.amount_fen for tender in tenders},
        )
        self._spend(stored, sum(tender.points for tender in tenders), earned)
        self.growth_fen += price.payable_fen
        return Plan(
            member_id=self.person.member_id,
            kind=plans.SALE,
            at=at,
            on=on,
            scope="demo",
            key=f"{self.person.number}:{number}",
            hash=plans.job_hash("demo", self.person.number, number),
            claim=plans.order_claim(store_id, sale.order_no),
            document=NewDocument(
                self._id("S"), plans.SALE, SaleStatus.COMPLETED, sale_plans.encode_body(sale), store_id=store_id
            ),
            legs=sale_plans.payment_legs(
                sale,
                store_id,
                bonus_fen=bonus,
                debt=0,
                expires_on=clock.end_of_month(on, self._settings.points_valid_months),
                matures_on=None,
                earned=earned,
            ),
        )

    def _basket(self) -> list[Line]:
        chosen = self._random.sample(self._articles, min(1 + int(self._random.expovariate(0.7)), 6))
        return [
            Line(article.sku, self._random.choice((1, 1, 1, 2, 3)), article.unit_price_fen, 0, _RATES[article.category])
            for article in chosen
        ]

    def _tenders(self, price: Price) -> tuple[Tender, ...]:
        left, wanted = price.payable_fen, []
        stored = sum(remaining for _, remaining in self._lots)
        if self._points >= 200 and self._random.random() < 0.25:
            points = min(self._points // 100 * 100, left)
            wanted.append(TenderIn(TenderType.POINTS, points=points))
            left -= points
        if left and stored and self._random.random() < 0.8:
            paid = min(stored, left)
            wanted.append(TenderIn(TenderType.STORED, amount_fen=paid))
            left -= paid
        if left:
            wanted.append(TenderIn(self._random.choice((TenderType.CASH, TenderType.EXTERNAL)), amount_fen=left))
        return pricing.settle_tenders(wanted, price.payable_fen, value_bp=self._settings.point_value_fen_bp)

    def _earned(self, price: Price, tenders: tuple[Tender, ...], bonus_fen: int, level: Level) -> int:
        not_earning = bonus_fen + sum(tender.amount_fen for tender in tenders if tender.type is TenderType.POINTS)
        return sum(
            pricing.points_earned(
                price.lines,
                not_earning_fen=not_earning,
                multiplier_bp=level.points_multiplier_bp,
                per_yuan_bp=self._settings.points_per_yuan_bp,
            )
        )

    def _spend(self, stored_fen: int, points: int, earned: int) -> None:
        kept = []
        for part, remaining in self._lots:
            taken = min(stored_fen, remaining)
            stored_fen -= taken
            if remaining > taken:
                kept.append((part, remaining - taken))
        self._lots = kept
        self._points += earned - points
