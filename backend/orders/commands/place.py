"""Place a checkout: orders, what pays them and their goods in one transaction, many checkouts at once.

Checkouts that wait are placed together: the articles that everybody wants are locked once for many. What is sold out
is refused for a second without asking the database at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic

import asyncpg
import msgspec

from backend.auth.types import MemberCaller
from backend.giftcards import service as giftcards
from backend.kernel import clock, db, ids, live
from backend.kernel.batching import Batcher
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, Unavailable, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Lane, lanes
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, InsufficientBalance, Stale
from backend.ledger.plans import Plan, own_scope
from backend.ledger.types import Posted
from backend.members.errors import PinRequired
from backend.passes import service as passes
from backend.passes.errors import PassVoid
from backend.points.plans import CAP as POINTS_CAP
from backend.sales import plans as sales
from backend.sales.rules import gift_cards
from backend.sales.rules.pricing import check_sufficient
from backend.sales.rules.settling import lot_dates
from backend.sales.types import SaleBody
from backend.stock import service as stock
from backend.stock.errors import OutOfStock
from backend.stock.types import Piece, Wish
from backend.wallet import queries as wallet
from backend.wallet.types import Expiry, PointsSource

from .. import addresses, plans, queries, service
from ..errors import PriceChanged
from ..schemas.orders import PlacedOut, PlaceIn
from ..types import Order, OrderState, Part, PaymentBody, Receiver
from ..views import orders as views
from . import pay, pins, quote
from .show import owner_of

AT_ONCE = 64
"""Checkouts that one transaction places: so many members' books and articles it holds."""

LANE = Lane("orders", at_once=16, most_waiting=1000, patience_s=5.0)
"""Where orders are placed: the crowd of a flash sale waits in it and in nobody's way."""

MAX_TIMES_PLANNED = 3
GONE_KEPT_S = 1.0
"""How long an article that had run out is refused unasked; a cancel may bring one back."""

MOST_GONE = 1000

_gone: dict[tuple[str, str], float] = {}


class Placing(msgspec.Struct, frozen=True):
    """An order that is to be placed: its rows, its plan, and the pieces it takes; ``until`` then, or sold at once.

    ``receiver`` is whom it is sent to, as the address book has it now.
    """

    order: Order
    body: SaleBody
    plan: Plan
    pieces: tuple[Piece, ...]
    until: datetime | None = None
    receiver: Receiver | None = None

    @property
    def wish(self) -> Wish:
        """What it wants of stock."""
        return Wish(self.order.id, self.pieces, self.until)


async def place(body: PlaceIn, caller: MemberCaller, idem: Idempotency) -> Answer[PlacedOut]:
    """Place a checkout, once per key; a retry gets the first answer, whatever has changed meanwhile."""
    return await _with_payment(await enter(body, caller.member_id, idem), caller)


async def enter(body: PlaceIn, member_id: int, idem: Idempotency) -> Answer[PlacedOut]:
    """Place it here; WeChat hears of its part once somebody asks how to pay it."""
    try:
        return await _place(body, member_id, idem)
    except DomainError:
        again = await _first_answer(member_id, idem)
        if again is None:
            raise
        return again


async def _with_payment(placed: Answer[PlacedOut], caller: MemberCaller) -> Answer[PlacedOut]:
    """The answer with how WeChat is paid, where it is to be; a retry finishes what a failure left undone."""
    waiting = next((order for order in placed.value.orders if order.status is OrderState.AWAITING_PAYMENT), None)
    books = owner_of(waiting.id) if waiting else None
    order = await queries.find_order(books, waiting.id) if waiting and books else None
    if order is not None and order.payment_id is not None:
        lanes.leave()  # WeChat may take its time
        document = await pay.get(order.member_id, order.payment_id)
        placed.value.payment = await pay.open_at_wechat(document, caller.openid)
    return placed


async def _place(body: PlaceIn, member_id: int, idem: Idempotency) -> Answer[PlacedOut]:
    _refuse_gone(body)
    if body.pin is not None and (again := await _first_answer(member_id, idem)) is not None:
        return again  # before the PIN is looked at: a retry with another one is no wrong try
    without_card, confirmed, counts, capped = False, False, False, False
    for attempt in range(MAX_TIMES_PLANNED):
        now = clock.now()
        parts = await quote.price(body, member_id, now, without_card=without_card, capped=capped)
        _check_price(body, parts)
        for part in parts:
            check_sufficient(part.priced.tenders, part.priced.available)
        if not confirmed:
            counts = await pins.confirm(parts, member_id, body.pin)
            confirmed = body.pin is not None and pins.value_fen(parts) > 0
        expiry = await wallet.points_expiry(PointsSource.SALE)
        checkout = _plan(parts, idem, now, expiry, counts=counts)
        try:
            posted = await _submit(checkout)
        except (Stale, InsufficientBalance) as refused:
            sales.raise_if_coupon_gone(refused)
            if attempt == MAX_TIMES_PLANNED - 1:
                raise
        except GuardRefused as refused:
            _check_worth_another_try(refused, attempt)
            capped = capped or refused.refusal == POINTS_CAP
            # Given back a moment ago, which the member's row hears of later.
            without_card = without_card or refused.refusal == PassVoid.code
        else:
            if posted.replayed:
                return await _answer(posted)
            return Answer(_placed(checkout))
    raise Stale


def _check_worth_another_try(refused: GuardRefused, attempt: int) -> None:
    """Raise what a guard refused, unless the next plan can do without it."""
    if refused.refusal == sales.PASSWORD_FREE:
        raise PinRequired from refused
    if refused.refusal not in (PassVoid.code, POINTS_CAP) or attempt == MAX_TIMES_PLANNED - 1:
        raise passes.refusal_of(refused) or refused from refused


class Checkout(msgspec.Struct, frozen=True):
    """Everything that one request places, and what WeChat is to pay for it."""

    placings: tuple[Placing, ...]
    payment: Plan | None = None

    @property
    def card_ids(self) -> list[int]:
        """The gift cards that pay of it."""
        return [payment.card_id for placing in self.placings for payment in gift_cards.payments(placing.body)]


def _placed(checkout: Checkout) -> PlacedOut:
    for placing in checkout.placings:
        _tell(placing.order)
    orders = [views.order_out(placing.order, placing.body) for placing in checkout.placings]
    return PlacedOut(orders[0].checkout_id, orders)


def _check_price(body: PlaceIn, parts: Sequence[Part]) -> None:
    if sum(part.priced.price.payable_fen for part in parts) != body.payable_fen or (
        body.due_fen is not None and views.due_fen(parts) != body.due_fen
    ):
        raise PriceChanged(extra={"quote": msgspec.to_builtins(views.quotes_out(parts))})


def _plan(parts: Sequence[Part], idem: Idempotency, now: datetime, expiry: Expiry, *, counts: bool) -> Checkout:
    """Everything that a request places; ``counts``: towards what a day takes without a PIN."""
    member_id = parts[0].priced.card.member_id
    # In order, so that a retry, which finds them by it, answers them in that of the request.
    order_ids = sorted(ids.new_document_id(plans.PREFIX, member_id) for _ in parts)
    bodies = [plans.order_body(one, part.priced) for one, part in zip(order_ids, parts, strict=True)]
    pay_fen = sum(plans.wechat_fen(body) for body in bodies)
    payment_id = ids.new_document_id(plans.PAYMENT_PREFIX, member_id) if pay_fen else None
    rules = settings()
    until = now + timedelta(seconds=rules.order_close_after_s) if pay_fen else None
    placings = []
    for number, (part, order_id, body) in enumerate(zip(parts, order_ids, bodies, strict=True)):
        scope, key = (own_scope(member_id), idem.key) if not number else ("checkout", order_id)
        cap_fen = rules.password_free_day_fen if counts else None
        terms = plans.Placed(order_id, scope, key, idem.request_hash.hex(), part.store_id, now, cap_fen)
        plan = (
            plans.hold(terms, body, part.priced)
            if pay_fen
            else plans.place_paid(terms, body, part.priced, points_dates=lot_dates(part.priced.on, rules, expiry))
        )
        order = Order(
            member_id=member_id,
            id=order_id,
            store_id=part.store_id,
            state=OrderState.AWAITING_PAYMENT if pay_fen else OrderState.PAID,
            checkout_id=order_ids[0],
            delivery=part.delivery,
            payable_fen=body.payable_fen,
            note=part.note,
            placed_at=now,
            paid_at=None if pay_fen else now,
            ended_at=None,
            payment_id=payment_id,
            pay_until=until,
            spot_id=part.spot.id if part.spot else None,
            spot_name=part.spot.name if part.spot else None,
            lines=part.lines,
        )
        receiver = part.sending.receiver if part.sending else None
        placings.append(Placing(order, body, plan, part.pieces, until, receiver))
    if payment_id is None or until is None:
        return Checkout(tuple(placings))
    agreed = PaymentBody(pay_fen, tuple(order_ids), until)
    opened = plans.open_payment(
        payment_id,
        agreed,
        member_id=member_id,
        now=now,
        on=clock.local_date(now, rules.timezone),
        due_at=min(now + timedelta(seconds=rules.order_query_after_s), until),
    )
    return Checkout(tuple(placings), opened)


async def _submit(checkout: Checkout) -> Posted:
    """Place it together with whatever else waits; one of several orders, that WeChat or gift cards pay, by itself."""
    cards = checkout.card_ids
    if len(checkout.placings) == 1 and checkout.payment is None and not cards:
        return await _placings.submit(checkout.placings[0])
    try:
        async with giftcards.in_turn(cards):
            return await _place_whole(checkout, cards)
    except _Replayed as again:
        return again.posted
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        raise Unavailable("somebody else holds these books or articles; try again", retry_after_s=1) from None


class _Replayed(Exception):
    def __init__(self, posted: Posted) -> None:
        self.posted = posted


async def _place_whole(checkout: Checkout, card_ids: Sequence[int]) -> Posted:
    """All of a checkout's orders in one transaction, or none; all its gift cards are locked before any books."""
    placings = checkout.placings
    async with db.transaction() as tx:
        for lack in await _take_goods(tx, placings):
            if lack is not None:
                raise lack
        if card_ids:
            await giftcards.lock_chain(tx, card_ids)
        posted = [await _post(tx, placing) for placing in placings]
        if posted[0].replayed:
            raise _Replayed(posted[0])
        if checkout.payment is not None:
            await ledger.post_in(tx, checkout.payment)
        await _write(tx, placings)
    return posted[0]


async def _post(tx: Tx, placing: Placing) -> Posted:
    """Post an order's plan, together with what gift cards pay of it."""
    payments = gift_cards.payments(placing.body)
    if not payments:
        return await ledger.post_in(tx, placing.plan)
    order = placing.order
    return await giftcards.pay(tx, placing.plan, payments, sale_id=order.id, store_id=order.store_id)


async def _write(tx: Tx, placings: Sequence[Placing]) -> None:
    """Add the orders, each with the address that it is sent to: later changes of the address book are none of it."""
    await service.write_orders(tx, [placing.order for placing in placings])
    await addresses.write_receivers(tx, [(one.order, one.receiver) for one in placings if one.receiver is not None])


# -- many at once


async def _place_many(placings: list[Placing]) -> Sequence[Posted | BaseException]:
    return await LANE.paced(_place_or_each(placings))


async def _place_or_each(placings: list[Placing]) -> Sequence[Posted | BaseException]:
    try:
        return await _place_together(placings)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        # Somebody's books or an article are held for long: that must not cost the others theirs.
        return [await _place_alone(placing) for placing in placings]


async def _place_alone(placing: Placing) -> Posted | BaseException:
    try:
        return (await _place_together([placing]))[0]
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        return Unavailable("somebody else holds this member's books or an article; try again", retry_after_s=1)


async def _place_together(placings: list[Placing]) -> list[Posted | DomainError]:
    """Goods first, then the books; what the books refuse gives its goods back. One outcome each."""
    outcomes: list[Posted | DomainError] = []
    async with db.transaction() as tx:
        lacking = await _take_goods(tx, placings)
        there = [placing for placing, lack in zip(placings, lacking, strict=True) if lack is None]
        posted = iter(await ledger.post_many_in(tx, [placing.plan for placing in there]) if there else ())
        outcomes = [lack if lack is not None else next(posted) for lack in lacking]
        made = [isinstance(outcome, Posted) and not outcome.replayed for outcome in outcomes]
        await stock.give_back_many(
            tx,
            [
                placing.order.id
                for placing, lack, is_made in zip(placings, lacking, made, strict=True)
                if lack is None and not is_made
            ],
            at=clock.now(),
        )
        await _write(tx, [placing for placing, is_made in zip(placings, made, strict=True) if is_made])
    return outcomes


async def _take_goods(tx: Tx, placings: Sequence[Placing]) -> list[OutOfStock | None]:
    lacking = await stock.reserve_many(tx, [placing.wish for placing in placings], at=clock.now())
    for placing, lack in zip(placings, lacking, strict=True):
        if lack is not None and lack.extra.get("available") == 0:
            _note_gone(placing.order.store_id, str(lack.extra["sku"]))
    return lacking


_placings: Batcher[Placing, Posted] = Batcher(
    _place_many, max_size=AT_ONCE, lanes=2, max_waiting=20_000, rest=LANE.rest
)


# -- what has run out


def _refuse_gone(body: PlaceIn) -> None:
    now = monotonic()
    for order in body.orders:
        for line in order.lines:
            if _gone.get((order.store_id, line.sku), 0.0) > now:
                raise stock.out_of_stock(line.sku, 0)


def _note_gone(store_id: str, sku: str) -> None:
    _gone.pop((store_id, sku), None)
    while len(_gone) >= MOST_GONE:
        del _gone[next(iter(_gone))]
    _gone[store_id, sku] = monotonic() + GONE_KEPT_S


def forget_gone() -> None:
    """Ask the database again at the next order."""
    _gone.clear()


# -- answers


async def _first_answer(member_id: int, idem: Idempotency) -> Answer[PlacedOut] | None:
    """What was answered to this key before, or None; ``IdempotencyConflict`` where it was for another request."""
    first = await ledger_queries.find_own_answer(member_id, idem.key, idem.request_hash)
    return None if first is None else await _answer(first)


async def _answer(posted: Posted) -> Answer[PlacedOut]:
    """The orders as they were when they were placed."""
    member_id = owner_of(posted.document_id or "")
    first = await queries.find_order(member_id, posted.document_id or "") if member_id else None
    if first is None or member_id is None:
        raise ValidationFailed("this key was used for another kind of request")
    orders = []
    for order in await queries.list_checkout(member_id, first.checkout_id):
        document = await ledger_queries.find_document(member_id, order.id)
        assert document is not None
        state = OrderState(posted.state or "")
        paid_at = None if state is OrderState.AWAITING_PAYMENT else order.paid_at
        then = msgspec.structs.replace(order, paid_at=paid_at, ended_at=None)
        orders.append(views.order_out(then, sales.sale_body(document), state=state))
    return Answer(PlacedOut(first.checkout_id, orders), replayed=True)


def _tell(order: Order) -> None:
    """Tell the member's phones; never in the way of the order."""
    live.push(order.member_id, "order_placed", {"id": order.id, "status": order.state, "store_id": order.store_id})
