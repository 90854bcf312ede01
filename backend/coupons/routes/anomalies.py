"""Tills or cashiers that stand out by their coupons: for head office, and for a manager those of their store."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import windows
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Body, Router

from .. import anomalies, service
from ..rules.anomalies import Oddity, Oddly, find
from ..schemas import Day

router = Router(tag="coupons")

MOST_DAYS = 31
MOST_TILLS = 500


class AnomaliesQuery(Body):
    """Which days, both included, local dates of the chain; which store's (a manager's own).

    ``by`` till or cashier. ``cashier``: as the till calls them; the answer then says their mark in that store.
    """

    from_on: Day = msgspec.field(name="from")
    to_on: Day = msgspec.field(name="to")
    by: Literal["till", "cashier"] = "till"
    store_id: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    cashier: Annotated[str, Meta(min_length=1, max_length=128)] | None = None


class CashierOut(msgspec.Struct):
    """How many refusals of coupons somebody at this till had: a mark, which is the same for the same cashier."""

    mark: str
    refused: int


class AnomalyOut(msgspec.Struct):
    """A till, why it is listed, and its numbers; a median is null where there are too few others to compare.

    By cashier it is somebody at all tills of a store: ``mark`` and, as the tills call them, ``cashier`` (null where
    only refusals are known); or with ``terminal_id`` a till, as far as it named nobody.
    ``refused`` counts refusals, ``retried`` the coupons that were refused three times on a day or more often,
    ``most_tries`` is how often the one that was refused most on a day; ``cashiers`` are those with most refusals.
    """

    store_id: str
    terminal_id: str | None
    mark: str | None
    cashier: str | None
    reasons: list[Oddity]
    sales: int
    coupon_sales: int
    rate_bp: int
    store_median_bp: int | None
    chain_median_bp: int | None
    refunded_soon: int
    refused: int
    retried: int
    most_tries: int
    cashiers: list[CashierOut]


class AnomaliesOut(msgspec.Struct):
    """Those with most quick refunds first; ``more``: some were left out. ``cashier_mark`` is whose was asked for."""

    items: list[AnomalyOut]
    more: bool
    cashier_mark: str | None


@router.get(
    "/v1/admin/coupons/anomalies",
    guard=staff(Permission.STATEMENTS_READ),
    summary="用券异常收银台",
    errors=(NotFound, ValidationFailed),
)
async def list_anomalies(caller: StaffCaller, query: AnomaliesQuery) -> AnomaliesOut:
    """Tills or cashiers that stand out by their coupon sales, or by what they were refused."""
    begin, end = windows.of_days(query.from_on, query.to_on, settings().timezone, most=MOST_DAYS)
    store_id = query.store_id or caller.store_id
    if not caller.reaches(store_id):
        raise NotFound("there is no such store")
    if store_id is not None:
        await auth.get_store(store_id)
    if query.cashier is not None and store_id is None:
        raise invalid("/query/store_id", "say in which store, the mark is a store's")
    by_cashier = query.by == "cashier"
    sellers = await anomalies.list_sellers(begin, end, first=query.from_on, last=query.to_on, by_cashier=by_cashier)
    everywhere = find(sellers, by_cashier=by_cashier)
    found = [item for item in everywhere if store_id in (None, item.seller.store_id)]
    shown = found[:MOST_TILLS]
    names = [] if by_cashier else [item.seller.terminal_id for item in shown]
    cashiers = await anomalies.list_cashiers(query.from_on, query.to_on, names) if names else {}
    return AnomaliesOut(
        [_view(item, cashiers.get(item.seller.terminal_id, [])) for item in shown],
        more=len(found) > MOST_TILLS,
        cashier_mark=service.mark_of(f"{store_id}/{query.cashier}") if query.cashier else None,
    )


def _view(item: Oddly, cashiers: list[tuple[str, int]]) -> AnomalyOut:
    seller = item.seller
    return AnomalyOut(
        store_id=seller.store_id,
        terminal_id=seller.terminal_id or None,
        mark=seller.mark or None,
        cashier=seller.cashier,
        reasons=list(item.reasons),
        sales=seller.sales,
        coupon_sales=seller.coupon_sales,
        rate_bp=seller.rate_bp,
        store_median_bp=item.median_bp,
        chain_median_bp=item.chain_median_bp,
        refunded_soon=seller.refunded_soon,
        refused=seller.refused,
        retried=seller.retried,
        most_tries=seller.most_tries,
        cashiers=[CashierOut(mark, refused) for mark, refused in cashiers],
    )
