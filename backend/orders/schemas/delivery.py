"""What the calls about addresses and delivery rules take and answer."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import FenOrZero

from ..types import DeliveryRule
from .orders import StoreId

_Place = Annotated[str, Meta(min_length=1, max_length=32)]
_Region = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)", description="区县的六位行政区划代码（GB/T 2260）")]
_Within = Annotated[str, Meta(pattern=r"^(?:[0-9]{2}){1,3}$(?!\n)", description="省、市或区县代码的前两位、四位或六位")]
_Regions = Annotated[tuple[_Within, ...], Meta(max_length=500)]
_Grams = Annotated[int, Meta(ge=1, le=1_000_000)]
_Fee = Annotated[int, Meta(ge=0, le=10_000_000, description="人民币分；整数，可为 0")]


class AddressIn(Body, kw_only=True):
    """An address as a parcel's label has it; ``region`` is the district's code, which freight goes by.

    ``is_default`` makes it the one that is offered first; the first of a book is that by itself.
    """

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    phone: Annotated[str, Meta(pattern=r"^[0-9+\-]{6,20}$(?!\n)")]
    region: _Region
    province: _Place
    city: _Place
    district: _Place
    street: Annotated[str, Meta(min_length=1, max_length=120)]
    is_default: bool = False


class ReceiverOut(msgspec.Struct, kw_only=True):
    """Whom goods are sent to, and where. Masked, a name and a phone keep little, and the street is empty;
    in the list of addresses ``…`` and its end."""

    name: str
    phone: str
    region: str
    province: str
    city: str
    district: str
    street: str


class AddressOut(ReceiverOut, kw_only=True):
    """An entry of the address book."""

    id: str
    is_default: bool


class AddressesOut(msgspec.Struct):
    """The address book, masked but for the ends of streets: what is offered first, then what was changed last."""

    items: list[AddressOut]


class DeliveryOfferQuery(Body):
    """Which store."""

    store_id: StoreId


class DeliveryOfferOut(msgspec.Struct):
    """Whether a store sends goods; ``free_from_fen``: the least from which on somewhere nothing is paid, or null."""

    sends: bool
    free_from_fen: int | None


class DeliveryRuleIn(Body, kw_only=True):
    """What sending costs from some stores (none named: all) to some regions (none named: everywhere).

    ``first_fen`` up to ``first_g``, and ``further_fen`` for each ``further_g`` begun beyond; nothing from
    ``free_from_fen`` of goods on. The highest priority counts, then the rule that names a region most closely.
    """

    title: Annotated[str, Meta(min_length=1, max_length=40)]
    stores: Annotated[tuple[StoreId, ...], Meta(max_length=200)] = ()
    regions: _Regions = ()
    regions_excluded: _Regions = ()
    first_g: _Grams = 1_000
    first_fen: _Fee
    further_g: _Grams = 1_000
    further_fen: _Fee = 0
    free_from_fen: FenOrZero | None = None
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    active: bool = True


class DeliveryRulesOut(msgspec.Struct):
    """Delivery rules, newest first."""

    items: list[DeliveryRule]
