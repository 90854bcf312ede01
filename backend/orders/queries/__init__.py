"""Reads of carts and orders (public)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from backend.coupons.types import Scope
from backend.kernel import clock, db
from backend.kernel.changes import Changes
from backend.kernel.kept import Kept
from backend.kernel.paging import Place
from backend.ledger import queries as ledger
from backend.ledger.types import Document

from ..addresses import get_address as get_address
from ..types import (
    CartLine,
    DeliveryKind,
    DeliveryRule,
    Order,
    OrderLine,
    OrderState,
    Promotion,
    PromotionKind,
    Step,
    Tier,
)

_ORDERS = """
SELECT member_id, id, store_id, state, checkout_id, delivery, payable_fen, note, placed_at, paid_at, ended_at,
       payment_id, pay_until, spot_id, spot_name
  FROM orders_order"""
_ORDER = f"{_ORDERS} WHERE member_id = $1"
ONE_ORDER = f"{_ORDER} AND id = $2"
_CHECKOUT = f"{_ORDER} AND checkout_id = $2 ORDER BY placed_at, id"
_NEWEST = (
    f"{_ORDER} AND ($2::text IS NULL OR state = $2) AND ($3::timestamptz IS NULL OR (placed_at, id) < ($3, $4))"
    " ORDER BY placed_at DESC, id DESC LIMIT $5"
)
_OF_STORE = (
    f"{_ORDERS} WHERE store_id = $1 AND ($2::text IS NULL OR state = $2)"
    " AND ($3::timestamptz IS NULL OR (placed_at, id) < ($3, $4)) ORDER BY placed_at DESC, id DESC LIMIT $5"
)
_TO_SERVE = f"{_ORDERS} WHERE store_id = $1 AND delivery = 'spot' AND state = 'paid' ORDER BY paid_at, id LIMIT $2"
_LINE = """
SELECT member_id, order_id, line_no, sku, qty, product_id, name, spec, picture, list_fen, payable_fen, weight_g, steps
  FROM orders_line"""
_LINES = f"{_LINE} WHERE member_id = $1 AND order_id = ANY($2) ORDER BY order_id, line_no"
_LINES_OF_MANY = (
    f"{_LINE} JOIN unnest({db.given(1, 'bigint')}, {db.given(2, 'text')}) AS w (member_id, order_id)"
    " USING (member_id, order_id) ORDER BY order_id, line_no"
)

_steps = msgspec.json.Decoder(tuple[Step, ...])


def order_of(row: db.Record, lines: Sequence[OrderLine] = ()) -> Order:
    """A row of ``orders_order`` with its lines."""
    return Order(
        **{**dict(row), "state": OrderState(row["state"]), "delivery": DeliveryKind(row["delivery"])},
        lines=tuple(lines),
    )


async def find_order(member_id: int, order_id: str) -> Order | None:
    """A member's order with its lines, or None."""
    found = await _with_lines(member_id, await db.fetch(ONE_ORDER, member_id, order_id))
    return found[0] if found else None


async def list_checkout(member_id: int, checkout_id: str) -> list[Order]:
    """The orders that were placed together."""
    return await _with_lines(member_id, await db.fetch(_CHECKOUT, member_id, checkout_id))


async def list_orders(member_id: int, state: OrderState | None, *, before: Place | None, limit: int) -> list[Order]:
    """A member's orders, newest first, from before that place on."""
    at, order_id = before or (None, "")
    return await _with_lines(member_id, await db.fetch(_NEWEST, member_id, state, at, order_id, limit))


async def list_of_store(store_id: str, state: OrderState | None, *, before: Place | None, limit: int) -> list[Order]:
    """A store's orders, newest first, from before that place on; two statements, whoever placed them."""
    at, order_id = before or (None, "")
    return await _with_lines_of_many(await db.fetch(_OF_STORE, store_id, state, at, order_id, limit))


async def list_to_serve(store_id: str, *, limit: int) -> list[Order]:
    """What waits at a store's tables and shelves, what was paid first before the rest; two statements."""
    return await _with_lines_of_many(await db.fetch(_TO_SERVE, store_id, limit))


async def _with_lines(member_id: int, rows: Sequence[db.Record]) -> list[Order]:
    # By the one member, so that on many machines only that member's is asked.
    return _put_together(rows, await db.fetch(_LINES, member_id, [row["id"] for row in rows]) if rows else ())


async def _with_lines_of_many(rows: Sequence[db.Record]) -> list[Order]:
    keys = [row["member_id"] for row in rows], [row["id"] for row in rows]
    return _put_together(rows, await db.fetch(_LINES_OF_MANY, *keys) if rows else ())


def _put_together(rows: Sequence[db.Record], lines: Sequence[db.Record]) -> list[Order]:
    found: dict[str, list[OrderLine]] = {row["id"]: [] for row in rows}
    for line in lines:
        fields = {name: line[name] for name in OrderLine.__struct_fields__}
        found[line["order_id"]].append(OrderLine(**fields | {"steps": _steps.decode(line["steps"])}))
    return [order_of(row, found[row["id"]]) for row in rows]


_PROMOTIONS = """
SELECT id, kind, title, scope, tiers, each, priority, starts_at, ends_at, active FROM orders_promotion
 WHERE $1::timestamptz IS NULL OR active AND ends_at > $1 ORDER BY created_at DESC, id LIMIT $2"""
MOST_PROMOTIONS = 200
"""That run at once."""

PROMOTIONS_KEPT_S = 5.0

_scope = msgspec.json.Decoder(Scope)
_tiers = msgspec.json.Decoder(tuple[Tier, ...])


async def list_promotions(*, after: datetime | None = None, limit: int = MOST_PROMOTIONS) -> list[Promotion]:
    """Promotions, newest first; with ``after`` those that run then or later."""
    return [
        Promotion(
            **{
                **dict(row),
                "kind": PromotionKind(row["kind"]),
                "scope": _scope.decode(row["scope"]),
                "tiers": _tiers.decode(row["tiers"]),
            }
        )
        for row in await db.fetch(_PROMOTIONS, after, limit)
    ]


async def _read_promotions() -> list[Promotion]:
    return await list_promotions(after=clock.now())


_promotions = Kept(_read_promotions, keep_s=PROMOTIONS_KEPT_S)


async def promotions() -> list[Promotion]:
    """What runs now or soon; at most five seconds old."""
    return await _promotions.get()


def forget_promotions() -> None:
    """Read them again at the next question: they were changed here."""
    _promotions.forget()


_RULES = """
SELECT id, title, stores, regions, regions_excluded, first_g, first_fen, further_g, further_fen, free_from_fen,
       priority, active
  FROM orders_delivery_rule WHERE active OR NOT $1 ORDER BY created_at DESC, id LIMIT $2"""
MOST_RULES = 500

_WORDS = ("stores", "regions", "regions_excluded")
_words = msgspec.json.Decoder(tuple[str, ...])


async def list_delivery_rules(*, active: bool = False) -> list[DeliveryRule]:
    """Delivery rules, newest first; only those that are in force, or all."""
    return [
        DeliveryRule(**(dict(row) | {name: _words.decode(row[name]) for name in _WORDS}))
        for row in await db.fetch(_RULES, active, MOST_RULES)
    ]


async def _read_rules() -> list[DeliveryRule]:
    return await list_delivery_rules(active=True)


_rules = Kept(_read_rules, keep_s=PROMOTIONS_KEPT_S)


async def delivery_rules() -> list[DeliveryRule]:
    """The rules in force; at most five seconds old."""
    return await _rules.get()


def forget_delivery_rules() -> None:
    """Read them again at the next question: they were changed here."""
    _rules.forget()


changes = Changes("orders_change", "order_id")
"""Who of the staff looked at whom an order is sent to."""


async def list_cart(member_id: int) -> list[CartLine]:
    """What is in a member's cart: by store, what was put in last first."""
    rows = await db.fetch(
        "SELECT store_id, sku, qty FROM orders_cart_line WHERE member_id = $1 ORDER BY store_id, added_at DESC, sku",
        member_id,
    )
    return [CartLine(*row) for row in rows]


_PAYMENTS = f"""
SELECT DISTINCT o.member_id, o.payment_id FROM orders_order o
  JOIN unnest({db.given(1, "bigint")}, {db.given(2, "text")}) AS w (member_id, id) USING (member_id, id)
 WHERE o.payment_id IS NOT NULL"""  # noqa: S608 - put together of constants


async def list_payments(documents: Iterable[Document]) -> list[Document]:
    """The payments at WeChat of those of these documents that are orders; one may pay many."""
    orders = sorted((one.member_id, one.id) for one in documents if one.kind == "order")
    rows = await db.fetch(_PAYMENTS, [member_id for member_id, _ in orders], [order_id for _, order_id in orders])
    return list((await ledger.find_documents([(row["member_id"], row["payment_id"]) for row in rows])).values())
