"""Reading names that nobody has read yet: those of the release before, of imports, and of what was renamed."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx

from .. import service

BATCH = 500
MOST_BATCHES = 200
"""What one run reads at most: a hundred thousand names of each kind; the next one goes on."""


async def index_unread() -> int:
    """Work out the words of articles and products that have none; returns how many were read."""
    read = 0
    for table, key, index in (
        ("mall_article", "sku", service.index_articles),
        ("mall_product", "id", service.index_products),
    ):
        for _ in range(MOST_BATCHES):
            async with db.transaction() as tx:
                unread = await _take(tx, table, key)
                await index(tx, unread)
            read += len(unread)
            if len(unread) < BATCH:
                break
    return read


async def _take(tx: Tx, table: str, key: str) -> list[str]:
    rows = await db.fetch_in(
        tx,
        f"SELECT {key} FROM {table} WHERE terms IS NULL ORDER BY {key} LIMIT {BATCH} FOR UPDATE SKIP LOCKED",  # noqa: S608
    )
    return [row[0] for row in rows]
