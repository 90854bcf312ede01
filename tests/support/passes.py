"""Passes for tests: products made by head office over HTTP, sold, used and undone by tills."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from backend.kernel import db
from backend.passes import queries
from tests.support.members import Phone
from tests.support.pos import Till
from tests.support.staff import StaffSession

PRODUCTS = "/v1/admin/pass-products"
WASHES = {"kind": "counted", "uses": 3, "days": 90, "price_fen": 10_000}
PARKING = {"kind": "timed", "days": 30, "per_day": 2}
CLUB = {"kind": "discount", "days": 365, "discount_bp": 1_000, "points_multiplier_bp": 20_000}


async def make_pass_product(admin: StaffSession, terms: dict[str, Any] = WASHES, **more: Any) -> dict[str, Any]:
    """A product that is sold."""
    active = more.pop("active", True)
    made = await admin.post(
        PRODUCTS, {"sku": f"K-{uuid.uuid4().hex[:10]}", "title": "洗车三次卡", "terms": terms} | more
    )
    assert made.status_code == 201, made.text
    product: dict[str, Any] = made.json()
    if active:
        moved = await admin.post(f"{PRODUCTS}/{product['id']}/activate")
        assert moved.status_code == 200, moved.text
        product = moved.json()
        queries.forget_offered()
    return product


def line_of(product: dict[str, Any], fen: int = 10_000, qty: int = 1, **more: Any) -> dict[str, Any]:
    """A line that sells it."""
    return {"sku": product["sku"], "qty": qty, "unit_price_fen": fen} | more


async def scan(client: httpx.AsyncClient, till: Till, phone: Phone) -> dict[str, Any]:
    """The member's code, scanned."""
    answer = await till.post(client, "/v1/pos/scan", {"code": phone.code()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def buy(client: httpx.AsyncClient, till: Till, token: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A sale of these lines, paid in cash unless it is said otherwise."""
    body = {"scan_token": token, "order_no": uuid.uuid4().hex[:16], "lines": list(lines), "tenders": [{"type": "cash"}]}
    answer = await till.post(client, "/v1/pos/sales", body | more)
    assert answer.status_code == 201, answer.text
    sale: dict[str, Any] = answer.json()
    return sale


async def use(
    client: httpx.AsyncClient, till: Till, token: str, pass_id: str, *, key: str | None = None, **more: Any
) -> httpx.Response:
    """Use a pass."""
    return await till.post(client, f"/v1/pos/passes/{pass_id}/uses", {"scan_token": token} | more, key=key)


async def undo(client: httpx.AsyncClient, till: Till, use_id: str, *, key: str | None = None) -> httpx.Response:
    """Take a use back."""
    return await till.post(client, f"/v1/pos/pass-uses/{use_id}/undo", None, key=key)


async def passes_of(phone: Phone, state: str = "active") -> list[dict[str, Any]]:
    """The member's passes in that state."""
    answer = await phone.call("GET", f"/v1/member/passes?state={state}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def booked(pass_id: str) -> dict[tuple[str, str], int]:
    """What all transfers that touched a pass booked, by account and reference (a pass's own: its account alone)."""
    rows = await db.fetch(
        "SELECT e.kind, CASE WHEN e.ref = $1 THEN '' ELSE e.ref END, sum(e.amount)::bigint FROM ledger_entry e"
        " WHERE (e.member_id, e.seq) IN (SELECT member_id, seq FROM ledger_entry WHERE ref = $1)"
        " AND e.kind IN ('service', 'service_value', 'house.service_income', 'house.breakage', 'house.services_issued',"
        " 'house.services_used', 'house.services_expired', 'house.services_voided')"
        " GROUP BY 1, 2 HAVING sum(e.amount) <> 0",
        pass_id,
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def held(pass_id: str) -> tuple[int, int]:
    """What the books hold of a pass: uses, and fen that are not earned."""
    rows = await db.fetch("SELECT kind, balance FROM ledger_account WHERE ref = $1", pass_id)
    balances = {row["kind"]: row["balance"] for row in rows}
    return balances.get("service", 0), balances.get("service_value", 0)
