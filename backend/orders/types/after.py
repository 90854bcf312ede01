"""What becomes of a paid order: parcels, receipt, after-sales requests, invoices and reviews."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class ReceivedBy(StrEnum):
    """Who said that the goods are there: the member here or inside WeChat, the till or staff that handed them over, or
    the clock."""

    MEMBER = "member"
    TILL = "till"
    STAFF = "staff"
    CLOCK = "clock"
    WECHAT = "wechat"


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel on its way; ``pieces`` by line. ``carrier`` is WeChat's code of it (``SF``, ``YTO``, ``ZTO`` …).

    ``about`` is the exchange that sent it; None for a parcel of what was bought.
    """

    number: int
    carrier: str
    tracking_no: str
    pieces: dict[int, int]
    sent_at: datetime
    about: str | None = None


class Fulfilment(msgspec.Struct, frozen=True, kw_only=True):
    """How far a paid order is: sent (or ready), received, done; ``due_at`` is when the clock takes the next step."""

    member_id: int
    order_id: str
    sent_at: datetime
    received_at: datetime | None
    received_by: ReceivedBy | None
    done_at: datetime | None
    due_at: datetime | None


class Pickup(msgspec.Struct, frozen=True, kw_only=True):
    """An order that waits at its store, or was handed over there."""

    member_id: int
    order_id: str
    store_id: str
    ready_at: datetime
    handed_at: datetime | None
    terminal_id: str | None
    key: str | None


class AfterSaleKind(StrEnum):
    """What is asked for: money alone, money for goods that come back, or other pieces for them."""

    REFUND = "refund"
    RETURN = "return"
    EXCHANGE = "exchange"


class AfterSaleState(StrEnum):
    """The life of an after-sales request."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ON_THE_WAY = "on_the_way"
    RECEIVED = "received"
    REFUNDED = "refunded"
    EXCHANGED = "exchanged"


class AfterSaleStep(StrEnum):
    """What moves one."""

    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    SEND = "send"
    RECEIVE = "receive"
    REFUND = "refund"
    EXCHANGE = "exchange"


class Fault(StrEnum):
    """Whose doing it is: the freight goes back only where staff say the shop's, or nothing was sent."""

    SHOP = "shop"
    MEMBER = "member"


class AfterSale(msgspec.Struct, frozen=True, kw_only=True):
    """An after-sales request as it stands.

    ``pieces`` by line; ``asked_fen`` is a smaller amount than theirs that the member wants, ``agreed_fen`` what staff
    agreed to; without either it is what the pieces cost. ``dispatched``: the goods had left when it was asked.
    ``fault`` is what was said when it was asked, ``decided_fault`` what staff decided, None as long as they did not.
    """

    member_id: int
    id: str
    order_id: str
    store_id: str
    kind: AfterSaleKind
    state: AfterSaleState
    fault: Fault
    reason: str
    pieces: dict[int, int]
    dispatched: bool
    asked_fen: int | None
    agreed_fen: int | None
    carrier: str | None
    tracking_no: str | None
    restock: bool
    refund_id: str | None
    asked_at: datetime
    updated_at: datetime
    pictures: list[str] = []
    decided_fault: Fault | None = None


class NoticeState(StrEnum):
    """Whether WeChat was told how a payment's goods travel."""

    DUE = "due"
    TOLD = "told"
    FAILED = "failed"


class InvoiceKind(StrEnum):
    """Whom an invoice is for."""

    PERSONAL = "personal"
    COMPANY = "company"


class InvoiceState(StrEnum):
    """The life of an invoice request; the invoice itself is made in the chain's tax system."""

    REQUESTED = "requested"
    ISSUED = "issued"
    REJECTED = "rejected"


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """What a member says of what they bought."""

    member_id: int
    order_id: str
    line_no: int
    store_id: str
    product_id: str
    spec: str
    stars: int
    text: str
    pictures: list[str]
    anonymous: bool
    shown: bool
    reply: str | None
    at: datetime
