"""Bodies and answers of the gift cards' calls."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.kernel.money import Fen

from .records import ProductState
from .types import CardState, Holder

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
CardNo = Annotated[str, Meta(min_length=1, max_length=32, description="卡号：16 位数字", examples=["8812345678901232"])]
Pin = Annotated[str, Meta(min_length=1, max_length=12, description="卡密：6 位数字")]
OrderNo = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$(?!\n)", description="收银单号，门店内唯一")
]
Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Note = Annotated[str, Meta(max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
Reason = Annotated[str, Meta(min_length=1, max_length=200)]
Cursor = Annotated[str, Meta(min_length=1, max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Token = Annotated[str, Meta(min_length=1, max_length=64)]


class ActivateIn(Body):
    """Which card is sold in which order; ``amount_fen`` where its product has no fixed face.

    ``tender``: how the till was paid for it, so that its shift counts it there.
    """

    card_no: CardNo
    order_no: OrderNo
    amount_fen: Fen | None = None
    tender: Literal["cash", "external"] | None = None


class ActivationOut(msgspec.Struct):
    """A card that was loaded; ``id`` undoes it."""

    id: str
    card_id: str
    number_masked: str
    order_no: str
    amount_fen: int
    valid_until: date | None
    at: datetime


class UndoIn(Body):
    """Nothing to say."""


class UndoneOut(msgspec.Struct):
    """An activation that was taken back; its card is closed."""

    id: str
    card_id: str
    amount_fen: int


class CheckIn(Body):
    """A card as it is shown at a till."""

    card_no: CardNo
    pin: Pin


class CheckOut(msgspec.Struct):
    """What is on it, and the token that stands for it until then, at this till or for this member."""

    card_token: str
    expires_at: datetime
    card_id: str
    title: str
    number_masked: str
    balance_fen: int
    valid_until: date | None


class ChargeIn(Body):
    """What a passer-by pays with a card."""

    card_token: Token
    order_no: OrderNo
    amount_fen: Fen


class ChargeOut(msgspec.Struct):
    """A charge as it stands; ``balance_fen`` is what is left on the card."""

    id: str
    card_id: str
    number_masked: str
    order_no: str
    status: str
    amount_fen: int
    refunded_fen: int
    balance_fen: int
    at: datetime


class ChargesQuery(Body):
    """Of which order."""

    order_no: OrderNo


class ChargesOut(msgspec.Struct):
    """The charges of an order, one for each card."""

    items: list[ChargeOut]


class ChargeRefundIn(Body):
    """How much of a charge goes back to its card."""

    amount_fen: Fen
    reason: Reason


class ChargeRefundOut(msgspec.Struct):
    """What went back; ``balance_fen`` is what is on the card now."""

    id: str
    charge_id: str
    amount_fen: int
    balance_fen: int
    at: datetime


class BindIn(Body):
    """The card that a member makes their own, or wants to pay an order with."""

    card_no: CardNo
    pin: Pin


class GiftCardOut(msgspec.Struct):
    """A member's card."""

    id: str
    title: str
    number_masked: str
    state: CardState
    balance_fen: int
    valid_until: date | None
    bound_at: datetime | None


class GiftCardsOut(msgspec.Struct):
    """All of them, what was bound last first."""

    items: list[GiftCardOut]


class EntriesQuery(Body):
    """Where to go on."""

    cursor: Cursor | None = None
    limit: Limit = 20


class EntryOut(msgspec.Struct):
    """A line of a card's statement."""

    id: str
    at: datetime
    kind: str
    amount: int
    balance_after: int
    title: str
    reference: str | None


class EntriesOut(msgspec.Struct):
    """A page of lines, newest first."""

    items: list[EntryOut]
    next_cursor: str | None


class ProductIn(Body):
    """A product: a fixed face, or from ``min_fen`` to ``max_fen``."""

    title: Title
    holder: Holder = Holder.BINDABLE
    face_fen: Fen | None = None
    min_fen: Fen | None = None
    max_fen: Fen | None = None
    validity_months: (
        Annotated[int, Meta(ge=1, le=1200, description="自激活起的月数，至该月末；不填则长期有效")] | None
    ) = None


class ProductOut(msgspec.Struct):
    """A product as staff see it."""

    id: str
    title: str
    holder: Holder
    min_fen: int
    max_fen: int
    validity_months: int | None
    state: ProductState
    created_at: datetime


class ProductsQuery(Body):
    """Which products, and where to go on."""

    state: ProductState | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class ProductsOut(msgspec.Struct):
    """A page of products, newest first."""

    items: list[ProductOut]
    next_cursor: str | None


class BatchIn(Body):
    """How many cards, and what for."""

    total: Annotated[int, Meta(ge=1, le=100_000)]
    note: Note = ""


class BatchOut(msgspec.Struct):
    """A batch; ``made`` of ``total`` cards exist so far."""

    id: str
    product_id: str
    note: str
    total: int
    made: int
    state: str
    exported_at: datetime | None
    created_at: datetime


class BatchesOut(msgspec.Struct):
    """The last hundred batches of a product, newest first."""

    items: list[BatchOut]


class SearchIn(Body):
    """A card by its whole number: in a body, because addresses are written into logs."""

    card_no: CardNo


class CardsQuery(Body):
    """Which cards, and where to go on: of a batch or of a member."""

    batch_id: Annotated[str, Meta(min_length=1, max_length=16)] | None = None
    member_id: Annotated[str, Meta(min_length=1, max_length=19)] | None = None
    state: CardState | None = None
    last4: Annotated[str, Meta(pattern=r"^[0-9]{4}$(?!\n)")] | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class CardOut(msgspec.Struct):
    """A card as staff see it."""

    id: str
    product_id: str
    batch_id: str
    title: str
    holder: Holder
    number_masked: str
    state: CardState
    balance_fen: int
    member_id: str | None
    bound_at: datetime | None
    activated_at: datetime | None
    activation_id: str | None
    valid_until: date | None
    replaced_by: str | None


class CardsOut(msgspec.Struct):
    """A page of cards."""

    items: list[CardOut]
    next_cursor: str | None


class ReasonIn(Body):
    """Why."""

    reason: Reason


class ExtendIn(Body):
    """Until when, and why."""

    valid_until: Annotated[date, Meta(description="当地日期，含当日")]
    reason: Reason


class ReplaceIn(Body):
    """The card of the same product, not sold yet, that takes the place of a lost one, and why."""

    card_no: CardNo
    reason: Reason


class PinOut(msgspec.Struct):
    """A card's new PIN, shown this once."""

    pin: str
