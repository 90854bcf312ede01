"""Cancel an order whose goods have not left: everything goes back to where it came from."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.giftcards import service as giftcards
from backend.kernel import clock, db, ids, live
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, Stale
from backend.ledger.plans import job_hash
from backend.sales import plans as sales
from backend.sales import queries as sale_queries
from backend.sales.plans import Sold
from backend.sales.rules import gift_cards, refunds
from backend.stock import service as stock

from .. import locks, plans, service
from ..errors import AfterSaleOpen, OrderNotCancellable
from ..queries import afterwards, requests
from ..schemas.orders import OrderOut
from ..types import Order, OrderState
from ..types.after import AfterSaleState
from . import pay, payments, psp_refunds, show

CANCELLABLE = frozenset({OrderState.PAID})
MAX_TIMES_PLANNED = 4


async def cancel(member_id: int, order_id: str) -> OrderOut:
    """Cancel a member's order; one that is cancelled already stays as it is."""
    for _ in range(MAX_TIMES_PLANNED):
        order, document = await show.read_order(member_id, order_id)
        if order.state is OrderState.CANCELLED:
            break
        try:
            if order.state is OrderState.AWAITING_PAYMENT:
                await _cancel_waiting(order)
                continue  # to be looked at again: it may have been paid at this very moment
            _check(order, document.state)
            store = await auth.get_store(order.store_id)
            await _cancel_paid(order, await sale_queries.read_sold(document), clock.now(), zone=store.timezone)
        except Stale:
            continue
        except GuardRefused as refused:
            raise psp_refunds.refusal_of(refused) or refused from refused
        live.push(member_id, "order_cancelled", {"id": order_id})
        break
    else:
        raise Stale
    return await show.get_order(member_id, order_id)


def _check(order: Order, document_state: str) -> None:
    """Refuse an order that is too far on; ``Stale`` where its document says that it was cancelled a moment ago."""
    if order.state not in CANCELLABLE:
        raise OrderNotCancellable(f"the order is {order.state}", extra={"status": order.state})
    if document_state == OrderState.CANCELLED:
        raise Stale
    if document_state != OrderState.PAID:
        detail = "a part of the order was given back; ask for the rest by an after-sales request"
        raise OrderNotCancellable(detail, extra={"status": order.state})


async def _cancel_waiting(order: Order) -> None:
    """End a checkout that waits for WeChat, all of its orders: no money can come for it any more."""
    assert order.payment_id is not None
    document = await pay.get(order.member_id, order.payment_id)
    await payments.close(document, OrderState.CANCELLED, clock.now())


async def _cancel_paid(order: Order, sold: Sold, now: datetime, *, zone: str) -> None:
    """Refund all of it and put its goods back, in one transaction; ``Stale`` where it has moved meanwhile."""
    everything = {line.line_no: line.qty for line in sold.body.lines}
    plan, made = sales.refund(
        sold,
        refunds.by_lines(sold.body, sold.progress, everything, sold.terms),
        (),
        refund_id=ids.new_document_id(sales.REFUND_PREFIX, order.member_id),
        states=(plans.PARTLY_REFUNDED, OrderState.CANCELLED),
        reason="cancelled",
        now=now,
        zone=zone,
    )
    plan = msgspec.structs.replace(plan, scope="order-cancel", key=order.id, hash=job_hash("cancel", order.id))
    plan = psp_refunds.owed(plan, made, await afterwards.find_payment(order), now)
    cards = gift_cards.returned(sold.body, sold.progress, made)
    async with giftcards.in_turn(one.card_id for one in cards), db.transaction() as tx:
        await _lock(tx, order)
        known = await requests.after_sales_in(tx, order.member_id, order.id)
        if any(one.state is AfterSaleState.REQUESTED for one in known):
            raise AfterSaleOpen  # it would wait for ever: nothing is left to pay it with
        await stock.give_back_many(tx, [order.id], at=now)
        if cards:
            await giftcards.give_back(tx, plan, cards, sale_id=order.id, refund_id=made.id, store_id=order.store_id)
        else:
            await ledger.post_in(tx, plan)
        await psp_refunds.wake(tx, plan)
        await service.change_state(tx, order.member_id, order.id, OrderState.CANCELLED, at=now, ended=True)


async def _lock(tx: Tx, order: Order) -> None:
    if (await locks.lock_order(tx, order.member_id, order.id)).state is not order.state:
        raise Stale
