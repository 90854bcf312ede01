"""What runs low or short and who looks after it, and promises that nobody keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, events, logging

from .. import queries
from ..events import StockRanLow
from ..types import Alert

log = logging.get(__name__)

TOLD_AT_ONCE = 500
REPORTED_AT_ONCE = 500
KEPT = timedelta(days=400)
"""How long what was looked at is listed."""

_SET = "SELECT stock_set_low($1, $2, $3::text[], $4::bigint[])"
# A level that rose and fell again has another time: it is told of again.
_LOW = """
INSERT INTO stock_told (place_id, sku, low_at)
SELECT l.place_id, l.sku, l.low_at FROM stock_level l
 WHERE l.low_at IS NOT NULL AND NOT EXISTS (SELECT FROM stock_told t
       WHERE t.place_id = l.place_id AND t.sku = l.sku AND t.low_at = l.low_at)
 ORDER BY l.place_id, l.sku LIMIT $1
    ON CONFLICT (place_id, sku) DO UPDATE SET low_at = EXCLUDED.low_at RETURNING place_id, sku"""
_LEVELS = """
SELECT l.place_id, l.sku, l.on_hand, l.low_qty FROM unnest($1::text[], $2::text[]) AS w (place_id, sku)
  JOIN stock_level l ON l.place_id = w.place_id AND l.sku = w.sku WHERE l.low_qty IS NOT NULL
 ORDER BY l.place_id, l.sku"""


async def set_thresholds(place_id: str, lows: Mapping[str, int | None], caller: StaffCaller) -> list[str]:
    """Say from how few pieces on articles are low (None: never); returns those that the place keeps no stock of."""
    skus = sorted(lows)
    async with db.transaction() as tx:
        rows = await db.fetch_in(tx, _SET, clock.now(), place_id, skus, [lows[sku] for sku in skus])
    log.info("stock.thresholds_set", place_id=place_id, staff_id=caller.staff_id, count=len(rows))
    return sorted(lows.keys() - {row[0] for row in rows})


_OVER = """
UPDATE stock_alert a SET closed_at = $1 FROM stock_level l
 WHERE a.closed_at IS NULL AND l.place_id = a.place_id AND l.sku = a.sku
   AND CASE a.kind WHEN 'low' THEN l.low_at IS NULL ELSE l.short = 0 END RETURNING 1"""


async def close_over() -> int:
    """Close what is over by itself: there is enough again, or nothing is short any more; returns how many."""
    async with db.transaction() as tx:
        closed = await db.fetch_in(tx, _OVER, clock.now())
        await db.raw(tx).execute("DELETE FROM stock_alert WHERE closed_at < $1", clock.now() - KEPT)
    return len(closed)


async def acknowledge(alert_id: str, text: str, caller: StaffCaller) -> Alert:
    """Say that somebody looks after it; an alert that is closed stays as it was closed."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "UPDATE stock_alert SET closed_at = $2, closed_by = $3, note = $4 WHERE id = $1 AND closed_at IS NULL",
            alert_id,
            clock.now(),
            caller.staff_id,
            text,
        )
    log.info("stock.alert_acknowledged", alert_id=alert_id, staff_id=caller.staff_id)
    return await queries.get_alert(alert_id)


async def tell_low() -> int:
    """Tell of what fell to its threshold since the last look, once for each fall; returns how much it was."""
    async with db.transaction() as tx:
        fallen = await db.fetch_in(tx, _LOW, TOLD_AT_ONCE)
        rows = await db.fetch_in(tx, _LEVELS, [row["place_id"] for row in fallen], [row["sku"] for row in fallen])
        await events.publish_many(tx, [StockRanLow(**dict(row)) for row in rows])
    for row in rows:
        log.warning("stock.low", **dict(row))
    return len(rows)


async def report_overdue() -> list[str]:
    """Orders that hold promises past their time although nobody knows them; returns and logs their ids.

    Orders give back what they were promised when they end: only what no order asks for any more is reported, and
    nothing is released here.
    """
    lost = await queries.list_lost_promises(clock.now(), REPORTED_AT_ONCE)
    for order_id in lost:
        log.error("stock.promise_without_order", order_id=order_id)
    return lost
