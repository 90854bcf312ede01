"""What becomes of paid orders, as the tables hold it: parcels, pick-ups, receipt, after-sales requests and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.paging import Place
from backend.ledger import queries as ledger

from .. import plans
from ..types import Order, OrderState, PspPayment
from ..types.after import Fulfilment, InvoiceKind, InvoiceState, NoticeState, Parcel, Pickup, ReceivedBy, Review
from . import find_order

_PARCELS = (
    "SELECT number, carrier, tracking_no, pieces, sent_at, about FROM orders_parcel"
    " WHERE member_id = $1 AND order_id = $2 ORDER BY number"
)
_FULFILMENT = (
    "SELECT member_id, order_id, sent_at, received_at, received_by, done_at, due_at FROM orders_fulfilment"
    " WHERE member_id = $1 AND order_id = $2"
)
_PICKUP = "SELECT member_id, order_id, store_id, ready_at, handed_at, terminal_id, key FROM orders_pickup"
_REVIEW = (
    "SELECT member_id, order_id, line_no, store_id, product_id, spec, stars, text, pictures, anonymous, shown, reply,"
    " at FROM orders_review"
)
_REVIEW_ID = "left(encode(sha256(convert_to(order_id || '-' || line_no, 'UTF8')), 'hex'), 32)"
_pieces = msgspec.json.Decoder(dict[int, int])
_texts = msgspec.json.Decoder(list[str])


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice request as it stands; ``sealed`` holds title, tax number and address of mail."""

    member_id: int
    order_id: str
    store_id: str
    kind: InvoiceKind
    state: InvoiceState
    sealed: str
    amount_fen: int
    number: str | None
    note: str
    asked_at: datetime
    decided_at: datetime | None


class Notice(msgspec.Struct, frozen=True):
    """Whether WeChat was told of a payment's goods, or what it answered last."""

    state: NoticeState
    tries: int
    errcode: int | None
    updated_at: datetime


# -- what WeChat took


async def find_payment(order: Order) -> PspPayment | None:
    """What WeChat Pay took for an order's checkout; None where the member's own value paid all of it."""
    document = await ledger.find_document(order.member_id, order.payment_id) if order.payment_id else None
    return PspPayment(document.id, plans.payment_body(document).pay_fen) if document is not None else None


async def list_of_payment(member_id: int, out_trade_no: str) -> list[Order]:
    """The orders that a payment of WeChat's is for, with their lines."""
    document = await ledger.find_document(member_id, out_trade_no)
    found = [await find_order(member_id, one) for one in plans.payment_body(document).orders] if document else []
    return [order for order in found if order is not None]


# -- parcels, receipt, pick-up


def _parcel(row: db.Record) -> Parcel:
    return Parcel(**{**dict(row), "pieces": _pieces.decode(row["pieces"])})


async def list_parcels(member_id: int, order_id: str) -> list[Parcel]:
    """An order's parcels, the first one first."""
    return [_parcel(row) for row in await db.fetch(_PARCELS, member_id, order_id)]


async def parcels_in(tx: Tx, member_id: int, order_id: str) -> list[Parcel]:
    """The same on an open transaction."""
    return [_parcel(row) for row in await db.fetch_in(tx, _PARCELS, member_id, order_id)]


async def find_fulfilment(member_id: int, order_id: str) -> Fulfilment | None:
    """How far a paid order is, or None before it was sent or ready."""
    row = await db.fetchrow(_FULFILMENT, member_id, order_id)
    if row is None:
        return None
    by = row["received_by"]
    return Fulfilment(**{**dict(row), "received_by": ReceivedBy(by) if by else None})


async def find_pickup(member_id: int, order_id: str) -> Pickup | None:
    """How an order waits at its store, or None where it does not."""
    row = await db.fetchrow(f"{_PICKUP} WHERE member_id = $1 AND order_id = $2", member_id, order_id)
    return Pickup(**dict(row)) if row else None


async def find_pickup_by_code(store_id: str, digest: str) -> Pickup | None:
    """What waits in a store under a code, else what was handed over there last; None also where two wait."""
    rows = await db.fetch(
        "SELECT p.member_id, p.order_id, p.store_id, p.ready_at, p.handed_at, p.terminal_id, p.key FROM orders_pickup p"
        "  JOIN orders_order o ON o.member_id = p.member_id AND o.id = p.order_id"
        " WHERE p.store_id = $1 AND p.digest = $2 AND (p.handed_at IS NOT NULL OR o.state = $3)"
        " ORDER BY p.handed_at DESC NULLS FIRST LIMIT 2",
        store_id,
        digest,
        OrderState.READY_FOR_PICKUP,
    )
    waiting = [row for row in rows if row["handed_at"] is None]
    return Pickup(**dict(rows[0])) if rows and len(waiting) < 2 else None


async def is_code_waited_under(tx: Tx, store_id: str, digest: str) -> bool:
    """Whether something waits in a store under a code."""
    rows = await db.fetch_in(
        tx,
        "SELECT 1 FROM orders_pickup p JOIN orders_order o ON o.member_id = p.member_id AND o.id = p.order_id"
        " WHERE p.store_id = $1 AND p.digest = $2 AND p.handed_at IS NULL AND o.state = $3 LIMIT 1",
        store_id,
        digest,
        OrderState.READY_FOR_PICKUP,
    )
    return bool(rows)


async def lock_pickup(tx: Tx, member_id: int, order_id: str) -> Pickup:
    """An order's pick-up, locked; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{_PICKUP} WHERE member_id = $1 AND order_id = $2 FOR UPDATE", member_id, order_id)
    if not rows:
        raise NotFound("there is no such order")
    return Pickup(**dict(rows[0]))


async def bought_in(tx: Tx, member_id: int, order_id: str) -> dict[int, tuple[str, int]]:
    """SKU and pieces of an order's lines, by number."""
    rows = await db.fetch_in(
        tx,
        "SELECT line_no, sku, qty FROM orders_line WHERE member_id = $1 AND order_id = $2 ORDER BY line_no",
        member_id,
        order_id,
    )
    return {row["line_no"]: (row["sku"], row["qty"]) for row in rows}


async def arrive(
    tx: Tx,
    member_id: int,
    order_id: str,
    *,
    sent_at: datetime,
    received_at: datetime | None = None,
    by: ReceivedBy | None = None,
    due_at: datetime | None,
) -> None:
    """Write down how far a locked order is, and when the clock looks at it next."""
    await db.raw(tx).execute(
        "INSERT INTO orders_fulfilment (member_id, order_id, sent_at, received_at, received_by, due_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (member_id, order_id) DO UPDATE"
        " SET received_at = EXCLUDED.received_at, received_by = EXCLUDED.received_by, due_at = EXCLUDED.due_at",
        member_id,
        order_id,
        sent_at,
        received_at,
        by,
        due_at,
    )


# -- reviews and invoices


def review_of(row: Mapping[str, Any]) -> Review:
    """A row of the reviews."""
    return Review(**{**dict(row), "pictures": _texts.decode(row["pictures"])})


async def list_reviews(
    *,
    product_id: str | None = None,
    store_id: str | None = None,
    shown: bool | None = None,
    before: Place | None,
    limit: int,
) -> list[Review]:
    """Reviews of a product or of a store, newest first; those of one instant by their order."""
    at, order_id = before or (None, "")
    rows = await db.fetch(
        f"{_REVIEW} WHERE ($1::text IS NULL OR product_id = $1) AND ($2::text IS NULL OR store_id = $2)"
        " AND ($3::bool IS NULL OR shown = $3)"
        f" AND ($4::timestamptz IS NULL OR (at, {_REVIEW_ID}) < ($4, $5))"
        f" ORDER BY at DESC, {_REVIEW_ID} DESC LIMIT $6",
        product_id,
        store_id,
        shown,
        at,
        order_id,
        limit,
    )
    return [review_of(row) for row in rows]


async def list_reviews_of(member_id: int, order_id: str) -> list[Review]:
    """What a member said of an order."""
    rows = await db.fetch(f"{_REVIEW} WHERE member_id = $1 AND order_id = $2 ORDER BY line_no", member_id, order_id)
    return [review_of(row) for row in rows]


INVOICE = (
    "SELECT member_id, order_id, store_id, kind, state, sealed, amount_fen, number, note, asked_at, decided_at"
    " FROM orders_invoice"
)


def invoice_of(row: db.Record) -> Invoice:
    """A row of the invoice requests."""
    return Invoice(**{**dict(row), "kind": InvoiceKind(row["kind"]), "state": InvoiceState(row["state"])})


async def find_invoice(member_id: int, order_id: str) -> Invoice | None:
    """The invoice that was asked for an order, or None."""
    row = await db.fetchrow(f"{INVOICE} WHERE member_id = $1 AND order_id = $2", member_id, order_id)
    return invoice_of(row) if row else None


async def list_invoices(
    *, store_id: str | None, state: InvoiceState | None, before: Place | None, limit: int
) -> list[Invoice]:
    """Invoices that were asked of a store (None: of all), newest first."""
    at, order_id = before or (None, "")
    rows = await db.fetch(
        f"{INVOICE} WHERE ($1::text IS NULL OR store_id = $1) AND ($2::text IS NULL OR state = $2)"
        " AND ($3::timestamptz IS NULL OR (asked_at, order_id) < ($3, $4))"
        " ORDER BY asked_at DESC, order_id DESC LIMIT $5",
        store_id,
        state,
        at,
        order_id,
        limit,
    )
    return [invoice_of(row) for row in rows]


async def find_notice(member_id: int, out_trade_no: str) -> Notice | None:
    """Whether WeChat was told of a payment's goods; None where there is nothing to tell."""
    row = await db.fetchrow(
        "SELECT state, tries, errcode, updated_at FROM orders_notice WHERE member_id = $1 AND out_trade_no = $2",
        member_id,
        out_trade_no,
    )
    return Notice(NoticeState(row["state"]), row["tries"], row["errcode"], row["updated_at"]) if row else None
