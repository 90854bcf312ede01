"""What lies in the demo's stores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random

from backend.kernel import db
from backend.stock import service
from backend.stock.types import MovementKind, Receipt

UNKNOWN_COST_BP = 6000
"""What an article costs of its price, where nobody has said."""


async def fill(store_ids: Sequence[str], now: datetime) -> None:
    """Put some of every article into every store, one receipt a store; the same every time."""
    random = Random(20261127)  # noqa: S311 - a fixed seed is the point
    articles = await db.fetch("SELECT sku, unit_price_fen, cost_fen FROM mall_article WHERE tracked ORDER BY sku")
    for store_id in store_ids:
        receipts = []
        for sku, price_fen, known_fen in articles:
            qty = random.randrange(40, 400)
            cost_fen = known_fen if known_fen is not None else price_fen * UNKNOWN_COST_BP // 10_000
            receipts.append(Receipt(store_id, sku, qty, qty * cost_fen))
        async with db.transaction() as tx:
            await service.receive(tx, MovementKind.RECEIPT, f"OPEN-{store_id}", receipts, at=now, staff_id=None)
