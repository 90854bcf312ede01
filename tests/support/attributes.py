"""Attributes that head office defines."""

from __future__ import annotations

from typing import Any

from backend.members import queries
from tests.support.staff import StaffSession

CHOICES = [{"code": "sh", "name": "上海"}, {"code": "bj", "name": "北京"}, {"code": "gz", "name": "广州"}]


async def define(admin: StaffSession, code: str, *, again: bool = True, **more: Any) -> dict[str, Any]:
    """An attribute, a text where nothing is said; one that there is stays as it is."""
    body = {"code": code, "name": code, "type": "text"} | more
    answer = await admin.post("/v1/admin/member-attributes", body)
    if answer.status_code == 409 and again:
        answer = await admin.get(f"/v1/admin/member-attributes/{code}")
    assert answer.status_code in (200, 201), answer.text
    queries.forget_attributes()
    found: dict[str, Any] = answer.json()
    return found


async def redefine(admin: StaffSession, code: str, **more: Any) -> dict[str, Any]:
    """The same attribute with these fields anew."""
    known = (await admin.get(f"/v1/admin/member-attributes/{code}")).json()
    body = {name: value for name, value in known.items() if name not in ("code", "archived", "used")} | more
    answer = await admin.call("PUT", f"/v1/admin/member-attributes/{code}", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
