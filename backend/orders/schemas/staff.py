"""What staff's calls about orders take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from ..types import DeliveryKind, OrderState
from ..types.after import NoticeState
from .after import DeliveryOut, PageQuery, StoreId
from .requests import AfterSaleOut


class StaffOrdersQuery(PageQuery):
    """Which store's (a manager's own), in which state."""

    store_id: StoreId | None = None
    status: OrderState | None = None


class NoticeOut(msgspec.Struct, omit_defaults=True):
    """Whether WeChat was told how the goods travel; ``errcode`` is what it answered last."""

    status: NoticeState
    tries: int
    errcode: int | None = None


class HandoverIn(Body):
    """Who fetches an order without its code: the last four digits of the phone number they say, and why."""

    phone_last4: Annotated[str, Meta(pattern=r"^[0-9]{4}$(?!\n)")]
    reason: Literal["phone_lost", "phone_dead", "code_unreadable"]


class StaffLineOut(msgspec.Struct):
    """A line of an order, for whoever packs it."""

    line_no: int
    sku: str
    name: str
    spec: str
    qty: int
    payable_fen: int


class StaffOrderOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An order as staff see it; the member by their number and masked name. ``due_fen``: what its coupons left."""

    id: str
    store_id: str
    status: OrderState
    delivery: DeliveryKind
    member_no: str
    member_name_masked: str
    lines: list[StaffLineOut]
    payable_fen: int
    due_fen: int
    refunded_fen: int
    note: str
    placed_at: datetime
    paid_at: datetime | None = None
    ended_at: datetime | None = None


class StaffOrderDetail(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The same with its delivery, its requests, and what WeChat was told."""

    order: StaffOrderOut
    delivery: DeliveryOut
    after_sales: list[AfterSaleOut] = []
    notice: NoticeOut | None = None


class StaffOrdersOut(msgspec.Struct):
    """A page of orders, newest first."""

    items: list[StaffOrderOut]
    next_cursor: str | None
