"""Somebody of the staff whose phone speaks for them, and limits."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.support.members import Phone, register
from tests.support.pos import Till
from tests.support.staff import StaffSession


async def bind_phone(manager: StaffSession, phone: Phone, password: str = "correct horse") -> httpx.Response:
    """Prove from both sides that the phone is this person's."""
    begun = await manager.post("/v1/admin/me/phone", {"current": password})
    assert begun.status_code == 201, begun.text
    return await phone.call("POST", "/v1/member/staff-phone", {"ticket": begun.json()["ticket"]})


async def manager_phone(client: httpx.AsyncClient, manager: StaffSession) -> Phone:
    """A new member whose phone is this person's; one of before is theirs no more."""
    await manager.post("/v1/admin/me/phone/unbind", {"current": "correct horse"})
    phone = await register(client, name="店长")
    bound = await bind_phone(manager, phone)
    assert bound.status_code == 200, bound.text
    return phone


async def put_limit(admin: StaffSession, role: str = "manager", **fields: int) -> None:
    """Say what a role may authorise."""
    body = {"sale_bp": 5_000, "sale_fen": 50_000, "day_fen": 1_000_000, "day_count": 1_000} | fields
    answer = await admin.call("PUT", f"/v1/admin/override-limits/{role}", body)
    assert answer.status_code == 200, answer.text


def cut(fen: int, off: int, **more: Any) -> dict[str, Any]:
    """A basket of ``fen`` of which the till takes ``off`` itself, paid in cash."""
    return {
        "order_no": uuid.uuid4().hex[:16],
        "lines": [{"sku": "X-1", "qty": 1, "unit_price_fen": fen, "discount_fen": off}],
        "tenders": [{"type": "cash"}],
    } | more


async def sell_cut(
    client: httpx.AsyncClient, till: Till, phone: Phone, boss: Phone | None, *, fen: int = 10_000, off: int = 3_000,
    key: str | None = None, **more: Any
) -> httpx.Response:  # fmt: skip
    """Sell it, with the boss's code where there is a boss."""
    given = {"override": {"code": boss.authorisation(), "reason": "damaged", "note": "外盒破损"}} if boss else {}
    return await till.post(client, "/v1/pos/sales", cut(fen, off) | {"code": phone.code()} | given | more, key=key)
