"""What one member said of goods, and the invoices they asked for: lists that begin with the member in every key."""

from __future__ import annotations

from typing import Any

import msgspec

from backend.kernel import db
from backend.kernel.paging import Place

from ..types.after import Review
from .afterwards import INVOICE, Invoice, invoice_of, review_of

_REVIEWS = """
SELECT r.member_id, r.order_id, r.line_no, r.store_id, r.product_id, r.spec, r.stars, r.text, r.pictures, r.anonymous,
       r.shown, r.reply, r.at, l.name AS line_name
  FROM (SELECT *, left(encode(sha256(convert_to(order_id || '-' || line_no, 'UTF8')), 'hex'), 32) AS id
          FROM orders_review WHERE member_id = $1) AS r
  JOIN orders_line l ON l.member_id = r.member_id AND l.order_id = r.order_id AND l.line_no = r.line_no
 WHERE ($2::text IS NULL OR r.order_id = $2) AND ($3::timestamptz IS NULL OR (r.at, r.id) < ($3, $4))
 ORDER BY r.at DESC, r.id DESC LIMIT $5"""


class OwnReview(msgspec.Struct, frozen=True):
    """A review and what the reviewed line is called."""

    review: Review
    name: str


async def list_own_reviews(
    member_id: int, *, order_id: str | None, before: Place | None, limit: int
) -> list[OwnReview]:
    """What a member said, of one order where it is named, newest first; hidden ones too."""
    at, review_id = before or (None, "")
    found: list[OwnReview] = []
    for row in await db.fetch(_REVIEWS, member_id, order_id, at, review_id, limit):
        columns: dict[str, Any] = dict(row)
        name = columns.pop("line_name")
        found.append(OwnReview(review_of(columns), name))
    return found


async def list_own_invoices(member_id: int, *, order_id: str | None, before: Place | None, limit: int) -> list[Invoice]:
    """The invoices that a member asked for, of one order where it is named, newest first."""
    at, before_id = before or (None, "")
    rows = await db.fetch(
        f"{INVOICE} WHERE member_id = $1 AND ($2::timestamptz IS NULL OR (asked_at, order_id) < ($2, $3))"
        " AND ($5::text IS NULL OR order_id = $5) ORDER BY asked_at DESC, order_id DESC LIMIT $4",
        member_id,
        at,
        before_id,
        limit,
        order_id,
    )
    return [invoice_of(row) for row in rows]
