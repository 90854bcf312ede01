"""Reads of the catalogue (public)."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from backend.kernel import db
from backend.kernel.batching import Batcher

from .types import Article

STANDARD_RATE_BP = 10_000
RATES_KEPT_S = 10.0
RATES_KEPT = 50_000


class _Rates:
    """Points rates by SKU and by category as this process remembers them, at most ten seconds old."""

    def __init__(self) -> None:
        self.pool: object = None
        self.until = 0.0
        self.by_sku: dict[str, int | None] = {}
        self.by_category: dict[str, int] = {}

    async def refresh(self) -> None:
        """Forget what is too old, or belongs to another database."""
        if self.pool is db.pool() and monotonic() < self.until and len(self.by_sku) < RATES_KEPT:
            return
        rows = await db.fetch("SELECT code, points_rate_bp FROM mall_category")
        self.by_category = {row["code"]: row["points_rate_bp"] for row in rows}
        self.by_sku = {}
        self.pool, self.until = db.pool(), monotonic() + RATES_KEPT_S


_rates = _Rates()


def forget_rates() -> None:
    """Read the rates again at the next question: they were changed here."""
    _rates.pool = None


async def _find_rates(skus: list[str]) -> list[int | BaseException | None]:
    rows = await db.fetch(
        "SELECT a.sku, c.points_rate_bp FROM mall_article a JOIN mall_category c ON c.code = a.category_id"
        " WHERE a.sku = ANY($1)",
        skus,
    )
    found = {row["sku"]: row["points_rate_bp"] for row in rows}
    return [found.get(sku) for sku in skus]


_batcher: Batcher[str, int | None] = Batcher(_find_rates, max_size=512)


async def find_rates(lines: Sequence[tuple[str, str | None]]) -> list[int]:
    """The points rate of each ``(sku, till's category)``, in basis points.

    Our article's category decides, else the till's where we know one of that code, else the standard rate.
    """
    await _rates.refresh()
    known = _rates.by_sku
    for sku in {sku for sku, _ in lines if sku not in known}:
        known[sku] = await _batcher.submit(sku)
    rates = []
    for sku, category in lines:
        rate = known.get(sku)
        if rate is None:
            rate = _rates.by_category.get(category or "", STANDARD_RATE_BP)
        rates.append(rate)
    return rates


_ARTICLE = (
    "SELECT a.sku, a.name, c.name AS category_name, a.unit_price_fen, a.barcode FROM mall_article a"
    " JOIN mall_category c ON c.code = a.category_id WHERE a.active"
)


async def search_articles(text: str, limit: int) -> list[Article]:
    """Active articles whose SKU or barcode is the text, then those whose name contains it; at most ``limit``."""
    pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await db.fetch(
        f"{_ARTICLE} AND (a.sku = $1 OR a.barcode = $1 OR a.name ILIKE $2)"
        " ORDER BY (a.sku = $1 OR a.barcode IS NOT DISTINCT FROM $1) DESC, a.name, a.sku LIMIT $3",
        text,
        pattern,
        limit,
    )
    return [Article(*row) for row in rows]
