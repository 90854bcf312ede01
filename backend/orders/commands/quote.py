"""Price a checkout for a member: reads, then the pure rules in the mall's price order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.types import Store
from backend.coupons import queries as coupons
from backend.coupons.rules import quoting
from backend.coupons.rules.booking import record
from backend.coupons.rules.combine import check_chosen
from backend.coupons.rules.refusals import refused
from backend.coupons.rules.texts import for_member
from backend.coupons.types import Channel, Occasion, Used, Verdict
from backend.giftcards import queries as giftcards
from backend.giftcards.types import GiftCard
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import invalid
from backend.mall import queries as mall
from backend.members import queries as members
from backend.members.types import Cardholder
from backend.passes import service as passes
from backend.points import service as points
from backend.points.types import Earning
from backend.sales.errors import TendersMismatch
from backend.sales.rules import gift_cards
from backend.sales.rules.pricing import REPEATED, TenderIn
from backend.sales.rules.settling import settle
from backend.sales.types import Price, TenderType
from backend.stock.types import Piece

from .. import addresses, queries
from ..errors import AddressOutOfRange, NotOnSale
from ..rules import allocate, delivery, promotions
from ..rules import lines as rules
from ..schemas.orders import OfferedCard, QuoteIn, QuotesOut, StoreOrderIn
from ..types import DeliveryKind, Part, PromotionKind, Sending, Want
from ..types.spots import Spot
from ..views import orders as views
from ..views.orders import Offered
from . import pins, spots

MOST_OFFERED = 50
"""Coupons of a member that a quote looks at."""


async def quote(body: QuoteIn, member_id: int) -> QuotesOut:
    """What a checkout costs the member now; moves and binds nothing."""
    now = clock.now()
    parts = await price(body, member_id, now, capped=True)
    offered = [await _offered(asked, part, member_id, now) for asked, part in zip(body.orders, parts, strict=True)]
    cards = await _offered_cards(parts, member_id, now)
    return views.quotes_out(parts, offered, cards, pin_required=await pins.is_required(parts, member_id))


async def price(
    body: QuoteIn, member_id: int, now: datetime, *, without_card: bool = False, capped: bool = False
) -> list[Part]:
    """Price every part of a checkout and settle its tenders; raises what does not add up, not what cannot be paid.

    ``without_card``: as if the member had no discount card. ``capped``: see ``points.earning``.
    """
    _check(body)
    baskets = [await _price_part(asked, member_id, now, without_card=without_card) for asked in body.orders]
    tenders, cards = await _tenders(body, member_id, now)
    due = [basket.price.payable_fen - sum(one.amount_fen for one in basket.used) for basket in baskets]
    parts: list[Part] = []
    for basket, own in zip(baskets, allocate.split(tenders, due, value_bp=settings().point_value_fen_bp), strict=True):
        holder = basket.holder
        for before in parts:
            holder = Cardholder(holder.card, allocate.after(holder.snapshot, before.priced))
        earning = await points.earning(holder.card, basket.on, store=basket.store, at=now, capped=capped)
        earning = points.after(earning, [part.priced.earning for part in parts])
        parts.append(await _settle(basket, holder, own, cards, earning))
        cards = allocate.cards_after(cards, parts[-1].priced)
    return parts


async def _tenders(body: QuoteIn, member_id: int, now: datetime) -> tuple[list[TenderIn], dict[str, int]]:
    """What is to pay, with gift cards by their ids; and what is on each. Raises why one of them pays nothing now."""
    asked = [TenderIn(TenderType(one.type), one.amount_fen, one.points, one.reference) for one in body.tenders or ()]
    names = gift_cards.named(asked)
    if not names:
        return asked or [TenderIn(TenderType.STORED)], {}
    found = await giftcards.get_tendered_online(names, member_id=member_id, now=now, on=_today(now))
    return gift_cards.by_id(asked, found), {str(card.id): card.balance_fen for card in found}


def _today(now: datetime) -> date:
    return clock.local_date(now, settings().timezone)


def _check(body: QuoteIn) -> None:
    stores = [order.store_id for order in body.orders]
    if len(stores) != len(set(stores)):
        raise invalid("/orders", "a store is named twice")
    coupon_ids = [coupon_id for order in body.orders for coupon_id in order.coupon_ids]
    if len(coupon_ids) != len(set(coupon_ids)):
        raise invalid("/orders", "a coupon is named twice")
    for place, order in enumerate(body.orders):
        skus = [line.sku for line in order.lines]
        if len(skus) != len(set(skus)):
            raise invalid(f"/orders/{place}/lines", "an article is named twice")
        if (order.delivery.kind is DeliveryKind.EXPRESS) == (order.delivery.address_id is None):
            raise invalid(f"/orders/{place}/delivery/address_id", "what is sent names an address, nothing else does")
        if (order.delivery.kind is DeliveryKind.SPOT) == (order.delivery.spot_code is None):
            raise invalid(
                f"/orders/{place}/delivery/spot_code", "what is brought names a table's code, nothing else does"
            )
    types = [tender.type for tender in body.tenders or () if tender.type not in REPEATED]
    if len(types) != len(set(types)):
        raise invalid("/tenders", "a tender is given twice")
    for place, tender in enumerate(body.tenders or ()):
        kind = TenderType(tender.type)
        if tender.points is not None and kind is not TenderType.POINTS:
            raise TendersMismatch(f"a {kind} tender has no points")
        if tender.reference is not None and kind is not TenderType.GIFT_CARD:
            raise invalid(f"/tenders/{place}/reference", f"is not for {kind} tenders")


class Basket(msgspec.Struct, frozen=True):
    """One store's part with its prices and coupons, before anything else pays."""

    asked: StoreOrderIn
    store: Store
    holder: Cardholder
    on: date
    lines: list[rules.Line]
    price: Price
    used: tuple[Used, ...]
    sending: Sending | None
    spot: Spot | None


async def _price_part(asked: StoreOrderIn, member_id: int, now: datetime, *, without_card: bool) -> Basket:
    store = await auth.get_store(asked.store_id)
    on = clock.local_date(now, store.timezone)
    holder = await members.get_cardholder(member_id, on)
    if without_card:
        holder = msgspec.structs.replace(holder, card=msgspec.structs.replace(holder.card, discount_card=None))
    wants = [Want(line.sku, line.qty) for line in asked.lines]
    level = holder.card.level
    articles = await mall.find_sellable([want.sku for want in wants], store_id=store.id, level=level.code, now=now)
    missing = next((want.sku for want in wants if want.sku not in articles), None)
    if missing is not None:
        raise NotOnSale(extra={"sku": missing, "store_id": store.id})
    here = promotions.Occasion(store.id, level.code, now)
    lines = await _promoted(rules.open_lines(wants, articles), holder, here, on)
    sending = await _sending(asked, store, member_id, lines)
    code = asked.delivery.spot_code
    spot = await spots.read(code, store_id=store.id) if code else None
    fee_fen = sending.freight.fee_fen if sending else 0
    used = await _coupons(asked, store, holder, lines, on, now, fee_fen)
    return Basket(asked, store, holder, on, lines, rules.price_of(lines, fee_fen), used, sending, spot)


async def _sending(asked: StoreOrderIn, store: Store, member_id: int, lines: list[rules.Line]) -> Sending | None:
    """Where it is sent and at what price; ``AddressOutOfRange`` where no rule reaches it."""
    if asked.delivery.address_id is None:
        return None
    receiver = (await addresses.get_address(member_id, asked.delivery.address_id)).receiver
    rule = delivery.find_rule(await queries.delivery_rules(), store.id, receiver.region)
    if rule is None:
        raise AddressOutOfRange(extra={"store_id": store.id})
    return Sending(receiver, delivery.freight(rule, lines))


async def _promoted(
    lines: list[rules.Line], holder: Cardholder, here: promotions.Occasion, on: date
) -> list[rules.Line]:
    """The lines after activity, level or timed price, and threshold offers."""
    known = await queries.promotions()
    activities = promotions.running(known, PromotionKind.ACTIVITY, here)
    offers = promotions.running(known, PromotionKind.OFFER, here)
    benefit, level = holder.card.benefit_on(on), holder.card.level
    priced = [rules.member_price(promotions.activity_price(line, activities), benefit, level.name) for line in lines]
    return promotions.threshold_offers(priced, offers)


async def _settle(
    basket: Basket, holder: Cardholder, tenders: Sequence[TenderIn], cards: dict[str, int], earning: Earning
) -> Part:
    paid_by = [*(TenderIn(TenderType.COUPON, coupon_id=one.id) for one in basket.used), *tenders]
    priced = settle(
        holder, basket.price, paid_by, basket.used, basket.on, earning=earning, cards=cards, rules=settings()
    )
    bought = [(line.line_no, line.sku, line.qty, line.payable_fen) for line in priced.price.lines]
    if await passes.passes_in(holder.card.member_id, bought):
        raise NotOnSale("cards are sold at tills")
    store_id, asked = basket.store.id, basket.asked
    return Part(
        store_id,
        asked.delivery.kind,
        asked.note,
        rules.order_lines(basket.lines),
        priced,
        tuple(Piece(store_id, line.article.sku, line.qty) for line in basket.lines if line.article.tracked),
        tuple(rules.basket(basket.lines)),
        basket.sending,
        basket.spot,
    )


async def _coupons(
    asked: StoreOrderIn,
    store: Store,
    holder: Cardholder,
    lines: Sequence[rules.Line],
    on: date,
    now: datetime,
    fee_fen: int,
) -> tuple[Used, ...]:
    """What the named coupons take; raises why the first one that cannot be used cannot."""
    if not asked.coupon_ids:
        return ()
    held = await coupons.find_held(holder.card.member_id, asked.coupon_ids, on)
    here = _occasion(store, holder.card.level.code, now, fee_fen)
    uses = check_chosen(list(held.values()), asked.coupon_ids, rules.basket(lines), here, on)
    if isinstance(uses, Verdict):
        raise refused(uses, for_member)
    return tuple([record(use, held[use.coupon_id], store.id) for use in uses])


def _occasion(store: Store, level: str, now: datetime, fee_fen: int) -> Occasion:
    """An order in the mall from the store now, whose delivery costs so much."""
    local = now.astimezone(clock.zone(store.timezone))
    return Occasion(store_id=store.id, channel=Channel.MALL, level=level, at=local, shipping_fen=fee_fen)


async def _offered(asked: StoreOrderIn, part: Part, member_id: int, now: datetime) -> Offered:
    """What the member's coupons would do to this part, those that end first; and the best set with what is named."""
    store = await auth.get_store(asked.store_id)
    on = part.priced.on
    helds = await coupons.list_held(member_id, on, limit=MOST_OFFERED)
    known = {held.id for held in helds}
    helds += (await coupons.find_held(member_id, [one for one in asked.coupon_ids if one not in known], on)).values()
    fee_fen = part.sending.freight.fee_fen if part.sending else 0
    here = _occasion(store, part.priced.card.level.code, now, fee_fen)
    quoted = quoting.quote(helds, part.basket, here, on, asked.coupon_ids)
    return views.offered_out(quoted, helds, await coupons.titles_of(helds))


async def _offered_cards(parts: Sequence[Part], member_id: int, now: datetime) -> list[OfferedCard]:
    """The member's gift cards and what else pays here: what each pays of it, or why it pays nothing now."""
    own = await giftcards.list_of_member(member_id)
    paid: dict[str, int] = {}
    for tender in (one for part in parts for one in part.priced.tenders if one.reference is not None):
        paid[tender.reference or ""] = paid.get(tender.reference or "", 0) + tender.amount_fen
    known = {str(card.id) for card in own}
    shown: list[GiftCard] = [*own, *(await giftcards.find_cards([int(one) for one in paid.keys() - known])).values()]
    return [
        views.offered_card(card, paid.get(str(card.id), 0), giftcards.refusal_of(card, member_id, _today(now)))
        for card in shown
    ]
