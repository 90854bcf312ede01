"""What the other domains know of the catalogue."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Channel(StrEnum):
    """Where products are shown: on phones, or to tills that look for an article."""

    MALL = "mall"
    POS = "pos"


class PriceKind(StrEnum):
    """Whose price it is: everybody's, the member's level's, or one for a while."""

    LIST = "list"
    LEVEL = "level"
    TIMED = "timed"


class AttributeKind(StrEnum):
    """What an attribute's values are: any text, a number, one of its choices, yes or no."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    FLAG = "flag"


class Category(msgspec.Struct, frozen=True):
    """A category, and under which it lies; ``shown`` on phones or not. ``points_rate_bp`` of the chain's points."""

    code: str
    name: str
    points_rate_bp: int
    parent: str | None
    sort: int
    shown: bool
    picture: str | None


class Brand(msgspec.Struct, frozen=True):
    """A brand."""

    code: str
    name: str
    sort: int
    picture: str | None


class Attribute(msgspec.Struct, frozen=True):
    """Something that staff say of products; ``filtered``: phones may look for its values."""

    code: str
    name: str
    kind: AttributeKind
    choices: tuple[str, ...]
    filtered: bool
    sort: int


class ArticleClass(msgspec.Struct, frozen=True):
    """What rules know an article by: the rate at which it earns points (basis points), its category and brand.

    ``cost_fen`` is what a piece costs the chain; None where nobody said.
    """

    rate_bp: int
    category: str | None = None
    brand: str | None = None
    cost_fen: int | None = None


class Article(msgspec.Struct, frozen=True):
    """An article on sale."""

    sku: str
    name: str
    category_name: str
    unit_price_fen: int
    barcode: str | None


class TimedPrice(msgspec.Struct, frozen=True):
    """What a piece costs from one instant until before another."""

    price_fen: int
    starts_at: datetime
    ends_at: datetime


class Price(msgspec.Struct, frozen=True):
    """What a piece costs somebody, and why; ``until`` is the end of a timed price."""

    fen: int
    kind: PriceKind
    until: datetime | None = None


class Sellable(msgspec.Struct, frozen=True, kw_only=True):
    """An article that the mall sells at a store, and what a piece costs a member of some level now.

    ``spec`` is the choice in words (``红色 / XL``; empty where there is none), ``picture`` an address below the
    server's. A level without a price of its own leaves the list price: its discount is the order's to
    take off.
    """

    sku: str
    product_id: str
    name: str
    spec: str
    picture: str | None
    category: str
    brand: str | None
    rate_bp: int
    cost_fen: int | None
    weight_g: int
    tracked: bool
    list_fen: int
    price_fen: int
    price_kind: PriceKind
    price_until: datetime | None


class ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    """A product as it is to be; None leaves what is there (nothing, of a new one)."""

    id: str
    name: str
    subtitle: str
    category: str
    brand: str | None
    description: str | None = None
    pictures: tuple[str, ...] | None = None
    axes: tuple[tuple[str, tuple[str, ...]], ...]
    attributes: dict[str, str | int | float | bool]
    active: bool = True


class ArticleRow(msgspec.Struct, frozen=True, kw_only=True):
    """An article as it is to be; one without a product stands alone. None of ``levels`` leaves the prices of levels."""

    sku: str
    barcode: str | None = None
    name: str
    category: str
    brand: str | None = None
    product_id: str | None = None
    spec: tuple[str, ...] | None = None
    unit_price_fen: int
    cost_fen: int | None = None
    supplier: str | None = None
    weight_g: int = 0
    tracked: bool = False
    active: bool = True
    picture: str | None = None
    levels: dict[str, int] | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What rows may name, as the catalogue stands: codes; whose product a SKU is; which SKU has a barcode; pictures."""

    categories: frozenset[str]
    brands: frozenset[str]
    suppliers: frozenset[str]
    levels: frozenset[str]
    attributes: dict[str, Attribute]
    products: dict[str, str | None]
    barcodes: dict[str, str]
    pictures: frozenset[str]


class Flaw(msgspec.Struct, frozen=True):
    """What is wrong with a field of a product (``article`` is None) or of an article, by its position."""

    article: int | None
    field: str
    message: str


class UploadAddress(msgspec.Struct, frozen=True):
    """Where a member's picture is for an hour at least, below the server's address; ``small_url`` for lists."""

    id: str
    url: str
    small_url: str
