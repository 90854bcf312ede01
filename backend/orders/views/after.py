"""How paid orders and what is asked of them look to the phone, to staff and to the till."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from backend.ledger import queries as ledger
from backend.ledger.types import Document
from backend.mall import queries as mall
from backend.members import queries as members
from backend.members.types import Card
from backend.sales import plans as sales
from backend.sales.types import Refund

from .. import queries
from ..queries import afterwards, requests
from ..queries.afterwards import Invoice
from ..queries.own import OwnReview
from ..rules import after_sales as rules
from ..rules import fulfilment
from ..schemas.after import DeliveryOut, ParcelOut, PickupLineOut, PickupOut, PiecesOut, TillPickupOut
from ..schemas.requests import AfterSaleOut, StageOut
from ..schemas.reviews import InvoiceOut, OwnReviewOut, ReviewOut
from ..schemas.spots import ToServeOut
from ..schemas.staff import NoticeOut, StaffLineOut, StaffOrderDetail, StaffOrderOut
from ..types import Order, OrderState
from ..types.after import AfterSale, Pickup, Review
from .orders import due_of


def pieces_out(pieces: Mapping[int, int]) -> list[PiecesOut]:
    """Quantities by line."""
    return [PiecesOut(line_no, qty) for line_no, qty in sorted(pieces.items())]


async def delivery_out(order: Order, code: str | None) -> DeliveryOut:
    """How far an order is; ``code`` fetches it, for its member only and while it waits."""
    parcels, found, waits = await asyncio.gather(
        afterwards.list_parcels(order.member_id, order.id),
        afterwards.find_fulfilment(order.member_id, order.id),
        afterwards.find_pickup(order.member_id, order.id),
    )
    shown = code if order.state is OrderState.READY_FOR_PICKUP else None
    return DeliveryOut(
        order_id=order.id,
        status=order.state,
        parcels=[ParcelOut(one.carrier, one.tracking_no, pieces_out(one.pieces), one.sent_at) for one in parcels],
        pickup=PickupOut(waits.ready_at, shown, waits.handed_at) if waits else None,
        sent_at=found.sent_at if found else None,
        received_at=found.received_at if found else None,
        received_by=found.received_by if found else None,
        receives_itself_at=found.due_at if found and order.state is OrderState.SHIPPED else None,
        closes_at=found.due_at if found and order.state is OrderState.RECEIVED else None,
    )


async def till_pickup(found: Pickup) -> TillPickupOut:
    """What a till hands over: the order's goods without those that were given back."""
    order = await queries.find_order(found.member_id, found.order_id)
    assert order is not None
    card, known = await asyncio.gather(
        members.get_card(found.member_id), requests.list_of_order(order.member_id, order.id)
    )
    return TillPickupOut(
        order_id=order.id,
        status=order.state,
        member_name_masked=card.name_masked,
        note=order.note,
        ready_at=found.ready_at,
        handed_at=found.handed_at,
        lines=_left(order, known),
    )


async def to_serve(orders: Sequence[Order]) -> list[ToServeOut]:
    """What is brought to tables: each order's goods without those that were given back."""
    known, cards = await asyncio.gather(
        requests.list_of_orders([(order.member_id, order.id) for order in orders]), _cards(orders)
    )
    return [
        ToServeOut(
            order_id=order.id,
            status=order.state,
            spot=order.spot_name or "",
            member_name_masked=card.name_masked,
            note=order.note,
            paid_at=order.paid_at,
            lines=_left(order, known[order.id]),
        )
        for order, card in zip(orders, cards, strict=True)
    ]


async def _cards(found: Sequence[Order | Review]) -> list[Card]:
    """Whose they are."""
    return list(await asyncio.gather(*(members.get_card(one.member_id) for one in found)))


def _left(order: Order, known: Sequence[AfterSale]) -> list[PickupLineOut]:
    left = fulfilment.to_send({line.line_no: line.qty for line in order.lines}, rules.given_back(known), [])
    return [
        PickupLineOut(line.line_no, line.sku, line.name, line.spec, left[line.line_no])
        for line in order.lines
        if line.line_no in left
    ]


def after_sale_out(found: AfterSale) -> AfterSaleOut:
    """A request in a list."""
    return AfterSaleOut(
        id=found.id,
        order_id=found.order_id,
        store_id=found.store_id,
        kind=found.kind,
        status=found.state,
        fault=found.fault,
        reason=found.reason,
        lines=pieces_out(found.pieces),
        asked_at=found.asked_at,
        updated_at=found.updated_at,
        amount_fen=found.asked_fen,
        agreed_fen=found.agreed_fen,
        carrier=found.carrier,
        tracking_no=found.tracking_no,
        restock=found.restock,
        decided_fault=found.decided_fault,
        pictures=[mall.upload_address(one) for one in found.pictures],
    )


async def after_sale_detail(found: AfterSale) -> AfterSaleOut:
    """A request with its steps and its refund."""
    shown = after_sale_out(found)
    stages = await requests.list_stages(found.member_id, found.id)
    shown.stages = [StageOut(one.step, "staff" if one.staff_id else "member", one.note, one.at) for one in stages]
    document = await ledger.find_document(found.member_id, found.refund_id) if found.refund_id else None
    if document is not None:
        shown.refund = msgspec.convert(document.body, Refund)
        shown.refund_status = document.state
    return shown


async def staff_orders(orders: Sequence[Order]) -> list[StaffOrderOut]:
    """Orders as staff see them."""
    documents, cards = await asyncio.gather(
        ledger.find_documents((order.member_id, order.id) for order in orders), _cards(orders)
    )
    return [_staff_order(order, card, documents[order.id]) for order, card in zip(orders, cards, strict=True)]


def _staff_order(order: Order, card: Card, document: Document) -> StaffOrderOut:
    return StaffOrderOut(
        id=order.id,
        store_id=order.store_id,
        status=order.state,
        delivery=order.delivery,
        member_no=card.member_no,
        member_name_masked=card.name_masked,
        lines=[
            StaffLineOut(line.line_no, line.sku, line.name, line.spec, line.qty, line.payable_fen)
            for line in order.lines
        ],
        payable_fen=order.payable_fen,
        due_fen=due_of(document),
        refunded_fen=sales.sale_progress(document).refunded_fen,
        note=order.note,
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        ended_at=order.ended_at,
    )


async def staff_order_detail(order: Order) -> StaffOrderDetail:
    """An order with everything that became of it."""
    (shown,), delivery, known = await asyncio.gather(
        staff_orders([order]), delivery_out(order, None), requests.list_of_order(order.member_id, order.id)
    )
    payment = await afterwards.find_payment(order)
    told = await afterwards.find_notice(order.member_id, payment.out_trade_no) if payment else None
    return StaffOrderDetail(
        order=shown,
        delivery=delivery,
        after_sales=[after_sale_out(one) for one in known],
        notice=NoticeOut(told.state, told.tries, told.errcode) if told else None,
    )


async def reviews_out(found: Sequence[Review], *, staff: bool) -> list[ReviewOut]:
    """Reviews; who wrote them by a masked name, unless they would rather not."""
    cards = await _cards(found)
    return [
        ReviewOut(
            id=review_id(one),
            order_id=one.order_id if staff else None,
            line_no=one.line_no if staff else None,
            product_id=one.product_id,
            spec=one.spec,
            stars=one.stars,
            text=one.text,
            pictures=[mall.upload_address(picture) for picture in one.pictures],
            author="" if one.anonymous and not staff else card.name_masked,
            at=one.at,
            reply=one.reply,
            shown=one.shown,
        )
        for one, card in zip(found, cards, strict=True)
    ]


async def own_reviews_out(found: Sequence[OwnReview]) -> list[OwnReviewOut]:
    """What a member said, for themselves."""
    shown = await reviews_out([one.review for one in found], staff=True)
    return [
        OwnReviewOut(name=one.name, **{field: getattr(out, field) for field in out.__struct_fields__})
        for one, out in zip(found, shown, strict=True)
    ]


def review_id(one: Review) -> str:
    """What a review is called: a digest of its order and line, as ``afterwards`` sorts by it."""
    # An order's id says whose it is: what everybody reads must not.
    return hashlib.sha256(f"{one.order_id}-{one.line_no}".encode()).hexdigest()[:32]


def invoice_out(found: Invoice, title: str, tax_no: str | None, email: str | None) -> InvoiceOut:
    """An invoice request with what lay sealed."""
    return InvoiceOut(
        order_id=found.order_id,
        store_id=found.store_id,
        kind=found.kind,
        status=found.state,
        title=title,
        tax_no=tax_no,
        email=email,
        amount_fen=found.amount_fen,
        number=found.number,
        note=found.note,
        asked_at=found.asked_at,
        decided_at=found.decided_at,
    )
