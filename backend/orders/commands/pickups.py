"""Hand an order over, once: at the till by the member's code, or by a manager who knows the member without it."""

from __future__ import annotations

import hmac
from datetime import datetime

from backend.auth.types import StaffCaller, TerminalCaller
from backend.kernel import clock, db, limits, live, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, RateLimited
from backend.kernel.http import Idempotency
from backend.members import queries as members

from .. import locks, queries
from ..errors import AfterSaleOpen, IdentityMismatch, OrderNotReceivable, PickupCodeInvalid, PickupDone
from ..queries import afterwards, requests
from ..rules import pickup
from ..schemas.staff import HandoverIn
from ..types import Order, OrderState
from ..types.after import AfterSaleState, Pickup, ReceivedBy
from . import receipts
from .shipping import pickup_code, pickup_digest
from .show import owner_of

log = logging.get(__name__)

MISSES = 10
WINDOW_S = 600
"""So many wrong codes in ten minutes block a till; see ``rules.pickup`` for what that is worth."""

TRIES_WITHOUT_CODE, TRIES_WINDOW_S = 5, 3600
"""Four digits are guessed by one in ten thousand; so often within an hour."""

WITHOUT_CODE = "handed_over"
"""What the log of changes calls it."""

_blocked_until: dict[str, float] = {}


async def look_up(text: str, terminal: TerminalCaller) -> Pickup:
    """What waits in this till's store under a code, also what was handed over under it; nothing is moved.

    Raises ``PickupCodeInvalid``, or ``RateLimited`` for a till that has missed too often.
    """
    _check_blocked(terminal.terminal_id)
    code = pickup.read(text)
    if code is None:
        raise PickupCodeInvalid
    found = await afterwards.find_pickup_by_code(terminal.store_id, pickup_digest(code))
    if found is None:
        await _count_miss(terminal.terminal_id)
        raise PickupCodeInvalid
    return found


async def hand_over(order_id: str, text: str, terminal: TerminalCaller, idem: Idempotency) -> bool:
    """Give an order out against its code, once; True where this key did so before.

    Raises ``PickupDone`` where another request did, ``AfterSaleOpen`` while the member asks for their money.
    """
    member_id, now = owner_of(order_id), clock.now()
    known = await afterwards.find_pickup(member_id, order_id) if member_id else None
    if member_id is None or known is None or known.store_id != terminal.store_id:
        raise NotFound("there is no such order")
    _check_blocked(terminal.terminal_id)
    code = pickup.read(text)
    if code is None:
        raise PickupCodeInvalid
    if not hmac.compare_digest(code, pickup_code(order_id)):
        await _count_miss(terminal.terminal_id)
        raise PickupCodeInvalid
    async with db.transaction() as tx:
        order = await locks.lock_order(tx, member_id, order_id)
        waiting = await afterwards.lock_pickup(tx, member_id, order_id)
        if waiting.handed_at is not None:
            if (waiting.terminal_id, waiting.key) == (terminal.terminal_id, idem.key):
                return True
            raise PickupDone(extra={"at": waiting.handed_at.isoformat(), "terminal_id": waiting.terminal_id})
        given = terminal.terminal_id, idem.key
        await _give_out(tx, order, waiting, ReceivedBy.TILL, now, by_till=given)
    log.info("orders.handed_over", order_id=order_id, terminal_id=terminal.terminal_id)
    _tell(order)
    return False


async def hand_over_without_code(order_id: str, body: HandoverIn, caller: StaffCaller) -> None:
    """Give an order out without its code, to who knows the last digits of its member's number; it is written down.

    Repeated, it changes nothing. Raises ``IdentityMismatch`` for other digits (five tries an hour, then
    ``RateLimited``), ``PickupDone`` where a till gave it out, ``AfterSaleOpen`` while the member asks for their money.
    """
    member_id, now = owner_of(order_id), clock.now()
    known = await afterwards.find_pickup(member_id, order_id) if member_id else None
    if member_id is None or known is None or not caller.reaches(known.store_id):
        raise NotFound("there is no such order")
    await limits.hit(f"handover:{order_id}", TRIES_WITHOUT_CODE, TRIES_WINDOW_S)
    if not await members.has_phone_ending(member_id, body.phone_last4):
        log.warning("orders.handover_digits_wrong", order_id=order_id, staff_id=caller.staff_id)
        raise IdentityMismatch
    async with db.transaction() as tx:
        order = await locks.lock_order(tx, member_id, order_id)
        waiting = await afterwards.lock_pickup(tx, member_id, order_id)
        if waiting.handed_at is not None:
            if waiting.terminal_id is None:
                return
            raise PickupDone(extra={"at": waiting.handed_at.isoformat(), "terminal_id": waiting.terminal_id})
        await _give_out(tx, order, waiting, ReceivedBy.STAFF, now)
        await queries.changes.note(tx, order_id, caller.staff_id, WITHOUT_CODE, {"reason": body.reason}, now)
    log.info("orders.handed_over_without_code", order_id=order_id, staff_id=caller.staff_id)
    _tell(order)


async def _give_out(
    tx: Tx, order: Order, waiting: Pickup, by: ReceivedBy, now: datetime, *, by_till: tuple[str, str] | None = None
) -> None:
    """Note that what waits was given out; ``by_till`` is which till did, under which key."""
    if order.state is not OrderState.READY_FOR_PICKUP:
        raise OrderNotReceivable(extra={"status": str(order.state)})
    asked = await requests.after_sales_in(tx, order.member_id, order.id)
    if any(one.state is AfterSaleState.REQUESTED for one in asked):
        raise AfterSaleOpen
    await db.raw(tx).execute(
        "UPDATE orders_pickup SET handed_at = $3, terminal_id = $4, key = $5 WHERE member_id = $1 AND order_id = $2",
        order.member_id,
        order.id,
        now,
        *(by_till or (None, None)),
    )
    await receipts.note_received(tx, order, by, now, sent_at=waiting.ready_at)


def _tell(order: Order) -> None:
    live.push(order.member_id, "order_handed_over", {"id": order.id, "status": str(OrderState.RECEIVED)})


def _check_blocked(terminal_id: str) -> None:
    left = _blocked_until.get(terminal_id, 0.0) - clock.now().timestamp()
    if 0 < left <= 2 * WINDOW_S:  # by a clock that was set back meanwhile it would be for longer
        raise RateLimited("too many wrong codes at this terminal", retry_after_s=int(left) + 1)
    _blocked_until.pop(terminal_id, None)


async def _count_miss(terminal_id: str) -> None:
    """Count a wrong code; ``RateLimited``, and the till is blocked, where this one was too many."""
    try:
        await limits.hit(f"pickup-miss:{terminal_id}", MISSES, WINDOW_S)
    except RateLimited as error:
        log.warning("orders.terminal_guessing", terminal_id=terminal_id)
        _blocked_until[terminal_id] = clock.now().timestamp() + (error.retry_after_s or WINDOW_S)
        raise
