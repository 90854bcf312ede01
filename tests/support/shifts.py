"""A till's shift, as a cashier works with it."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.support.members import Phone
from tests.support.pos import Till

SHIFTS = "/v1/pos/shifts"
CURRENT = f"{SHIFTS}/current"


async def open_shift(client: httpx.AsyncClient, till: Till, **fields: Any) -> dict[str, Any]:
    """Open a shift with ¥100; one that is open from before is closed."""
    if (await till.get(client, CURRENT)).json()["shift"]:
        await close_shift(client, till, 0)
    answer = await till.post(client, SHIFTS, {"cashier": "小李", "float_fen": 10_000} | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def close_shift(client: httpx.AsyncClient, till: Till, cash: int, **fields: Any) -> dict[str, Any]:
    """Close it with so much cash counted."""
    body = {"counted": [{"tender": "cash", "amount_fen": cash}]} | fields
    answer = await till.post(client, f"{CURRENT}/close", body)
    assert answer.status_code == 200, answer.text
    closed: dict[str, Any] = answer.json()
    return closed


async def sell(client: httpx.AsyncClient, till: Till, phone: Phone, fen: int, tender: str = "cash", **more: Any) -> str:
    """Sell for so much; returns the sale's id."""
    body = {
        "code": phone.code(),
        "order_no": uuid.uuid4().hex[:16],
        "lines": [{"sku": "X-1", "qty": 1, "unit_price_fen": fen}],
        "tenders": [{"type": tender}],
    }
    answer = await till.post(client, "/v1/pos/sales", body | more)
    assert answer.status_code == 201, answer.text
    sale_id: str = answer.json()["id"]
    return sale_id


async def give_back(client: httpx.AsyncClient, till: Till, sale_id: str, fen: int) -> None:
    """Refund so much at this till."""
    path = f"/v1/pos/sales/{sale_id}/refunds"
    answer = await till.post(client, path, {"amount_fen": fen, "reason": "退货", "cashier": "小李"})
    assert answer.status_code == 201, answer.text


def tender(figures: dict[str, Any], name: str) -> dict[str, Any]:
    """One tender of a shift's figures."""
    found: dict[str, Any] = next(one for one in figures["tenders"] if one["tender"] == name)
    return found
