"""Invoices: asked for by the member once the goods are there, made in the chain's tax system, recorded here.

Title, tax number and address are personal: they lie sealed, and are opened for the member and for their store's staff.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.vault import vault
from backend.ledger.errors import Stale
from backend.sales import plans as sales
from backend.sales.types import Refund, SaleBody, SaleProgress, TenderType

from .. import locks
from ..errors import InvoiceUnavailable
from ..queries import afterwards, requests
from ..queries.afterwards import Invoice
from ..rules import after_sales as rules
from ..schemas.reviews import InvoiceDecisionIn, InvoiceIn
from ..types import Order, OrderState
from ..types.after import InvoiceKind
from .show import owner_of, read_order

log = logging.get(__name__)

CONTEXT = "orders_invoice.sealed"
_RECEIVED = frozenset({OrderState.RECEIVED, OrderState.COMPLETED})
_NO_MONEY = frozenset({TenderType.COUPON, TenderType.POINTS, TenderType.GIFT_CARD})
"""Tenders that no invoice names: what coupons and points paid is a discount, and a gift card's invoice was its buyer's.

Source: State Taxation Administration, announcement 53 of 2016, article 3 (prepaid cards)."""


class Written(msgspec.Struct, frozen=True):
    """What lies sealed."""

    title: str
    tax_no: str | None
    email: str | None


def opened(invoice: Invoice) -> Written:
    """Whom an invoice is for."""
    return msgspec.json.decode(vault().open(invoice.sealed, context=CONTEXT), type=Written)


def invoiced_fen(body: SaleBody, progress: SaleProgress) -> int:
    """What money paid of an order and was not given back."""
    given = progress.tender_fen or (0,) * len(body.tenders)
    return sum(
        tender.amount_fen - back
        for tender, back in zip(body.tenders, given, strict=True)
        if tender.type not in _NO_MONEY
    )


async def ask(order_id: str, body: InvoiceIn, member_id: int) -> None:
    """Ask for an order's invoice, or put the request right while nobody has decided it."""
    if body.kind is InvoiceKind.COMPANY and body.tax_no is None:
        raise invalid("/tax_no", "a company's invoice names its tax number")
    if owner_of(order_id) != member_id:
        raise NotFound("there is no such order")
    seen = await requests.list_of_order(member_id, order_id)
    _, document = await read_order(member_id, order_id)
    amount_fen = invoiced_fen(sales.sale_body(document), sales.sale_progress(document))
    written = msgspec.json.encode(Written(body.title, body.tax_no, body.email))
    now = clock.now()
    async with db.transaction() as tx:
        order = await locks.lock_order(tx, member_id, order_id)
        known = await requests.after_sales_in(tx, member_id, order_id)
        if known != seen:
            raise Stale  # perhaps something was given back since the amount was read
        if order.state not in _RECEIVED or amount_fen <= 0 or any(one.state in rules.LIVING for one in known):
            raise InvoiceUnavailable(extra={"status": str(order.state)})
        rows = await db.fetch_in(
            tx,
            "INSERT INTO orders_invoice (member_id, order_id, store_id, kind, state, sealed, amount_fen, asked_at)"
            " VALUES ($1, $2, $3, $4, 'requested', $5, $6, $7) ON CONFLICT (member_id, order_id) DO UPDATE"
            " SET kind = $4, sealed = $5, amount_fen = $6, asked_at = $7, state = 'requested', decided_at = NULL"
            " WHERE orders_invoice.state <> 'issued' RETURNING 1",
            member_id,
            order_id,
            order.store_id,
            body.kind,
            vault().seal(written, context=CONTEXT),
            amount_fen,
            now,
        )
        if not rows:
            raise InvoiceUnavailable("the invoice was issued already")
    log.info("orders.invoice_asked", order_id=order_id, kind=str(body.kind))


async def lower(tx: Tx, order: Order, made: Refund, now: datetime) -> None:
    """Take what a refund gives back off the invoice that is asked for of a locked order; with nothing left, end it."""
    back_fen = sum(tender.amount_fen for tender in made.by_tender if tender.type not in _NO_MONEY)
    await db.raw(tx).execute(
        "UPDATE orders_invoice SET amount_fen = CASE WHEN amount_fen > $3 THEN amount_fen - $3 ELSE amount_fen END,"
        " state = CASE WHEN amount_fen > $3 THEN state ELSE 'rejected' END,"
        " note = CASE WHEN amount_fen > $3 THEN note ELSE '已全额退款，无需开票' END,"
        " decided_at = CASE WHEN amount_fen > $3 THEN NULL ELSE $4::timestamptz END"
        " WHERE member_id = $1 AND order_id = $2 AND state = 'requested'",
        order.member_id,
        order.id,
        back_fen,
        now,
    )


async def decide(order_id: str, body: InvoiceDecisionIn, caller: StaffCaller) -> None:
    """Record that an invoice was issued, with its number, or why it is not; only of this person's store.

    Repeated, it changes nothing; another word about one that was decided is ``InvoiceUnavailable``.
    """
    if (body.status == "issued") == (body.number is None):
        raise invalid("/number", "an issued invoice has a number, a rejected one has none")
    member_id = owner_of(order_id)
    found = await afterwards.find_invoice(member_id, order_id) if member_id else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such invoice")
    async with db.transaction() as tx:
        rows = await db.fetch_in(
            tx,
            "UPDATE orders_invoice SET state = $3, number = $4, note = $5, decided_at = $6, staff_id = $7"
            " WHERE member_id = $1 AND order_id = $2 AND state = 'requested' RETURNING 1",
            member_id,
            order_id,
            body.status,
            body.number,
            body.note,
            clock.now(),
            caller.staff_id,
        )
    if rows:
        log.info("orders.invoice_decided", order_id=order_id, status=body.status, staff_id=caller.staff_id)
        return
    known = await afterwards.find_invoice(found.member_id, order_id)
    if known is None or (known.state, known.number) != (body.status, body.number):
        raise InvoiceUnavailable("it was decided already")
