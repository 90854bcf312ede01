"""The goods are there: the member says so, here or inside WeChat, or the clock does; later, nothing can be asked."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.kernel import clock, db, events, ids, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.wechat import service as wechat
from backend.wechat.types import Receipt

from .. import locks, plans, service
from ..errors import OrderNotReceivable
from ..events import OrderCompleted, OrderReceived
from ..queries import afterwards, requests
from ..rules import after_sales, fulfilment
from ..types import Order, OrderState
from ..types.after import ReceivedBy
from .show import owner_of

log = logging.get(__name__)

AT_ONCE = 100
ROUNDS = 50
LATER = timedelta(days=1)
"""How much later an order that still has an open request is looked at again."""

_RECEIVED = frozenset({OrderState.RECEIVED, OrderState.COMPLETED})

_DUE = """
SELECT member_id, order_id FROM orders_fulfilment WHERE due_at <= $1 ORDER BY due_at, member_id, order_id LIMIT $2"""


async def receive(member_id: int, order_id: str) -> None:
    """Note that a member has their goods; repeated, it changes nothing. ``OrderNotReceivable`` before all was sent."""
    if owner_of(order_id) != member_id:
        raise NotFound("there is no such order")
    now = clock.now()
    async with db.transaction() as tx:
        order = await locks.lock_order(tx, member_id, order_id)
        if order.state in _RECEIVED:
            return
        if order.state is not OrderState.SHIPPED or not await _all_sent(tx, order):
            raise OrderNotReceivable(extra={"status": str(order.state)})
        await note_received(tx, order, ReceivedBy.MEMBER, now)


async def receive_confirmed(receipt: Receipt) -> None:
    """Note what a member confirmed inside WeChat: every order of that payment which was sent whole; repeated, nothing.

    What waits at a store is not among them: the till that hands it over says so. A message that anybody could have
    written is believed once WeChat says the same when it is asked.
    """
    member_id = ids.member_of(receipt.out_trade_no, plans.PAYMENT_PREFIX)
    orders = await afterwards.list_of_payment(member_id, receipt.out_trade_no) if member_id else []
    if not orders:
        log.warning("orders.receipt_unknown", out_trade_no=receipt.out_trade_no)
        return
    if not receipt.sealed and not (await wechat.shipping_state(receipt.out_trade_no)).received:
        log.warning("orders.receipt_not_confirmed", out_trade_no=receipt.out_trade_no)
        return
    for order in orders:
        await _receive_confirmed(order.member_id, order.id)


async def _receive_confirmed(member_id: int, order_id: str) -> None:
    async with db.transaction() as tx:
        order = await locks.lock_order(tx, member_id, order_id)
        if order.state is not OrderState.SHIPPED or not await _all_sent(tx, order):
            return
        await note_received(tx, order, ReceivedBy.WECHAT, clock.now())
    live.push(member_id, "order_received", {"id": order_id, "status": str(OrderState.RECEIVED)})


async def _all_sent(tx: Tx, order: Order) -> bool:
    rows = await db.fetch_in(
        tx, "SELECT 1 FROM orders_fulfilment WHERE member_id = $1 AND order_id = $2", order.member_id, order.id
    )
    return bool(rows)


async def note_received(
    tx: Tx, order: Order, by: ReceivedBy, now: datetime, *, sent_at: datetime | None = None
) -> None:
    """Bring a locked order to received; ``sent_at`` where nothing was written down of it before."""
    await service.change_state(tx, order.member_id, order.id, OrderState.RECEIVED, at=now)
    due_at = fulfilment.done_at(now, settings().order_after_sales_days)
    await afterwards.arrive(
        tx, order.member_id, order.id, sent_at=sent_at or now, received_at=now, by=by, due_at=due_at
    )
    received = OrderReceived(member_id=order.member_id, order_id=order.id, store_id=order.store_id, by=str(by))
    await events.publish(tx, received)


async def advance_due(now: datetime, *, at_once: int = AT_ONCE, rounds: int = ROUNDS) -> int:
    """Take the next step of every order whose time has come; each in a transaction of its own."""
    seen = 0
    for _ in range(rounds):
        rows = await db.fetch(_DUE, now, at_once)
        for row in rows:
            await _advance_alone(row["member_id"], row["order_id"], now)
        seen += len(rows)
        if len(rows) < at_once:
            break
    return seen


async def _advance_alone(member_id: int, order_id: str, now: datetime) -> None:
    """One order's step; what fails is looked at again a day later and holds nothing else up."""
    try:
        await _advance(member_id, order_id, now)
    except Exception as error:
        log.warning("orders.not_advanced", order_id=order_id, error=type(error).__name__)
        async with db.transaction() as tx:
            await _look_at(tx, member_id, order_id, now + LATER)


async def _advance(member_id: int, order_id: str, now: datetime) -> None:
    async with db.transaction() as tx:
        order = await locks.lock_order(tx, member_id, order_id)
        rows = await db.fetch_in(
            tx,
            "SELECT 1 FROM orders_fulfilment WHERE member_id = $1 AND order_id = $2 AND due_at <= $3",
            member_id,
            order_id,
            now,
        )
        if not rows:
            return  # somebody else was faster
        if order.state is OrderState.SHIPPED:
            await note_received(tx, order, ReceivedBy.CLOCK, now)
        elif order.state is OrderState.RECEIVED:
            await _complete(tx, order, now)
        else:
            await _look_at(tx, member_id, order_id, None)
    if order.state is OrderState.SHIPPED:
        live.push(member_id, "order_received", {"id": order_id, "status": str(OrderState.RECEIVED)})


async def _complete(tx: Tx, order: Order, now: datetime) -> None:
    """End a received order; one with an open request waits for that."""
    known = await requests.after_sales_in(tx, order.member_id, order.id)
    if any(one.state in after_sales.LIVING for one in known):
        await _look_at(tx, order.member_id, order.id, now + LATER)
        return
    await service.change_state(tx, order.member_id, order.id, OrderState.COMPLETED, at=now, ended=True)
    await db.raw(tx).execute(
        "UPDATE orders_fulfilment SET done_at = $3, due_at = NULL WHERE member_id = $1 AND order_id = $2",
        order.member_id,
        order.id,
        now,
    )
    await events.publish(tx, OrderCompleted(member_id=order.member_id, order_id=order.id, store_id=order.store_id))


async def _look_at(tx: Tx, member_id: int, order_id: str, due_at: datetime | None) -> None:
    await db.raw(tx).execute(
        "UPDATE orders_fulfilment SET due_at = $3 WHERE member_id = $1 AND order_id = $2", member_id, order_id, due_at
    )
