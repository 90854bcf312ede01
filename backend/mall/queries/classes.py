"""What rules know articles by, and articles as tills look for them."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence

import msgspec

from backend.kernel import db
from backend.kernel.batching import Batcher
from backend.kernel.kept import Kept
from backend.kernel.searching import query_of

from ..types import Article, ArticleClass

STANDARD_RATE_BP = 10_000
CLASSES_KEPT_S = 10.0
CLASSES_KEPT = 50_000


class _Classes(msgspec.Struct, frozen=True):
    """Points rates by category, and articles by SKU as they are asked for."""

    by_category: dict[str, int]
    by_sku: dict[str, ArticleClass | None] = {}


async def _read_classes() -> _Classes:
    rows = await db.fetch("SELECT code, points_rate_bp FROM mall_category")
    return _Classes({row["code"]: row["points_rate_bp"] for row in rows})


_classes = Kept(_read_classes, keep_s=CLASSES_KEPT_S)


def forget_classes() -> None:
    """Read categories and rates again at the next question: they were changed here."""
    _classes.forget()


_CLASSES = f"""
SELECT a.sku, c.points_rate_bp, c.code, a.brand_id, a.cost_fen
  FROM mall_article a JOIN mall_category c ON c.code = a.category_id
 WHERE a.sku = ANY({db.given(1, "text")})"""  # noqa: S608 - put together of constants


async def _find_classes(skus: list[str]) -> list[ArticleClass | BaseException | None]:
    rows = await db.fetch(_CLASSES, skus)
    found = {row["sku"]: ArticleClass(*row[1:]) for row in rows}
    return [found.get(sku) for sku in skus]


_batcher: Batcher[str, ArticleClass | None] = Batcher(_find_classes, max_size=512)


async def find_classes(lines: Sequence[tuple[str, str | None]]) -> list[ArticleClass]:
    """What rules know of each ``(sku, till's category)``.

    Our article's category decides, else the till's: at its rate where we know one of that code, else at the standard.
    """
    classes = await _classes.get()
    known = classes.by_sku
    lacking = {sku for sku, _ in lines if sku not in known}
    if lacking:
        known.update(zip(lacking, await gather(*map(_batcher.submit, lacking)), strict=True))
        if len(known) >= CLASSES_KEPT:
            forget_classes()
    return [
        known.get(sku) or ArticleClass(classes.by_category.get(category or "", STANDARD_RATE_BP), category or None)
        for sku, category in lines
    ]


_ARTICLE = (
    "SELECT a.sku, a.name, c.name AS category_name, a.unit_price_fen, a.barcode FROM mall_article a"
    " JOIN mall_category c ON c.code = a.category_id WHERE a.active"
)


_FOUND = f"""
{_ARTICLE} AND (a.sku = $1 OR a.barcode = $1 OR a.terms @@ $2::text::tsquery OR (a.terms IS NULL AND a.name ILIKE $3))
   AND (a.product_id IS NULL OR $5::text IS NULL OR EXISTS (
       SELECT FROM mall_publication s WHERE s.channel = 'pos' AND s.store_id = $5 AND s.product_id = a.product_id))
 ORDER BY (a.sku = $1 OR a.barcode IS NOT DISTINCT FROM $1) DESC, a.name_key COLLATE "C", a.sku LIMIT $4"""  # noqa: S608


async def search_articles(text: str, limit: int, *, store_id: str | None = None) -> list[Article]:
    """Active articles whose SKU or barcode is the text, then those that are found by it, by name; at most ``limit``.

    With a store: without products that are not published to its tills. See ``kernel.searching`` for what finds what;
    what nobody has read yet is found by a part of its name.
    """
    part = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = await db.fetch(_FOUND, text, query_of(text), part, limit, store_id)
    return [Article(*row) for row in rows]


NAMES_KEPT_S = 10.0


async def _read_names() -> dict[str, str]:
    return {row["code"]: row["name"] for row in await db.fetch("SELECT code, name FROM mall_category")}


_names = Kept(_read_names, keep_s=NAMES_KEPT_S)


async def category_names() -> dict[str, str]:
    """What each category is called, by code; at most ten seconds old."""
    return await _names.get()
