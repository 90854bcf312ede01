"""Whom an order is sent to, for those who send it: whole while there is something to send, and the look is noted."""

from __future__ import annotations

from backend.auth.types import StaffCaller
from backend.kernel import clock, db

from .. import addresses, queries
from ..queries import requests
from ..rules import after_sales as rules
from ..schemas.delivery import ReceiverOut
from ..types import Order, OrderState
from ..types.after import AfterSaleKind
from ..views.delivery import receiver_out

SEEN = "receiver_seen"
_GOING = frozenset({OrderState.PAID, OrderState.SHIPPED})


async def look(order: Order, caller: StaffCaller) -> ReceiverOut | None:
    """The receiver of an order of this person's store; None where its member fetches it."""
    receiver = await addresses.find_receiver(order)
    if receiver is None:
        return None
    if not await _to_send(order):
        return receiver_out(receiver, masked=True)
    async with db.transaction() as tx:
        await queries.changes.note(tx, order.id, caller.staff_id, SEEN, {}, clock.now())
    return receiver_out(receiver)


async def _to_send(order: Order) -> bool:
    """Whether a parcel is to leave, or may have to be followed: also for goods that are exchanged."""
    if order.state in _GOING:
        return True
    known = await requests.list_of_order(order.member_id, order.id)
    return any(one.kind is AfterSaleKind.EXCHANGE and one.state in rules.LIVING for one in known)
