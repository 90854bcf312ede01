"""What time does to coupons: a warning before the last day, and their end after it."""

from __future__ import annotations

from datetime import date, datetime

from backend.kernel import clock, db, events
from backend.kernel.config import settings
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.plans import COUPON, COUPON_HELD
from backend.ledger.queries import Cursor

from .. import plans
from ..events import CouponEnded, CouponExpiring, CouponReturned

MOST_COUPONS = 100
"""Of one member in one transfer."""

WARNED_AT_ONCE = 500
WARNINGS = 400


async def expire_coupons(now: datetime, *, batch: int = ledger.SWEPT_AT_ONCE, batches: int = ledger.SWEEPS) -> int:
    """Take back what is left of coupons whose last day was before today; returns how many transfers it took."""
    on = clock.local_date(now, settings().timezone)

    async def due(after: Cursor, limit: int) -> list[Cursor]:
        return await ledger_queries.list_expired_lots([COUPON], on, after=after, limit=limit)

    async def expire(member_id: int) -> int:
        return await _expire_member(member_id, now, on)

    return await ledger.sweep(due, expire, batch=batch, batches=batches)


async def _expire_member(member_id: int, now: datetime, on: date) -> int:
    held = await ledger_queries.list_refs(member_id, COUPON)
    expired = [item for item in held if item.balance > 0 and item.expires_on is not None and item.expires_on < on]
    done = 0
    for start in range(0, len(expired), MOST_COUPONS):
        posted = await ledger.post(plans.expire(member_id, expired[start : start + MOST_COUPONS], now=now, on=on))
        done += not posted.replayed
    return done


async def warn_of_expiry(now: datetime) -> int:
    """Say of every coupon once that it will expire within so many days; returns of how many."""
    days = settings().coupon_warn_days
    if not days:
        return 0
    on = clock.local_date(now, settings().timezone)
    warned = 0
    for _ in range(WARNINGS):
        async with db.transaction() as tx:
            rows = await db.fetch_in(
                tx,
                "UPDATE coupon SET warned_at = $3 FROM ("
                "  SELECT member_id, id FROM coupon WHERE warned_at IS NULL AND ended_as IS NULL"
                "   AND expires_on BETWEEN $1 AND $2 ORDER BY expires_on, member_id LIMIT $4 FOR UPDATE SKIP LOCKED"
                " ) AS due WHERE coupon.member_id = due.member_id AND coupon.id = due.id"
                " RETURNING coupon.member_id, coupon.id, coupon.expires_on",
                on,
                clock.days_after(on, days),
                now,
                WARNED_AT_ONCE,
            )
            await events.publish_many(
                tx, [CouponExpiring(member_id=row[0], coupon_id=row[1], expires_on=row[2]) for row in rows]
            )
        warned += len(rows)
        if len(rows) < WARNED_AT_ONCE:
            break
    return warned


_LEFT = (
    "(SELECT coalesce(sum(balance), 0) FROM ledger_account a WHERE a.member_id = coupon.member_id"
    f" AND a.kind IN ('{COUPON}', '{COUPON_HELD}') AND a.ref = coupon.id)"
)


async def note_end(tx: db.Tx, event: CouponEnded) -> None:
    """Write down for display how a coupon ended, if nothing is left of it; events may come late and out of turn."""
    await db.raw(tx).execute(
        "UPDATE coupon SET ended_as = $3, ended_at = $4, ended_by = $5"
        f" WHERE member_id = $1 AND id = $2 AND {_LEFT} = 0",
        event.member_id,
        event.coupon_id,
        event.state.value,
        event.at,
        event.by or None,
    )


async def note_return(tx: db.Tx, event: CouponReturned) -> None:
    """Forget how a coupon ended, if something is left of it again."""
    await db.raw(tx).execute(
        "UPDATE coupon SET ended_as = NULL, ended_at = NULL, ended_by = NULL"
        f" WHERE member_id = $1 AND id = $2 AND {_LEFT} > 0",
        event.member_id,
        event.coupon_id,
    )
