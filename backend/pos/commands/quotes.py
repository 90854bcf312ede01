"""Quotes: what a sale would cost, and what the member's coupons would do to it."""

from __future__ import annotations

from datetime import timedelta

from backend.auth import queries as auth
from backend.auth.errors import CodeUsed
from backend.auth.types import TerminalCaller
from backend.coupons import queries as coupons
from backend.discounts import service as discounts
from backend.kernel import clock
from backend.kernel.config import settings
from backend.ledger import queries as ledger_queries
from backend.ledger.errors import InsufficientBalance
from backend.members import queries as members
from backend.overrides import service as overrides
from backend.points import service as points
from backend.sales import plans as sale_plans
from backend.sales.rules.pricing import check_sufficient
from backend.sales.rules.settling import Priced

from .. import views
from ..override_schemas import DiscountedLine, MissingOut
from ..schemas import QuoteIn, QuoteOut
from . import pricing, sales
from .identify import counted


async def quote(body: QuoteIn, terminal: TerminalCaller) -> QuoteOut:
    """The prices that the sale would have now; spends and binds nothing, and refuses no coupon: each says why not."""
    now = clock.now()
    store = await auth.get_store(terminal.store_id)
    on = clock.local_date(now, store.timezone)
    customer = await counted(sales.identify(body, terminal, now, on))
    rules = settings()
    marks = await ledger_queries.guard_values(
        customer.member_id, [sale_plans.day_mark(on), *(guard.name for guard in customer.guards)]
    )
    if any(marks.get(guard.name, -1) >= guard.value for guard in customer.guards):
        raise CodeUsed
    holder = customer.holder or await members.get_cardholder(customer.member_id, on)
    priced, quoted, helds = await pricing.price_quote(
        holder, body.lines, body.tenders, on, store=store, terminal=terminal, now=now
    )
    over_day = marks.get(sale_plans.day_mark(on), 0) + priced.value_fen > rules.password_free_day_fen
    used_at = priced.snapshot.used_elsewhere_at(store.id)
    elsewhere = used_at is not None and used_at > now - timedelta(seconds=rules.two_store_window_s)
    return QuoteOut(
        total_fen=priced.price.total_fen,
        discount_fen=priced.price.discount_fen,
        payable_fen=priced.price.payable_fen,
        tenders=views.tenders_out(priced.tenders),
        points_earned=priced.earned,
        balances=views.balances_out(priced.snapshot.balances),
        lines=views.lines_out(priced.price.lines),
        sufficient=_is_sufficient(priced),
        confirmation_required=body.code_entry == "typed"
        or customer.suspect
        or (customer.earn_only and sales.spends(priced))
        or priced.value_fen > rules.password_free_sale_fen
        or (over_day and priced.value_fen > 0)
        or elsewhere,
        coupons=views.quoted_coupons(quoted, helds, await coupons.titles_of(helds)),
        suggestion=views.suggestion(quoted.best),
        earned=points.explained(priced.earning, priced.rules),
        override=await _missing(priced),
        discounts=await _discounts(priced),
    )


async def _discounts(priced: Priced) -> list[DiscountedLine]:
    """Why each line costs what it does: what the till took off, what the member's discount is and whose it is."""
    titles = await discounts.titles() if any(line.offer for line in priced.price.lines) else {}
    return [
        DiscountedLine(
            line.line_no,
            line.discount_fen,
            line.member_discount_fen,
            "rule" if line.offer else "level",
            line.offer,
            titles.get(line.offer, "") if line.offer else priced.card.level.name,
        )
        for line in priced.price.lines
    ]


async def _missing(priced: Priced) -> MissingOut | None:
    """What somebody must authorise of the till's own discount, if anything."""
    given = sum(line.discount_fen for line in priced.price.lines)
    allowed = await overrides.beyond(given, priced.price.total_fen)
    return None if allowed is None else MissingOut(given, allowed, given - allowed)


def _is_sufficient(priced: Priced) -> bool:
    """Whether the tenders pay for all, and the member has what they take."""
    try:
        check_sufficient(priced.tenders, priced.available)
    except InsufficientBalance:
        return False
    return sum(tender.amount_fen for tender in priced.tenders) == priced.price.payable_fen
