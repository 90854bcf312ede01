"""Which tills and cashiers stand out by coupon sales and by what they were refused, and why: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from statistics import median_low

import msgspec

SOON_MINUTES = 30
LEAST_SOON = 3
SOON_BP = 2_000
LEAST_SALES = 20
LEAST_COUPON_SALES = 10
TIMES_MEDIAN = 2
LEAST_IN_CHAIN = 5
"""Tills of a chain that make a median."""

TRIES_A_DAY = 3
"""So often on one day at one till a coupon counts as tried again and again."""

LEAST_RETRIED = 3
MOST_TRIES = 10
LEAST_REFUSED = 20


class Oddity(StrEnum):
    """Why a till or a cashier is listed.

    Their coupon sales are refunded soon; they have far more of them than their store's others, or than the chain's;
    they try coupons again and again that were refused; they are refused more coupons than they use. By cashier also a
    till whose sales do not say who stood there: nobody can look at those.
    """

    REFUNDED_SOON = "refunded_soon"
    HIGH_RATE = "high_rate"
    HIGH_RATE_IN_CHAIN = "high_rate_in_chain"
    TRIED_AGAIN = "tried_again"
    MANY_REFUSED = "many_refused"
    NO_CASHIER = "no_cashier"


class Seller(msgspec.Struct, frozen=True):
    """A till, or a cashier of a store (``terminal_id`` is '' then): what was sold with coupons there, and refused.

    ``mark`` is the cashier's, '' for a till; ``cashier`` is what tills call them, None where only refusals are known.
    ``coupon_sales`` of the ``sales`` took coupons, ``refunded_soon`` of those had a refund soon. ``refused`` counts
    refusals of coupons, ``retried`` the coupons that were refused three times on a day or more often, ``most_tries`` is
    how often the one that was refused most on a day.
    """

    store_id: str
    terminal_id: str
    mark: str = ""
    cashier: str | None = None
    sales: int = 0
    coupon_sales: int = 0
    refunded_soon: int = 0
    refused: int = 0
    retried: int = 0
    most_tries: int = 0

    @property
    def rate_bp(self) -> int:
        """The share of the sales that took coupons."""
        return self.coupon_sales * 10_000 // self.sales if self.sales else 0


class Oddly(msgspec.Struct, frozen=True):
    """Who stands out; a median is None where there are too few others to compare with."""

    seller: Seller
    median_bp: int | None
    reasons: tuple[Oddity, ...]
    chain_median_bp: int | None = None


def find(sellers: Iterable[Seller], *, by_cashier: bool = False) -> list[Oddly]:
    """Who stands out: those with most quick refunds first, then most retried coupons, then by rate.

    ``by_cashier``: they are cashiers, and tills that named none, of which each stands out.
    """
    everywhere = list(sellers)
    by_store: dict[str, list[Seller]] = {}
    for seller in everywhere:
        by_store.setdefault(seller.store_id, []).append(seller)
    medians = {store_id: _median_bp(theirs, least=2) for store_id, theirs in by_store.items()}
    chain = _median_bp(everywhere, least=LEAST_IN_CHAIN)
    judged = []
    for seller in everywhere:
        median_bp = medians[seller.store_id]
        nobody = (Oddity.NO_CASHIER,) if by_cashier and not seller.mark else ()
        judged.append(Oddly(seller, median_bp, _reasons(seller, median_bp, chain) + nobody, chain))
    return sorted((item for item in judged if item.reasons), key=_order)


def _order(item: Oddly) -> tuple[bool, int, int, int, str, str]:
    seller = item.seller
    only_nobody = item.reasons == (Oddity.NO_CASHIER,)
    return (
        only_nobody,
        -seller.refunded_soon,
        -seller.retried,
        -seller.rate_bp,
        seller.terminal_id,
        seller.mark,
    )


def _median_bp(sellers: Sequence[Seller], *, least: int) -> int | None:
    rates = [seller.rate_bp for seller in sellers if seller.sales >= LEAST_SALES]
    return median_low(rates) if len(rates) >= least else None


def _reasons(seller: Seller, median_bp: int | None, chain_bp: int | None) -> tuple[Oddity, ...]:
    reasons: list[Oddity] = []
    if seller.refunded_soon >= LEAST_SOON and seller.refunded_soon * 10_000 >= SOON_BP * seller.coupon_sales:
        reasons.append(Oddity.REFUNDED_SOON)
    enough = seller.sales >= LEAST_SALES and seller.coupon_sales >= LEAST_COUPON_SALES
    if enough and median_bp is not None and seller.rate_bp >= TIMES_MEDIAN * median_bp:
        reasons.append(Oddity.HIGH_RATE)
    if enough and chain_bp is not None and seller.rate_bp >= TIMES_MEDIAN * chain_bp:
        reasons.append(Oddity.HIGH_RATE_IN_CHAIN)
    if seller.retried >= LEAST_RETRIED or seller.most_tries >= MOST_TRIES:
        reasons.append(Oddity.TRIED_AGAIN)
    if seller.refused >= LEAST_REFUSED and seller.refused > seller.coupon_sales:
        reasons.append(Oddity.MANY_REFUSED)
    return tuple(reasons)
