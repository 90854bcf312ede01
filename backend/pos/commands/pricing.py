"""Price a basket for a member: reads, then pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.auth.types import Store, TerminalCaller
from backend.coupons import queries as coupon_queries
from backend.coupons.rules.booking import record
from backend.coupons.rules.combine import check_chosen
from backend.coupons.rules.quoting import Quoted, quote
from backend.coupons.rules.refusals import refused
from backend.coupons.types import Channel, Held, Occasion, Verdict
from backend.discounts import service as discounts
from backend.giftcards import queries as gift_card_queries
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import FieldError
from backend.mall import queries as mall
from backend.members.types import Cardholder
from backend.passes import queries as pass_queries
from backend.passes import service as passes
from backend.points import service as points
from backend.points.types import Earning
from backend.sales.errors import TenderUnsupported
from backend.sales.rules import coupons, gift_cards, pricing
from backend.sales.rules.pricing import TenderIn
from backend.sales.rules.settling import Priced, settle
from backend.sales.types import Line, LineOffer, TenderType

from ..schemas import LineIn, TenderInput

MOST_SHOWN = 50
"""Coupons that a scan or a quote looks at, besides those that are named."""


async def price(
    holder: Cardholder,
    lines: Sequence[LineIn],
    tenders: Sequence[TenderInput] | None,
    on: date,
    *,
    store: Store,
    terminal: TerminalCaller,
    now: datetime,
    capped: bool = False,
) -> Priced:
    """Price a basket and settle its tenders; raises what does not add up, not what cannot be paid.

    ``on`` is the day in the store, the one for which the member's value was read. Raises ``CouponRefused`` for the
    first coupon that is named and cannot be used, and likewise for gift cards. ``capped``: see ``points.earning``.
    """
    wanted = read_tenders(tenders)
    names = coupons.named(wanted)
    rated_lines = await rated(lines)
    offers = await discounts.offers(holder.card, rated_lines, store=store, at=now)
    earning = await points.earning(holder.card, on, store=store, at=now, capped=capped)
    if not (names or gift_cards.named(wanted)):
        return await _with_passes(price_for(holder, rated_lines, tenders, on, earning, offers))
    wanted, cards = await with_cards(wanted, holder, on, terminal=terminal, now=now)
    priced = pricing.price_lines(rated_lines, discount_bp=holder.card.benefit_on(on).discount_bp, offers=offers)
    held = await coupon_queries.find_held(holder.card.member_id, names, on)
    here = occasion(holder, store, now)
    uses = check_chosen(list(held.values()), names, coupons.basket(rated_lines, priced), here, on)
    if isinstance(uses, Verdict):
        raise refused(uses)
    used = tuple([record(use, held[use.coupon_id], store.id) for use in uses])
    settled = settle(holder, priced, wanted, used, on, earning=earning, cards=cards, rules=settings())
    return await _with_passes(settled)


async def _with_passes(priced: Priced) -> Priced:
    """The same with the passes that its lines sell; mostly none, and no read."""
    off = coupons.line_shares(priced.coupons)
    lines = [
        (line.line_no, line.sku, line.qty, line.payable_fen - off.get(line.line_no, 0)) for line in priced.price.lines
    ]
    sold = await passes.passes_in(priced.card.member_id, lines)
    return msgspec.structs.replace(priced, passes=sold) if sold else priced


async def price_quote(
    holder: Cardholder,
    lines: Sequence[LineIn],
    tenders: Sequence[TenderInput] | None,
    on: date,
    *,
    store: Store,
    terminal: TerminalCaller,
    now: datetime,
) -> tuple[Priced, Quoted, list[Held]]:
    """The same for a quote, in which a coupon that cannot be used is left out; with all coupons that were looked at."""
    wanted, cards = await with_cards(read_tenders(tenders), holder, on, terminal=terminal, now=now)
    names = coupons.named(wanted)
    rated_lines = await rated(lines)
    offers = await discounts.offers(holder.card, rated_lines, store=store, at=now)
    priced = pricing.price_lines(rated_lines, discount_bp=holder.card.benefit_on(on).discount_bp, offers=offers)
    helds = await held_coupons(holder.card.member_id, names, on)
    quoted = quote(helds, coupons.basket(rated_lines, priced), occasion(holder, store, now), on, names)
    held = {one.id: one for one in helds}
    used = tuple([record(use, held[use.coupon_id], store.id) for use in quoted.uses])
    taken = {coupon.id for coupon in used}
    kept = [tender for tender in wanted if tender.type is not TenderType.COUPON or tender.coupon_id in taken]
    short = len(kept) < len(wanted)
    earning = await points.earning(holder.card, on, store=store, at=now, capped=True)
    settled = settle(holder, priced, kept, used, on, earning=earning, cards=cards, short=short, rules=settings())
    return settled, quoted, helds


async def with_cards(
    wanted: list[TenderIn], holder: Cardholder, on: date, *, terminal: TerminalCaller, now: datetime
) -> tuple[list[TenderIn], dict[str, int]]:
    """The tenders with their gift cards by id, and what is on each; raises why one of them pays nothing now."""
    names = gift_cards.named(wanted)
    if not names:
        return wanted, {}
    cards = await gift_card_queries.get_tendered(
        names,
        member_id=holder.card.member_id,
        terminal_id=terminal.terminal_id,
        store_id=terminal.store_id,
        now=now,
        on=on,
    )
    return gift_cards.by_id(wanted, cards), {str(card.id): card.balance_fen for card in cards}


async def held_coupons(member_id: int, names: Sequence[str], on: date) -> list[Held]:
    """What the member holds (of many those that expire first), and what the till names, however it stands."""
    helds = await coupon_queries.list_held(member_id, on, limit=MOST_SHOWN)
    known = {held.id for held in helds}
    further = [name for name in names if name not in known]
    if further:
        helds += (await coupon_queries.find_held(member_id, further, on)).values()
    return helds


def occasion(holder: Cardholder, store: Store, now: datetime) -> Occasion:
    """A sale to this member at a till of the store now."""
    local = now.astimezone(clock.zone(store.timezone))
    return Occasion(store_id=store.id, channel=Channel.POS, level=holder.card.level.code, at=local)


def price_for(
    holder: Cardholder,
    lines: Sequence[Line],
    tenders: Sequence[TenderInput] | None,
    on: date,
    earning: Earning,
    offers: Sequence[Sequence[LineOffer]] = (),
) -> Priced:
    """The same for a sale without coupons, and without a read: the lines have their rates."""
    priced = pricing.price_lines(lines, discount_bp=holder.card.benefit_on(on).discount_bp, offers=offers)
    return settle(holder, priced, read_tenders(tenders), (), on, earning=earning, rules=settings())


def read_tenders(tenders: Sequence[TenderInput] | None) -> list[TenderIn]:
    """The tenders as the rules take them; raises ``TenderUnsupported`` for a type that there is not."""
    return [
        TenderIn(_type(t.type, position), t.amount_fen, t.points, t.reference, t.coupon_id)
        for position, t in enumerate(tenders or ())
    ]


_TAKEN = tuple(kind for kind in TenderType if kind is not TenderType.WECHAT)
"""What a till may say: WeChat pays orders online only."""


def _type(name: str, position: int) -> TenderType:
    kind = next((kind for kind in _TAKEN if kind == name), None)
    if kind is None:
        field = FieldError(f"/tenders/{position}/type", f"is none of {', '.join(_TAKEN)}")
        raise TenderUnsupported(errors=(field,))
    return kind


async def rated(lines: Sequence[LineIn]) -> list[Line]:
    """The lines with their category and its rate: our article's category, else the till's. A pass earns nothing."""
    offered = await pass_queries.offered()
    classes = await mall.find_classes([(line.sku, line.category) for line in lines])
    return [
        Line(
            line.sku,
            line.qty,
            line.unit_price_fen,
            line.discount_fen,
            0 if line.sku in offered else found.rate_bp,
            line.name,
            found.category,
            found.brand,
            found.cost_fen,
        )
        for line, found in zip(lines, classes, strict=True)
    ]
