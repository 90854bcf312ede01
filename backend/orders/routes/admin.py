"""Staff's calls about orders: pack, send, make ready, decide what is asked, follow up. A manager's own store's only."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict, Stale
from backend.sales.errors import RefundExceedsPaid
from backend.stock.errors import OutOfStock, ReturnExceedsSold

from .. import errors, queries
from ..commands import after_sales, invoices, notices, pickups, psp_refunds, receivers, reviews, shipping
from ..commands.show import owner_of
from ..queries import afterwards, requests
from ..schemas.after import ParcelIn, pieces_of
from ..schemas.requests import (
    AfterSaleIn,
    AfterSaleOut,
    AfterSalesOut,
    DecisionIn,
    ExchangeIn,
    GoodsIn,
    RejectIn,
    StaffAfterSalesQuery,
)
from ..schemas.reviews import (
    InvoiceDecisionIn,
    InvoiceOut,
    InvoicesOut,
    ReviewChangeIn,
    ReviewsOut,
    StaffInvoicesQuery,
    StaffReviewsQuery,
)
from ..schemas.staff import HandoverIn, StaffOrderDetail, StaffOrdersOut, StaffOrdersQuery
from ..types import Order
from ..views import after as views
from .after import after_sales_page, reviews_page

router = Router(tag="orders")

_ORDERS = "/v1/admin/orders"
_ORDER = f"{_ORDERS}/{{order_id}}"
_AFTER_SALES = "/v1/admin/after-sales"
_AFTER_SALE = f"{_AFTER_SALES}/{{after_sale_id}}"
_MONEY = (NotFound, errors.AfterSaleConflict, RefundExceedsPaid, ReturnExceedsSold, errors.RefundLimitReached, Stale)


MOST_CHANGES = 100


def reached(caller: StaffCaller, store_id: str | None) -> str:
    """The store that is asked about (head office names one), or this person's own; another's is not found."""
    wanted = store_id or caller.store_id
    if wanted is None:
        raise invalid("/query/store_id", "name a store")
    if not caller.reaches(wanted):
        raise NotFound("there is no such store")
    return wanted


async def _order(caller: StaffCaller, order_id: str) -> Order:
    member_id = owner_of(order_id)
    found = await queries.find_order(member_id, order_id) if member_id else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such order")
    return found


# -- orders


@router.get(_ORDERS, guard=staff(Permission.ORDERS_READ), summary="门店订单", errors=(NotFound, ValidationFailed))
async def list_orders(caller: StaffCaller, query: StaffOrdersQuery) -> StaffOrdersOut:
    """A page of a store's orders, newest first, or of those in one state."""
    found = await queries.list_of_store(
        reached(caller, query.store_id), query.status, before=read_place(query.cursor), limit=query.limit + 1
    )
    page = found[: query.limit]
    last = place_cursor(page[-1].placed_at, page[-1].id) if len(found) > query.limit else None
    return StaffOrdersOut(await views.staff_orders(page), last)


@router.get(_ORDER, guard=staff(Permission.ORDERS_READ), summary="订单详情", errors=(NotFound,))
async def get_order(caller: StaffCaller, order_id: str) -> StaffOrderDetail:
    """One order with its delivery, its requests, and whether WeChat was told.

    Whom it is sent to is shown while there is something to send, and that it was looked at is noted.
    """
    order = await _order(caller, order_id)
    shown = await views.staff_order_detail(order)
    shown.delivery.receiver = await receivers.look(order, caller)
    return shown


async def _shown(caller: StaffCaller, order_id: str) -> StaffOrderDetail:
    return await views.staff_order_detail(await _order(caller, order_id))


@router.post(
    f"{_ORDER}/parcels",
    guard=staff(Permission.ORDERS_HANDLE),
    summary="发货",
    errors=(NotFound, errors.OrderNotSendable, errors.ShipmentInvalid, errors.AfterSaleOpen),
)
async def send_parcel(caller: StaffCaller, order_id: str, body: ParcelIn) -> StaffOrderDetail:
    """Note a parcel that left; the same number again changes nothing."""
    pieces = pieces_of(body.lines) if body.lines else None
    await shipping.send_parcel(order_id, body.carrier, body.tracking_no, pieces, caller)
    return await _shown(caller, order_id)


@router.post(
    f"{_ORDER}/ready",
    guard=staff(Permission.ORDERS_HANDLE),
    summary="备货完成，可自提",
    errors=(NotFound, errors.OrderNotSendable, errors.ShipmentInvalid, errors.AfterSaleOpen),
)
async def make_ready(caller: StaffCaller, order_id: str) -> StaffOrderDetail:
    """Put an order ready for its member to fetch. Again it answers the same."""
    await shipping.make_ready(order_id, caller)
    return await _shown(caller, order_id)


@router.post(
    f"{_ORDER}/handover",
    guard=staff(Permission.ORDERS_DECIDE),
    summary="无码交付自提订单",
    errors=(
        NotFound,
        ValidationFailed,
        RateLimited,
        errors.IdentityMismatch,
        errors.PickupDone,
        errors.AfterSaleOpen,
        errors.OrderNotReceivable,
    ),
)
async def hand_over(caller: StaffCaller, order_id: str, body: HandoverIn) -> StaffOrderDetail:
    """Give an order out to a member whose phone cannot show its code. Again it answers the same."""
    await pickups.hand_over_without_code(order_id, body, caller)
    return await _shown(caller, order_id)


@router.get(
    f"{_ORDER}/changes",
    guard=staff(Permission.ORDERS_DECIDE, Permission.AUDIT_READ),
    summary="订单操作记录",
    errors=(NotFound,),
)
async def list_changes(caller: StaffCaller, order_id: str) -> ChangesOut:
    """Who looked at whom an order goes to, and who handed it over without its code; newest first."""
    order = await _order(caller, order_id)
    return changes_out(await queries.changes.list_of(order.id, MOST_CHANGES))


@router.post(f"{_ORDER}/notice", guard=staff(Permission.ORDERS_DECIDE), summary="重新上传发货信息", errors=(NotFound,))
async def tell_again(caller: StaffCaller, order_id: str) -> StaffOrderDetail:
    """Tell WeChat anew how the goods travel, after what it refused was put right."""
    order = await _order(caller, order_id)
    payment = await afterwards.find_payment(order)
    if payment is not None:
        await notices.tell_again(order.member_id, payment.out_trade_no, clock.now())
    return await _shown(caller, order_id)


# -- after-sales


@router.post(
    f"{_ORDER}/after-sales",
    guard=staff(Permission.ORDERS_HANDLE),
    status=201,
    idempotent=True,
    summary="代客申请售后",
    errors=(NotFound, ValidationFailed, errors.AfterSaleUnavailable, RefundExceedsPaid, IdempotencyConflict),
)
async def open_request(
    caller: StaffCaller, order_id: str, body: AfterSaleIn, idem: Idempotency
) -> Answer[AfterSaleOut]:
    """Open a request for a member who came or called; it is decided like any other."""
    after_sale_id, replayed = await after_sales.open_for(order_id, body, caller, idem)
    return Answer(await _request(caller, after_sale_id), replayed=replayed)


@router.get(_AFTER_SALES, guard=staff(Permission.ORDERS_READ), summary="售后列表", errors=(NotFound, ValidationFailed))
async def list_requests(caller: StaffCaller, query: StaffAfterSalesQuery) -> AfterSalesOut:
    """A page of a store's requests, newest first, or of those in one state."""
    found = await requests.list_after_sales(
        member_id=None,
        store_id=reached(caller, query.store_id),
        order_id=query.order_id,
        state=query.status,
        before=read_place(query.cursor),
        limit=query.limit + 1,
    )
    return after_sales_page(found, query.limit)


@router.get(_AFTER_SALE, guard=staff(Permission.ORDERS_READ), summary="售后详情", errors=(NotFound,))
async def get_request(caller: StaffCaller, after_sale_id: str) -> AfterSaleOut:
    """One request with its steps and its refund."""
    return await _request(caller, after_sale_id)


async def _request(caller: StaffCaller, after_sale_id: str) -> AfterSaleOut:
    return await views.after_sale_detail(await after_sales.get_staffs(after_sale_id, caller))


@router.post(f"{_AFTER_SALE}/approve", guard=staff(Permission.ORDERS_DECIDE), summary="同意售后", errors=_MONEY)
async def approve(caller: StaffCaller, after_sale_id: str, body: DecisionIn) -> AfterSaleOut:
    """Agree to a request; what asks for money alone is paid back at once. Again it answers the same."""
    await after_sales.approve(after_sale_id, body, caller)
    return await _request(caller, after_sale_id)


@router.post(
    f"{_AFTER_SALE}/reject",
    guard=staff(Permission.ORDERS_DECIDE),
    summary="拒绝售后",
    errors=(NotFound, errors.AfterSaleConflict),
)
async def reject(caller: StaffCaller, after_sale_id: str, body: RejectIn) -> AfterSaleOut:
    """Refuse a request, or goods that came back otherwise than was said. Again it answers the same."""
    await after_sales.reject(after_sale_id, body.note, caller)
    return await _request(caller, after_sale_id)


@router.post(
    f"{_AFTER_SALE}/goods",
    guard=staff(Permission.ORDERS_HANDLE),
    summary="收到退货",
    errors=(NotFound, errors.AfterSaleConflict),
)
async def receive_goods(caller: StaffCaller, after_sale_id: str, body: GoodsIn) -> AfterSaleOut:
    """Note that the goods came back. Again it answers the same."""
    await after_sales.receive_goods(after_sale_id, body.note, caller, restock=body.restock)
    return await _request(caller, after_sale_id)


@router.post(f"{_AFTER_SALE}/refund", guard=staff(Permission.ORDERS_REFUND), summary="退款", errors=_MONEY)
async def refund(caller: StaffCaller, after_sale_id: str, body: DecisionIn) -> AfterSaleOut:
    """Pay back goods that came back. Again it answers the same."""
    await after_sales.refund(after_sale_id, body, caller)
    return await _request(caller, after_sale_id)


@router.post(
    f"{_AFTER_SALE}/exchange",
    guard=staff(Permission.ORDERS_DECIDE),
    summary="换货发出",
    errors=(NotFound, errors.AfterSaleConflict, errors.ShipmentInvalid, OutOfStock, ReturnExceedsSold),
)
async def exchange(caller: StaffCaller, after_sale_id: str, body: ExchangeIn) -> AfterSaleOut:
    """Send other pieces for those that came back. Again it answers the same."""
    await after_sales.exchange(after_sale_id, body.carrier, body.tracking_no, body.note, caller)
    return await _request(caller, after_sale_id)


@router.post(
    "/v1/admin/order-refunds/{refund_id}/retry",
    guard=staff(Permission.ORDERS_REFUND),
    summary="重试微信退款",
    errors=(NotFound,),
)
async def retry_refund(caller: StaffCaller, refund_id: str) -> None:
    """Ask WeChat anew for a refund that was given up, after somebody has looked after it."""
    await psp_refunds.ask_again(refund_id, caller.reaches)


# -- reviews and invoices


@router.get(
    "/v1/admin/reviews", guard=staff(Permission.REVIEWS_READ), summary="评价列表", errors=(NotFound, ValidationFailed)
)
async def list_reviews(caller: StaffCaller, query: StaffReviewsQuery) -> ReviewsOut:
    """A page of a store's reviews, newest first, hidden ones too."""
    found = await afterwards.list_reviews(
        store_id=reached(caller, query.store_id), before=read_place(query.cursor), limit=query.limit + 1
    )
    return await reviews_page(found, query.limit, staff=True)


@router.post(
    "/v1/admin/reviews/{order_id}/{line_no}",
    guard=staff(Permission.REVIEWS_MANAGE),
    summary="回复或隐藏评价",
    errors=(NotFound, ValidationFailed),
)
async def change_review(caller: StaffCaller, order_id: str, line_no: int, body: ReviewChangeIn) -> None:
    """Hide or show a review, or answer it."""
    await reviews.change(order_id, line_no, body, caller)


@router.get(
    "/v1/admin/invoices",
    guard=staff(Permission.INVOICES_MANAGE),
    summary="发票申请",
    errors=(NotFound, ValidationFailed),
)
async def list_invoices(caller: StaffCaller, query: StaffInvoicesQuery) -> InvoicesOut:
    """A page of the invoices that were asked of a store, newest first."""
    found = await afterwards.list_invoices(
        store_id=reached(caller, query.store_id),
        state=query.status,
        before=read_place(query.cursor),
        limit=query.limit + 1,
    )
    page = found[: query.limit]
    last = place_cursor(page[-1].asked_at, page[-1].order_id) if len(found) > query.limit else None
    shown: list[InvoiceOut] = []
    for one in page:
        written = invoices.opened(one)
        shown.append(views.invoice_out(one, written.title, written.tax_no, written.email))
    return InvoicesOut(shown, last)


@router.post(
    f"{_ORDER}/invoice",
    guard=staff(Permission.INVOICES_MANAGE),
    summary="登记发票",
    errors=(NotFound, ValidationFailed, errors.InvoiceUnavailable),
)
async def decide_invoice(caller: StaffCaller, order_id: str, body: InvoiceDecisionIn) -> None:
    """Record that an invoice was issued, or why it is not. Again it answers the same."""
    await invoices.decide(order_id, body, caller)
