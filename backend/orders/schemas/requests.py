"""What the calls about after-sales requests take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from backend.kernel.http import Body
from backend.kernel.money import Fen
from backend.mall.types import UploadAddress
from backend.sales.types import Refund

from ..types.after import AfterSaleKind, AfterSaleState, Fault
from .after import Carrier, Cursor, Limit, Lines, Note, OrderId, Pictures, PiecesOut, Reason, StoreId, TrackingNo


class AfterSaleIn(Body):
    """What is asked for pieces of an order; ``amount_fen``: a smaller amount than they cost.

    ``fault`` is what the member says; what it costs is for staff to decide.
    """

    kind: AfterSaleKind
    lines: Lines
    reason: Reason
    fault: Fault = Fault.MEMBER
    amount_fen: Fen | None = None
    pictures: Pictures = msgspec.field(default_factory=list)


class SendBackIn(Body):
    """How the goods come back."""

    carrier: Carrier
    tracking_no: TrackingNo


class DecisionIn(Body):
    """Staff's word to a request; ``amount_fen``: a smaller amount than its pieces cost.

    ``fault``: whose doing it is. Goods that were sent cost their freight unless staff say ``shop``, here or before.
    """

    amount_fen: Fen | None = None
    fault: Fault | None = None
    note: Note = ""


class RejectIn(Body):
    """Why a request is refused; the member reads it."""

    note: Reason


class GoodsIn(Body):
    """Goods that came back; ``restock`` false where they cannot be sold again."""

    restock: bool = True
    note: Note = ""


class ExchangeIn(Body):
    """How the other pieces travel."""

    carrier: Carrier
    tracking_no: TrackingNo
    note: Note = ""


class StageOut(msgspec.Struct):
    """A step that a request took, by ``staff`` or ``member``."""

    step: str
    by: Literal["staff", "member"]
    note: str
    at: datetime


class AfterSaleOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request as it stands. ``refund_status``: ``refunding`` while WeChat owes its part, then ``posted``.

    ``fault`` is what was said when it was asked, ``decided_fault`` what staff decided.
    """

    id: str
    order_id: str
    store_id: str
    kind: AfterSaleKind
    status: AfterSaleState
    fault: Fault
    reason: str
    lines: list[PiecesOut]
    asked_at: datetime
    updated_at: datetime
    amount_fen: int | None = None
    agreed_fen: int | None = None
    carrier: str | None = None
    tracking_no: str | None = None
    restock: bool = True
    decided_fault: Fault | None = None
    pictures: list[UploadAddress] = []
    refund: Refund | None = None
    refund_status: str | None = None
    stages: list[StageOut] = []


class AfterSalesOut(msgspec.Struct):
    """A page of requests, newest first."""

    items: list[AfterSaleOut]
    next_cursor: str | None


class AfterSalesQuery(Body):
    """Which of the member's requests to list: of one order, in one state, or all."""

    order_id: OrderId | None = None
    status: AfterSaleState | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class StaffAfterSalesQuery(AfterSalesQuery):
    """Which store's (a manager's own)."""

    store_id: StoreId | None = None
