"""What the calls about tables, shelves and what is ordered there take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from ..types import OrderState
from ..types.spots import SpotKind
from .after import PickupLineOut, StoreId

SpotCode = Annotated[str, Meta(min_length=1, max_length=64, description="桌码或货架码 spot= 后面的部分")]
SpotName = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^\S(.*\S)?$(?!\n)")]
ProductId = Annotated[str, Meta(min_length=1, max_length=32)]


class SpotIn(Body, kw_only=True):
    """A table, or the shelf of one article. Only one in use has this name in its store."""

    store_id: StoreId
    kind: SpotKind
    name: SpotName
    product_id: ProductId | None = None


class SpotChangeIn(Body, kw_only=True):
    """What a spot is from now on. With ``new_code`` what was printed before is of no use any more."""

    name: SpotName
    product_id: ProductId | None = None
    active: bool = True
    new_code: bool = False


class SpotQuery(Body):
    """What was scanned."""

    code: SpotCode


class SpotsQuery(Body):
    """Whose spots; staff of one store need not say."""

    store_id: StoreId | None = None


class AdminSpotOut(msgspec.Struct, kw_only=True):
    """A spot with what its QR code says."""

    id: str
    store_id: str
    kind: SpotKind
    name: str
    product_id: str | None
    active: bool
    code: str
    link: str
    updated_at: datetime


class AdminSpotsOut(msgspec.Struct):
    """A store's spots by their names."""

    items: list[AdminSpotOut]


class SpotOut(msgspec.Struct, kw_only=True):
    """Where a member sits or stands: orders from here name the same ``code``."""

    code: str
    store_id: str
    store_name: str
    kind: SpotKind
    name: str
    product_id: str | None


class ToServeOut(msgspec.Struct, kw_only=True):
    """What was paid at a table or shelf and not brought there yet."""

    order_id: str
    status: OrderState
    spot: str
    member_name_masked: str
    note: str
    paid_at: datetime | None
    lines: list[PickupLineOut]


class ToServeListOut(msgspec.Struct):
    """What waits, longest first; at most a hundred."""

    items: list[ToServeOut]
