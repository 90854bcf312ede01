"""Prices for a while."""

from __future__ import annotations

from backend.kernel import clock, db, ids, logging, windows
from backend.kernel.errors import NotFound, invalid

from .. import service, shown
from ..schemas.admin import TimedPricesIn

log = logging.get(__name__)

MOST_OPEN = 20
"""Timed prices of an article that are not over: every process keeps them in mind."""


async def add_timed_prices(body: TimedPricesIn, staff_id: int) -> list[str]:
    """Give articles a price from one instant until before another; returns the ids, in order. All of them or none."""
    windows.check(body.starts_at, body.ends_at)
    skus = [item.sku for item in body.items]
    made = [ids.new_short("W") for _ in skus]
    async with db.transaction() as tx:
        now = clock.now()
        if body.ends_at <= now:
            raise invalid("/ends_at", "is over already")
        locked = await db.fetch_in(
            tx, "SELECT sku FROM mall_article WHERE sku = ANY($1) ORDER BY sku FOR NO KEY UPDATE", skus
        )
        known = {row[0] for row in locked}
        open_ = await db.fetch_in(
            tx,
            "SELECT sku, count(*) FROM mall_timed_price WHERE sku = ANY($1) AND ends_at > $2 GROUP BY sku",
            skus,
            now,
        )
        count = {row[0]: row[1] for row in open_}
        for position, sku in enumerate(skus):
            if sku not in known:
                raise invalid(f"/items/{position}/sku", "there is no such article")
            count[sku] = count.get(sku, 0) + 1
            if count[sku] > MOST_OPEN:
                raise invalid(f"/items/{position}/sku", f"has {MOST_OPEN} timed prices that are not over")
        await db.raw(tx).execute(
            "INSERT INTO mall_timed_price (id, sku, price_fen, starts_at, ends_at, staff_id)"
            " SELECT w.id, w.sku, w.fen, $4, $5, $6"
            "  FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w (id, sku, fen)",
            made,
            skus,
            [item.price_fen for item in body.items],
            body.starts_at,
            body.ends_at,
            staff_id,
        )
        for position, item in enumerate(body.items):
            detail = {"price_fen": item.price_fen, "starts_at": body.starts_at, "ends_at": body.ends_at}
            await service.note(tx, "timed_price", made[position], staff_id, "add", detail | {"sku": item.sku}, now)
    shown.forget()
    log.info("mall.timed_prices_added", staff_id=staff_id, count=len(made))
    return made


async def end_timed_price(price_id: str, staff_id: int) -> None:
    """End a timed price now; one that has not begun never will. What is over stays as it was."""
    async with db.transaction() as tx:
        now = clock.now()
        # Compared there: Python knows no years before the first.
        rows = await db.fetch_in(
            tx,
            "SELECT ends_at > $2 AS open, starts_at >= $2 AS ahead FROM mall_timed_price WHERE id = $1 FOR UPDATE",
            price_id,
            now,
        )
        if not rows:
            raise NotFound("there is no such timed price")
        if rows[0]["open"]:
            if rows[0]["ahead"]:
                await db.raw(tx).execute("DELETE FROM mall_timed_price WHERE id = $1", price_id)
            else:
                await db.raw(tx).execute("UPDATE mall_timed_price SET ends_at = $2 WHERE id = $1", price_id, now)
            await service.note(tx, "timed_price", price_id, staff_id, "end", {}, now)
    shown.forget()
    log.info("mall.timed_price_ended", timed_price_id=price_id, staff_id=staff_id)
