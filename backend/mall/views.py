"""What phones are shown of the catalogue, for a member's level."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from .queries.places import Banner, StorePlace
from .queries.products import Choice, Page, Product, Summary
from .queries.tree import Shelves
from .rules.prices import price_at
from .schemas.phone import (
    AxisOut,
    BannerOut,
    CategoryNode,
    FilterOut,
    FiltersOut,
    NamedOut,
    PictureOut,
    ProductCardOut,
    ProductCardsOut,
    ProductOut,
    ShownAttributeOut,
    StorePictureOut,
    StorePlaceOut,
    VariantOut,
)
from .types import Price


class Buyer(msgspec.Struct, frozen=True):
    """Who sees prices: the member's level, and what is taken off list prices for them (basis points)."""

    level: str
    discount_bp: int


def picture(media_id: str | None) -> PictureOut | None:
    """Where a picture is, if there is one."""
    return picture_at(media_id) if media_id else None


def picture_at(media_id: str) -> PictureOut:
    """Where a picture is."""
    return PictureOut(f"/v1/media/{media_id}", f"/v1/media/{media_id}/small")


def _price(choice: Choice, buyer: Buyer, now: datetime) -> Price:
    return price_at(choice.list_fen, choice.levels.get(buyer.level), choice.timed, now, discount_bp=buyer.discount_bp)


def _brand(shelves: Shelves, code: str | None) -> NamedOut | None:
    if code is None:
        return None
    found = shelves.brands.get(code)
    return NamedOut(code, found.name if found else code)


def card(item: Summary, shelves: Shelves, buyer: Buyer, now: datetime) -> ProductCardOut:
    """A product in a list."""
    priced = [(_price(choice, buyer, now), choice) for choice in item.choices]
    least, choice = min(priced, key=lambda pair: pair[0].fen)
    return ProductCardOut(
        id=item.id,
        name=item.name,
        subtitle=item.subtitle,
        category=item.category,
        brand=_brand(shelves, item.brand),
        picture=picture(item.picture),
        several=any(price.fen != least.fen for price, _ in priced),
        list_fen=choice.list_fen,
        price_fen=least.fen,
        price_kind=least.kind,
        price_until=least.until,
    )


def cards(page: Page, shelves: Shelves, buyer: Buyer, now: datetime) -> ProductCardsOut:
    """A page of products."""
    return ProductCardsOut([card(item, shelves, buyer, now) for item in page.items if item.choices], page.next_cursor)


def product(item: Product, shelves: Shelves, buyer: Buyer, now: datetime) -> ProductOut:
    """A product's page."""
    skus = []
    for variant in item.variants:
        price = _price(variant.choice, buyer, now)
        skus.append(
            VariantOut(
                sku=variant.sku,
                spec=list(variant.spec),
                picture=picture(variant.picture),
                weight_g=variant.weight_g,
                tracked=variant.tracked,
                list_fen=variant.choice.list_fen,
                price_fen=price.fen,
                price_kind=price.kind,
                price_until=price.until,
            )
        )
    category = shelves.categories.get(item.category)
    return ProductOut(
        id=item.id,
        name=item.name,
        subtitle=item.subtitle,
        description=item.description,
        category=NamedOut(item.category, category.name if category else item.category),
        brand=_brand(shelves, item.brand),
        pictures=[picture_at(media_id) for media_id in item.pictures],
        axes=[AxisOut(axis.name, list(axis.values)) for axis in item.axes],
        skus=skus,
        attributes=[
            ShownAttributeOut(code, attribute.name, item.attributes[code])
            for code, attribute in shelves.attributes.items()
            if code in item.attributes
        ],
    )


def category_tree(shelves: Shelves) -> list[CategoryNode]:
    """The categories that phones show, each with what lies under it; nothing under one that is not shown."""
    nodes = {
        c.code: CategoryNode(c.code, c.name, picture(c.picture), []) for c in shelves.categories.values() if c.shown
    }
    top: list[CategoryNode] = []
    for code, node in nodes.items():
        parent = shelves.categories[code].parent
        if parent is None:
            top.append(node)
        elif parent in nodes:
            nodes[parent].children.append(node)
    return top


def filters(shelves: Shelves) -> FiltersOut:
    """By what products can be looked for."""
    return FiltersOut(
        category_tree(shelves),
        [NamedOut(brand.code, brand.name) for brand in shelves.brands.values()],
        [FilterOut(a.code, a.name, a.kind, list(a.choices)) for a in shelves.attributes.values() if a.filtered],
    )


def banner(item: Banner) -> BannerOut:
    """A picture on top."""
    return BannerOut(item.title, picture_at(item.picture), item.link_kind, item.link)


def places(items: Iterable[StorePlace]) -> list[StorePlaceOut]:
    """Stores with their pictures and floor plans."""
    return [
        StorePlaceOut(
            item.store.id,
            item.store.name,
            item.store.address,
            [StorePictureOut(p.kind, p.title, picture_at(p.media_id)) for p in item.pictures],
        )
        for item in items
    ]
