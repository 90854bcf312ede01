"""Coupons for tests: templates made by head office over HTTP, and what the books say of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from backend.kernel import db
from tests.support.members import Phone
from tests.support.staff import StaffSession

TEMPLATES = "/v1/admin/coupons/templates"
CASH = {"kind": "cash", "face_fen": 2_000, "min_spend_fen": 10_000, "validity": {"days": 30}}
VALUE = {"kind": "cash", "face_fen": 5_000, "partial_use": True, "validity": {"days": 30}}


@dataclass(frozen=True)
class Counts:
    """What the books and the rows say of a template: coupons issued in the ledger, rows, and the template's count."""

    booked: int
    rows: int
    issued: int
    reserved: int


async def make_template(admin: StaffSession, terms: dict[str, Any] = CASH, **offer: Any) -> dict[str, Any]:
    """An active template; open in the centre unless the offer says otherwise."""
    active = offer.pop("active", True)
    body = {"title": "满100减20", "terms": terms, "claim_by": "centre"} | offer
    made = await admin.post(TEMPLATES, body)
    assert made.status_code == 201, made.text
    template: dict[str, Any] = made.json()
    if active:
        moved = await admin.post(f"{TEMPLATES}/{template['id']}/activate")
        assert moved.status_code == 200, moved.text
        template = moved.json()
    return template


async def give_coupon(admin: StaffSession, phone: Phone, terms: dict[str, Any] = CASH, **offer: Any) -> str:
    """A coupon of a template of its own, claimed by the member; its id."""
    template = await make_template(admin, terms, **offer)
    claimed = await claim(phone, template_id=template["id"])
    assert claimed.status_code == 201, claimed.text
    coupon_id: str = claimed.json()["id"]
    return coupon_id


async def give_to_friend(phone: Phone, coupon_id: str, *, key: str | None = None) -> httpx.Response:
    """Give the coupon away by a link."""
    return await phone.call("POST", f"/v1/member/coupons/{coupon_id}/gifts", key=key or uuid.uuid4().hex)


async def accept_gift(phone: Phone, token: str, *, key: str | None = None) -> httpx.Response:
    """Accept what the link gives."""
    return await phone.call("POST", f"/v1/member/coupon-gifts/{token}/accept", key=key or uuid.uuid4().hex)


def by_coupons(*coupon_ids: str, rest: str = "cash") -> list[dict[str, Any]]:
    """Tenders: these coupons, and the rest in cash or otherwise."""
    return [*({"type": "coupon", "coupon_id": coupon_id} for coupon_id in coupon_ids), {"type": rest}]


async def claim(phone: Phone, *, key: str | None = None, **what: str) -> httpx.Response:
    """Claim by ``template_id``, ``share_token`` or ``code``."""
    return await phone.call("POST", "/v1/member/coupons/claim", what, key=key or uuid.uuid4().hex)


async def log_in_again(phone: Phone) -> None:
    """A new session of the same WeChat user: the clock was moved, and the token has ended."""
    who = phone.openid.removeprefix("openid-")
    answer = await phone.client.post("/v1/member/login", json={"js_code": f"demo-{who}"})
    assert answer.status_code == 200, answer.text
    phone.access_token = answer.json()["access_token"]


async def coupons_of(phone: Phone, state: str = "available") -> list[dict[str, Any]]:
    """A page of the member's coupons in that state."""
    answer = await phone.call("GET", f"/v1/member/coupons?state={state}&limit=100")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def counts(template_id: str) -> Counts:
    """What was issued of a template, by the books, by the rows and by its own count."""
    row = await db.fetchrow(
        "SELECT (SELECT count(*) FROM ledger_entry WHERE kind = 'house.coupons_issued' AND ref = t.id) AS booked,"
        " (SELECT count(*) FROM coupon WHERE template_id = t.id) AS rows, issued, reserved"
        " FROM coupon_template t WHERE id = $1",
        template_id,
    )
    return Counts(*row)


async def changes(admin: StaffSession, template_id: str) -> list[str]:
    """What staff did to a template, oldest first."""
    items = (await admin.get(f"{TEMPLATES}/{template_id}/changes")).json()["items"]
    return [item["action"] for item in reversed(items)]
