"""The phone's lists of what the member said and asked for: reviews, invoices."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.kernel.errors import ValidationFailed
from backend.kernel.http import Router
from backend.kernel.paging import place_cursor, read_place
from backend.members import queries as members

from ..commands import invoices
from ..queries import own
from ..schemas.reviews import InvoicesOut, OwnInvoicesQuery, OwnReviewsOut, OwnReviewsQuery
from ..views import after as views

router = Router(tag="orders")


@router.get("/v1/member/reviews", guard=member, summary="我的评价", errors=(ValidationFailed,))
async def list_reviews(caller: MemberCaller, query: OwnReviewsQuery) -> OwnReviewsOut:
    """A page of what the member said, newest first, of one order or of all; ``shown`` false where staff hid it."""
    before = read_place(query.cursor)
    most = query.limit + 1
    found = await members.newest_of_books(
        caller.member_id,
        lambda book: own.list_own_reviews(book, order_id=query.order_id, before=before, limit=most),
        lambda one: (one.review.at, views.review_id(one.review)),
        most,
    )
    page = found[: query.limit]
    last = page[-1].review if len(found) > query.limit else None
    return OwnReviewsOut(
        await views.own_reviews_out(page), place_cursor(last.at, views.review_id(last)) if last else None
    )


@router.get("/v1/member/invoices", guard=member, summary="我的发票", errors=(ValidationFailed,))
async def list_invoices(caller: MemberCaller, query: OwnInvoicesQuery) -> InvoicesOut:
    """A page of the invoices that the member asked for, newest first, of one order or of all."""
    before = read_place(query.cursor)
    most = query.limit + 1
    found = await members.newest_of_books(
        caller.member_id,
        lambda book: own.list_own_invoices(book, order_id=query.order_id, before=before, limit=most),
        lambda one: (one.asked_at, one.order_id),
        most,
    )
    page = found[: query.limit]
    last = place_cursor(page[-1].asked_at, page[-1].order_id) if len(found) > query.limit else None
    items = []
    for one in page:
        written = invoices.opened(one)
        items.append(views.invoice_out(one, written.title, written.tax_no, written.email))
    return InvoicesOut(items, last)
