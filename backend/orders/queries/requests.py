"""After-sales requests and the steps they took, as the tables hold them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.paging import Place

from ..types.after import AfterSale, AfterSaleKind, AfterSaleState, AfterSaleStep, Fault

_AFTER_SALE = (
    "SELECT member_id, id, order_id, store_id, kind, state, fault, reason, pieces, dispatched, asked_fen, agreed_fen,"
    " carrier, tracking_no, restock, refund_id, asked_at, updated_at, pictures, decided_fault FROM orders_after_sale"
)
_pieces = msgspec.json.Decoder(dict[int, int])
_texts = msgspec.json.Decoder(list[str])


class Stage(msgspec.Struct, frozen=True):
    """A step that a request took: by staff (their id) or by the member (None)."""

    step: str
    staff_id: int | None
    note: str
    at: datetime


def _after_sale(row: db.Record) -> AfterSale:
    return AfterSale(
        **{
            **dict(row),
            "kind": AfterSaleKind(row["kind"]),
            "state": AfterSaleState(row["state"]),
            "fault": Fault(row["fault"]),
            "pieces": _pieces.decode(row["pieces"]),
            "pictures": _texts.decode(row["pictures"]),
            "decided_fault": Fault(row["decided_fault"]) if row["decided_fault"] else None,
        }
    )


async def find_after_sale(member_id: int, after_sale_id: str) -> AfterSale | None:
    """A member's request, or None."""
    row = await db.fetchrow(f"{_AFTER_SALE} WHERE member_id = $1 AND id = $2", member_id, after_sale_id)
    return _after_sale(row) if row else None


async def lock_after_sale(tx: Tx, member_id: int, after_sale_id: str) -> AfterSale:
    """A member's request, locked (its order was locked before); ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{_AFTER_SALE} WHERE member_id = $1 AND id = $2 FOR UPDATE", member_id, after_sale_id)
    if not rows:
        raise NotFound("there is no such request")
    return _after_sale(rows[0])


_OF_ORDER = f"{_AFTER_SALE} WHERE member_id = $1 AND order_id = $2 ORDER BY asked_at, id"
_OF_ORDERS = (
    f"{_AFTER_SALE} JOIN unnest({db.given(1, 'bigint')}, {db.given(2, 'text')}) AS w (member_id, order_id)"
    " USING (member_id, order_id) ORDER BY asked_at, id"
)


async def list_of_order(member_id: int, order_id: str) -> list[AfterSale]:
    """An order's requests, the oldest first."""
    return [_after_sale(row) for row in await db.fetch(_OF_ORDER, member_id, order_id)]


async def list_of_orders(orders: Sequence[tuple[int, str]]) -> dict[str, list[AfterSale]]:
    """The requests of these orders, each named by its member and its id, by order; the oldest first. One statement."""
    found: dict[str, list[AfterSale]] = {order_id: [] for _, order_id in orders}
    for row in await db.fetch(_OF_ORDERS, [one for one, _ in orders], [one for _, one in orders]) if orders else ():
        found[row["order_id"]].append(_after_sale(row))
    return found


async def after_sales_in(tx: Tx, member_id: int, order_id: str) -> list[AfterSale]:
    """The same on an open transaction, which holds the order's row."""
    return [_after_sale(row) for row in await db.fetch_in(tx, _OF_ORDER, member_id, order_id)]


async def list_after_sales(
    *,
    member_id: int | None,
    store_id: str | None,
    order_id: str | None,
    state: AfterSaleState | None,
    before: Place | None,
    limit: int,
) -> list[AfterSale]:
    """Requests of a member or of a store (None: of all), of one order or of all, newest first."""
    at, after_sale_id = before or (None, "")
    rows = await db.fetch(
        f"{_AFTER_SALE} WHERE ($1::bigint IS NULL OR member_id = $1) AND ($2::text IS NULL OR store_id = $2)"
        " AND ($3::text IS NULL OR state = $3) AND ($4::timestamptz IS NULL OR (asked_at, id) < ($4, $5))"
        " AND ($7::text IS NULL OR order_id = $7)"
        " ORDER BY asked_at DESC, id DESC LIMIT $6",
        member_id,
        store_id,
        state,
        at,
        after_sale_id,
        limit,
        order_id,
    )
    return [_after_sale(row) for row in rows]


async def list_stages(member_id: int, after_sale_id: str) -> list[Stage]:
    """What happened to a request, in order."""
    rows = await db.fetch(
        "SELECT step, staff_id, note, at FROM orders_after_sale_step WHERE member_id = $1 AND after_sale_id = $2"
        " ORDER BY number",
        member_id,
        after_sale_id,
    )
    return [Stage(**dict(row)) for row in rows]


async def count_steps(tx: Tx, after_sale: AfterSale) -> int:
    """How many steps a locked request has taken."""
    rows = await db.fetch_in(
        tx,
        "SELECT count(*) AS steps FROM orders_after_sale_step WHERE member_id = $1 AND after_sale_id = $2",
        after_sale.member_id,
        after_sale.id,
    )
    steps: int = rows[0]["steps"]
    return steps


async def note_step(
    tx: Tx, after_sale: AfterSale, step: AfterSaleStep | str, *, staff_id: int | None, note: str, at: datetime
) -> None:
    """Write down what happened to a locked request."""
    await db.raw(tx).execute(
        "INSERT INTO orders_after_sale_step (member_id, after_sale_id, number, step, staff_id, note, at)"
        " VALUES ($1, $2, 1 + (SELECT count(*) FROM orders_after_sale_step"
        "  WHERE member_id = $1 AND after_sale_id = $2::varchar), $3, $4, $5, $6)",
        after_sale.member_id,
        after_sale.id,
        str(step),
        staff_id,
        note,
        at,
    )


_CHANGEABLE = ("agreed_fen", "carrier", "tracking_no", "restock", "refund_id", "decided_fault")


async def change_after_sale(
    tx: Tx, after_sale: AfterSale, state: AfterSaleState, *, at: datetime, **changed: object
) -> AfterSale:
    """Bring a locked request to a state; ``changed`` are other columns of it."""
    found = msgspec.structs.replace(after_sale, state=state, updated_at=at, **changed)
    await db.raw(tx).execute(
        "UPDATE orders_after_sale SET state = $3, updated_at = $4, agreed_fen = $5, carrier = $6, tracking_no = $7,"
        " restock = $8, refund_id = $9, decided_fault = $10 WHERE member_id = $1 AND id = $2",
        found.member_id,
        found.id,
        found.state,
        found.updated_at,
        *(getattr(found, name) for name in _CHANGEABLE),
    )
    return found
