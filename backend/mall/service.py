"""Writes that take an open transaction: products and articles, where they are shown, how they are found."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from backend.kernel import db, ids, searching
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members

from .types import ArticleRow, Attribute, AttributeKind, Channel, Known, ProductRow

_choices = msgspec.json.Decoder(tuple[str, ...])


READ_AT_ONCE = 500
"""More names are left to the job, so that rows are not locked while they are read."""


CATALOGUE = 0x6D616C6C
"""The advisory lock of who writes products and articles: one at a time, also where there is no row to lock yet."""


async def lock(tx: Tx, product_ids: Sequence[str], skus: Sequence[str]) -> list[db.Record]:
    """Take the catalogue's turn, then lock products and articles as far as they exist, each in order of id.

    Returns each SKU's product. Nobody else writes products and articles until the transaction's end, new ones either.
    """
    await db.raw(tx).execute("SELECT pg_advisory_xact_lock($1)", CATALOGUE)
    await db.fetch_in(tx, "SELECT 1 FROM mall_product WHERE id = ANY($1) ORDER BY id FOR UPDATE", list(product_ids))
    return await db.fetch_in(
        tx, "SELECT sku, product_id FROM mall_article WHERE sku = ANY($1) ORDER BY sku FOR UPDATE", list(skus)
    )


async def lock_known(tx: Tx, products: Sequence[ProductRow], articles: Sequence[ArticleRow]) -> Known:
    """Lock these products and articles as far as they exist, and read what their rows may name.

    Locked in order of id, products first. What is named is kept from being deleted until the transaction's end.
    """
    skus = sorted({article.sku for article in articles})
    barcodes = sorted({article.barcode for article in articles if article.barcode is not None})
    pictures = {picture for product in products for picture in product.pictures or ()}
    pictures |= {article.picture for article in articles if article.picture is not None}
    owners = await lock(tx, sorted({product.id for product in products}), skus)
    holders = await db.fetch_in(tx, "SELECT barcode, sku FROM mall_article WHERE barcode = ANY($1)", barcodes)
    attributes = await db.fetch_in(tx, "SELECT code, name, kind, choices, filtered, sort FROM mall_attribute")
    return Known(
        categories=await _codes(tx, "SELECT code FROM mall_category FOR KEY SHARE"),
        brands=await _codes(tx, "SELECT code FROM mall_brand FOR KEY SHARE"),
        suppliers=await _codes(tx, "SELECT code FROM mall_supplier"),
        levels=frozenset(await members.levels()),
        attributes={
            row[0]: Attribute(row[0], row[1], AttributeKind(row[2]), _choices.decode(row[3]), row[4], row[5])
            for row in attributes
        },
        products={row[0]: row[1] for row in owners},
        barcodes={row[0]: row[1] for row in holders},
        pictures=await _codes(tx, "SELECT id FROM mall_media WHERE id = ANY($1) FOR KEY SHARE", sorted(pictures)),
    )


async def _codes(tx: Tx, sql: str, *arguments: Any) -> frozenset[str]:
    return frozenset(row[0] for row in await db.fetch_in(tx, sql, *arguments))


_PRODUCTS_IN = """
INSERT INTO mall_product AS p (id, name, subtitle, category_id, brand_id, description, pictures, axes, attributes,
                               active, name_key, version, created_at, updated_at)
SELECT w.id, w.name, w.subtitle, w.category, w.brand, coalesce(w.description, o.description, ''),
       coalesce(w.pictures, o.pictures, '[]'), w.axes, w.attributes, w.active, '', 1, $2, $2
  FROM jsonb_to_recordset($1::text::jsonb) AS w (id text, name text, subtitle text, category text, brand text,
       description text, pictures jsonb, axes jsonb, attributes jsonb, active boolean)
  LEFT JOIN mall_product o ON o.id = w.id
 ORDER BY w.id
ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, subtitle = EXCLUDED.subtitle, category_id = EXCLUDED.category_id,
    brand_id = EXCLUDED.brand_id, description = EXCLUDED.description, pictures = EXCLUDED.pictures,
    axes = EXCLUDED.axes, attributes = EXCLUDED.attributes, active = EXCLUDED.active, version = p.version + 1,
    updated_at = EXCLUDED.updated_at"""

_ARTICLES_IN = """
INSERT INTO mall_article (sku, barcode, name, category_id, brand_id, product_id, spec, unit_price_fen, cost_fen,
                          supplier_id, weight_g, tracked, active, picture)
SELECT w.sku, w.barcode, w.name, w.category, w.brand, w.product_id,
       CASE WHEN w.product_id IS NOT NULL THEN coalesce(w.spec, '[]') END, w.unit_price_fen, w.cost_fen, w.supplier,
       w.weight_g, w.tracked, w.active, w.picture
  FROM jsonb_to_recordset($1::text::jsonb) AS w (sku text, barcode text, name text, category text, brand text,
       product_id text, spec jsonb, unit_price_fen bigint, cost_fen bigint, supplier text, weight_g integer,
       tracked boolean, active boolean, picture text)
 ORDER BY w.sku
ON CONFLICT (sku) DO UPDATE SET barcode = EXCLUDED.barcode, name = EXCLUDED.name, category_id = EXCLUDED.category_id,
    brand_id = EXCLUDED.brand_id, product_id = EXCLUDED.product_id, spec = EXCLUDED.spec,
    unit_price_fen = EXCLUDED.unit_price_fen, cost_fen = EXCLUDED.cost_fen, supplier_id = EXCLUDED.supplier_id,
    weight_g = EXCLUDED.weight_g, tracked = EXCLUDED.tracked, active = EXCLUDED.active,
    picture = CASE WHEN $2 THEN EXCLUDED.picture ELSE coalesce(EXCLUDED.picture, mall_article.picture) END"""

_LEVELS_OUT = "DELETE FROM mall_level_price WHERE sku = ANY($1)"
_LEVELS_IN = (
    "INSERT INTO mall_level_price (sku, level, price_fen) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])"
)
_FREE = (
    "UPDATE mall_article SET product_id = NULL, spec = NULL, active = false, terms = NULL"
    " WHERE product_id = $1 AND NOT sku = ANY($2) RETURNING sku"
)
_FOLLOW = (
    "UPDATE mall_article a SET category_id = p.category_id, brand_id = p.brand_id FROM mall_product p"
    " WHERE p.id = ANY($1) AND a.product_id = p.id"
    " AND (a.category_id, a.brand_id) IS DISTINCT FROM (p.category_id, p.brand_id)"
)
_CHEAPEST = (
    "UPDATE mall_product p SET from_fen ="
    " (SELECT min(a.unit_price_fen) FROM mall_article a WHERE a.product_id = p.id AND a.active) WHERE p.id = ANY($1)"
)


async def write(
    tx: Tx, products: Sequence[ProductRow], articles: Sequence[ArticleRow], *, at: datetime, whole: bool
) -> None:
    """Add or change products and articles, with all that follows: words, sorting keys, the lowest price.

    With ``whole`` the articles are all that each product has: any other becomes inactive and no product's.
    """
    product_ids = sorted({product.id for product in products})
    await db.raw(tx).execute(_PRODUCTS_IN, msgspec.json.encode([_product_in(row) for row in products]).decode(), at)
    if whole:
        for product_id in product_ids:
            kept = [article.sku for article in articles if article.product_id == product_id]
            await db.fetch_in(tx, _FREE, product_id, kept)
    # Two articles of a product may change places: both leave before both arrive.
    skus = [article.sku for article in articles]
    await db.raw(tx).execute("UPDATE mall_article SET product_id = NULL, barcode = NULL WHERE sku = ANY($1)", skus)
    await db.raw(tx).execute(_ARTICLES_IN, msgspec.json.encode(articles).decode(), whole)
    await _write_levels(tx, articles)
    await db.raw(tx).execute(_FOLLOW, product_ids)
    await db.raw(tx).execute(_CHEAPEST, product_ids)
    if len(skus) > READ_AT_ONCE:
        await db.raw(tx).execute("UPDATE mall_article SET terms = NULL WHERE sku = ANY($1)", skus)
        await db.raw(tx).execute("UPDATE mall_product SET terms = NULL WHERE id = ANY($1)", product_ids)
        return
    await index_articles(tx, skus)
    await index_products(tx, product_ids)


def _product_in(row: ProductRow) -> dict[str, Any]:
    axes = [{"name": name, "values": values} for name, values in row.axes]
    return msgspec.structs.asdict(row) | {"axes": axes}


async def _write_levels(tx: Tx, articles: Sequence[ArticleRow]) -> None:
    priced = [article for article in articles if article.levels is not None]
    prices = [(a.sku, level, fen) for a in priced for level, fen in (a.levels or {}).items()]
    await db.raw(tx).execute(_LEVELS_OUT, [article.sku for article in priced])
    if prices:
        await db.raw(tx).execute(_LEVELS_IN, *map(list, zip(*prices, strict=True)))


async def publish(
    tx: Tx, product_ids: Sequence[str], channel: Channel, store_id: str, *, staff_id: int, at: datetime
) -> int:
    """Show products in a channel at a store; returns how many were not shown there before. Unknown ones are left."""
    rows = await db.fetch_in(
        tx,
        "INSERT INTO mall_publication (channel, store_id, product_id, at, staff_id)"
        " SELECT $1, $2, p.id, $4, $5 FROM mall_product p WHERE p.id = ANY($3) ORDER BY p.id"
        " ON CONFLICT DO NOTHING RETURNING 1",
        channel.value,
        store_id,
        list(product_ids),
        at,
        staff_id,
    )
    return len(rows)


async def withdraw(tx: Tx, product_ids: Sequence[str], channel: Channel, store_id: str) -> int:
    """Show products in a channel at a store no longer; returns how many were shown there."""
    rows = await db.fetch_in(
        tx,
        "DELETE FROM mall_publication WHERE channel = $1 AND store_id = $2 AND product_id = ANY($3) RETURNING 1",
        channel.value,
        store_id,
        list(product_ids),
    )
    return len(rows)


async def note(tx: Tx, kind: str, ref: str, staff_id: int, action: str, detail: Any, at: datetime) -> None:
    """Write down who of the staff did what to something of the catalogue."""
    await db.raw(tx).execute(
        "INSERT INTO mall_change (id, kind, ref, staff_id, action, detail, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        ids.new_bigint(),
        kind,
        ref,
        staff_id,
        action,
        msgspec.json.encode(detail).decode(),
        at,
    )


# ----------------------------------------------------------------------------------------------------------- sold

_ADD_SOLD = """
INSERT INTO mall_sold AS s (sku, sold_on, qty)
SELECT w.sku, w.sold_on, w.qty FROM unnest($1::text[], $2::date[], $3::bigint[]) AS w (sku, sold_on, qty)
  JOIN mall_article a ON a.sku = w.sku ORDER BY w.sku, w.sold_on
    ON CONFLICT (sku, sold_on) DO UPDATE SET qty = s.qty + EXCLUDED.qty"""
_RANK = """
UPDATE mall_product p SET sold_qty = w.qty
  FROM (SELECT o.id, coalesce(n.qty, 0) AS qty FROM mall_product o
          LEFT JOIN (SELECT a.product_id, greatest(0, sum(s.qty))::bigint AS qty
                       FROM mall_sold s JOIN mall_article a ON a.sku = s.sku
                      WHERE s.sold_on > $1 AND a.product_id IS NOT NULL GROUP BY 1) n ON n.product_id = o.id
         WHERE o.sold_qty <> coalesce(n.qty, 0) ORDER BY o.id FOR UPDATE OF o) w
 WHERE p.id = w.id RETURNING 1"""


async def note_sold(tx: Tx, member_id: int, sale_id: str, refund_id: str) -> None:
    """Note that the pieces of a sale (or those of a refund of it) are to be counted; a job counts them, once."""
    await db.raw(tx).execute(
        "INSERT INTO mall_sold_due (member_id, sale_id, refund_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        member_id,
        sale_id,
        refund_id,
    )


async def add_sold(tx: Tx, pieces: Mapping[tuple[str, date], int]) -> None:
    """Add pieces to what was sold of articles on days; what the catalogue does not know is left out."""
    if pieces:
        skus, days = zip(*pieces, strict=True)
        await db.raw(tx).execute(_ADD_SOLD, list(skus), list(days), list(pieces.values()))


async def rank_sold(tx: Tx, after: date) -> int:
    """Write to each product what was sold of its articles since that day; returns of how many that changed."""
    return len(await db.fetch_in(tx, _RANK, after))


# ---------------------------------------------------------------------------------------------------------- words

_ARTICLES = """
SELECT a.sku, a.name, concat_ws(' ', a.sku, a.barcode, b.name)
  FROM mall_article a LEFT JOIN mall_brand b ON b.code = a.brand_id
 WHERE a.sku = ANY($1) ORDER BY a.sku FOR UPDATE OF a"""
_PRODUCTS = """
SELECT p.id, p.name, concat_ws(' ', p.id, p.subtitle, b.name, c.name, s.numbers)
  FROM mall_product p JOIN mall_category c ON c.code = p.category_id LEFT JOIN mall_brand b ON b.code = p.brand_id
  LEFT JOIN LATERAL (
      SELECT string_agg(concat_ws(' ', a.sku, a.barcode), ' ') AS numbers FROM mall_article a
       WHERE a.product_id = p.id AND a.active) s ON true
 WHERE p.id = ANY($1) ORDER BY p.id FOR UPDATE OF p"""
_WRITE = (
    "UPDATE {table} t SET terms = array_to_tsvector(string_to_array(w.words, ' ')), name_key = w.name_key"
    "  FROM unnest($1::text[], $2::text[], $3::text[]) AS w (id, words, name_key) WHERE t.{key} = w.id"
)


async def index_articles(tx: Tx, skus: Sequence[str]) -> None:
    """Work out what these articles are found and sorted by, from their name, brand, SKU and barcode."""
    await _index(tx, _ARTICLES, _WRITE.format(table="mall_article", key="sku"), skus)


async def index_products(tx: Tx, product_ids: Sequence[str]) -> None:
    """Work out what these products are found and sorted by: their name, brand, category, and articles' numbers."""
    await _index(tx, _PRODUCTS, _WRITE.format(table="mall_product", key="id"), product_ids)


async def _index(tx: Tx, read: str, write: str, keys: Sequence[str]) -> None:
    rows = await db.fetch_in(tx, read, list(keys))
    read_names = await asyncio.to_thread(_read_names, [(row[1], row[2]) for row in rows])
    await db.raw(tx).execute(
        write,
        [row[0] for row in rows],
        [" ".join(words) for words, _ in read_names],
        [key for _, key in read_names],
    )


def _read_names(texts: Sequence[tuple[str, str]]) -> list[tuple[list[str], str]]:
    """The words and the sorting key of names; a tenth of a millisecond each, and the dictionaries once."""
    return [(searching.words_of((name, *rest.split())), searching.name_key(name)) for name, rest in texts]


async def use_uploads(tx: Tx, member_id: int, upload_ids: Sequence[str], *, used_for: str, at: datetime) -> None:
    """Bind pictures that this member uploaded to what shows them from now on, each once.

    ``NotFound`` for one that was never uploaded, is another's or was used; ``ValidationFailed`` for one named twice.
    """
    if len(set(upload_ids)) < len(upload_ids):
        raise invalid("/pictures", "each picture at most once")
    rows = await db.fetch_in(
        tx,
        "SELECT id FROM mall_upload WHERE id = ANY($1) AND member_id = $2 AND used_at IS NULL ORDER BY id FOR UPDATE",
        list(upload_ids),
        member_id,
    )
    if len(rows) < len(upload_ids):
        raise NotFound("there is no such picture")
    await db.raw(tx).execute(
        "UPDATE mall_upload SET used_at = $2, used_for = $3 WHERE id = ANY($1)", list(upload_ids), at, used_for
    )


async def show_pictures(tx: Tx, owner: str, media_ids: Sequence[str]) -> set[str]:
    """Keep these pictures for what shows them from now on (``owner``, such as ``announcement:N…``), and no others.

    Returns those that there are none of; then nothing was written.
    """
    rows = await db.fetch_in(tx, "SELECT id FROM mall_media WHERE id = ANY($1) ORDER BY id FOR KEY SHARE", media_ids)
    unknown = set(media_ids) - {row[0] for row in rows}
    if not unknown:
        await db.raw(tx).execute("DELETE FROM mall_media_use WHERE owner = $1", owner)
        await db.raw(tx).execute(
            "INSERT INTO mall_media_use (owner, media_id) SELECT $1, unnest($2::text[])", owner, sorted(set(media_ids))
        )
    return unknown
