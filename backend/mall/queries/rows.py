"""Products and articles as staff keep them: whole, with what is not on sale."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from backend.kernel import db
from backend.kernel.errors import invalid
from backend.kernel.paging import make_cursor, read_cursor

from ..types import ArticleRow, ProductRow
from .products import attributes_decoder, axes_decoder

Fetch = Callable[..., Awaitable[list[db.Record]]]
"""``db.fetch``, or the same on an open transaction."""

_names = msgspec.json.Decoder(tuple[str, ...])
_levels = msgspec.json.Decoder(dict[str, int])

_PRODUCTS = (
    "SELECT id, name, subtitle, category_id, brand_id, description, pictures, axes, attributes, active, version,"
    " created_at, updated_at FROM mall_product"
)
_ARTICLES = (
    "SELECT a.sku, a.barcode, a.name, a.category_id, a.brand_id, a.product_id, a.spec, a.unit_price_fen, a.cost_fen,"
    " a.supplier_id, a.weight_g, a.tracked, a.active, a.picture,"
    " (SELECT jsonb_object_agg(l.level, l.price_fen) FROM mall_level_price l WHERE l.sku = a.sku) FROM mall_article a"
)


class Kept(msgspec.Struct, frozen=True):
    """A product as it is kept."""

    row: ProductRow
    version: int
    created_at: datetime
    updated_at: datetime


def _kept(row: db.Record) -> Kept:
    return Kept(
        ProductRow(
            id=row[0],
            name=row[1],
            subtitle=row[2],
            category=row[3],
            brand=row[4],
            description=row[5],
            pictures=_names.decode(row[6]),
            axes=tuple((axis.name, axis.values) for axis in axes_decoder.decode(row[7])),
            attributes=attributes_decoder.decode(row[8]),
            active=row[9],
        ),
        row[10],
        row[11],
        row[12],
    )


def _article(row: db.Record) -> ArticleRow:
    return ArticleRow(
        sku=row[0],
        barcode=row[1],
        name=row[2],
        category=row[3],
        brand=row[4],
        product_id=row[5],
        spec=_names.decode(row[6]) if row[6] else None,
        unit_price_fen=row[7],
        cost_fen=row[8],
        supplier=row[9],
        weight_g=row[10],
        tracked=row[11],
        active=row[12],
        picture=row[13],
        levels=_levels.decode(row[14]) if row[14] else {},
    )


async def read_products(fetch: Fetch, product_ids: Sequence[str]) -> dict[str, Kept]:
    """These products as they are kept, by id."""
    return {row[0]: _kept(row) for row in await fetch(f"{_PRODUCTS} WHERE id = ANY($1)", list(product_ids))}


async def read_articles(fetch: Fetch, skus: Sequence[str]) -> dict[str, ArticleRow]:
    """These articles, by SKU."""
    return {row[0]: _article(row) for row in await fetch(f"{_ARTICLES} WHERE a.sku = ANY($1)", list(skus))}


async def articles_of(fetch: Fetch, product_ids: Sequence[str]) -> list[ArticleRow]:
    """All articles of these products, by product and SKU."""
    rows = await fetch(f"{_ARTICLES} WHERE a.product_id = ANY($1) ORDER BY a.product_id, a.sku", list(product_ids))
    return [_article(row) for row in rows]


async def list_articles(after: str, limit: int) -> list[ArticleRow]:
    """Articles by SKU in the order of bytes, from the one after ``after`` on."""
    rows = await db.fetch(f'{_ARTICLES} WHERE a.sku COLLATE "C" > $1 ORDER BY a.sku COLLATE "C" LIMIT $2', after, limit)
    return [_article(row) for row in rows]


async def find_published(product_id: str) -> dict[str, list[str]]:
    """At which stores a product is shown, by channel."""
    rows = await db.fetch(
        "SELECT channel, array_agg(store_id ORDER BY store_id) FROM mall_publication WHERE product_id = $1"
        " GROUP BY channel ORDER BY channel",
        product_id,
    )
    return {row[0]: list(row[1]) for row in rows}


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A product in staff's list; ``published`` are the channels of the store that was asked for."""

    id: str
    name: str
    category: str
    brand: str | None
    active: bool
    from_fen: int | None
    picture: str | None
    skus: int
    published: tuple[str, ...]


_LISTED = """
SELECT p.id, p.name, p.category_id, p.brand_id, p.active, p.from_fen, p.pictures->>0,
       (SELECT count(*) FROM mall_article a WHERE a.product_id = p.id AND a.active),
       (SELECT array_agg(s.channel ORDER BY s.channel) FROM mall_publication s
         WHERE s.product_id = p.id AND s.store_id = $1)
  FROM mall_product p
 WHERE ($2::text IS NULL OR p.terms @@ $2::text::tsquery)
   AND ($3::text[] IS NULL OR p.category_id = ANY($3))
   AND ($4::text IS NULL OR p.brand_id = $4)
   AND ($5::boolean IS NULL OR p.active = $5)
   AND ($6::text IS NULL OR (p.name_key COLLATE "C", p.id COLLATE "C") > ($6, $7))
 ORDER BY p.name_key COLLATE "C", p.id COLLATE "C" LIMIT $8"""


async def list_products(
    *,
    store_id: str | None,
    query: str | None,
    categories: Sequence[str] | None,
    brand: str | None,
    active: bool | None,
    cursor: str | None,
    limit: int,
) -> tuple[list[Listed], str | None]:
    """Products by name, on sale or not, and where the next page begins."""
    key, after = await _place(cursor)
    rows = await db.fetch(_LISTED, store_id, query, categories, brand, active, key, after, limit + 1)
    items = [
        Listed(
            id=row[0],
            name=row[1],
            category=row[2],
            brand=row[3],
            active=row[4],
            from_fen=row[5],
            picture=row[6],
            skus=row[7],
            published=tuple(row[8] or ()),
        )
        for row in rows[:limit]
    ]
    return items, make_cursor("product", items[-1].id) if len(rows) > limit else None


async def _place(cursor: str | None) -> tuple[str | None, str]:
    if cursor is None:
        return None, ""
    parts = read_cursor(cursor, 2)
    if parts is not None and parts[0] == "product":
        key = await db.fetchval("SELECT name_key FROM mall_product WHERE id = $1", parts[1])
        if key is not None:
            return key, parts[1]
    raise invalid("/query/cursor", "not a cursor of this list")


class Supplier(msgspec.Struct, frozen=True):
    """A supplier."""

    code: str
    name: str
    category: str | None
    contact: str
    phone: str
    note: str
    active: bool


async def list_suppliers(after: str, limit: int) -> list[Supplier]:
    """Suppliers by code, from the one after ``after`` on."""
    rows = await db.fetch(
        "SELECT code, name, category_id, contact, phone, note, active FROM mall_supplier"
        ' WHERE code COLLATE "C" > $1 ORDER BY code COLLATE "C" LIMIT $2',
        after,
        limit,
    )
    return [Supplier(*row) for row in rows]


async def list_supplier_categories() -> list[tuple[str, str]]:
    """Every kind of suppliers: code and name."""
    rows = await db.fetch("SELECT code, name FROM mall_supplier_category ORDER BY code LIMIT 1000")
    return [(row[0], row[1]) for row in rows]


async def list_timed_prices(sku: str, now: datetime) -> list[tuple[str, str, int, datetime, datetime]]:
    """An article's timed prices that are not over: id, SKU, fen, from, until."""
    rows = await db.fetch(
        "SELECT id, sku, price_fen, starts_at, ends_at FROM mall_timed_price WHERE sku = $1 AND ends_at > $2"
        " ORDER BY starts_at, id",
        sku,
        now,
    )
    return [tuple(row) for row in rows]


async def list_changes(kind: str, ref: str, limit: int) -> list[tuple[datetime, int, str, dict[str, Any]]]:
    """What staff did to something, newest first: when, who, what, and what was said."""
    rows = await db.fetch(
        "SELECT at, staff_id, action, detail FROM mall_change WHERE kind = $1 AND ref = $2"
        " ORDER BY at DESC, id LIMIT $3",
        kind,
        ref,
        limit,
    )
    return [(row[0], row[1], row[2], msgspec.json.decode(row[3])) for row in rows]
