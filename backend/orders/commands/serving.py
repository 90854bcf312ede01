"""Bring what was ordered at a table or shelf: a till sees what waits, and notes that it was brought, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.auth.types import TerminalCaller
from backend.kernel import clock, db, live, logging
from backend.kernel.errors import NotFound

from .. import locks, queries
from ..errors import AfterSaleOpen, OrderNotReceivable
from ..queries import requests
from ..types import DeliveryKind, Order, OrderState
from ..types.after import AfterSaleState, ReceivedBy
from . import notices, receipts
from .show import owner_of

log = logging.get(__name__)

MOST_WAITING = 100
_SERVED = frozenset({OrderState.RECEIVED, OrderState.COMPLETED})


async def waiting(terminal: TerminalCaller) -> Sequence[Order]:
    """What waits in this till's store, longest first."""
    return await queries.list_to_serve(terminal.store_id, limit=MOST_WAITING)


async def serve(order_id: str, terminal: TerminalCaller) -> Order:
    """Note that an order was brought to its table or handed over at its shelf; repeated, it changes nothing.

    Raises ``AfterSaleOpen`` while the member asks for their money, ``OrderNotReceivable`` for one that does not wait.
    """
    member_id, now = owner_of(order_id), clock.now()
    known = await queries.find_order(member_id, order_id) if member_id else None
    if known is None or known.store_id != terminal.store_id or known.delivery is not DeliveryKind.SPOT:
        raise NotFound("there is no such order")
    if await _bring(known, terminal, now):
        log.info("orders.served", order_id=order_id, terminal_id=terminal.terminal_id)
        live.push(known.member_id, "order_handed_over", {"id": order_id, "status": str(OrderState.RECEIVED)})
    served = await queries.find_order(known.member_id, order_id)
    assert served is not None
    return served


async def _bring(known: Order, terminal: TerminalCaller, now: datetime) -> bool:
    """Note it in one transaction; False where it was noted before, perhaps a moment ago by another till."""
    async with db.transaction() as tx:
        order = await locks.lock_order(tx, known.member_id, known.id)
        if order.state in _SERVED:
            return False
        if order.state is not OrderState.PAID:
            raise OrderNotReceivable(extra={"status": str(order.state)})
        asked = await requests.after_sales_in(tx, order.member_id, order.id)
        if any(one.state is AfterSaleState.REQUESTED for one in asked):
            raise AfterSaleOpen
        await receipts.note_received(tx, order, ReceivedBy.TILL, now)
        await db.raw(tx).execute(
            "UPDATE orders_fulfilment SET terminal_id = $3 WHERE member_id = $1 AND order_id = $2",
            *(order.member_id, order.id, terminal.terminal_id),
        )
        await notices.owe(tx, order, now)
    return True
