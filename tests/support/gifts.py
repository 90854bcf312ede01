"""Gifts for tests: published by head office, redeemed on a phone."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from backend.ledger import queries as ledger
from backend.ledger.plans import POINTS
from tests.support.members import Phone
from tests.support.staff import StaffSession

GIFTS = "/v1/admin/gifts"
REDEMPTIONS = "/v1/admin/gift-redemptions"
MINE = "/v1/member/gift-redemptions"

GOODS: dict[str, Any] = {"kind": "goods", "title": "苹果一份", "points": 100, "sku": "6902", "pickup": True}
STORED: dict[str, Any] = {"kind": "stored", "title": "十元余额", "points": 900, "stored_fen": 1000, "stored_days": 30}


async def make_gift(admin: StaffSession, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A published gift."""
    published = more.pop("published", True)
    made = await admin.post(GIFTS, body | more)
    assert made.status_code == 201, made.text
    gift: dict[str, Any] = made.json()
    if published:
        moved = await admin.post(f"{GIFTS}/{gift['id']}/publish")
        assert moved.status_code == 200, moved.text
        gift = moved.json()
    return gift


async def redeem(
    phone: Phone, gift: dict[str, Any], *, key: str | None = None, store_id: str | None = "S1", **more: Any
) -> httpx.Response:
    """Redeem a gift; goods are fetched in the first store unless it is said otherwise."""
    body: dict[str, Any] = {"gift_id": gift["id"]} | more
    if gift["kind"] == "goods" and store_id is not None:
        body["store_id"] = store_id
    return await phone.call("POST", MINE, body, key=key or uuid.uuid4().hex)


async def redeemed(phone: Phone, gift: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The same, done."""
    answer = await redeem(phone, gift, **more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def points_of(phone: Phone) -> int:
    """What the member has by the books."""
    return (await ledger.get_balances(phone.member_id)).get(POINTS, 0)


async def taken(admin: StaffSession, gift: dict[str, Any]) -> int:
    """How many of a gift are out or promised, as head office sees it."""
    count: int = (await admin.get(f"{GIFTS}/{gift['id']}")).json()["taken"]
    return count
