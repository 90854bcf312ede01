"""Tell WeChat how a payment's goods travel: owed when the last of its orders has left, told by a job, within bounds.

Telling twice spends the payment's one correction, so whoever repeats a call whose answer was lost asks first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from backend.auth import queries as auth
from backend.kernel import db, logging
from backend.kernel.db import Tx
from backend.wechat import service as wechat
from backend.wechat.errors import ShippingOrderUnknown, ShippingRefused, ShippingToldAlready
from backend.wechat.types import Logistics
from backend.wechat.types import Parcel as PspParcel

from .. import addresses
from ..queries import afterwards
from ..types import Order, OrderState
from ..types.after import NoticeState, Parcel

log = logging.get(__name__)

BATCH = 50
FIRST_S, MOST_S = 60, 3600
MOST_PARCELS = 10
"""What WeChat is told of in one call."""

MAX_TRIES = 30
"""Over a day; WeChat hears of a payment some minutes after it was made."""

_LEFT = frozenset({OrderState.SHIPPED, OrderState.READY_FOR_PICKUP, OrderState.RECEIVED, OrderState.COMPLETED})
_OVER = frozenset({OrderState.CANCELLED, OrderState.CLOSED})

_DUE = "SELECT member_id, out_trade_no, tries FROM orders_notice WHERE due_at <= $1 ORDER BY due_at LIMIT $2"


async def owe(tx: Tx, order: Order, now: datetime) -> None:
    """Note that WeChat is to be told of a locked order's payment, if it took one."""
    payment = await afterwards.find_payment(order)
    if payment is None:
        return
    await db.raw(tx).execute(
        "INSERT INTO orders_notice (member_id, out_trade_no, state, due_at, updated_at) VALUES ($1, $2, 'due', $3, $3)"
        " ON CONFLICT (member_id, out_trade_no) DO UPDATE SET due_at = $3 WHERE orders_notice.state = 'due'",
        order.member_id,
        payment.out_trade_no,
        now,
    )


async def tell_due(now: datetime) -> int:
    """Tell WeChat of every payment whose time has come."""
    rows = await db.fetch(_DUE, now, BATCH)
    for row in rows:
        await _tell(row["member_id"], row["out_trade_no"], row["tries"], now)
    return len(rows)


async def _tell(member_id: int, out_trade_no: str, tries: int, now: datetime) -> None:
    try:
        done = await _upload(member_id, out_trade_no, now, again=tries > 0)
    except ShippingToldAlready:
        await _record(member_id, out_trade_no, NoticeState.TOLD, None, now)
    except ShippingOrderUnknown as refused:
        await _later(member_id, out_trade_no, tries, refused.errcode, now)
    except ShippingRefused as refused:
        log.error("orders.notice_refused", out_trade_no=out_trade_no, errcode=refused.errcode)
        await _record(member_id, out_trade_no, NoticeState.FAILED, refused.errcode, now)
    except Exception as error:  # whatever it is, it holds no other payment's notice up
        log.warning("orders.notice_not_told", out_trade_no=out_trade_no, error=type(error).__name__)
        await _later(member_id, out_trade_no, tries, None, now)
    else:
        if done:
            await _record(member_id, out_trade_no, NoticeState.TOLD, None, now)
        else:
            await _postpone(member_id, out_trade_no, tries, None, now + timedelta(seconds=MOST_S), now)


async def _upload(member_id: int, out_trade_no: str, now: datetime, *, again: bool) -> bool:
    """Tell it, unless WeChat knows; False while another order of the payment has not left."""
    orders = await afterwards.list_of_payment(member_id, out_trade_no)
    going = [order for order in orders if order.state not in _OVER]
    if any(order.state not in _LEFT for order in going):
        return False
    if again and (await wechat.shipping_state(out_trade_no)).finished:
        return True
    openid = await auth.find_openid(member_id)
    if not going or openid is None:
        return True
    logistics, parcels = await _parcels(going)
    await wechat.upload_shipping(out_trade_no, openid=openid, logistics=logistics, parcels=parcels, at=now)
    return True


async def _parcels(orders: Sequence[Order]) -> tuple[Logistics, list[PspParcel]]:
    """What goes by express, parcel by parcel; where nothing does, one thing that is fetched at the store."""
    sent: list[PspParcel] = []
    for order in orders:
        receiver = await addresses.find_receiver(order)
        phone = receiver.phone if receiver else ""
        sent += [
            PspParcel(
                item_desc=_words(order, parcel),
                tracking_no=parcel.tracking_no,
                carrier=parcel.carrier,
                receiver_phone=phone,
            )
            for parcel in await afterwards.list_parcels(order.member_id, order.id)
            if parcel.about is None  # an exchange's: no payment waits for it
        ]
    if sent:
        return Logistics.EXPRESS, sent[:MOST_PARCELS]
    return Logistics.SELF_PICKUP, [PspParcel(item_desc="；".join(_words(order, None) for order in orders))]


def _words(order: Order, parcel: Parcel | None) -> str:
    qty = {line.line_no: line.qty for line in order.lines} if parcel is None else parcel.pieces
    return "；".join(f"{line.name}*{qty[line.line_no]}" for line in order.lines if line.line_no in qty)


async def _record(member_id: int, out_trade_no: str, state: NoticeState, errcode: int | None, now: datetime) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE orders_notice SET state = $3, errcode = $4, due_at = NULL, tries = tries + 1, updated_at = $5"
            " WHERE member_id = $1 AND out_trade_no = $2",
            member_id,
            out_trade_no,
            state,
            errcode,
            now,
        )


async def _later(member_id: int, out_trade_no: str, tries: int, errcode: int | None, now: datetime) -> None:
    if tries + 1 >= MAX_TRIES:
        log.error("orders.notice_given_up", out_trade_no=out_trade_no)
        await _record(member_id, out_trade_no, NoticeState.FAILED, errcode, now)
        return
    pause_s = min(FIRST_S * 2 ** min(tries, 10), MOST_S)
    await _postpone(member_id, out_trade_no, tries + 1, errcode, now + timedelta(seconds=pause_s), now)


async def _postpone(
    member_id: int, out_trade_no: str, tries: int, errcode: int | None, due_at: datetime, now: datetime
) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE orders_notice SET errcode = $3, due_at = $4, tries = $5, updated_at = $6"
            " WHERE member_id = $1 AND out_trade_no = $2 AND state = 'due'",
            member_id,
            out_trade_no,
            errcode,
            due_at,
            tries,
            now,
        )


async def tell_again(member_id: int, out_trade_no: str, now: datetime) -> None:
    """Begin anew with a payment that WeChat refused to hear of: somebody has put it right."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE orders_notice SET state = 'due', due_at = $3, updated_at = $3"
            " WHERE member_id = $1 AND out_trade_no = $2 AND state = 'failed'",
            member_id,
            out_trade_no,
            now,
        )
