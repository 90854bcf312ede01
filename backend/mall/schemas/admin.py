"""Head office's bodies and answers about the catalogue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import MAX_AMOUNT, Fen, FenOrZero

from ..types import Attribute, AttributeKind, Brand, Category, Channel
from .phone import AxisOut, BannerOut, NamedOut, PictureOut, StorePictureOut
from .words import Code32, Code40, Instant, Line, LongName, MediaId, Name, Order, SpecValue, StoreId, Text


class CostIn(Body):
    """What a piece of an article costs the chain; null where that is not known any more."""

    sku: Annotated[str, Meta(min_length=1, max_length=40)]
    cost_fen: Annotated[int, Meta(ge=0, le=MAX_AMOUNT)] | None


class CostsIn(Body):
    """Costs of articles; of one that is named twice the last counts."""

    items: Annotated[list[CostIn], Meta(min_length=1, max_length=1000)]


class CostsOut(msgspec.Struct):
    """How many articles have their cost now, and which SKUs are none of ours."""

    changed: int
    unknown: list[str]


class CategoryIn(Body):
    """A category; ``points_rate_bp`` of the chain's points its sales earn, ``parent`` under which it lies."""

    name: Name
    points_rate_bp: Annotated[int, Meta(ge=0, le=100_000)] = 10_000
    parent: Code32 | None = None
    sort: Order = 0
    shown: bool = True
    picture: MediaId | None = None


class CategoriesOut(msgspec.Struct):
    """Every category, in the order they are shown in."""

    items: list[Category]


class BrandIn(Body):
    """A brand."""

    name: Name
    sort: Order = 0
    picture: MediaId | None = None


class BrandsOut(msgspec.Struct):
    """Every brand, in the order they are shown in."""

    items: list[Brand]


class SupplierCategoryIn(Body):
    """A kind of suppliers."""

    name: Name


class SupplierCategoriesOut(msgspec.Struct):
    """Every kind of suppliers."""

    items: list[NamedOut]


class SupplierIn(Body, kw_only=True):
    """Somebody who sells to the chain, and whom to call there."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
    category: Code32 | None = None
    contact: Annotated[str, Meta(max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] = ""
    phone: Annotated[str, Meta(max_length=32, pattern=r"^[0-9+() -]*$(?!\n)")] = ""
    note: Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] = ""
    active: bool = True


class SupplierOut(msgspec.Struct):
    """A supplier."""

    code: str
    name: str
    category: str | None
    contact: str
    phone: str
    note: str
    active: bool


class SuppliersOut(msgspec.Struct):
    """Suppliers by code; the next page begins after ``next_cursor``."""

    items: list[SupplierOut]
    next_cursor: str | None


class AfterQuery(Body):
    """Where to go on."""

    cursor: Annotated[str, Meta(max_length=128)] | None = None


class AttributeIn(Body):
    """Something that is said of products; ``choices`` are for the kind of that name, ``filtered``: to be looked for."""

    name: Name
    kind: AttributeKind
    choices: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f,:;]+$(?!\n)")], ...],
        Meta(max_length=50),
    ] = ()
    filtered: bool = False
    sort: Order = 0


class AttributesOut(msgspec.Struct):
    """Every attribute, in the order they are shown in."""

    items: list[Attribute]


class AxisIn(Body):
    """Something to choose, and between what."""

    name: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[^\x00-\x1f\x7f-\x9f:;]+$(?!\n)")]
    values: Annotated[tuple[SpecValue, ...], Meta(min_length=1, max_length=50)]


class SkuIn(Body, kw_only=True):
    """An article of a product; ``level_prices`` by level (left as they are where it is not given)."""

    sku: Code40
    spec: Annotated[tuple[SpecValue, ...], Meta(max_length=3)] = ()
    unit_price_fen: Fen
    barcode: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[0-9A-Za-z-]+$(?!\n)")] | None = None
    name: LongName | None = None
    cost_fen: FenOrZero | None = None
    supplier: Code32 | None = None
    weight_g: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    tracked: bool = False
    active: bool = True
    picture: MediaId | None = None
    level_prices: Annotated[dict[Code32, Fen], Meta(max_length=50)] | None = None


class ProductIn(Body, kw_only=True):
    """A product with all of its articles. ``version`` is the one that was read, none for a new product.

    An article that it had and that is not named any more becomes inactive and no product's.
    """

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    name: LongName
    subtitle: Line = ""
    category: Code32
    brand: Code32 | None = None
    description: Text = ""
    pictures: Annotated[tuple[MediaId, ...], Meta(max_length=10)] = ()
    axes: Annotated[tuple[AxisIn, ...], Meta(max_length=3)] = ()
    attributes: Annotated[dict[Code32, str | int | float | bool], Meta(max_length=30)] = msgspec.field(
        default_factory=dict
    )
    active: bool = True
    skus: Annotated[tuple[SkuIn, ...], Meta(min_length=1, max_length=200)]


class ProductAdminOut(msgspec.Struct, kw_only=True):
    """A product as staff see it, with all of its articles and where it is published (stores by channel)."""

    id: str
    version: int
    name: str
    subtitle: str
    category: str
    brand: str | None
    description: str
    pictures: list[str]
    axes: list[AxisOut]
    attributes: dict[str, str | int | float | bool]
    active: bool
    skus: list[SkuIn]
    published: dict[str, list[str]]
    created_at: datetime
    updated_at: datetime


class AdminProductsQuery(Body):
    """Which products; ``store_id`` says at which store ``published`` is told (a manager's own)."""

    q: Annotated[str, Meta(max_length=60)] | None = None
    category: Code32 | None = None
    brand: Code32 | None = None
    active: bool | None = None
    store_id: StoreId | None = None
    cursor: Annotated[str, Meta(max_length=128)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class ProductRowOut(msgspec.Struct, kw_only=True):
    """A product in staff's list; ``published`` are the channels in which the store shows it."""

    id: str
    name: str
    category: str
    brand: str | None
    active: bool
    from_fen: int | None
    skus: int
    picture: PictureOut | None
    published: list[str]


class ProductRowsOut(msgspec.Struct):
    """A page of products by name."""

    items: list[ProductRowOut]
    next_cursor: str | None


class PublicationsIn(Body):
    """Which products a store shows in a channel from now on, and which no longer."""

    channel: Channel
    publish: Annotated[tuple[Code40, ...], Meta(max_length=1000)] = ()
    withdraw: Annotated[tuple[Code40, ...], Meta(max_length=1000)] = ()


class PublicationsOut(msgspec.Struct):
    """How many products that changed."""

    published: int
    withdrawn: int


class TimedPriceItem(Body):
    """What a piece costs for a while."""

    sku: Code40
    price_fen: Fen


class TimedPricesIn(Body):
    """Prices from one instant until before another, for everybody."""

    starts_at: Instant
    ends_at: Instant
    items: Annotated[tuple[TimedPriceItem, ...], Meta(min_length=1, max_length=500)]


class TimedPriceIdsOut(msgspec.Struct):
    """The ids, in the order of what was sent."""

    ids: list[str]


class TimedPricesQuery(Body):
    """Of which article; those that are not over."""

    sku: Code40


class TimedPriceOut(msgspec.Struct):
    """A price for a while."""

    id: str
    sku: str
    price_fen: int
    starts_at: datetime
    ends_at: datetime


class TimedPricesOut(msgspec.Struct):
    """Timed prices that are not over, the first to begin first."""

    items: list[TimedPriceOut]


class MediaOut(msgspec.Struct):
    """A picture that was kept; ``id`` is how products and stores name it."""

    id: str
    url: str
    small_url: str
    width: int
    height: int


class StorePictureIn(Body):
    """A picture of a store, or its floor plan."""

    media_id: MediaId
    kind: Literal["picture", "plan"] = "picture"
    title: Annotated[str, Meta(max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] = ""


class StorePicturesIn(Body):
    """All pictures and floor plans of a store, in their order."""

    items: Annotated[tuple[StorePictureIn, ...], Meta(max_length=30)]


class StorePicturesOut(msgspec.Struct):
    """All pictures and floor plans of a store, in their order."""

    items: list[StorePictureOut]


class BannerIn(Body):
    """A picture on top of the first page; of every store where none is named."""

    title: Name
    picture: MediaId
    link_kind: Literal["none", "product", "category"] = "none"
    link: Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9_.-]*$(?!\n)")] = ""
    store_id: StoreId | None = None
    sort: Order = 0
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class BannerAdminOut(BannerOut):
    """A banner as staff see it."""

    id: str
    store_id: str | None
    sort: int
    starts_at: datetime | None
    ends_at: datetime | None


class BannersOut(msgspec.Struct):
    """Every banner, in the order they are shown in."""

    items: list[BannerAdminOut]


class BannerIdOut(msgspec.Struct):
    """The new banner."""

    id: str


class CatalogueChangesQuery(Body):
    """Changes of what: ``product``, ``category``, ``brand``, ``supplier``, ``store``, ``timed_price``, ``import`` …"""

    kind: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[a-z_]+$(?!\n)")]
    ref: Annotated[str, Meta(min_length=1, max_length=64)]


class CatalogueChangeOut(msgspec.Struct):
    """What somebody of the staff did, and what was said."""

    at: datetime
    staff_id: str
    action: str
    detail: dict[str, Any]


class CatalogueChangesOut(msgspec.Struct):
    """The last hundred changes, newest first."""

    items: list[CatalogueChangeOut]
