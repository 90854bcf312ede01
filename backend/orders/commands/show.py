"""A member's orders as they stand."""

from __future__ import annotations

from backend.kernel import ids
from backend.kernel.errors import NotFound
from backend.kernel.paging import place_cursor, read_place
from backend.ledger import queries as ledger
from backend.ledger.types import Document
from backend.members import queries as members
from backend.sales import plans as sales

from .. import plans, queries
from ..schemas.orders import OrderOut, OrdersOut, OrdersQuery
from ..types import Order
from ..views import orders as views


async def get_order(member_id: int, order_id: str) -> OrderOut:
    """One order; another member's is not found."""
    order, document = await read_order(member_id, order_id)
    return views.order_out(order, sales.sale_body(document), sales.sale_progress(document))


async def read_order(member_id: int, order_id: str) -> tuple[Order, Document]:
    """A member's order and its document; ``NotFound`` for none and for another's."""
    order = await queries.find_order(member_id, order_id) if owner_of(order_id) == member_id else None
    document = await ledger.find_document(member_id, order_id) if order else None
    if order is None or document is None:
        raise NotFound("there is no such order")
    return order, document


def owner_of(order_id: str) -> int | None:
    """The member whose order has that id, or None for what is none."""
    return ids.member_of(order_id, plans.PREFIX)


async def books_of(member_id: int, owner_id: int | None) -> int:
    """On whose books a member's order or request stands: their own, or those of who was merged into them.

    ``NotFound`` for another's.
    """
    books = await members.find_books(member_id, owner_id)
    if books is None:
        raise NotFound("there is no such order")
    return books


async def list_orders(member_id: int, query: OrdersQuery) -> OrdersOut:
    """A page of a member's orders, newest first, with those of who was merged into them."""
    before, most = read_place(query.cursor), query.limit + 1
    found = await members.newest_of_books(
        member_id,
        lambda book: queries.list_orders(book, query.status, before=before, limit=most),
        lambda order: (order.placed_at, order.id),
        most,
    )
    page = found[: query.limit]
    more = len(found) > len(page)
    documents = await ledger.find_documents((order.member_id, order.id) for order in page)
    return OrdersOut(
        [views.order_brief(order, documents[order.id]) for order in page],
        place_cursor(page[-1].placed_at, page[-1].id) if more else None,
    )
