"""Send an order: parcel by parcel with a carrier, or made ready in its store for the member to fetch."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, events, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.vault import vault

from .. import locks, service
from ..errors import AfterSaleOpen, OrderNotSendable, ShipmentInvalid
from ..events import OrderSent
from ..queries import afterwards, requests
from ..rules import after_sales as rules
from ..rules import fulfilment, pickup
from ..types import DeliveryKind, Order, OrderState
from ..types.after import AfterSaleState, Parcel
from . import notices
from .show import owner_of

log = logging.get(__name__)

MOST_PARCELS = 10
"""Of an order: what WeChat is told of in one call."""


async def lock_staffs_order(tx: Tx, order_id: str, caller: StaffCaller) -> Order:
    """An order that this person may see, locked; ``NotFound`` for none and for another store's."""
    member_id = owner_of(order_id)
    order = await locks.lock_order(tx, member_id, order_id) if member_id else None
    if order is None or not caller.reaches(order.store_id):
        raise NotFound("there is no such order")
    return order


async def send_parcel(
    order_id: str, carrier: str, tracking_no: str, pieces: dict[int, int] | None, caller: StaffCaller
) -> None:
    """Note a parcel that left with these pieces (None: all that is left); the same number again changes nothing."""
    now = clock.now()
    async with db.transaction() as tx:
        order = await lock_staffs_order(tx, order_id, caller)
        parcels = await afterwards.parcels_in(tx, order.member_id, order_id)
        if any((one.carrier, one.tracking_no) == (carrier, tracking_no) for one in parcels):
            return
        rest = await left_to_send(tx, order, parcels)
        check_sendable(order, DeliveryKind.EXPRESS, started=bool(fulfilment.own(parcels)))
        if len(fulfilment.own(parcels)) >= MOST_PARCELS:
            raise ShipmentInvalid(f"an order goes in at most {MOST_PARCELS} parcels")
        packed = fulfilment.parcel_of(pieces, rest)
        parcel = Parcel(number=len(parcels) + 1, carrier=carrier, tracking_no=tracking_no, pieces=packed, sent_at=now)
        await write_parcel(tx, order, parcel, caller.staff_id)
        whole = not fulfilment.to_send(rest, {}, [packed])
        await note_sent(tx, order, now, whole=whole)
    log.info("orders.parcel_sent", order_id=order_id, number=parcel.number, whole=whole)
    live.push(order.member_id, "order_sent", {"id": order_id, "status": str(OrderState.SHIPPED), "whole": whole})


async def left_to_send(tx: Tx, order: Order, parcels: list[Parcel]) -> dict[int, int]:
    """What is still to be sent of a locked order; refuses while a request about it waits for an answer."""
    after_sales = await requests.after_sales_in(tx, order.member_id, order.id)
    if any(one.state is AfterSaleState.REQUESTED for one in after_sales):
        raise AfterSaleOpen
    bought = await afterwards.bought_in(tx, order.member_id, order.id)
    return fulfilment.to_send(
        {line_no: qty for line_no, (_, qty) in bought.items()},
        rules.given_back(after_sales),
        fulfilment.own(parcels),
    )


def check_sendable(order: Order, delivery: DeliveryKind, *, started: bool = False) -> None:
    """Refuse an order that is not paid, goes another way, or has left (``started``: in part only)."""
    states = {OrderState.PAID, OrderState.SHIPPED} if started else {OrderState.PAID}
    if order.delivery is not delivery or order.state not in states:
        raise OrderNotSendable(extra={"status": str(order.state), "delivery": str(order.delivery)})


async def write_parcel(tx: Tx, order: Order, parcel: Parcel, staff_id: int, *, about: str | None = None) -> None:
    """Add a parcel to a locked order; ``about`` is the request that it answers."""
    await db.raw(tx).execute(
        "INSERT INTO orders_parcel (member_id, order_id, number, carrier, tracking_no, pieces, sent_at, staff_id,"
        " about) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        order.member_id,
        order.id,
        parcel.number,
        parcel.carrier,
        parcel.tracking_no,
        msgspec.json.encode(parcel.pieces).decode(),
        parcel.sent_at,
        staff_id,
        about,
    )


async def note_sent(tx: Tx, order: Order, now: datetime, *, whole: bool) -> None:
    """Bring a locked order to sent; with the last of its goods the clock begins to run, and WeChat is to be told."""
    if order.state is OrderState.PAID:
        await service.change_state(tx, order.member_id, order.id, OrderState.SHIPPED, at=now)
    if whole:
        due_at = fulfilment.received_by_itself_at(now, settings().order_receive_days)
        await afterwards.arrive(tx, order.member_id, order.id, sent_at=now, due_at=due_at)
        await notices.owe(tx, order, now)
        sent = OrderSent(member_id=order.member_id, order_id=order.id, store_id=order.store_id, ready=False)
        await events.publish(tx, sent)


# -- fetched at the store


def pickup_code(order_id: str) -> str:
    """The code that fetches an order; whoever shows it to the member checks whose it is."""
    return pickup.make(vault().derive("orders.pickup_code", order_id.encode()))


def pickup_digest(code: str) -> str:
    """What a code is found by."""
    return vault().blind_index(code, context="orders_pickup.digest")


async def make_ready(order_id: str, caller: StaffCaller) -> None:
    """Put a paid order ready for the member to fetch: its code is good from now on. Repeated, it changes nothing.

    ``OrderNotSendable`` also while another order waits here under the same code: else neither would be found.
    """
    now = clock.now()
    async with db.transaction() as tx:
        order = await lock_staffs_order(tx, order_id, caller)
        if order.state is OrderState.READY_FOR_PICKUP:
            return
        check_sendable(order, DeliveryKind.PICKUP)
        if not await left_to_send(tx, order, []):
            raise ShipmentInvalid("nothing is left to fetch")
        digest = pickup_digest(pickup_code(order.id))
        if await afterwards.is_code_waited_under(tx, order.store_id, digest):
            raise OrderNotSendable("another order waits under the same code; try again once it was fetched")
        await db.raw(tx).execute(
            "INSERT INTO orders_pickup (member_id, order_id, store_id, digest, ready_at, staff_id)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            order.member_id,
            order.id,
            order.store_id,
            digest,
            now,
            caller.staff_id,
        )
        await service.change_state(tx, order.member_id, order.id, OrderState.READY_FOR_PICKUP, at=now)
        await notices.owe(tx, order, now)
        ready = OrderSent(member_id=order.member_id, order_id=order.id, store_id=order.store_id, ready=True)
        await events.publish(tx, ready)
    log.info("orders.ready", order_id=order_id, store_id=order.store_id)
    live.push(order.member_id, "order_ready", {"id": order_id, "status": str(OrderState.READY_FOR_PICKUP)})
