"""What phones ask of the mall and are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import FenOrZero

from ..types import AttributeKind, PriceKind
from .words import Code32, StoreId


class PictureOut(msgspec.Struct):
    """Where a picture is, below the server's address: within 1600 pixels, and within 400 for lists."""

    url: str
    small_url: str


class UploadOut(msgspec.Struct):
    """A picture that was kept; ``id`` is how a review or a request names it, the addresses are good for an hour."""

    id: str
    url: str
    small_url: str
    width: int
    height: int


class PriceOut(msgspec.Struct, kw_only=True):
    """What a piece costs this member now, and the list price to strike through where that is more.

    ``price_until`` is the end of a timed price.
    """

    list_fen: int
    price_fen: int
    price_kind: PriceKind
    price_until: datetime | None


class NamedOut(msgspec.Struct):
    """A code and what it is called."""

    code: str
    name: str


class ProductCardOut(PriceOut, kw_only=True):
    """A product in a list, with the price of its cheapest article; ``several``: others cost more."""

    id: str
    name: str
    subtitle: str
    category: str
    brand: NamedOut | None
    picture: PictureOut | None
    several: bool


class ProductCardsOut(msgspec.Struct):
    """A page of products."""

    items: list[ProductCardOut]
    next_cursor: str | None


class AxisOut(msgspec.Struct):
    """Something to choose, and between what."""

    name: str
    values: list[str]


class VariantOut(PriceOut, kw_only=True):
    """An article: its value on each of the product's axes, in their order; ``picture`` where it has one of its own."""

    sku: str
    spec: list[str]
    picture: PictureOut | None
    weight_g: int
    tracked: bool


class ShownAttributeOut(msgspec.Struct):
    """Something that is said of a product."""

    code: str
    name: str
    value: str | int | float | bool


class ProductOut(msgspec.Struct, kw_only=True):
    """A product's page. Not every combination of values need exist: ``skus`` has those that do."""

    id: str
    name: str
    subtitle: str
    description: str
    category: NamedOut
    brand: NamedOut | None
    pictures: list[PictureOut]
    axes: list[AxisOut]
    skus: list[VariantOut]
    attributes: list[ShownAttributeOut]


class CategoryNode(msgspec.Struct):
    """A category with what lies under it."""

    code: str
    name: str
    picture: PictureOut | None
    children: list[CategoryNode]


class FilterOut(msgspec.Struct):
    """An attribute that products can be looked for by; ``choices`` of kind ``choice``."""

    code: str
    name: str
    kind: AttributeKind
    choices: list[str]


class BannerOut(msgspec.Struct):
    """A picture on top, and where it leads: ``link_kind`` is ``none``, ``product`` or ``category``."""

    title: str
    picture: PictureOut
    link_kind: str
    link: str


class HomeOut(msgspec.Struct):
    """The mall's first page: banners, categories, what is cheaper for a while, what is new."""

    banners: list[BannerOut]
    categories: list[CategoryNode]
    offers: list[ProductCardOut]
    newest: list[ProductCardOut]


class FiltersOut(msgspec.Struct):
    """By what products can be looked for."""

    categories: list[CategoryNode]
    brands: list[NamedOut]
    attributes: list[FilterOut]


class StorePictureOut(msgspec.Struct):
    """A picture of a store (``picture``), or its floor plan (``plan``)."""

    kind: str
    title: str
    picture: PictureOut


class StorePlaceOut(msgspec.Struct):
    """A store that one can buy from."""

    id: str
    name: str
    address: str
    pictures: list[StorePictureOut]


class StorePlacesOut(msgspec.Struct):
    """The stores."""

    items: list[StorePlaceOut]


class StoreQuery(Body):
    """At which store."""

    store_id: StoreId


class ProductsQuery(Body):
    """Which products. ``q`` finds names by neighbouring characters, pinyin and initials, and numbers by beginnings.

    ``attributes`` is like ``origin:海南,storage:冷藏``. Prices are list prices, in filters and in the order.
    ``in_stock``: only what the store could sell a piece of now; ``sold``: what sold most in 30 days comes first.
    """

    store_id: StoreId
    q: Annotated[str, Meta(max_length=60)] | None = None
    category: Code32 | None = None
    brand: Code32 | None = None
    attributes: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    min_fen: FenOrZero | None = None
    max_fen: FenOrZero | None = None
    on_offer: bool = False
    in_stock: bool = False
    sort: Literal["newest", "price", "-price", "name", "sold"] = "newest"
    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 20
