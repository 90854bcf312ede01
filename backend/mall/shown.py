"""The phone's pages as they were written, remembered for a moment: they are the same for everybody of a level."""

from __future__ import annotations

from typing import Any

import msgspec

from backend.kernel import clock, searching
from backend.kernel.errors import invalid

from . import queries, views
from .queries.products import Sort, Wanted
from .queries.tree import Shelves
from .remembered import Remembered
from .rules import attributes, tree
from .schemas.phone import HomeOut, ProductsQuery
from .views import Buyer

SHOWN_S = 3.0
"""How long a page is sent again as it was written; what it was written from is no more than five seconds older."""
PAGES_KEPT = 500
PRODUCTS_KEPT = 2_000
ON_HOME = 10


async def _write_cards(key: tuple[ProductsQuery, Buyer]) -> Any:
    query, buyer = key
    shelves = await queries.shelves()
    page = await queries.find_page(read_wanted(query, shelves))
    return msgspec.Raw(msgspec.json.encode(views.cards(page, shelves, buyer, clock.now())))


async def _write_product(key: tuple[str, str, Buyer]) -> Any:
    store_id, product_id, buyer = key
    found = await queries.find_product(product_id, store_id=store_id)
    if found is None:
        return None
    return msgspec.Raw(msgspec.json.encode(views.product(found, await queries.shelves(), buyer, clock.now())))


async def _write_home(key: tuple[str, Buyer]) -> Any:
    store_id, buyer = key
    shelves, now = await queries.shelves(), clock.now()
    offers = await queries.find_page(Wanted(store_id=store_id, on_offer=True, limit=ON_HOME))
    newest = await queries.find_page(Wanted(store_id=store_id, limit=ON_HOME))
    page = HomeOut(
        [views.banner(item) for item in await queries.banners_of(store_id, now)],
        views.category_tree(shelves),
        views.cards(offers, shelves, buyer, now).items,
        views.cards(newest, shelves, buyer, now).items,
    )
    return msgspec.Raw(msgspec.json.encode(page))


cards: Remembered[tuple[ProductsQuery, Buyer], Any] = Remembered(_write_cards, seconds=SHOWN_S, most=PAGES_KEPT)
product: Remembered[tuple[str, str, Buyer], Any] = Remembered(_write_product, seconds=SHOWN_S, most=PRODUCTS_KEPT)
home: Remembered[tuple[str, Buyer], Any] = Remembered(_write_home, seconds=SHOWN_S, most=PAGES_KEPT)


def read_wanted(query: ProductsQuery, shelves: Shelves) -> Wanted:
    """What a phone asks for; ``ValidationFailed`` for attributes that are none to look for."""
    sought = searching.query_of(query.q) if query.q and not query.q.isspace() else None
    if query.q and not query.q.isspace() and sought is None:
        return Wanted(store_id=query.store_id, categories=())  # only punctuation: it is in no name's words
    wanted = attributes.read_filter(shelves.attributes, query.attributes) if query.attributes else None
    if query.attributes and wanted is None:
        raise invalid("/query/attributes", "is not like code:value,code:value of attributes to look for")
    return Wanted(
        store_id=query.store_id,
        categories=tuple(tree.with_all_below(shelves.parents(), query.category)) if query.category else None,
        brand=query.brand,
        query=sought,
        attributes=msgspec.json.encode(wanted, order="sorted").decode() if wanted else None,
        min_fen=query.min_fen,
        max_fen=query.max_fen,
        on_offer=query.on_offer,
        in_stock=query.in_stock,
        sort=Sort(query.sort),
        cursor=query.cursor,
        limit=query.limit,
    )


def forget() -> None:
    """Read and write everything anew at the next question: the catalogue was changed here."""
    queries.forget()
    for kept in (cards, product, home):
        kept.forget()
