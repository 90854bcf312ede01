"""Products as phones look for them: pages by keyset, in one statement each, remembered for a moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from backend.kernel import clock, db
from backend.kernel.errors import invalid
from backend.kernel.paging import instant_part, make_cursor, read_cursor, read_instant

from ..remembered import Remembered
from ..types import TimedPrice

KEPT_S = 3.0
PAGES_KEPT = 500
PRODUCTS_KEPT = 2_000


class Sort(StrEnum):
    """In which order products come; by price is by list price, by name by pinyin, ``sold`` what sold most first."""

    NEWEST = "newest"
    CHEAPEST = "price"
    DEAREST = "-price"
    NAME = "name"
    SOLD = "sold"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which products, in which order, from where on; what is published to the mall at ``store_id``.

    ``query`` is a text search (``kernel.searching.query_of``), ``attributes`` JSON that a product's must contain;
    ``in_stock``: only what the store could sell a piece of now.
    """

    store_id: str
    categories: tuple[str, ...] | None = None
    brand: str | None = None
    query: str | None = None
    attributes: str | None = None
    min_fen: int | None = None
    max_fen: int | None = None
    on_offer: bool = False
    in_stock: bool = False
    sort: Sort = Sort.NEWEST
    cursor: str | None = None
    limit: int = 20


class Choice(msgspec.Struct, frozen=True):
    """What an article of a product costs: its list price, those of levels, and those for a while."""

    list_fen: int
    levels: dict[str, int]
    timed: tuple[TimedPrice, ...]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A product as lists show it; ``choices`` are its articles."""

    id: str
    name: str
    subtitle: str
    category: str
    brand: str | None
    picture: str | None
    choices: tuple[Choice, ...]


class Page(msgspec.Struct, frozen=True):
    """Some products, and where the next page begins."""

    items: tuple[Summary, ...]
    next_cursor: str | None


# Prices: list price, level prices, open timed prices of the article `a`. $1 is the time.
PRICES = """a.unit_price_fen,
       (SELECT jsonb_object_agg(l.level, l.price_fen) FROM mall_level_price l WHERE l.sku = a.sku),
       (SELECT jsonb_agg(jsonb_build_array(t.price_fen, t.starts_at, t.ends_at)) FROM mall_timed_price t
         WHERE t.sku = a.sku AND t.ends_at > $1)"""

_ORDERS = {
    Sort.NEWEST: ("p.created_at DESC, p.id DESC", "(p.created_at, p.id) < ({}, {})"),
    Sort.CHEAPEST: ("p.from_fen, p.id", "(p.from_fen, p.id) > ({}, {})"),
    Sort.DEAREST: ("p.from_fen DESC, p.id DESC", "(p.from_fen, p.id) < ({}, {})"),
    Sort.NAME: (
        'p.name_key COLLATE "C", p.id COLLATE "C"',
        '(p.name_key COLLATE "C", p.id COLLATE "C") > ({}, {})',
    ),
    Sort.SOLD: ("p.sold_qty DESC, p.id DESC", "(p.sold_qty, p.id) < ({}, {})"),
}

_PUBLISHED = (
    "EXISTS (SELECT FROM mall_publication s WHERE s.channel = 'mall' AND s.store_id = {} AND s.product_id = p.id)"
)
_SUMMARIES = f"""
SELECT p.id, p.name, p.subtitle, p.category_id, p.brand_id, p.pictures->>0, p.from_fen, p.created_at, p.sold_qty,
       (SELECT jsonb_agg(jsonb_build_array({PRICES})) FROM mall_article a WHERE a.product_id = p.id AND a.active)
  FROM mall_product p"""  # noqa: S608 - put together of constants
_Choices = tuple[tuple[int, dict[str, int] | None, tuple[tuple[int, datetime, datetime], ...] | None], ...]
_choices = msgspec.json.Decoder(_Choices)
_NUMBER = re.compile(r"-?[0-9]{1,12}\Z")


def choice_of(list_fen: int, levels: Any, timed: Any) -> Choice:
    """The prices that ``PRICES`` reads, decoded."""
    return Choice(list_fen, levels or {}, tuple(TimedPrice(*item) for item in timed or ()))


_in_stock = "false"


def know_stock_by(condition: str) -> None:
    """Let the layer above say in SQL when ``{store}`` could sell ``{sku}``; until then it never can."""
    global _in_stock
    _in_stock = condition


class _Arguments:
    """The arguments of a statement as it is put together."""

    def __init__(self, *first: Any) -> None:
        self.values = list(first)

    def __call__(self, value: Any, kind: str = "") -> str:
        self.values.append(value)
        return f"${len(self.values)}{'::' + kind if kind else ''}"


async def statement(wanted: Wanted) -> tuple[str, list[Any]]:
    """The page's statement and its arguments; its text depends on which filters there are, not on their values."""
    add = _Arguments(clock.now())
    store = add(wanted.store_id)
    where = ["p.active", "p.from_fen IS NOT NULL", _PUBLISHED.format(store)]
    filters: tuple[tuple[object, Callable[[], str]], ...] = (
        (wanted.query, lambda: f"p.terms @@ {add(wanted.query, 'text')}::tsquery"),
        (wanted.categories, lambda: f"p.category_id = ANY({add(list(wanted.categories or ()), 'text[]')})"),
        (wanted.brand, lambda: f"p.brand_id = {add(wanted.brand)}"),
        (wanted.attributes, lambda: f"p.attributes @> {add(wanted.attributes, 'jsonb')}"),
        (wanted.min_fen, lambda: f"p.from_fen >= {add(wanted.min_fen)}"),
        (wanted.max_fen, lambda: f"p.from_fen <= {add(wanted.max_fen)}"),
    )
    where += [make() for value, make in filters if value is not None]
    if wanted.on_offer:
        where.append(
            "EXISTS (SELECT FROM mall_article o JOIN mall_timed_price t ON t.sku = o.sku"
            " WHERE o.product_id = p.id AND o.active AND t.starts_at <= $1 AND t.ends_at > $1)"
        )
    if wanted.in_stock:
        where.append(
            "EXISTS (SELECT FROM mall_article k WHERE k.product_id = p.id AND k.active AND (NOT k.tracked OR"
            f" {_in_stock.format(store=store, sku='k.sku')}))"
        )
    order, after = _ORDERS[wanted.sort]
    if wanted.cursor is not None:
        where.append(after.format(*(add(value) for value in await _place(wanted.sort, wanted.cursor))))
    # A number that the planner sees: for an unknown one it counts with a tenth of the rows, and sorts them all.
    return f"{_SUMMARIES} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT {wanted.limit + 1:d}", add.values


async def _place(sort: Sort, cursor: str) -> tuple[Any, str]:
    """The key of the last item of the page before; ``ValidationFailed`` for what is no cursor of this order."""
    parts = read_cursor(cursor, 3)
    if parts is not None and parts[0] == sort.value:
        if sort is Sort.NEWEST and (at := read_instant(parts[1])) is not None:
            return at, parts[2]
        if sort in (Sort.CHEAPEST, Sort.DEAREST, Sort.SOLD) and _NUMBER.match(parts[1]):
            return int(parts[1]), parts[2]
        if sort is Sort.NAME:
            # A name's key may be longer than a cursor should be.
            key = await db.fetchval("SELECT name_key FROM mall_product WHERE id = $1", parts[2])
            if key is not None:
                return key, parts[2]
    raise invalid("/query/cursor", "not a cursor of this list")


def _cursor(sort: Sort, last: db.Record) -> str:
    key = ""
    if sort is Sort.NEWEST:
        key = instant_part(last["created_at"])
    elif sort is Sort.SOLD:
        key = str(last["sold_qty"])
    elif sort is not Sort.NAME:
        key = str(last["from_fen"])
    return make_cursor(sort.value, key, last["id"])


async def _read_page(wanted: Wanted) -> Page:
    sql, values = await statement(wanted)
    rows = await db.fetch(sql, *values)
    more = len(rows) > wanted.limit
    rows = rows[: wanted.limit]
    return Page(
        tuple(
            Summary(
                id=row[0],
                name=row[1],
                subtitle=row[2],
                category=row[3],
                brand=row[4],
                picture=row[5],
                choices=tuple(choice_of(*item) for item in _choices.decode(row[9] or "[]")),
            )
            for row in rows
        ),
        _cursor(wanted.sort, rows[-1]) if more else None,
    )


_pages: Remembered[Wanted, Page] = Remembered(_read_page, seconds=KEPT_S, most=PAGES_KEPT)


async def find_page(wanted: Wanted) -> Page:
    """A page of products; at most three seconds old."""
    return await _pages.get(wanted)


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """An article of a product: its value on each axis, its picture, and what it costs."""

    sku: str
    spec: tuple[str, ...]
    picture: str | None
    weight_g: int
    tracked: bool
    choice: Choice


class Axis(msgspec.Struct, frozen=True):
    """Something to choose, and between what."""

    name: str
    values: tuple[str, ...]


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A product that is on sale at a store, with everything that its page shows."""

    id: str
    name: str
    subtitle: str
    category: str
    brand: str | None
    description: str
    pictures: tuple[str, ...]
    axes: tuple[Axis, ...]
    attributes: dict[str, str | int | float | bool]
    variants: tuple[Variant, ...]


_PRODUCT = f"""
SELECT p.id, p.name, p.subtitle, p.category_id, p.brand_id, p.description, p.pictures, p.axes, p.attributes,
       (SELECT jsonb_agg(jsonb_build_array(a.sku, a.spec, a.picture, a.weight_g, a.tracked, {PRICES}) ORDER BY a.sku)
          FROM mall_article a WHERE a.product_id = p.id AND a.active)
  FROM mall_product p
 WHERE p.id = $2 AND p.active
   AND EXISTS (SELECT FROM mall_publication s WHERE s.channel = 'mall' AND s.store_id = $3 AND s.product_id = p.id)"""  # noqa: S608
_names = msgspec.json.Decoder(tuple[str, ...])
axes_decoder = msgspec.json.Decoder(tuple[Axis, ...])
attributes_decoder = msgspec.json.Decoder(dict[str, str | int | float | bool])
_Variants = tuple[
    tuple[
        str,
        tuple[str, ...],
        str | None,
        int,
        bool,
        int,
        dict[str, int] | None,
        tuple[tuple[int, datetime, datetime], ...] | None,
    ],
    ...,
]
_variants = msgspec.json.Decoder(_Variants)


async def _read_product(key: tuple[str, str]) -> Product | None:
    store_id, product_id = key
    row = await db.fetchrow(_PRODUCT, clock.now(), product_id, store_id)
    if row is None or row[9] is None:
        return None
    return Product(
        id=row[0],
        name=row[1],
        subtitle=row[2],
        category=row[3],
        brand=row[4],
        description=row[5],
        pictures=_names.decode(row[6]),
        axes=axes_decoder.decode(row[7]),
        attributes=attributes_decoder.decode(row[8]),
        variants=tuple(
            Variant(sku=v[0], spec=v[1], picture=v[2], weight_g=v[3], tracked=v[4], choice=choice_of(*v[5:]))
            for v in _variants.decode(row[9])
        ),
    )


_products: Remembered[tuple[str, str], Product | None] = Remembered(_read_product, seconds=KEPT_S, most=PRODUCTS_KEPT)


async def find_product(product_id: str, *, store_id: str) -> Product | None:
    """A product that is on sale at a store, or None; at most three seconds old."""
    return await _products.get((store_id, product_id))


def forget_products() -> None:
    """Read pages and products again at the next question: they were changed here."""
    _pages.forget()
    _products.forget()
