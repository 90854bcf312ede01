"""A store that is none, wherever a body names one: what is said of it would hold nowhere, and nobody would see why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio

from backend.kernel.http.routing import Route, WebSocketRoute
from tests.security.walk import fields_of, structs_in
from tests.support.books import fingerprint
from tests.support.coupons import CASH, make_template
from tests.support.delivery import RULE
from tests.support.members import Phone, random_phone, register
from tests.support.passes import WASHES, make_pass_product
from tests.support.seed import Chain
from tests.support.staff import StaffSession, log_in

NONE = "S404"
NAMES = ("store", "stores", "store_id", "store_ids", "place_id", "place_ids")
"""How the name of a field ends that says which store is meant. (``test_references`` looks for what is another's.)"""
AUDIENCE = "audience.store_ids"
"""Checked with the rest of an audience, wherever one is named: tests/audience."""

LINES = {"lines": [{"sku": "6901", "qty": 1}]}


@dataclass(frozen=True)
class World:
    """Who may write all of it, and the things that some of the paths name."""

    admin: StaffSession
    phone: Phone
    newcomer: dict[str, str]
    template_id: str
    pass_product_id: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(browser: httpx.AsyncClient, chain: Chain) -> World:
    admin = await log_in(browser, chain, "admin")
    tokens = (await browser.post("/v1/member/login", json={"js_code": "demo-nowhere"})).json()
    return World(
        admin,
        await register(browser),
        {"Authorization": f"Bearer {tokens['access_token']}"},
        (await make_template(admin))["id"],
        (await make_pass_product(admin))["id"],
    )


PROMOTION = {
    "kind": "activity",
    "title": "周年庆",
    "tiers": [{"off_bp": 500}],
    "starts_at": "2026-11-01T00:00:00Z",
    "ends_at": "2026-12-01T00:00:00Z",
    "scope": {"stores": ["S1", NONE]},
}
TEMPLATE = {"title": "满100减20", "claim_by": "centre", "terms": CASH | {"scope": {"stores": ["S1", NONE]}}}
OFFERED: dict[str, Any] = {"title": "x", "terms": {"rate_bp": 1, "condition": {"stores": ["S1", NONE]}}}
EARNING: dict[str, Any] = {
    "kind": "promotion",
    "title": "x",
    "terms": {"plus": 1, "condition": {"stores": ["S1", NONE]}},
}
BASKET = {"lines": [{"sku": "6901", "qty": 1, "unit_price_fen": 100}], "store_id": NONE}
CAMPAIGN = {"title": "集章", "kind": "stamps", "goal": 10, "reward": ["T1"], "stores": ["S1", NONE]}
PASS = {"terms": WASHES | {"stores": ["S1", NONE]}}
OFFER = {"pay_fen": 1_000, "bonus_fen": 100, "store_id": NONE, "active": True}
CHECKOUT = {"orders": [{"store_id": NONE} | LINES]}
STAFF = {"username": "nobody", "password": "correct horse battery", "role": "clerk", "store_id": NONE}
BANNER = {"title": "x", "picture": "0" * 64, "store_id": NONE}
RECEIPT = {"kind": "receipt", "place_id": NONE} | LINES
CASE = {"kind": "complaint", "text": "排队太久", "store_id": NONE}
GROUP = {"number": "G-9", "name": "x", "store_id": NONE}
CANNED = {"title": "营业时间", "text": "九点到九点", "store_id": NONE}
BOX = {"title": "建议", "store_id": NONE, "administrators": ["1"]}
REBATE: dict[str, Any] = {"tiers": [{"from_fen": 0, "rate_bp": 1}]}
SCHEME: dict[str, Any] = {"title": "x", "period": "month", "first_on": "2026-11-01"}
GIFT: dict[str, Any] = {"kind": "goods", "title": "x", "points": 1, "sku": "6901", "pickup": True}
REGISTRATION: dict[str, Any] = {
    "version": 0,
    "mode": "rules",
    "rules": [{"title": "x", "when": {"store_ids": ["S1", NONE]}, "outcome": "approve"}],
}
TRANSFER = {"kind": "transfer", "place_id": "S1", "other_place_id": NONE} | LINES

BODIES: dict[tuple[str, str], tuple[dict[str, Any], str]] = {
    ("POST /v1/admin/terminals", "store_id"): ({"name": "x", "store_id": NONE}, "/store_id"),
    ("POST /v1/admin/staff", "store_id"): (STAFF, "/store_id"),
    ("POST /v1/admin/invitations", "store_id"): (
        {"username": "nobody", "role": "clerk", "store_id": NONE},
        "/store_id",
    ),
    ("PATCH /v1/member/profile", "store_id"): ({"store_id": NONE}, "/store_id"),
    ("POST /v1/member/profile", "store_id"): ({"store_id": NONE}, "/store_id"),
    ("POST /v1/member/register", "store_id"): (
        {"phone_code": f"phone-{random_phone()}", "name": "王小明", "consents": ["terms", "privacy"], "store_id": NONE},
        "/store_id",
    ),
    ("POST /v1/admin/recharge-offers", "store_id"): (OFFER, "/store_id"),
    ("PUT /v1/admin/recharge-offers/{offer_id}", "store_id"): (OFFER, "/store_id"),
    ("POST /v1/admin/coupons/templates", "terms.scope.stores"): (TEMPLATE, "/terms/scope/stores/1"),
    ("POST /v1/admin/coupons/templates/{template_id}/versions", "terms.scope.stores"): (
        {"terms": TEMPLATE["terms"]},
        "/terms/scope/stores/1",
    ),
    ("POST /v1/admin/coupons/templates/{template_id}/handouts", "segment.store_id"): (
        {"segment": {"store_id": NONE}},
        "/segment/store_id",
    ),
    ("POST /v1/admin/pass-products", "terms.stores"): ({"sku": "K-9", "title": "x"} | PASS, "/terms/stores/1"),
    ("POST /v1/admin/pass-products/{pass_product_id}/versions", "terms.stores"): (PASS, "/terms/stores/1"),
    ("POST /v1/admin/campaigns", "stores"): (CAMPAIGN, "/stores/1"),
    ("PUT /v1/admin/campaigns/{campaign_id}", "stores"): (CAMPAIGN, "/stores/1"),
    ("POST /v1/admin/discount-rules", "terms.condition.stores"): (OFFERED, "/terms/condition/stores/1"),
    ("PUT /v1/admin/discount-rules/{rule_id}", "terms.condition.stores"): (OFFERED, "/terms/condition/stores/1"),
    ("POST /v1/admin/points-rules", "terms.condition.stores"): (EARNING, "/terms/condition/stores/1"),
    ("PUT /v1/admin/points-rules/{rule_id}", "terms.condition.stores"): (EARNING, "/terms/condition/stores/1"),
    ("POST /v1/admin/points-rules/simulate", "store_id"): (BASKET, "/store_id"),
    **{
        (call, f"terms.{field}"): (body | {"terms": REBATE | {field: ["S1", NONE]}}, f"/terms/{field}/1")
        for call, body in (
            ("POST /v1/admin/rebates/schemes", SCHEME),
            ("PUT /v1/admin/rebates/schemes/{scheme_id}", {"version": 1}),
        )
        for field in ("stores", "not_stores")
    },
    ("POST /v1/admin/gifts", "stores"): (GIFT | {"stores": ["S1", NONE]}, "/stores/1"),
    ("PUT /v1/admin/gifts/{gift_item_id}", "stores"): (GIFT | {"stores": ["S1", NONE]}, "/stores/1"),
    ("POST /v1/admin/mall/delivery-rules", "stores"): (RULE | {"stores": ["S1", NONE]}, "/stores/1"),
    ("PUT /v1/admin/mall/delivery-rules/{rule_id}", "stores"): (RULE | {"stores": ["S1", NONE]}, "/stores/1"),
    ("POST /v1/admin/mall/promotions", "scope.stores"): (PROMOTION, "/scope/stores/1"),
    ("PUT /v1/admin/mall/promotions/{promotion_id}", "scope.stores"): (PROMOTION, "/scope/stores/1"),
    ("POST /v1/member/cases", "store_id"): (CASE, "/store_id"),
    ("POST /v1/admin/groups", "store_id"): (GROUP, "/store_id"),
    ("POST /v1/admin/member-card-issuers/stores", "store_id"): ({"store_id": NONE, "quota": 1}, "/store_id"),
    ("PUT /v1/admin/groups/{group_id}", "store_id"): (GROUP | {"version": 1}, "/store_id"),
    ("POST /v1/admin/conversations/canned", "store_id"): (CANNED, "/store_id"),
    ("PUT /v1/admin/conversations/canned/{canned_id}", "store_id"): (CANNED, "/store_id"),
    ("PUT /v1/admin/login-control", "hours.store_id"): (
        {"version": 0, "hours": [{"days": [1], "begin": "09:00", "end": "18:00", "store_id": NONE}]},
        "/hours/0/store_id",
    ),
    ("POST /v1/admin/members", "store_id"): ({"phone": random_phone(), "name": "x", "store_id": NONE}, "/store_id"),
    ("PUT /v1/admin/registration/policy", "rules.when.store_ids"): (REGISTRATION, "/rules/0/when/store_ids/1"),
    ("POST /v1/admin/registration/simulate", "policy.rules.when.store_ids"): (
        {"phone": "13800138000", "policy": REGISTRATION},
        "/policy/rules/0/when/store_ids/1",
    ),
    ("POST /v1/admin/registration/simulate", "store_id"): ({"phone": "13800138000", "store_id": NONE}, "/store_id"),
    ("POST /v1/admin/suggestion-boxes", "store_id"): (BOX, "/store_id"),
    ("PUT /v1/admin/suggestion-boxes/{box_id}", "store_id"): (BOX | {"version": 1}, "/store_id"),
}
"""What is refused with 422, and where the body is wrong."""

NOT_FOUND: dict[tuple[str, str], dict[str, Any]] = {
    ("POST /v1/admin/mall/banners", "store_id"): BANNER,
    ("POST /v1/admin/gift-pickups", "store_id"): {"code": "G0000000000", "store_id": NONE},
    ("POST /v1/admin/cases", "store_id"): CASE | {"channel": "phone"},
    ("POST /v1/admin/mall/spots", "store_id"): {"store_id": NONE, "kind": "table", "name": "x"},
    ("POST /v1/admin/stock/documents", "place_id"): RECEIPT,
    ("POST /v1/admin/stock/documents", "other_place_id"): TRANSFER,
    ("POST /v1/admin/stock/stocktakes", "place_id"): {"place_id": NONE},
    ("POST /v1/admin/stock/warehouses", "store_id"): {"id": "W9", "name": "x", "store_id": NONE},
    ("PUT /v1/admin/stock/thresholds", "place_id"): {"place_id": NONE, "items": [{"sku": "6901", "low_qty": 1}]},
    ("POST /v1/member/orders/quote", "orders.store_id"): CHECKOUT,
    ("POST /v1/member/orders", "orders.store_id"): CHECKOUT | {"payable_fen": 1_250},
}
"""What is answered as for a store that is another's."""


ELSEWHERE = {
    ("PUT /v1/admin/staff/{staff_id}", "store_id"),  # auth/test_people.py
    ("POST /v1/member/gift-redemptions", "store_id"),
    ("PATCH /v1/admin/members/{member_id}", "store_id"),  # members/test_editing.py
    ("POST /v1/admin/members/search", "store_id"),  # members/test_finding.py
    ("POST /v1/admin/surveys", "after_sale.store_ids"),
    ("PUT /v1/admin/surveys/{survey_id}", "after_sale.store_ids"),
    ("POST /v1/admin/surveys/{survey_id}/answers", "store_id"),
}
"""What needs more beside it: tests/surveys/test_composing.py, tests/surveys/test_entering.py,
tests/gifts/test_redeeming.py."""

CASES = BODIES.keys() | NOT_FOUND.keys() | ELSEWHERE


def named(routes: list[Route | WebSocketRoute]) -> set[tuple[str, str]]:
    """Every call whose body names a store, and the field that does."""
    return {
        (f"{route.method} {route.path}", name)
        for route in routes
        if isinstance(route, Route)
        for struct in structs_in(route.signature.body)
        for name in fields_of(struct)
        if name.rpartition(".")[2].endswith(NAMES) and not name.endswith(AUDIENCE)
    }


async def send(world: World, call: str, body: dict[str, Any]) -> httpx.Response:
    method, _, path = call.partition(" ")
    path = path.replace("{template_id}", world.template_id).replace("{pass_product_id}", world.pass_product_id)
    if path == "/v1/member/register":
        return await world.admin.client.post(path, json=body, headers=world.newcomer)
    who = world.phone if path.startswith("/v1/member/") else world.admin
    return await who.call(method, path.replace("{", "").replace("}", ""), body, key="nowhere")


async def test_a_store_that_is_none_is_refused_and_nothing_is_written(settings, world):
    before = await fingerprint(settings)

    answers = {place: await send(world, place[0], body) for place, (body, _) in BODIES.items()}
    unknown = {place: await send(world, place[0], body) for place, body in NOT_FOUND.items()}

    assert {place: (one.status_code, one.json().get("errors", one.text)) for place, one in answers.items()} == {
        place: (422, [{"pointer": pointer, "message": "there is no such store"}])
        for place, (_, pointer) in BODIES.items()
    }
    assert {place: (one.status_code, one.json()["code"]) for place, one in unknown.items()} == dict.fromkeys(
        NOT_FOUND, (404, "not_found")
    )
    assert await fingerprint(settings) == before
