"""Recharges that are given back: a paid one, who asks, and the clock's part."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import httpx

from backend.wallet import refund_queries as queries
from backend.wallet.commands import refunding, refunds
from backend.wallet.types import RechargeRefund
from tests.support import recharge
from tests.support.members import Phone
from tests.support.staff import StaffSession


async def paid(client: httpx.AsyncClient, phone: Phone, **body: Any) -> str:
    """A recharge that was paid and credited; its id."""
    order = await recharge.begin(phone, **body)
    await recharge.pay(client, order["id"])
    await recharge.in_state(phone, order["id"], "paid")
    return str(order["id"])


async def ask(
    who: StaffSession | Phone, recharge_id: str, amount_fen: int | None = None, *, key: str | None = None
) -> httpx.Response:
    """Ask for a refund, as staff or as the member."""
    side = "admin" if isinstance(who, StaffSession) else "member"
    body = {"reason": "不再光顾"} | ({} if amount_fen is None else {"amount_fen": amount_fen})
    path = f"/v1/{side}/recharges/{recharge_id}/refunds"
    return await who.call("POST", path, body, key=key or uuid.uuid4().hex)


async def asked(who: StaffSession | Phone, recharge_id: str, amount_fen: int | None = None) -> str:
    """The same, and its id."""
    made = await ask(who, recharge_id, amount_fen)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def decide(who: StaffSession, refund_id: str, what: str, **body: Any) -> httpx.Response:
    """Approve, reject, cancel, or have it asked again."""
    path = f"/v1/admin/recharge-refunds/{refund_id}/{what}"
    return await who.call("POST", path, None if what == "again" else body)


async def stored(refund_id: str) -> RechargeRefund:
    """The refund as it is stored."""
    found = await queries.find(refunds.member_of(refund_id), refund_id)
    assert found is not None
    return found


async def until_state(clock: Any, refund_id: str, state: str) -> RechargeRefund:
    """Let the clock run until the refund is there; then it is now again."""

    async def there() -> bool:
        if (await stored(refund_id)).state == state:
            return True
        clock.shift(timedelta(minutes=2))
        await refunding.advance_due(clock.now())
        return (await stored(refund_id)).state == state

    await recharge.until(there)
    clock.reset()
    return await stored(refund_id)
