"""Member cards for tests: types, batches, and what a counter does with them."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import httpx

from backend.kernel import db
from tests.support.members import Phone
from tests.support.staff import StaffSession

TYPES = "/v1/admin/member-card-types"
BATCHES = "/v1/admin/member-card-batches"
MOVES = "/v1/admin/member-card-moves"
ISSUERS = "/v1/admin/member-card-issuers"
CARDS = "/v1/admin/member-cards"

_prefixes = itertools.count(9000)


async def make_type(admin: StaffSession, **fields: Any) -> dict[str, Any]:
    """A type of 16 digits with a prefix that no other has."""
    body = {"code": uuid.uuid4().hex[:12], "name": "会员卡", "prefix": str(next(_prefixes)), "length": 16} | fields
    made = await admin.post(TYPES, body)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def make_batch(admin: StaffSession, card_type: dict[str, Any], total: int = 10) -> dict[str, Any]:
    """A batch of that type."""
    made = await admin.post(BATCHES, {"type_code": card_type["code"], "total": total, "note": "测试"})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def numbers(batch: dict[str, Any]) -> list[str]:
    """The numbers of a batch by serial, as the printer has them."""
    rows = await db.fetch("SELECT number FROM membercard WHERE batch_id = $1 ORDER BY serial", batch["id"])
    return [row["number"] for row in rows]


async def printed(admin: StaffSession, total: int = 10, **fields: Any) -> list[str]:
    """Numbers of a new type and batch."""
    return await numbers(await make_batch(admin, await make_type(admin, **fields), total))


async def move(
    admin: StaffSession, batch: dict[str, Any], first: int, last: int, *, kind: str = "allot", to: str | None = None
) -> httpx.Response:
    """A run of a batch on its way."""
    body = {"kind": kind, "batch_id": batch["id"], "from_serial": first, "to_serial": last, "reason": "测试"}
    if to is not None:
        body["issuer_id"] = to
    return await admin.post(MOVES, body, key=uuid.uuid4().hex)


async def make_agent(admin: StaffSession, quota: int = 100) -> dict[str, Any]:
    """An agent."""
    made = await admin.post(f"{ISSUERS}/agents", {"name": "城东代理", "contact": "张经理", "quota": quota})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def make_store(admin: StaffSession, store_id: str = "S1", quota: int = 100) -> str:
    """Let a store hand out cards; who hands them out."""
    made = await admin.post(f"{ISSUERS}/stores", {"store_id": store_id, "quota": quota})
    assert made.status_code in (201, 409), made.text
    return f"S-{store_id}"


async def issue(staff: StaffSession, phone: Phone, number: str, **fields: Any) -> httpx.Response:
    """The member shows their code, and gets the card."""
    return await staff.post(f"{CARDS}/issue", {"card_no": number, "code": phone.code()} | fields)


async def held(member_id: int) -> list[tuple[str, str]]:
    """Every card of a member, as number and state, oldest first."""
    rows = await db.fetch("SELECT number, state FROM membercard WHERE member_id = $1 ORDER BY bound_at, id", member_id)
    return [(row["number"], row["state"]) for row in rows]
