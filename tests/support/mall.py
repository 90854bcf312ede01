"""A mall for tests: the chain's articles published at its stores, and so many of each on the shelves."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import httpx

from backend.kernel import clock, db
from backend.mall import queries as mall
from backend.orders.commands import place
from backend.stock import queries as stock
from backend.stock import service
from backend.stock.types import MovementKind, Receipt
from tests.support.members import Phone

_numbers = itertools.count(1)

COST_BP = 6_000
"""What a piece costs the chain of its price."""


async def open_mall(*stores: str) -> None:
    """Every article of the chain is a product of its own, and sold online at these stores."""
    async with db.transaction() as tx:
        connection = db.raw(tx)
        now = clock.now()
        await connection.execute(
            "INSERT INTO mall_product (id, name, subtitle, category_id, description, pictures, axes, attributes,"
            " active, name_key, version, created_at, updated_at, from_fen)"
            " SELECT 'P-' || sku, name, '', category_id, '', '[]', '[]', '{}', true, '', 1, $1, $1, unit_price_fen"
            " FROM mall_article",
            now,
        )
        await connection.execute(
            "UPDATE mall_article SET product_id = 'P-' || sku, spec = '[]', weight_g = 500, tracked = true,"
            " cost_fen = unit_price_fen * $1 / 10000",
            COST_BP,
        )
        await connection.execute(
            "INSERT INTO mall_publication (channel, store_id, product_id, at)"
            " SELECT 'mall', s, 'P-' || sku, $2 FROM mall_article, unnest($1::text[]) AS s",
            list(stores),
            now,
        )
    mall.forget_offers()
    mall.forget_classes()


async def put(store_id: str, sku: str, qty: int, cost_fen: int) -> None:
    """Let so many pieces come into a store."""
    async with db.transaction() as tx:
        receipts = [Receipt(store_id, sku, qty, cost_fen)]
        await service.receive(tx, MovementKind.RECEIPT, f"R-{next(_numbers)}", receipts, at=clock.now(), staff_id=None)
    place.forget_gone()


async def shelf(store_id: str, sku: str) -> tuple[int, int, int]:
    """(on hand, reserved, value) of an article at a store."""
    level = await stock.find_level(store_id, sku)
    assert level is not None
    return level.on_hand, level.reserved, level.value_fen


def checkout(store_id: str = "S1", coupon_ids: tuple[str, ...] = (), **qty: int) -> dict[str, Any]:
    """A checkout at a store of so many pieces by SKU: ``a6902=2``."""
    lines = [{"sku": sku.removeprefix("a"), "qty": number} for sku, number in qty.items()]
    return {"orders": [{"store_id": store_id, "lines": lines, "coupon_ids": list(coupon_ids)}]}


async def order(phone: Phone, body: dict[str, Any], payable_fen: int, *, key: str | None = None) -> httpx.Response:
    """Place a checkout that was seen to cost so much."""
    return await phone.call(
        "POST", "/v1/member/orders", body | {"payable_fen": payable_fen}, key=key or uuid.uuid4().hex
    )
