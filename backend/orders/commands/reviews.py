"""Reviews: once per line that was received; staff hide and answer them."""

from __future__ import annotations

import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, logging
from backend.kernel.errors import NotFound

from .. import locks
from ..errors import ReviewUnavailable
from ..queries import afterwards
from ..schemas.after import MOST_LINES
from ..schemas.reviews import ReviewChangeIn, ReviewIn
from ..types import OrderState
from .after_sales import use_pictures
from .show import owner_of

log = logging.get(__name__)

_RECEIVED = frozenset({OrderState.RECEIVED, OrderState.COMPLETED})


async def review(order_id: str, body: ReviewIn, member_id: int) -> None:
    """Say what one thinks of a line; the same again changes nothing, anything else is ``ReviewUnavailable``."""
    if owner_of(order_id) != member_id:
        raise NotFound("there is no such order")
    now = clock.now()
    async with db.transaction() as tx:
        order = await locks.lock_order(tx, member_id, order_id)
        if order.state not in _RECEIVED:
            raise ReviewUnavailable(extra={"status": str(order.state)})
        rows = await db.fetch_in(
            tx,
            "INSERT INTO orders_review (member_id, order_id, line_no, store_id, product_id, spec, stars, text,"
            " pictures, anonymous, at)"
            " SELECT l.member_id, l.order_id, l.line_no, $4, l.product_id, l.spec, $5, $6, $7, $8, $9"
            "   FROM orders_line l WHERE l.member_id = $1 AND l.order_id = $2 AND l.line_no = $3"
            " ON CONFLICT DO NOTHING RETURNING line_no",
            member_id,
            order_id,
            body.line_no,
            order.store_id,
            body.stars,
            body.text,
            msgspec.json.encode(body.pictures).decode(),
            body.anonymous,
            now,
        )
        if rows:
            await use_pictures(tx, member_id, body.pictures, f"{order_id}-{body.line_no}", now)
    if not rows:
        known = [one for one in await afterwards.list_reviews_of(member_id, order_id) if one.line_no == body.line_no]
        said = (body.stars, body.text, body.pictures, body.anonymous)
        if not known or (known[0].stars, known[0].text, known[0].pictures, known[0].anonymous) != said:
            raise ReviewUnavailable("this line was reviewed already, or is none of the order")


async def change(order_id: str, line_no: int, body: ReviewChangeIn, caller: StaffCaller) -> None:
    """Hide or show a review, or answer it; only one of this person's store is found."""
    member_id = owner_of(order_id)
    if member_id is None or not 0 < line_no <= MOST_LINES:
        raise NotFound("there is no such review")
    async with db.transaction() as tx:
        rows = await db.fetch_in(
            tx,
            "SELECT store_id FROM orders_review WHERE member_id = $1 AND order_id = $2 AND line_no = $3 FOR UPDATE",
            member_id,
            order_id,
            line_no,
        )
        if not rows or not caller.reaches(rows[0]["store_id"]):
            raise NotFound("there is no such review")
        await db.raw(tx).execute(
            "UPDATE orders_review SET shown = coalesce($4, shown), reply = coalesce($5, reply)"
            " WHERE member_id = $1 AND order_id = $2 AND line_no = $3",
            member_id,
            order_id,
            line_no,
            body.shown,
            body.reply,
        )
    log.info("orders.review_changed", order_id=order_id, line_no=line_no, staff_id=caller.staff_id)
