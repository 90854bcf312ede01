"""What the calls about paid orders take and answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.errors import invalid
from backend.kernel.http import Body

from ..types import OrderState
from ..types.after import ReceivedBy
from .delivery import ReceiverOut

MOST_LINES = 100
Carrier = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_]{1,32}$(?!\n)", description="微信快递公司编码，如 SF、YTO、ZTO")]
TrackingNo = Annotated[str, Meta(pattern=r"^[0-9A-Za-z\-]{4,64}$(?!\n)")]
Reason = Annotated[str, Meta(min_length=1, max_length=200)]
Note = Annotated[str, Meta(max_length=200)]
LineNo = Annotated[int, Meta(ge=1, le=MOST_LINES)]
Pieces = Annotated[int, Meta(ge=1, le=999)]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Pictures = Annotated[
    list[Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]],
    Meta(max_length=6, description="POST /v1/member/media 返回的 id，每张只用一次"),
]
OrderId = Annotated[str, Meta(min_length=1, max_length=40)]
StoreId = Annotated[str, Meta(min_length=1, max_length=32)]


class PageQuery(Body):
    """Which page."""

    cursor: Cursor | None = None
    limit: Limit = 20


class PiecesIn(Body):
    """So many pieces of a line."""

    line_no: LineNo
    qty: Pieces


Lines = Annotated[list[PiecesIn], Meta(min_length=1, max_length=MOST_LINES)]


def pieces_of(lines: Sequence[PiecesIn]) -> dict[int, int]:
    """The pieces by line; refuses a line that is named twice, of which one would be lost."""
    pieces = {line.line_no: line.qty for line in lines}
    if len(pieces) < len(lines):
        raise invalid("/lines", "a line is named twice")
    return pieces


# -- sending and receiving


class ParcelIn(Body):
    """A parcel that left; without ``lines`` all that is left to send is in it."""

    carrier: Carrier
    tracking_no: TrackingNo
    lines: Lines | None = None


class ParcelOut(msgspec.Struct):
    """A parcel on its way."""

    carrier: str
    tracking_no: str
    lines: list[PiecesOut]
    sent_at: datetime


class PiecesOut(msgspec.Struct):
    """So many pieces of a line."""

    line_no: int
    qty: int


class PickupOut(msgspec.Struct, omit_defaults=True):
    """How an order waits at its store: ``code`` fetches it, and is gone once it was fetched."""

    ready_at: datetime
    code: str | None = None
    handed_at: datetime | None = None


class DeliveryOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How far an order is: its parcels, its pick-up, and when the clock takes the next step.

    ``receiver`` is whom it is sent to: whole for its member; for staff while it is to be sent, masked otherwise.
    """

    order_id: str
    status: OrderState
    parcels: list[ParcelOut] = []
    pickup: PickupOut | None = None
    sent_at: datetime | None = None
    received_at: datetime | None = None
    received_by: ReceivedBy | None = None
    receives_itself_at: datetime | None = None
    closes_at: datetime | None = None
    receiver: ReceiverOut | None = None


# -- pick-up at the till


class PickupIn(Body):
    """The code that a member shows or says; blanks and dashes are left out."""

    code: Annotated[str, Meta(min_length=1, max_length=24)]


class PickupLineOut(msgspec.Struct):
    """What is to be handed over; ``qty`` without what was given back before."""

    line_no: int
    sku: str
    name: str
    spec: str
    qty: int


class TillPickupOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An order that waits in this store, or was handed over (``handed_at``)."""

    order_id: str
    status: OrderState
    member_name_masked: str
    note: str
    ready_at: datetime
    lines: list[PickupLineOut]
    handed_at: datetime | None = None
