"""Reads of stock (public)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from time import monotonic

import asyncpg
import msgspec

from backend.auth import queries as auth
from backend.kernel import db
from backend.kernel.errors import NotFound
from backend.kernel.paging import Place as PagingPlace
from backend.mall import queries as mall

from .types import (
    Alert,
    AlertKind,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentState,
    Level,
    Movement,
    MovementKind,
    Payable,
    Piece,
    Place,
)

_LEVEL = "place_id, sku, on_hand, reserved, short, value_fen, version, low_qty, low_at"
_MOVEMENT = (
    "place_id, sku, version, at, kind, document_id, about, qty, short, cost_fen, on_hand_after, short_after,"
    " value_after, staff_id"
)
_ONE_LEVEL = f"SELECT {_LEVEL} FROM stock_level WHERE place_id = $1 AND sku = $2"  # noqa: S608 - put together of constants
_JOURNAL = (
    f"SELECT {_MOVEMENT} FROM stock_movement WHERE place_id = $1 AND sku = $2 AND version < $3"  # noqa: S608 - as above
    " ORDER BY version DESC LIMIT $4"
)
_LEVELS = f"""
SELECT {_LEVEL} FROM stock_level
 WHERE place_id = $1 AND ($2::text IS NULL OR sku = $2) AND sku > $3
   AND ($4 = 'all' OR ($4 = 'low' AND low_at IS NOT NULL) OR ($4 = 'short' AND short > 0)) ORDER BY sku LIMIT $5
"""  # noqa: S608 - put together of constants
_PLACE_JOURNAL = f"""
SELECT {_MOVEMENT} FROM stock_movement
 WHERE place_id = $1 AND at >= $2 AND at < $3 AND ($4::text IS NULL OR sku = $4) AND (at, sku, version) > ($5, $6, $7)
 ORDER BY at, sku, version LIMIT $8"""  # noqa: S608 - put together of constants
_DOCUMENT = (
    "d.id, d.number, d.kind, d.state, d.version, d.place_id, d.other_place_id, d.supplier_id, d.customer, d.about,"
    " d.total_fen, d.note, d.made_on, d.created_by, d.created_at, d.approved_by, d.posted_at"
)
_DOCUMENTS = f"""
SELECT {_DOCUMENT} FROM stock_document d
 WHERE ($1::text[] IS NULL OR d.place_id = ANY($1) OR d.other_place_id = ANY($1))
   AND ($2::text IS NULL OR d.kind = $2) AND ($3::text IS NULL OR d.state = $3)
   AND ($4::text IS NULL OR d.supplier_id = $4)
   AND ($5::text IS NULL OR EXISTS (SELECT FROM stock_document_line l WHERE l.document_id = d.id AND l.sku = $5))
   AND ($6::date IS NULL OR d.made_on >= $6) AND ($7::date IS NULL OR d.made_on <= $7)
   AND ($8::timestamptz IS NULL OR d.created_at < $8 OR (d.created_at = $8 AND d.id > $9))
 ORDER BY d.created_at DESC, d.id LIMIT $10"""  # noqa: S608 - put together of constants
_ONE_DOCUMENT = f"SELECT {_DOCUMENT} FROM stock_document d WHERE d.id = $1"  # noqa: S608 - put together of constants
_LINES = (
    "SELECT line_no, sku, qty, unit_fen, amount_fen, done_qty, book_qty, seen, cost_fen FROM stock_document_line"
    " WHERE document_id = $1 ORDER BY line_no"
)
_LEAVING = """
SELECT coalesce(sum(div(v.value_fen::numeric * least(l.qty, v.on_hand), v.on_hand)), 0)
  FROM stock_document_line l JOIN stock_level v ON v.place_id = $2 AND v.sku = l.sku AND v.on_hand > 0
 WHERE l.document_id = $1"""
_PAYABLES = """
SELECT supplier_id, sum(received)::bigint, sum(returned)::bigint, sum(paid)::bigint FROM (
    SELECT supplier_id, CASE kind WHEN 'receipt' THEN total_fen ELSE 0 END AS received,
           CASE kind WHEN 'purchase_return' THEN total_fen ELSE 0 END AS returned, 0 AS paid
      FROM stock_document
     WHERE supplier_id > $1 AND state = 'posted' AND kind IN ('receipt', 'purchase_return')
    UNION ALL
    SELECT supplier_id, 0, 0, amount_fen FROM stock_payment WHERE supplier_id > $1
) AS m GROUP BY supplier_id ORDER BY supplier_id LIMIT $2"""
# From one place to the next by the index: there are few places, and many levels.
_PLACES = """
WITH RECURSIVE p AS (
    (SELECT place_id FROM stock_level ORDER BY place_id LIMIT 1)
    UNION ALL
    SELECT (SELECT l.place_id FROM stock_level l WHERE l.place_id > p.place_id ORDER BY l.place_id LIMIT 1)
      FROM p WHERE p.place_id IS NOT NULL
) SELECT place_id FROM p WHERE place_id IS NOT NULL"""
_ALERT = """
SELECT a.id, a.kind, a.place_id, a.sku, a.qty, a.at, a.closed_at, a.closed_by, a.note,
       coalesce(l.on_hand, 0) AS on_hand, coalesce(l.short, 0) AS short, l.low_qty
  FROM stock_alert a LEFT JOIN stock_level l ON l.place_id = a.place_id AND l.sku = a.sku"""
_ALERTS = f"""{_ALERT}
 WHERE ($1::text[] IS NULL OR a.place_id = ANY($1)) AND ($2::text IS NULL OR a.kind = $2)
   AND (NOT $3 OR a.closed_at IS NULL) AND ($4::timestamptz IS NULL OR a.at < $4 OR (a.at = $4 AND a.id > $5))
 ORDER BY a.at DESC, a.id LIMIT $6"""
_AVAILABLE = f"""
SELECT l.place_id, l.sku, greatest(0, l.on_hand - l.reserved) AS available
  FROM unnest({db.given(1, "text")}, {db.given(2, "text")}) AS w (place_id, sku)
  JOIN stock_level l ON l.place_id = w.place_id AND l.sku = w.sku"""  # noqa: S608 - put together of constants


async def find_available(pieces: Iterable[Piece]) -> dict[tuple[str, str], int]:
    """How many pieces orders may still have, by (place, SKU): 0 where the place keeps no stock of it.

    A hint, read without a lock: only ``service.reserve_many`` decides.
    """
    wanted = {(piece.place_id, piece.sku) for piece in pieces}
    rows = await db.fetch(_AVAILABLE, [place for place, _ in wanted], [sku for _, sku in wanted])
    return dict.fromkeys(wanted, 0) | {(row["place_id"], row["sku"]): row["available"] for row in rows}


mall.know_stock_by(
    "EXISTS (SELECT FROM stock_level l WHERE l.place_id = {store} AND l.sku = {sku} AND l.on_hand > l.reserved)"
)

OpenOrders = Callable[[asyncpg.Connection, Sequence[str]], Awaitable[set[str]]]
"""Which of these orders are still promised what they asked for, as that connection sees them."""

_open_orders: dict[str, OpenOrders] = {}


def know_orders_by(find_open: OpenOrders, *, of: str = "orders") -> None:
    """Let stock ask a domain above which of its orders are open; until one did, no promise is held against an order."""
    _open_orders[of] = find_open


async def find_ended(connection: asyncpg.Connection, order_ids: Sequence[str]) -> set[str]:
    """Which of these orders are not open any more; none where nobody said who knows."""
    ended = set(order_ids) if _open_orders else set()
    for find_open in _open_orders.values():
        ended -= await find_open(connection, order_ids)
    return ended


async def list_lost_promises(now: datetime, limit: int) -> list[str]:
    """Orders past their promises' time that are not open any more, oldest first; of the ``limit`` oldest promises."""
    async with db.pool().acquire() as connection:
        rows = await connection.fetch(
            "SELECT order_id, min(until) AS until FROM stock_reservation WHERE until < $1 GROUP BY 1 ORDER BY 2, 1"
            " LIMIT $2",
            now,
            limit,
        )
        order_ids = [row["order_id"] for row in rows]
        ended = await find_ended(connection, order_ids)
    return [order_id for order_id in order_ids if order_id in ended]


MovementPlace = tuple[datetime, str, int]
"""The time, SKU and version of the last line of a page of a place's journal."""

PLACES_KEPT_S = 10.0

_places: tuple[object, float, frozenset[str]] = (None, 0.0, frozenset())


async def places_with_stock() -> frozenset[str]:
    """The places that keep stock of anything; at most ten seconds old."""
    global _places
    pool, until, known = _places
    if pool is not db.pool() or monotonic() >= until:
        known = frozenset(row[0] for row in await db.fetch(_PLACES))
        _places = (db.pool(), monotonic() + PLACES_KEPT_S, known)
    return known


def forget_places() -> None:
    """Read them again at the next question: one has begun to keep stock here."""
    global _places
    _places = (None, 0.0, frozenset())


async def find_level(place_id: str, sku: str) -> Level | None:
    """How an article stands at a place, or None where it keeps no stock of it."""
    row = await db.fetchrow(_ONE_LEVEL, place_id, sku)
    return Level(*row) if row else None


async def list_movements(place_id: str, sku: str, *, before: int | None = None, limit: int = 50) -> list[Movement]:
    """The journal of an article at a place, newest first, from before that version on."""
    rows = await db.fetch(_JOURNAL, place_id, sku, before if before is not None else 1 << 62, limit)
    return [movement(row) for row in rows]


def movement(row: Sequence[object]) -> Movement:
    """A row of the journal."""
    place_id, sku, version, at, kind, *rest = row
    return Movement(place_id, sku, version, at, MovementKind(kind), *rest)  # type: ignore[arg-type]


async def list_places(*, store_id: str | None = None) -> list[Place]:
    """Every place, or those that a store's staff keep: the store itself and its warehouses."""
    stores = [Place(store.id, store.name, store.id, warehouse=False) for store in await auth.list_stores(only=store_id)]
    rows = await db.fetch(
        "SELECT id, name, store_id, active FROM stock_warehouse WHERE $1::text IS NULL OR store_id = $1 ORDER BY id",
        store_id,
    )
    return stores + [
        Place(row["id"], row["name"], row["store_id"], warehouse=True, active=row["active"]) for row in rows
    ]


async def get_place(place_id: str) -> Place:
    """A place; ``NotFound`` for none."""
    store = await auth.find_store(place_id)
    if store is not None:
        return Place(store.id, store.name, store.id, warehouse=False)
    row = await db.fetchrow("SELECT id, name, store_id, active FROM stock_warehouse WHERE id = $1", place_id)
    if row is None:
        raise NotFound("there is no such place")
    return Place(row["id"], row["name"], row["store_id"], warehouse=True, active=row["active"])


# -- lists for staff


async def list_levels(
    place_id: str, *, which: str = "all", sku: str | None = None, after: str = "", limit: int = 50
) -> list[Level]:
    """Levels of a place by SKU, after that one: all, those that are ``low``, or those of which some is ``short``."""
    rows = await db.fetch(_LEVELS, place_id, sku, after, which, limit)
    return [Level(*row) for row in rows]


async def list_place_movements(
    place_id: str, begin: datetime, end: datetime, *, sku: str | None, after: MovementPlace | None, limit: int
) -> list[Movement]:
    """The journal of a place in ``[begin, end)``, oldest first, after that line."""
    at, last_sku, version = after or (begin, "", 0)
    rows = await db.fetch(_PLACE_JOURNAL, place_id, begin, end, sku, at, last_sku, version, limit)
    return [movement(row) for row in rows]


async def find_numbers(document_ids: Iterable[str]) -> dict[str, str]:
    """What those of these that are documents of stock are called on paper."""
    rows = await db.fetch("SELECT id, number FROM stock_document WHERE id = ANY($1::text[])", sorted(set(document_ids)))
    return {row["id"]: row["number"] for row in rows}


class DocumentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which documents; ``place_ids``: of, or sent to, one of these (None: of any)."""

    place_ids: Sequence[str] | None = None
    kind: DocumentKind | None = None
    state: DocumentState | None = None
    supplier_id: str | None = None
    sku: str | None = None
    begin: date | None = None
    end: date | None = None


async def list_documents(wanted: DocumentFilter, *, before: PagingPlace | None, limit: int) -> list[Document]:
    """Documents without their lines, newest first; ``begin`` and ``end`` are days, both included."""
    at, last = before or (None, "")
    rows = await db.fetch(
        _DOCUMENTS,
        wanted.place_ids,
        wanted.kind,
        wanted.state,
        wanted.supplier_id,
        wanted.sku,
        wanted.begin,
        wanted.end,
        at,
        last,
        limit,
    )
    return [_document(row) for row in rows]


async def get_document(document_id: str) -> Document:
    """A document with its lines; ``NotFound`` for none."""
    row = await db.fetchrow(_ONE_DOCUMENT, document_id)
    if row is None:
        raise NotFound("there is no such document")
    return _document(row, await db.fetch(_LINES, document_id))


async def read_document(tx: db.Tx, document_id: str) -> Document:
    """The same on an open transaction, its row locked."""
    rows = await db.fetch_in(tx, f"{_ONE_DOCUMENT} FOR UPDATE", document_id)
    if not rows:
        raise NotFound("there is no such document")
    return _document(rows[0], await db.fetch_in(tx, _LINES, document_id))


def _document(row: db.Record, lines: Sequence[db.Record] = ()) -> Document:
    fields = dict(row) | {"kind": DocumentKind(row["kind"]), "state": DocumentState(row["state"])}
    return Document(**fields, lines=tuple(DocumentLine(**dict(line)) for line in lines))


async def writers(tx: db.Tx, document_id: str) -> frozenset[int]:
    """Who entered a locked document, edited it, counted for it, sent it, or took it in."""
    rows = await db.fetch_in(
        tx,
        "SELECT DISTINCT staff_id FROM stock_document_change"
        " WHERE document_id = $1 AND action IN ('enter', 'edit', 'count', 'ship', 'receive')",
        document_id,
    )
    return frozenset(row["staff_id"] for row in rows)


async def leaving_fen(tx: db.Tx, document: Document) -> int:
    """What the goods cost by the books now that a slip or a return to a supplier takes out; 0 of any other document."""
    if document.kind not in (DocumentKind.WHOLESALE, DocumentKind.PURCHASE_RETURN):
        return 0
    rows = await db.fetch_in(tx, _LEAVING, document.id, document.place_id)
    return int(rows[0][0])


async def list_changes(document_id: str) -> list[db.Record]:
    """Who did what to a document (version, at, staff_id, action, note), oldest first."""
    return await db.fetch(
        "SELECT version, at, staff_id, action, note FROM stock_document_change WHERE document_id = $1 ORDER BY version",
        document_id,
    )


async def list_attachments(document_id: str) -> list[db.Record]:
    """The attachments of a document (id, name, media_type, size, at) without their bytes."""
    return await db.fetch(
        "SELECT id, name, media_type, length(body) AS size, at FROM stock_attachment WHERE document_id = $1"
        " ORDER BY at, id",
        document_id,
    )


async def get_attachment(document_id: str, attachment_id: str) -> db.Record:
    """One attachment (name, media_type, body); ``NotFound`` for none."""
    row = await db.fetchrow(
        "SELECT name, media_type, body FROM stock_attachment WHERE document_id = $1 AND id = $2",
        document_id,
        attachment_id,
    )
    if row is None:
        raise NotFound("there is no such attachment")
    return row


async def list_alerts(
    place_ids: Sequence[str] | None,
    *,
    kind: AlertKind | None,
    only_open: bool,
    before: PagingPlace | None,
    limit: int,
) -> list[Alert]:
    """What staff of these places (None: of all) should look at, newest first; with what was looked at, if wanted."""
    at, last = before or (None, "")
    return [_alert(row) for row in await db.fetch(_ALERTS, place_ids, kind, only_open, at, last, limit)]


async def get_alert(alert_id: str) -> Alert:
    """One of them; ``NotFound`` for none."""
    row = await db.fetchrow(f"{_ALERT} WHERE a.id = $1", alert_id)
    if row is None:
        raise NotFound("there is no such alert")
    return _alert(row)


def _alert(row: db.Record) -> Alert:
    return Alert(**dict(row) | {"kind": AlertKind(row["kind"])})


async def list_payables(*, after: str = "", limit: int = 50) -> list[Payable]:
    """What each supplier is owed, by code, after that one."""
    return [Payable(*row) for row in await db.fetch(_PAYABLES, after, limit)]
