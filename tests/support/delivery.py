"""Addresses and delivery rules for tests."""

from __future__ import annotations

from typing import Any

from tests.support.mall import checkout
from tests.support.members import Phone
from tests.support.staff import StaffSession

ADDRESSES = "/v1/member/addresses"
RULES = "/v1/admin/mall/delivery-rules"
SHENZHEN = {
    "name": "欧阳小敏",
    "phone": "13712345678",
    "region": "440305",
    "province": "广东省",
    "city": "深圳市",
    "district": "南山区",
    "street": "科技园路九号甲座",
}
RULE = {"title": "广东", "regions": ["44"], "first_fen": 800, "further_fen": 200}
"""Up to 1 kg ¥8, and ¥2 for each further one."""


async def add_address(phone: Phone, **fields: Any) -> str:
    """An address of the member's; its id."""
    made = await phone.call("POST", ADDRESSES, SHENZHEN | fields)
    assert made.status_code == 201, made.text
    address_id: str = made.json()["id"]
    return address_id


async def make_rule(admin: StaffSession, **fields: Any) -> str:
    """A delivery rule of head office's; its id."""
    made = await admin.post(RULES, RULE | fields)
    assert made.status_code == 201, made.text
    rule_id: str = made.json()["id"]
    return rule_id


def sent_to(address_id: str, coupon_ids: tuple[str, ...] = (), **qty: int) -> dict[str, Any]:
    """A checkout at S1 that is sent to an address."""
    body = checkout("S1", coupon_ids, **qty)
    body["orders"][0]["delivery"] = {"kind": "express", "address_id": address_id}
    return body
