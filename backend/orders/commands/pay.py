"""WeChat's part of a checkout: opened there once it is placed, completed when it is paid, given back when it is not.

Intent, commit, call, record: a crash between any two leaves the payment due, and ``payments`` takes it from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from backend.auth import queries as auth
from backend.auth.types import MemberCaller
from backend.giftcards import service as giftcards
from backend.giftcards.types import Return
from backend.kernel import clock, db, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.ledger.plans import Plan
from backend.ledger.types import Document
from backend.sales import plans as sales
from backend.sales.rules import gift_cards, settling
from backend.stock import service as stock
from backend.wallet import queries as wallet
from backend.wallet.types import PointsSource
from backend.wechat import service as wechat
from backend.wechat.errors import OrderClosed, OrderPaid, PayRefused
from backend.wechat.types import Payment

from .. import locks, plans, service
from ..errors import OrderNotPayable
from ..schemas.orders import PaymentOut
from ..types import OrderState, PaymentState
from . import show

log = logging.get(__name__)

MARGIN = timedelta(seconds=120)
"""How much longer a payment lives at WeChat; we close it before."""

DOUBT_S = 600
"""After how long a closed payment is asked about once more: one made at the last moment may not be heard of."""

MAX_TIMES_PLANNED = 4


async def pay(caller: MemberCaller, order_id: str) -> PaymentOut:
    """How the member pays for an order that waits: opened at WeChat where it is not yet, else the same again."""
    order, _ = await show.read_order(caller.member_id, order_id)
    if order.state is not OrderState.AWAITING_PAYMENT or order.payment_id is None:
        raise OrderNotPayable(f"the order is {order.state}", extra={"status": order.state})
    return await open_at_wechat(await get(order.member_id, order.payment_id), caller.openid)


async def get(member_id: int, document_id: str) -> Document:
    """The document of a payment or an order that is there."""
    document = await ledger_queries.find_document(member_id, document_id)
    assert document is not None
    return document


async def open_at_wechat(document: Document, openid: str) -> PaymentOut:
    """Open the payment at WeChat, unless it is, and record how it is paid; of several at once all get the first."""
    body, progress = plans.payment_body(document), plans.payment_progress(document)
    if progress.pay_params is not None:
        return _shown(document, progress.pay_params)
    if document.state != PaymentState.PENDING or clock.now() >= body.pay_until:
        raise OrderNotPayable
    try:
        prepay_id = await wechat.create_order(
            document.id,
            amount_fen=body.pay_fen,
            description=f"{settings().chain_name}商城订单",
            openid=openid,
            expires_at=body.pay_until + MARGIN,
        )
    except PayRefused as refused:
        if not isinstance(refused, OrderPaid | OrderClosed) and clock.now() < body.pay_until:
            raise
        raise OrderNotPayable from None  # or its time ended on the way: WeChat opens nothing that has ended
    return await _record(document, wechat.pay_params(prepay_id, clock.now()))


async def _record(document: Document, pay_params: dict[str, str]) -> PaymentOut:
    """Keep how it is paid; everybody is told what is kept, also who asked at the same moment from the same state."""
    for _ in range(MAX_TIMES_PLANNED):
        progress = plans.payment_progress(document)
        if progress.pay_params is not None:
            return _shown(document, progress.pay_params)
        if document.state != PaymentState.PENDING:
            raise OrderNotPayable
        now = clock.now()
        plan = plans.change_payment(
            document,
            "ordered",
            now=now,
            on=clock.local_date(now, settings().timezone),
            progress=msgspec.structs.replace(progress, pay_params=pay_params),
            due_at=document.due_at,
        )
        with suppress(Stale):
            await ledger.post(plan)
        document = await get(document.member_id, document.id)
    raise Stale


def _shown(document: Document, pay_params: dict[str, str]) -> PaymentOut:
    body = plans.payment_body(document)
    return PaymentOut(id=document.id, pay_fen=body.pay_fen, pay_until=body.pay_until, pay_params=pay_params)


# -- what becomes of it


async def complete(document: Document, payment: Payment) -> None:
    """Complete the orders of a payment that was made, in one transaction; ``Stale`` where it has moved meanwhile."""
    now = clock.now()
    paid = await _pay_plans(document, now)
    done = plans.change_payment(
        document,
        "paid",
        now=now,
        on=clock.local_date(now, settings().timezone),
        state=PaymentState.PAID,
        progress=msgspec.structs.replace(plans.payment_progress(document), transaction_id=payment.transaction_id),
        guards=(plans.paid_once(payment.transaction_id),),
    )
    async with db.transaction() as tx:
        order_ids = await _lock_waiting(tx, document)
        for order_id in order_ids:
            await stock.deduct(tx, order_id, at=now)
        for plan in (*paid, done):
            await ledger.post_in(tx, plan)
        for order_id in order_ids:
            await service.change_state(tx, document.member_id, order_id, OrderState.PAID, at=now)
    for order_id in order_ids:
        live.push(document.member_id, "order_paid", {"id": order_id})
    log.info("orders.paid", payment_id=document.id, pay_fen=plans.payment_body(document).pay_fen)


async def _pay_plans(payment: Document, now: datetime) -> list[Plan]:
    """A plan for each order. What it earns was worked out when it was placed, with the bonus that it holds."""
    debt = (await ledger_queries.get_balances(payment.member_id)).get("points_debt", 0)
    made = []
    for order_id in plans.payment_body(payment).orders:
        document = await get(payment.member_id, order_id)
        store = await auth.get_store(document.store_id or "")
        on = clock.local_date(now, store.timezone)
        held, _ = await ledger_queries.find_moves(document.member_id, document.id, plans.HELD)
        earned = sales.sale_body(document).points_earned
        dates = settling.lot_dates(on, settings(), await wallet.points_expiry(PointsSource.SALE))
        made.append(plans.pay_held(document, held=held, earned=earned, debt=debt, points_dates=dates, now=now, on=on))
        debt -= min(debt, earned)
    return made


async def give_up(document: Document, state: OrderState, now: datetime) -> None:
    """Give back what a payment's orders hold; WeChat was made to take no money for it before."""
    on = clock.local_date(now, settings().timezone)
    released: list[tuple[Plan, Document, list[Return]]] = []
    for order_id in plans.payment_body(document).orders:
        order = await get(document.member_id, order_id)
        held, moves = await ledger_queries.find_moves(document.member_id, order_id, plans.HELD)
        cards = [Return(one.card_id, one.amount_fen, 0) for one in gift_cards.payments(sales.sale_body(order))]
        released.append((plans.release(order, held=held, moves=moves, now=now, on=on), order, cards))
    card_ids = [one.card_id for _, _, cards in released for one in cards]
    closed = plans.change_payment(
        document,
        "closed",
        now=now,
        on=on,
        state=PaymentState.CLOSED,
        progress=msgspec.structs.replace(plans.payment_progress(document), tries=0),
        due_at=now + timedelta(seconds=DOUBT_S),
    )
    async with giftcards.in_turn(card_ids), db.transaction() as tx:
        order_ids = await _lock_waiting(tx, document)
        await stock.give_back_many(tx, order_ids, at=now)
        if card_ids:
            await giftcards.lock_chain(tx, card_ids)
        for plan, order, cards in released:
            await _release(tx, plan, order, cards)
        await ledger.post_in(tx, closed)
        for order_id in order_ids:
            await service.change_state(tx, document.member_id, order_id, state, at=now, ended=True)
    for order_id in order_ids:
        live.push(document.member_id, "order_closed", {"id": order_id, "status": state})


async def _release(tx: Tx, plan: Plan, order: Document, cards: Sequence[Return]) -> None:
    """Give back what an order held; what gift cards paid goes back to their own books, however they stand."""
    if cards:
        store_id = order.store_id or ""
        await giftcards.give_back(tx, plan, cards, sale_id=order.id, refund_id=order.id, store_id=store_id)
    else:
        await ledger.post_in(tx, plan)


async def _lock_waiting(tx: Tx, document: Document) -> list[str]:
    """The orders of a payment, locked in order of id; ``Stale`` where one waits no more."""
    order_ids = sorted(plans.payment_body(document).orders)
    for order_id in order_ids:
        if (await locks.lock_order(tx, document.member_id, order_id)).state is not OrderState.AWAITING_PAYMENT:
            raise Stale
    return order_ids
