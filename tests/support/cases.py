"""Feedback cases, and what is done with them."""

from __future__ import annotations

from typing import Any

from tests.support.members import Phone
from tests.support.staff import StaffSession

OWN = "/v1/member/cases"
DESK = "/v1/admin/cases"


async def complain(phone: Phone, text: str = "牛奶过期了", *, key: str = "c", **fields: Any) -> dict[str, Any]:
    """A member's complaint."""
    answer = await phone.call("POST", OWN, {"kind": "complaint", "text": text} | fields, key=key)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def walk_in(staff: StaffSession, *, key: str = "w", **fields: Any) -> dict[str, Any]:
    """What a customer without an account told somebody in the shop."""
    body = {"kind": "complaint", "channel": "shop", "text": "排队太久"} | fields
    answer = await staff.post(DESK, body, key=key)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def do(staff: StaffSession, case_id: str, action: str, **fields: Any) -> dict[str, Any]:
    """One step of a case as it stands."""
    version = (await staff.get(f"{DESK}/{case_id}")).json()["version"]
    answer = await staff.post(f"{DESK}/{case_id}/{action}", {"version": version} | fields)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done
