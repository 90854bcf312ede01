"""The phone's calls about orders that are paid: where they are, receipt, after-sales, reviews, invoices."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.kernel.paging import place_cursor, read_place
from backend.ledger.errors import IdempotencyConflict, Stale
from backend.mall import queries as mall
from backend.members import queries as members
from backend.sales.errors import RefundExceedsPaid

from .. import addresses, errors
from ..commands import after_sales, invoices, receipts, reviews, show
from ..commands.shipping import pickup_code
from ..queries import afterwards, requests
from ..schemas.after import DeliveryOut
from ..schemas.requests import AfterSaleIn, AfterSaleOut, AfterSalesOut, AfterSalesQuery, SendBackIn
from ..schemas.reviews import InvoiceIn, InvoiceOut, ProductReviewsQuery, ReviewIn, ReviewsOut
from ..types.after import AfterSale, Review
from ..views import after as views
from ..views.delivery import receiver_out

router = Router(tag="orders")

_ORDER = "/v1/member/orders/{order_id}"
_AFTER_SALES = "/v1/member/after-sales"
_AFTER_SALE = f"{_AFTER_SALES}/{{after_sale_id}}"


async def _books(caller: MemberCaller, order_id: str) -> int:
    """On whose books an order of the caller's stands: it may be of a number that became theirs."""
    return await show.books_of(caller.member_id, show.owner_of(order_id))


@router.get(f"{_ORDER}/delivery", guard=member, summary="物流与自提", errors=(NotFound,))
async def get_delivery(caller: MemberCaller, order_id: str) -> DeliveryOut:
    """Where an order is: its parcels and where they go, or the code that fetches it at the store."""
    order, _ = await show.read_order(await _books(caller, order_id), order_id)
    shown = await views.delivery_out(order, pickup_code(order_id))
    receiver = await addresses.find_receiver(order)
    shown.receiver = receiver_out(receiver) if receiver else None
    return shown


@router.post(f"{_ORDER}/receipt", guard=member, summary="确认收货", errors=(NotFound, errors.OrderNotReceivable))
async def receive(caller: MemberCaller, order_id: str) -> DeliveryOut:
    """Say that the goods are there. Again it answers the same."""
    books = await _books(caller, order_id)
    await receipts.receive(books, order_id)
    order, _ = await show.read_order(books, order_id)
    return await views.delivery_out(order, None)


# -- after-sales


@router.post(
    f"{_ORDER}/after-sales",
    guard=member,
    status=201,
    idempotent=True,
    summary="申请售后",
    errors=(NotFound, ValidationFailed, errors.AfterSaleUnavailable, RefundExceedsPaid, IdempotencyConflict),
)
async def ask(caller: MemberCaller, order_id: str, body: AfterSaleIn, idem: Idempotency) -> Answer[AfterSaleOut]:
    """Ask for money or other goods for pieces of an order."""
    after_sale_id, replayed = await after_sales.ask(order_id, body, caller, idem)
    return Answer(await _shown(caller, after_sale_id), replayed=replayed)


@router.get(_AFTER_SALES, guard=member, summary="我的售后", errors=(ValidationFailed,))
async def list_requests(caller: MemberCaller, query: AfterSalesQuery) -> AfterSalesOut:
    """A page of the member's requests, newest first."""
    before, most = read_place(query.cursor), query.limit + 1

    async def of_book(book: int) -> list[AfterSale]:
        return await requests.list_after_sales(
            member_id=book, store_id=None, order_id=query.order_id, state=query.status, before=before, limit=most
        )

    found = await members.newest_of_books(caller.member_id, of_book, lambda one: (one.asked_at, one.id), most)
    return after_sales_page(found, query.limit)


def after_sales_page(found: list[AfterSale], limit: int) -> AfterSalesOut:
    """A page of requests, of which one more was read."""
    page = found[:limit]
    last = place_cursor(page[-1].asked_at, page[-1].id) if len(found) > limit else None
    return AfterSalesOut([views.after_sale_out(one) for one in page], last)


@router.get(_AFTER_SALE, guard=member, summary="售后详情", errors=(NotFound,))
async def get_request(caller: MemberCaller, after_sale_id: str) -> AfterSaleOut:
    """One request with its steps and its refund; another member's is not found."""
    return await _shown(caller, after_sale_id)


async def _shown(caller: MemberCaller, after_sale_id: str) -> AfterSaleOut:
    books = await show.books_of(caller.member_id, after_sales.member_of(after_sale_id))
    found = await requests.find_after_sale(books, after_sale_id)
    if found is None:
        raise NotFound("there is no such request")
    return await views.after_sale_detail(found)


@router.post(f"{_AFTER_SALE}/cancel", guard=member, summary="撤销售后", errors=(NotFound, errors.AfterSaleConflict))
async def cancel_request(caller: MemberCaller, after_sale_id: str) -> AfterSaleOut:
    """Withdraw a request. Again it answers the same."""
    books = await show.books_of(caller.member_id, after_sales.member_of(after_sale_id))
    await after_sales.cancel(after_sale_id, books)
    return await _shown(caller, after_sale_id)


@router.post(f"{_AFTER_SALE}/parcel", guard=member, summary="寄回商品", errors=(NotFound, errors.AfterSaleConflict))
async def send_back(caller: MemberCaller, after_sale_id: str, body: SendBackIn) -> AfterSaleOut:
    """Say how the goods come back; a better number replaces it until they are there."""
    books = await show.books_of(caller.member_id, after_sales.member_of(after_sale_id))
    await after_sales.send_back(after_sale_id, body.carrier, body.tracking_no, books)
    return await _shown(caller, after_sale_id)


# -- reviews and invoices


@router.post(
    f"{_ORDER}/reviews",
    guard=member,
    summary="评价",
    errors=(NotFound, ValidationFailed, errors.ReviewUnavailable),
)
async def review(caller: MemberCaller, order_id: str, body: ReviewIn) -> None:
    """Say what one thinks of a line of an order that was received, once."""
    await reviews.review(order_id, body, await _books(caller, order_id))


@router.get(
    "/v1/member/mall/products/{spu}/reviews", guard=member, summary="商品评价", errors=(NotFound, ValidationFailed)
)
async def list_reviews(caller: MemberCaller, spu: str, query: ProductReviewsQuery) -> ReviewsOut:
    """What members say of a product that is sold at that store, newest first."""
    before = read_place(query.cursor)
    if await mall.find_product(spu[:64], store_id=query.store_id) is None:
        raise NotFound("there is no such product")
    found = await afterwards.list_reviews(product_id=spu, shown=True, before=before, limit=query.limit + 1)
    return await reviews_page(found, query.limit, staff=False)


async def reviews_page(found: list[Review], limit: int, *, staff: bool) -> ReviewsOut:
    """A page of reviews, of which one more was read."""
    page = found[:limit]
    last = place_cursor(page[-1].at, views.review_id(page[-1])) if len(found) > limit else None
    return ReviewsOut(await views.reviews_out(page, staff=staff), last)


@router.put(
    f"{_ORDER}/invoice",
    guard=member,
    summary="申请发票",
    errors=(NotFound, ValidationFailed, errors.InvoiceUnavailable, Stale),
)
async def ask_invoice(caller: MemberCaller, order_id: str, body: InvoiceIn) -> InvoiceOut:
    """Ask for an order's invoice, or put the request right while nobody has decided it."""
    await invoices.ask(order_id, body, await _books(caller, order_id))
    return await _invoice(caller, order_id)


@router.get(f"{_ORDER}/invoice", guard=member, summary="发票", errors=(NotFound,))
async def get_invoice(caller: MemberCaller, order_id: str) -> InvoiceOut:
    """The invoice that was asked for an order."""
    return await _invoice(caller, order_id)


async def _invoice(caller: MemberCaller, order_id: str) -> InvoiceOut:
    found = await afterwards.find_invoice(await _books(caller, order_id), order_id)
    if found is None:
        raise NotFound("no invoice was asked for")
    written = invoices.opened(found)
    return views.invoice_out(found, written.title, written.tax_no, written.email)
