"""Price a basket for a member: reads, then pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from backend.kernel import clock
from backend.kernel.config import settings
from backend.ledger.types import Snapshot
from backend.mall import queries as mall
from backend.members.types import Card, Cardholder

from ..rules import pricing
from ..rules.pricing import TenderIn
from ..schemas import LineIn, TenderInput
from ..types import Line, Price, Tender, TenderType

NOT_EARNING = frozenset({TenderType.POINTS, TenderType.REBATE, TenderType.COUPON})


class Priced(msgspec.Struct, frozen=True):
    """A basket priced for a member, with everything the price was made from."""

    card: Card
    snapshot: Snapshot
    price: Price
    tenders: tuple[Tender, ...]
    bonus_fen: int
    earned: int
    on: date

    @property
    def debt(self) -> int:
        """Points the member owes."""
        return self.snapshot.balances.get("points_debt", 0)

    @property
    def available(self) -> dict[str, int]:
        """What can be spent, by tender."""
        return {
            "stored": self.snapshot.spendable("stored"),
            "rebate": self.snapshot.spendable("rebate"),
            "points": self.snapshot.spendable("points") - self.debt,
        }

    @property
    def value_fen(self) -> int:
        """How much is paid with the member's own value."""
        return pricing.member_value_fen(self.tenders)


async def price(holder: Cardholder, lines: Sequence[LineIn], tenders: Sequence[TenderInput] | None, on: date) -> Priced:
    """Price a basket and settle its tenders; raises what does not add up, not what cannot be paid.

    ``on`` is the day in the store, the one for which the member's value was read.
    """
    return price_for(holder, await rated(lines), tenders, on)


def price_for(holder: Cardholder, lines: Sequence[Line], tenders: Sequence[TenderInput] | None, on: date) -> Priced:
    """The same without a read: the lines have their rates."""
    card, snapshot = holder.card, holder.snapshot
    priced = pricing.price_lines(lines, discount_bp=card.level.discount_bp)
    settled = pricing.settle_tenders(
        None if tenders is None else [TenderIn(t.type, t.amount_fen, t.points, t.reference) for t in tenders],
        priced.payable_fen,
        value_bp=settings().point_value_fen_bp,
    )
    bonus = stored_bonus(settled, snapshot)
    earned = earned_points(priced, settled, bonus_fen=bonus, multiplier_bp=card.level.points_multiplier_bp)
    return Priced(card, snapshot, priced, settled, bonus, earned, on)


async def rated(lines: Sequence[LineIn]) -> list[Line]:
    """The lines with their category's rate: our article's category, else the till's."""
    rates = await mall.find_rates([(line.sku, line.category) for line in lines])
    return [
        Line(line.sku, line.qty, line.unit_price_fen, line.discount_fen, rate, line.name)
        for line, rate in zip(lines, rates, strict=True)
    ]


def stored_bonus(tenders: Sequence[Tender], snapshot: Snapshot) -> int:
    """How much bonus the stored tender would consume now."""
    stored = next((tender.amount_fen for tender in tenders if tender.type is TenderType.STORED), 0)
    return pricing.bonus_share(stored, snapshot.stored)


def earned_points(priced: Price, tenders: Sequence[Tender], *, bonus_fen: int, multiplier_bp: int) -> int:
    """The points the sale earns."""
    not_earning = bonus_fen + sum(tender.amount_fen for tender in tenders if tender.type in NOT_EARNING)
    return sum(
        pricing.points_earned(
            priced.lines,
            not_earning_fen=not_earning,
            multiplier_bp=multiplier_bp,
            per_yuan_bp=settings().points_per_yuan_bp,
        )
    )


def lot_dates(on: date) -> tuple[date | None, date | None]:
    """When points earned on that day expire and (where the chain lets them wait) become available."""
    rules = settings()
    return (
        clock.end_of_month(on, rules.points_valid_months) if rules.points_valid_months else None,
        clock.days_after(on, rules.points_pending_days) if rules.points_pending_days else None,
    )
