"""What articles cost the chain."""

from __future__ import annotations

from collections.abc import Mapping

from backend.kernel import db, logging

from .. import service, shown

log = logging.get(__name__)


async def change_costs(costs: Mapping[str, int | None], staff_id: int) -> list[str]:
    """Say what a piece of each article costs from the next sale on; returns the SKUs that there are not.

    Other processes know of it within ten seconds. Sales keep the cost that was known when they were rung up.
    """
    async with db.transaction() as tx:
        await service.lock(tx, [], sorted(costs))
        rows = await db.fetch_in(
            tx,
            "UPDATE mall_article a SET cost_fen = w.cost_fen"
            "  FROM unnest($1::text[], $2::bigint[]) AS w (sku, cost_fen) WHERE a.sku = w.sku RETURNING a.sku",
            sorted(costs),
            [costs[sku] for sku in sorted(costs)],
        )
    shown.forget()
    log.info("mall.costs_changed", staff_id=staff_id, count=len(rows))
    return sorted(costs.keys() - {row["sku"] for row in rows})
