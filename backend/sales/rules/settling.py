"""Settle a priced basket for a member: what each tender pays, and what is earned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from backend.coupons.types import Used
from backend.kernel import clock
from backend.kernel.config import Settings
from backend.ledger.types import Snapshot
from backend.members.types import Benefit, Card, Cardholder
from backend.passes.types import SoldPass
from backend.points.rules.earning import earn, earn_by_standard
from backend.points.types import Earned, Earning, EarningLine, Rule
from backend.wallet.rules import last_day
from backend.wallet.types import Expiry

from ..types import Price, Tender, TenderType
from .coupons import line_shares
from .pricing import TenderIn, bonus_share, earning_fen, member_value_fen, settle_tenders

NOT_EARNING = frozenset({TenderType.POINTS, TenderType.REBATE})
"""Besides coupons, whose shares are taken off the lines that they were for."""


class Priced(msgspec.Struct, frozen=True):
    """A basket priced for a member, with everything the price was made from.

    ``cards``: what is on each gift card; ``rules``: those that say what it earns.
    """

    card: Card
    snapshot: Snapshot
    price: Price
    tenders: tuple[Tender, ...]
    coupons: tuple[Used, ...]
    bonus_fen: int
    earning: Earned
    rules: tuple[Rule, ...]
    on: date
    cards: dict[str, int] = {}
    passes: tuple[SoldPass, ...] = ()

    @property
    def benefit(self) -> Benefit:
        """What the price was made with."""
        return self.card.benefit_on(self.on)

    @property
    def earned(self) -> int:
        """The points that it earns."""
        return self.earning.points

    @property
    def debt(self) -> int:
        """Points the member owes."""
        return self.snapshot.balances.get("points_debt", 0)

    @property
    def available(self) -> dict[str, int]:
        """What can be spent, by tender, and by gift card."""
        return {
            "stored": self.snapshot.spendable("stored"),
            "rebate": self.snapshot.spendable("rebate"),
            "points": self.snapshot.spendable("points") - self.debt,
            **self.cards,
        }

    @property
    def value_fen(self) -> int:
        """How much is paid with the member's own value."""
        return member_value_fen(self.tenders)

    @property
    def paid(self) -> dict[str, int]:
        """How much is paid by each kind of tender."""
        sums: dict[str, int] = {}
        for tender in self.tenders:
            sums[str(tender.type)] = sums.get(str(tender.type), 0) + tender.amount_fen
        return sums


def settle(
    holder: Cardholder,
    priced: Price,
    tenders: Sequence[TenderIn],
    used: tuple[Used, ...],
    on: date,
    *,
    earning: Earning,
    cards: dict[str, int] | None = None,
    short: bool = False,
    rules: Settings,
) -> Priced:
    """Settle the tenders of a priced basket, of which coupons take what they take; ``short`` as for the rules."""
    card, snapshot = holder.card, holder.snapshot
    settled = settle_tenders(
        tenders,
        priced.payable_fen,
        value_bp=rules.point_value_fen_bp,
        coupons={coupon.id: coupon.amount_fen for coupon in used},
        short=short,
    )
    bonus = stored_bonus(settled, snapshot)
    earned = earned_points(priced, settled, earning, bonus_fen=bonus, coupon_fen=line_shares(used))
    return Priced(card, snapshot, priced, settled, used, bonus, earned, earning.rules, on, cards or {})


def stored_bonus(tenders: Sequence[Tender], snapshot: Snapshot) -> int:
    """How much bonus the stored tender would consume now."""
    stored = next((tender.amount_fen for tender in tenders if tender.type is TenderType.STORED), 0)
    return bonus_share(stored, snapshot.stored)


def earned_points(
    priced: Price,
    tenders: Sequence[Tender],
    earning: Earning,
    *,
    bonus_fen: int,
    coupon_fen: Mapping[int, int] | None = None,
) -> Earned:
    """What the sale earns; ``coupon_fen`` is what coupons took off its lines."""
    not_earning = bonus_fen + sum(tender.amount_fen for tender in tenders if tender.type in NOT_EARNING)
    fen = earning_fen(priced.lines, not_earning_fen=not_earning, coupon_fen=coupon_fen)
    if not earning.rules:
        return earn_by_standard(
            [(line.line_no, part, line.rate_bp) for line, part in zip(priced.lines, fen, strict=True)],
            earning.occasion,
        )
    lines = [
        EarningLine(line.line_no, line.sku, line.category, line.brand, part, line.rate_bp)
        for line, part in zip(priced.lines, fen, strict=True)
    ]
    return earn(lines, priced.payable_fen, earning)


def lot_dates(on: date, rules: Settings, expiry: Expiry) -> tuple[date | None, date | None]:
    """When points earned on that day expire and (where the chain lets them wait) become available."""
    return (
        last_day(expiry, on),
        clock.days_after(on, rules.points_pending_days) if rules.points_pending_days else None,
    )
