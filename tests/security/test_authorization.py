"""Default deny: every route refuses everybody it is not for, and another's object is not found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from backend.auth import rules
from backend.auth.guards import StaffGuard
from backend.auth.types import Permission, Role
from backend.care.commands import running
from backend.kernel import clock, db, outbox
from backend.kernel.http.routing import Route, WebSocketRoute
from backend.mall.commands import imports
from backend.members import queries as members
from backend.messages.types import Letter
from backend.stock import service as stock
from backend.stock.types import AlertKind
from backend.worker import load
from tests.security.conftest import Credential, doors
from tests.support import approvals, care, refunds, wire
from tests.support.attributes import define
from tests.support.books import fingerprint
from tests.support.cases import complain
from tests.support.chat import DESK, Customer, newest
from tests.support.coupons import CASH, TEMPLATES, claim, make_template
from tests.support.delivery import SHENZHEN, add_address
from tests.support.gift_cards import activate, bind, charge, make_product, print_cards, token_of
from tests.support.gifts import GOODS, make_gift, redeemed
from tests.support.mall import checkout, open_mall, order, put
from tests.support.membercards import CARDS, make_store, make_type, move, numbers
from tests.support.membercards import make_batch as make_batch_of_cards
from tests.support.members import Phone, register
from tests.support.messages import inbox, make_batch, own_template, write
from tests.support.mis import make_subscriber
from tests.support.passes import buy, line_of, make_pass_product, passes_of, use
from tests.support.races import codes_of
from tests.support.rebates import plant_statement
from tests.support.reconciliation import make_difference, make_settlement
from tests.support.seed import Chain, Login
from tests.support.shifts import open_shift
from tests.support.staff import StaffSession, log_in
from tests.support.stamps import make_campaign
from tests.support.suggestions import make_box, own_id, suggest
from tests.support.surveys import make_survey
from tests.support.value import give

PUBLIC = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /openapi.json",
    "GET /docs",
    "POST /v1/member/login",
    "POST /v1/member/token",
    "POST /v1/admin/login",
    "POST /v1/admin/token",
    # whoever has the link: 256 random bits, good once
    "POST /v1/admin/links/use",
    "GET /v1/wechat/push",
    "POST /v1/wechat/push",
    "POST /v1/wechat/pay/notify",
    "POST /v1/wechat/pay/refund-notify",
    # whoever is about to join reads what is to be agreed to
    "GET /v1/privacy/purposes",
    # whoever was told a picture's address: it is the picture's own hash
    "GET /v1/media/{media_id}",
    "GET /v1/media/{media_id}/small",
    # whoever was told a member's picture's address: it is signed, and good for two hours at most
    "GET /v1/uploads/{picture_id}",
    "GET /v1/uploads/{picture_id}/small",
    # those who say no name: the key that everybody is told, and pictures by their signed address
    "GET /v1/anonymous/key",
    "GET /v1/anonymous/pictures/{picture_id}",
    "GET /v1/anonymous/pictures/{picture_id}/small",
    # the same of pictures in a conversation
    "GET /v1/conversation-pictures/{picture_id}",
    "GET /v1/survey-photos/{picture_id}",
    "GET /v1/survey-photos/{picture_id}/small",
    "GET /v1/conversation-pictures/{picture_id}/small",
    # whoever has the letter: its links are signed, and each is good for one thing
    "GET /v1/m/{token}",
    "GET /v1/m/{token}.gif",
    "GET /v1/m/{token}/unsubscribe",
    "POST /v1/m/{token}/unsubscribe",
}
"""What everybody may call: health, documentation, where credentials are given out, and what WeChat signs itself."""

GUARDS = {
    "session",
    "registered",
    "member",
    "terminal",
    "ticket",
    "receipt",
    "subscriber",
    "gateway:sms",
    "gateway:mail",
}


OWN = {
    "POST /v1/admin/logout",
    "GET /v1/admin/me/account",
    "PUT /v1/admin/me/password",
    "POST /v1/admin/me/totp",
    "POST /v1/admin/me/totp/confirm",
    "POST /v1/admin/me/recovery-codes",
    "GET /v1/admin/me/sessions",
    "DELETE /v1/admin/me/sessions/{session_id}",
    "POST /v1/admin/me/end-other-sessions",
    "GET /v1/admin/me/logins",
    "GET /v1/admin/me/devices",
    "DELETE /v1/admin/me/devices/{staff_device_id}",
    "GET /v1/admin/me",
    "GET /v1/admin/me/phone",
    "POST /v1/admin/me/phone",
    "POST /v1/admin/me/phone/unbind",
    # what somebody asked for; and what they decide, by the permission of its kind
    "GET /v1/admin/approvals",
    "GET /v1/admin/approvals/kinds",
    "GET /v1/admin/approvals/{approval_id}",
    "POST /v1/admin/approvals/{approval_id}/approve",
    "POST /v1/admin/approvals/{approval_id}/reject",
    "POST /v1/admin/approvals/{approval_id}/withdraw",
}
"""What everybody of the staff may call, for it concerns nobody but them."""

ASKED_INSIDE = {
    Permission.CASES_LEAD,
    Permission.CONTACT_FULL,
    Permission.MEMBERS_PHONE,
    Permission.MESSAGES_SERVICE,
    Permission.OVERRIDES_GIVE,
    Permission.SHIFTS_DECIDE,  # by its kind of approvals
    Permission.STOCK_DECIDE_LARGE,
}
"""Permissions that no guard names: how much a call does or shows goes by them."""


def http_routes(routes: list[Route | WebSocketRoute]) -> list[Route]:
    return [route for route in routes if isinstance(route, Route)]


async def phone_of(member: Phone) -> str:
    """The number that a member registered with."""
    sealed = await db.fetchval("SELECT phone_sealed FROM member WHERE id = $1", member.member_id)
    return members.open_phone(sealed)


async def _invite(admin: StaffSession) -> str:
    """An invitation that waits."""
    made = await admin.post("/v1/admin/invitations", {"username": "invited", "role": "clerk", "store_id": "S1"})
    invitation_id: str = made.json()["id"]
    return invitation_id


async def _device_of(admin: StaffSession) -> str:
    """A browser of the admin's."""
    me = (await admin.get("/v1/admin/me")).json()["staff"]["id"]
    await db.pool().execute(
        "INSERT INTO auth_staff_device (id, staff_id, digest, agent, address, state, created_at, seen_at)"
        " VALUES (47, $1, '', 'x', 'x', 'known', now(), now())",
        int(me),
    )
    return "47"


def label(route: Route) -> str:
    return f"{route.method} {route.path}"


def target_of(route: Route, values: dict[str, str] | None = None) -> str:
    path = route.path.format(**{name: (values or {}).get(name, "1") for name in route.path_params})
    query = QUERIES.get(label(route))
    return f"{path}?{query}" if query else path


def test_only_these_routes_are_open_to_everybody(routes):
    opened = {label(route) for route in http_routes(routes) if route.guard.name == "public"}

    assert {name for name in opened if not name.startswith("GET /docs/")} == PUBLIC


def test_every_guard_is_known_to_this_test(routes):
    assert {route.guard.name for route in routes if not isinstance(route.guard, StaffGuard)} == GUARDS | {"public"}


def test_every_call_of_staff_names_a_permission_or_concerns_nobody_but_the_caller(routes):
    asked = {label(one): one.guard.permissions for one in http_routes(routes) if isinstance(one.guard, StaffGuard)}

    assert {name for name, permissions in asked.items() if not permissions} == OWN
    assert {one for permissions in asked.values() for one in permissions} == set(Permission) - ASKED_INSIDE


def test_a_permission_that_does_not_go_by_store_is_for_nobody_in_a_store():
    for role in Role:
        in_store = rules.held(role, "S1", (), ())
        assert not any(one.office for one in in_store)
        assert rules.held(role, None, (), ()) >= in_store
    assert rules.held(Role.ADMIN, None, (), [Permission.MEMBERS_READ]) == frozenset(Permission)
    assert rules.held("temps", "S1", ["members.read", "levels.write", "unknown"], ()) == {Permission.MEMBERS_READ}
    assert Permission.AUDIT_READ not in rules.held(Role.AUDITOR, None, (), ["audit.read"])


def test_every_address_below_v1_says_by_its_name_who_it_is_for(routes):
    for route in http_routes(routes):
        scheme = route.guard.scheme
        for prefix, expected in (
            ("/v1/member/", "memberBearer"),
            ("/v1/pos/", "terminalHmac"),
            ("/v1/admin/", "staffBearer"),
        ):
            if route.path.startswith(prefix) and label(route) not in PUBLIC:
                assert scheme == expected, label(route)


async def show(client: httpx.AsyncClient, route: Route, credential: Credential) -> httpx.Response:
    """Call with a body that no call takes, so that nothing happens where the caller is let in."""
    target = target_of(route)
    body = b"" if route.method == "GET" else b"?"
    headers = credential.headers(route.method, target, body, "walk")
    headers |= {"Idempotency-Key": "walk", "Content-Type": "text/plain"}
    return await client.request(route.method, target, content=body, headers=headers)


async def test_every_route_refuses_every_caller_it_is_not_for(client, settings, routes, credentials):
    before = await fingerprint(settings)
    guarded = [route for route in http_routes(routes) if route.guard.name != "public"]
    for route in guarded:
        refused = [credential for credential in credentials if route.guard.name not in credential.opens]
        answers = await asyncio.gather(*(show(client, route, credential) for credential in refused))
        for credential, answer in zip(refused, answers, strict=True):
            where = f"{label(route)} as {credential.name}: {answer.status_code} {answer.text[:200]}"
            assert answer.status_code == (403 if credential.scheme == route.guard.scheme else 401), where
            assert answer.headers["content-type"] == "application/problem+json", where
            if answer.status_code == 401:
                assert answer.json()["code"] == "unauthenticated", where
                assert answer.headers["www-authenticate"], where

    assert len(guarded) > 40
    assert await fingerprint(settings) == before


async def test_every_credential_opens_the_doors_it_is_for(client, routes, credentials):
    """Else the walk above would show nothing."""
    opened = set()
    for route in http_routes(routes):
        for credential in credentials:
            if route.guard.name in credential.opens:
                answer = await show(client, route, credential)
                where = f"{label(route)} as {credential.name}: {answer.status_code} {answer.text[:200]}"
                assert answer.status_code not in (401, 403), where
                # a picture's own kind is looked at where it is for something that is there
                assert answer.status_code in (404, 415) or route.method == "GET", where
                opened.add((credential.name, route.guard.name))

    assert opened == {(credential.name, guard) for credential in credentials for guard in credential.opens}


async def test_head_is_guarded_like_get(client, routes):
    for route in http_routes(routes):
        if route.method == "GET" and route.guard.name != "public":
            assert (await client.head(target_of(route))).status_code == 401, label(route)


@pytest.mark.parametrize("path", ["/v1/member/wallet", "/v1/admin/me", "/v1/pos/context"])
@pytest.mark.parametrize(
    "change", [str.upper, lambda p: p + "/", lambda p: "/" + p, lambda p: p.replace("/v1/", "/v1/./")]
)
async def test_another_spelling_of_an_address_is_no_way_round(server, path, change):
    async with wire.connected(server.base_url) as client:
        request = client.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=change(path).encode())
        answer = await client.send(request)

    assert answer.status_code in (401, 404), answer.text


async def test_what_looks_like_a_route_of_ours_is_never_a_page_or_the_simulator_s(client):
    for path in ("/v1/mock/wechat/sent", "/v1/pos", "/v1/static/pos/main.js", "/v1/"):
        answer = await client.get(path)

        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def close_code(server, *subprotocols: str, target: str = "/v1/member/live") -> tuple[int, str | None]:
    address = server.base_url.replace("http", "ws") + target
    async with connect(address, subprotocols=list(subprotocols) or None, proxy=None) as socket:  # type: ignore[arg-type]
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 60)
        return closed.value.rcvd.code, socket.subprotocol


async def test_every_websocket_refuses_every_caller_it_is_not_for(server, routes, credentials):
    sockets = [route for route in routes if isinstance(route, WebSocketRoute)]
    assert [route.path for route in sockets] == ["/v1/member/live"]

    for credential in credentials:
        if not credential.token or "member" in credential.opens:
            continue
        code, chosen = await close_code(server, "huiyuan.v1", f"bearer.{credential.token}")
        expected = 4403 if credential.scheme == "memberBearer" else 4401
        assert (code, chosen) == (expected, "huiyuan.v1"), credential.name


async def test_a_websocket_takes_its_token_from_the_subprotocol_only(server, credentials):
    token = next(credential.token for credential in credentials if credential.name == "a member")

    assert (await close_code(server))[0] == 4401
    assert (await close_code(server, "huiyuan.v1"))[0] == 4401
    assert (await close_code(server, "huiyuan.v1", target=f"/v1/member/live?token={token}"))[0] == 4401
    assert (await close_code(server, "huiyuan.v1", f"bearer.{token}", "bearer.other"))[0] == 4401


# ------------------------------------------------------------------------------------------ another's objects


@dataclass
class World:
    """Objects of store S1 and of one member, and the strangers who ask for them."""

    values: dict[str, str]
    owner: Phone
    stranger: Phone
    staff: dict[str, StaffSession]
    bodies: dict[str, Any]


ASKED = {"kind": "refund", "lines": [{"line_no": 1, "qty": 1}], "reason": "x"}
SENT = {"carrier": "SF", "tracking_no": "SF1000001"}

BODIES: dict[str, Any] = {
    "POST /v1/pos/gift-pickups/{redemption_id}/handover": {"code": "G0000000000"},
    "POST /v1/admin/gift-redemptions/{redemption_id}/handover": {"code": "G0000000000"},
    "POST /v1/admin/gift-redemptions/{redemption_id}/send": SENT,
    "POST /v1/admin/gift-redemptions/{redemption_id}/cancel": {"note": "x"},
    "POST /v1/admin/gift-redemptions/{redemption_id}/return": {"reason": "other", "note": "x"},
    "POST /v1/admin/registrations/{application_id}/approve": {},
    "POST /v1/admin/member-imports/{member_import_id}/start": {},
    "POST /v1/admin/registrations/{application_id}/reject": {"reason": "x"},
    "POST /v1/admin/members/{member_id}/level-grants": {"level": "basic", "reason": "x"},
    "POST /v1/admin/members/{member_id}/level-grants/{grant_id}/end": {"reason": "x"},
    "PATCH /v1/admin/members/{member_id}": {"version": 1, "reason": "x"},
    "PUT /v1/admin/member-attributes/{member_attribute}": {"name": "x", "type": "text", "version": 9},
    "PUT /v1/admin/members/{member_id}/key-account": {"staff_id": "1"},
    "POST /v1/admin/merge-candidates/{candidate_id}/dismiss": {},
    "POST /v1/admin/merges/preview": {"source_no": "100000000009", "target_no": "100000000017"},
    "POST /v1/admin/merges": {"source_no": "100000000009", "target_no": "100000000017", "reason": "x"},
    "PUT /v1/admin/groups/{group_id}": {"number": "G-1", "name": "x", "version": 1},
    "PUT /v1/admin/member-card-types/{card_type_code}": {"name": "x", "version": 1},
    "PUT /v1/admin/member-card-issuers/{issuer_id}": {"name": "x", "quota": 1, "version": 1},
    "POST /v1/admin/members/{member_id}/pin/initialise": {"code": "1", "reason": "x"},
    "POST /v1/admin/members/{member_id}/pin/unlock": {"code": "1", "reason": "x"},
    "POST /v1/admin/member-cards/{member_card_id}/lost": {"reason": "x"},
    "POST /v1/admin/member-cards/{member_card_id}/found": {"reason": "x"},
    "POST /v1/admin/member-cards/{member_card_id}/void": {"reason": "x"},
    "POST /v1/admin/member-cards/{member_card_id}/replace": {"card_no": "9" * 16, "phone": "1", "reason": "x"},
    "POST /v1/admin/groups/{group_id}/allotments": {"person_id": "GM000000000000", "kind": "points", "amount": 1},
    "POST /v1/admin/groups/{group_id}/allotments/{allotment_id}/take-back": {},
    "POST /v1/member/group/allotments": {
        "person_id": "GM000000000000",
        "kind": "points",
        "amount": 1,
        "pin": "123456",
    },
    "POST /v1/member/group/allotments/{allotment_id}/take-back": {},
    "POST /v1/admin/groups/{group_id}/members": {"member_no": "100000000009"},
    "PUT /v1/admin/groups/{group_id}/members/{person_id}/role": {"role": "member"},
    "PUT /v1/member/group/members/{person_id}/role": {"role": "member"},
    "POST /v1/member/confirmations/{confirmation_id}": {"decision": "approve"},
    "POST /v1/pos/sales/{sale_id}/refunds": {"amount_fen": 1, "reason": "x"},
    "POST /v1/member/recharges/{recharge_id}/refunds": {"reason": "x"},
    "POST /v1/admin/recharges/{recharge_id}/refunds": {"reason": "x"},
    "POST /v1/admin/recharge-refunds/{recharge_refund_id}/approve": {},
    "POST /v1/admin/recharge-refunds/{recharge_refund_id}/reject": {"note": "x"},
    "POST /v1/admin/recharge-refunds/{recharge_refund_id}/cancel": {"note": "x"},
    "POST /v1/pos/gift-cards/charges/{charge_id}/refunds": {"amount_fen": 1, "reason": "x"},
    "POST /v1/admin/terminals/{terminal_id}/rotate-secret": {"overlap_s": 0},
    "POST /v1/admin/campaigns/{campaign_id}/members/{member_id}/tasks": {"task": "visit"},
    "POST /v1/admin/members/{member_id}/points-adjustments": {"points": 1, "reason": "other", "text": "x"},
    "POST /v1/admin/points-transfers/{transfer_id}/take-back": {"text": "x"},
    "PUT /v1/admin/privacy/purposes/{purpose}": {"title": "x", "body": "x", "version": 0},
    "PUT /v1/admin/members/{member_id}/consents": {"items": [{"purpose": "profiling", "granted": False}]},
    "POST /v1/admin/privacy/erasures/{erasure_id}/withdraw": {"reason": "xx"},
    "POST /v1/admin/privacy/exports/{export_id}/hand-outs": {"reason": "xx"},
    "POST /v1/member/inbox/{letter_id}/replies": {"text": "x"},
    "PUT /v1/admin/messages/members/{member_id}/consents": {
        "items": [{"channel": "sms", "purpose": "care", "granted": True}]
    },
    "POST /v1/admin/passes/{pass_id}/refund": {"reason": "x"},
    "PUT /v1/admin/mall/stores/{store_id}/publications": {"channel": "mall"},
    "PUT /v1/admin/mall/stores/{store_id}/pictures": {"items": []},
    "POST /v1/pos/pickups/{order_id}/handover": {"code": "1234567897"},
    "PUT /v1/member/addresses/{address_id}": SHENZHEN,
    "POST /v1/member/orders/{order_id}/after-sales": ASKED,
    "POST /v1/member/orders/{order_id}/reviews": {"line_no": 1, "stars": 1},
    "PUT /v1/member/orders/{order_id}/invoice": {"kind": "personal", "title": "x"},
    "POST /v1/member/after-sales/{after_sale_id}/parcel": SENT,
    "POST /v1/admin/orders/{order_id}/after-sales": ASKED,
    "POST /v1/admin/orders/{order_id}/parcels": SENT,
    "POST /v1/admin/orders/{order_id}/handover": {"phone_last4": "0000", "reason": "phone_dead"},
    "POST /v1/admin/orders/{order_id}/invoice": {"status": "rejected"},
    "POST /v1/admin/after-sales/{after_sale_id}/approve": {},
    "POST /v1/admin/after-sales/{after_sale_id}/reject": {"note": "x"},
    "POST /v1/admin/after-sales/{after_sale_id}/goods": {},
    "POST /v1/admin/after-sales/{after_sale_id}/refund": {},
    "POST /v1/admin/after-sales/{after_sale_id}/exchange": SENT,
    "PUT /v1/admin/mall/spots/{spot_id}": {"name": "x"},
    "POST /v1/admin/reviews/{order_id}/{line_no}": {"shown": False},
    "PUT /v1/admin/stock/documents/{document_id}": {"version": 1, "lines": [{"sku": "6901", "qty": 1}]},
    "POST /v1/admin/stock/documents/{document_id}/counts": {"items": [{"sku": "6901", "qty": 1}]},
    "POST /v1/admin/stock/documents/{document_id}/actions": {"action": "submit", "version": 1},
    "POST /v1/admin/approvals/{approval_id}/approve": {},
    "PUT /v1/admin/staff/{staff_id}": {"role": "clerk", "store_id": "S1"},
    "POST /v1/pos/identities/{identity_id}/pin": {"pin": "000000"},
    "POST /v1/pos/identities/{identity_id}/sms": {"purpose": "earn"},
    "POST /v1/pos/identities/{identity_id}/code": {"code": "000000"},
    "POST /v1/member/identities/{identity_id}": {"decision": "reject"},
    "PUT /v1/admin/members/{member_id}/document": {"number": None},
    "POST /v1/pos/recharges/{recharge_id}/reversal": {"override": {"code": "1", "reason": "mistake"}},
    "POST /v1/admin/shifts/{shift_id}/close": {"counted": [{"tender": "cash", "amount_fen": 1}], "note": "x"},
    "POST /v1/admin/shifts/{shift_id}/resolve": {"note": "x"},
    "PUT /v1/admin/override-limits/{role_code}": {"sale_bp": 1, "sale_fen": 1},
    "PUT /v1/admin/roles/{role_code}": {"title": "x", "permissions": [], "version": 1},
    "POST /v1/admin/approvals/{approval_id}/reject": {"note": "x"},
    "POST /v1/admin/stock/alerts/{alert_id}/acknowledge": {"note": "x"},
    "PUT /v1/admin/announcements/{announcement_id}": {"title": "x", "body": "x", "version": 1},
    "PUT /v1/admin/messages/batches/{letter_batch_id}": {
        "title": "x",
        "template": "own.theirs",
        "audience": {},
        "version": 1,
    },
    "POST /v1/admin/care-tasks/{task_id}/done": {},
    "POST /v1/admin/care-tasks/{task_id}/skip": {"note": "x"},
    "POST /v1/admin/care-tasks/{task_id}/assign": {},
    "POST /v1/admin/announcements/{announcement_id}/publish": {"revision": 1},
    "POST /v1/admin/announcements/{announcement_id}/pin": {"pinned": True},
    "POST /v1/member/suggestions/{suggestion_id}/messages": {"text": "x"},
    "PUT /v1/member/suggestions/{suggestion_id}/rating": {"rating": 1},
    "POST /v1/admin/suggestions/{suggestion_id}/answers": {"text": "x", "version": 1},
    "POST /v1/admin/suggestions/{suggestion_id}/close": {"version": 1},
    "POST /v1/admin/suggestions/{suggestion_id}/assign": {"staff_id": None, "version": 1},
    "POST /v1/admin/conversations/{conversation_id}/messages": {"text": "x"},
    "POST /v1/admin/conversations/{conversation_id}/transfer": {},
    "POST /v1/admin/conversations/{conversation_id}/case": {"kind": "complaint", "text": "x"},
    "PUT /v1/admin/conversations/canned/{canned_id}": {"title": "x", "text": "x", "store_id": "S2"},
    "PUT /v1/member/surveys/{survey_id}/progress": {"version": 1, "revision": 1, "answers": []},
    "POST /v1/member/surveys/{survey_id}/answers": {"version": 1, "answers": []},
    "POST /v1/admin/surveys/{survey_id}/answers": {"medium": "paper", "answers": []},
    "POST /v1/member/cases/{case_id}/messages": {"text": "x"},
    "POST /v1/member/cases/{case_id}/confirm": {"version": 1},
    "POST /v1/member/cases/{case_id}/reopen": {"text": "x", "version": 1},
    "PUT /v1/member/cases/{case_id}/rating": {"rating": 1},
    "POST /v1/admin/cases/{case_id}/assign": {"staff_id": "1", "version": 1},
    "POST /v1/admin/cases/{case_id}/start": {"version": 1},
    "POST /v1/admin/cases/{case_id}/answer": {"text": "x", "version": 1},
    "POST /v1/admin/cases/{case_id}/confirm": {"version": 1},
    "POST /v1/admin/cases/{case_id}/reopen": {"text": "x", "version": 1},
    "POST /v1/admin/cases/{case_id}/close": {"outcome": "solved", "version": 1},
    "POST /v1/admin/cases/{case_id}/priority": {"priority": "high", "version": 1},
    "POST /v1/admin/cases/{case_id}/give": {"points": 1, "reason": "x", "version": 1},
    "POST /v1/admin/cases/{case_id}/notes": {"text": "x"},
    "POST /v1/admin/reconciliation/differences/{difference_id}/take": {"version": 1},
    "POST /v1/admin/reconciliation/differences/{difference_id}/note": {"version": 1, "note": "x"},
    "POST /v1/admin/reconciliation/differences/{difference_id}/resolve": {
        "version": 1,
        "resolution": "accepted",
        "note": "x",
    },
    "POST /v1/admin/reconciliation/differences/{difference_id}/reopen": {"version": 1, "note": "x"},
}
"""What these calls need to get as far as their object."""

QUERIES = {
    "POST /v1/admin/member-imports": "title=x",
    "GET /v1/admin/groups/{group_id}/statement": "from=2026-06-01&to=2026-06-30",
    "GET /v1/admin/groups/{group_id}/statement/file": "from=2026-06-01&to=2026-06-30",
    "GET /v1/admin/member-card-issuers/{issuer_id}/report": "begin=2026-11-01&end=2026-11-02",
    "GET /v1/admin/members/{member_id}/stored-statement": "from=2026-11-01&to=2026-11-02",
    "DELETE /v1/admin/roles/{role_code}": "version=1",
    "GET /v1/admin/surveys/{survey_id}/cross": "rows=taste&columns=nps",
    "GET /v1/admin/surveys/{survey_id}/breakdown": "question=taste&by=level",
    "GET /v1/admin/surveys/{survey_id}/chart.svg": "what=time",
    "GET /v1/admin/surveys/{survey_id}/chart.png": "what=time",
}
"""And these, in their query."""

NOWHERE = {
    "terminal_id": "S9-T9",
    "member_id": "4711",
    "staff_id": "4711",
    "device_id": "4711",
    "sale_id": "S00000000000000000000000000",
    "recharge_id": "R00000000000000000000000000",
    "recharge_refund_id": "Y00000000000000000000000000",
    "confirmation_id": "S00000000000000000000000000",
    "offer_id": "nothing",
    "code": "nothing",
    "run_id": "LR000000000000",
    "grant_id": "LG000000000000",
    "scheme_id": "RS000000000000",
    "rebate_run_id": "RR000000000000",
    "statement_id": "B00000000000000000000000000",
    "candidate_id": "MC000000000000",
    "merge_id": "M00000000000000000000000000",
    "group_id": "GA000000000000",
    "allotment_id": "N00000000000000000000000000",
    "allot_batch_id": "GB000000000000",
    "person_id": "GM000000000000",
    "card_type_code": "nothing",
    "card_batch_id": "CB000000000000",
    "card_move_id": "CM000000000000",
    "member_card_id": "4711",
    "issuer_id": "S-S9",
    "template_id": "T000000000000",
    "batch_id": "B000000000000",
    "handout_id": "J000000000000",
    "coupon_id": "C00000000000000000000000000",
    "gift_id": "G00000000000000000000000000",
    "pass_product_id": "K000000000000",
    "pass_id": "P00000000000000000000000000",
    "use_id": "U00000000000000000000000000",
    "token": "A" * 22,
    "product_id": "P000000000000",
    "card_id": "4711",
    "activation_id": "V00000000000000000000000000",
    "charge_id": "H00000000000000000000000000",
    "campaign_id": "P000000000000",
    "spu": "nothing",
    "category_code": "nothing",
    "brand_code": "nothing",
    "attribute_code": "nothing",
    "member_attribute": "nothing",
    "supplier_code": "nothing",
    "supplier_category_code": "nothing",
    "timed_price_id": "nothing",
    "banner_id": "nothing",
    "promotion_id": "A000000000000",
    "rule_id": "A000000000000",
    "address_id": "L000000000000",
    "spot_id": "Y000000000000",
    "order_id": "D00000000000000000000000000",
    "line_no": "9",
    "after_sale_id": "W00000000000000000000000000",
    "refund_id": "F00000000000000000000000000",
    "store_id": "S9",
    "sku": "nothing",
    "document_id": "Z000000000000",
    "attachment_id": "Z000000000000",
    "alert_id": "A000000000000",
    "approval_id": "V000000000000000",
    "session_id": "4711",
    "invitation_id": "N000000000000",
    "role_code": "nobody",
    "import_id": "I000000000000",
    "template": "none.there",
    "care_plan_id": "P000000000000",
    "difference_id": "B000000000000",
    "settlement_id": "Z000000000000",
    "subscriber_id": "U000000000000",
    "task_id": "K000000000000",
    "announcement_id": "N000000000000",
    "chapter_id": "H000000000000",
    "number": "9",
    "box_id": "B000000000000",
    "suggestion_id": "G0000000000000000",
    "letter_batch_id": "N000000000000",
    "sheet_id": "E000000000000",
    "survey_id": "N000000000000",
    "photo_id": "0" * 64,
    "version": "9",
    "project_id": "O000000000000",
    "case_id": "K0000000000000000",
    "letter_id": "L00000000000000000000000000",
    "conversation_id": "4711",
    "canned_id": "nothing",
    "source": "nothing",
    "transfer_id": "X00000000000000000000000000",
    "points_batch_id": "B000000000000",
    "member_batch_id": "MB000000000000",
    "export_id": "X000000000000",
    "erasure_id": "Q000000000000",
    "hand_out_id": "H000000000000",
    "purpose": "nothing",
    "gift_item_id": "GF000000000000",
    "redemption_id": "J00000000000000000000000000",
    "application_id": "RA000000000000",
    "shift_id": "H000000000000000",
    "member_import_id": "MI000000000000",
    "staff_device_id": "4711",
    "identity_id": "4711",
}
"""Ids of nothing: another's object must look the same."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(browser, chain, credentials) -> AsyncIterator[World]:
    """A member of S1 with a waiting sale, a completed one, a recharge and a device."""
    owner, stranger = await register(browser), await register(browser)
    assert (await owner.call("PATCH", "/v1/member/profile", {"store_id": "S1"})).status_code == 200
    await give(owner.member_id, principal=100_000)
    waiting = (await chain.till.sell(browser, owner.code(), fen=50_000)).json()
    recharge = (await owner.call("POST", "/v1/member/recharges", {"amount_fen": 500}, key="mine")).json()
    admin = await log_in(browser, chain, "admin")
    body = {"username": "clerk-S2", "password": "correct horse", "role": "clerk", "store_id": "S2"}
    clerk = await admin.post("/v1/admin/staff", body)
    chain.staff.append(Login("clerk-S2", "correct horse", "clerk", "S2"))
    values = {
        "approval_id": (await approvals.ask(admin, "别家的店")).id,
        "session_id": (await admin.get("/v1/admin/me/sessions")).json()["items"][0]["id"],
        "invitation_id": await _invite(admin),
        "staff_device_id": await _device_of(admin),
        "role_code": "clerk",
        "member_attribute": (await define(admin, "of_the_world"))["code"],
        "terminal_id": "S1-T1",
        "member_id": str(owner.member_id),
        "staff_id": clerk.json()["staff"]["id"],
        "device_id": owner.device["device_id"],
        "sale_id": waiting["id"],
        "confirmation_id": waiting["id"],
        "recharge_id": recharge["id"],
        "recharge_refund_id": await refunds.asked(owner, await refunds.paid(browser, owner, amount_fen=500)),
        "offer_id": "O500",
        "code": "basic",
        "spu": "P-1",
        "category_code": "fruit",
        "brand_code": "brand",
        "attribute_code": "attribute",
        "supplier_code": "supplier",
        "supplier_category_code": "kind",
        "timed_price_id": "W-1",
        "banner_id": "N-1",
        **await mall_order(owner, admin),
        "promotion_id": "nothing",
        "rule_id": "nothing",
        "address_id": await add_address(owner),
        "store_id": "S1",
        "sku": "6902",
    } | await coupon_objects(admin, owner)
    values |= await gift_card_objects(admin, chain, owner)
    tasks = {"tasks": [{"code": "visit", "title": "到店"}]}
    campaign = await make_campaign(admin, kind="tasks", goal=1, per_member=1, earning=tasks)
    values["campaign_id"] = campaign["id"]
    await write(Letter(owner.member_id, "test.note", {"what": "x"}, "theirs"))
    printed = await admin.post("/v1/admin/messages/labels", {"layout": "a4-3x8", "audience": {}}, key="labels")
    values["sheet_id"] = printed.json()["id"]
    values["template"] = "test.note"
    await own_template(admin, "own.theirs")
    values["letter_batch_id"] = (await make_batch(admin, "own.theirs"))["id"]
    values["letter_id"] = (await inbox(owner))["items"][0]["id"]
    asked = {"store_ids": ["S1"], "member_nos": [owner.member["member_no"]]}
    survey = await make_survey(admin, audience=asked)
    values |= {"survey_id": survey["id"], "version": "1", "photo_id": "1" * 64, "project_id": survey["project_id"]}
    values |= await pass_objects(browser, chain, admin, owner)
    values |= await stock_objects(admin)
    values |= await care_objects(admin, owner)
    values |= {"difference_id": await make_difference(), "settlement_id": await make_settlement()}
    values["subscriber_id"] = (await make_subscriber(admin))["subscriber"]["id"]
    values |= await notice_objects(admin, await log_in(browser, chain, "manager-S1"))
    values |= await suggestion_objects(admin, owner)
    values |= await conversation_objects(admin, owner)
    values |= await level_objects(admin, owner)
    values |= await card_objects(admin, owner)
    values |= await points_objects(owner)
    values |= await privacy_objects(owner)
    values |= await gift_objects(admin, owner)
    asked = await chain.till.post(browser, "/v1/pos/identities", {"phone": await phone_of(owner)})
    values["identity_id"] = asked.json()["id"]
    values["shift_id"] = (await open_shift(browser, chain.tills["S1"][1]))["id"]
    values |= await rebate_objects(admin, owner)
    values |= await merging_objects(owner, stranger)
    values["import_id"] = await imports.begin(b"sku", "csv", "refuse", key="k", staff_id=0)
    (code,) = await codes_of(stranger, 1)
    scanned = await chain.tills["S2"][0].post(browser, "/v1/pos/scan", {"code": code})
    bodies = BODIES | {"POST /v1/pos/passes/{pass_id}/uses": {"scan_token": scanned.json()["scan_token"]}}
    staff = {name: await log_in(browser, chain, name) for name in ("manager-S2", "clerk-S2")}
    yield World(values, owner, stranger, staff, bodies)


async def level_objects(admin: StaffSession, owner: Phone) -> dict[str, str]:
    """A level that the owner was given, a group of S1 to which they belong, and a look at what rules would change."""
    given = {"level": "basic", "reason": "x"}
    grant = await admin.post(f"/v1/admin/members/{owner.member_id}/level-grants", given, key="level-objects")
    run = await admin.post("/v1/admin/level-rules/preview", {"rules": []})
    group = (await admin.post("/v1/admin/groups", {"number": "G-1", "name": "x", "store_id": "S1"})).json()
    belongs = {"member_no": owner.member["member_no"]}
    person = await admin.post(f"/v1/admin/groups/{group['id']}/members", belongs)
    agreed = {"staff_id": (await admin.get("/v1/admin/me")).json()["staff"]["id"]}
    await admin.call("PUT", f"/v1/admin/members/{owner.member_id}/key-account", agreed)
    ids = {"grant_id": grant, "run_id": run, "person_id": person}
    return {name: answer.json()["id"] for name, answer in ids.items()} | {"group_id": group["id"]}


async def card_objects(admin: StaffSession, owner: Phone) -> dict[str, str]:
    """A card of the owner's that S1 was given to hand out."""
    batch = await make_batch_of_cards(admin, await make_type(admin), 1)
    issuer_id = await make_store(admin, "S1")
    moved = await move(admin, batch, 1, 1, to=issuer_id)
    (number,) = await numbers(batch)
    (code,) = await codes_of(owner, 1)
    card = await admin.post(f"{CARDS}/issue", {"card_no": number, "code": code})
    return {
        "card_type_code": batch["type_code"],
        "card_batch_id": batch["id"],
        "card_move_id": moved.json()["id"],
        "member_card_id": card.json()["id"],
        "issuer_id": issuer_id,
    }


async def merging_objects(owner: Phone, stranger: Phone) -> dict[str, str]:
    """A pair that may be one person, and a merge into the owner."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO merging_candidate (id, one_id, other_id, why, state, found_at)"
            " VALUES ('MC1', least($1::bigint, $2::bigint), greatest($1::bigint, $2::bigint), 'same', 'open', now())",
            owner.member_id,
            stranger.member_id,
        )
        await db.raw(tx).execute(
            "INSERT INTO merging_merge (id, source_id, target_id, approval_id, asked_by, decided_by, reason, moved, at)"
            " VALUES ('M1', 4711, $1, 'V1', 1, 2, 'x', '{}', now())",
            owner.member_id,
        )
        await db.raw(tx).execute(
            "INSERT INTO group_allotment (id, group_id, principal_id, member_id, kind, amount, note, at, updated_at)"
            " VALUES ('N1', 'nothing', $1, 1, 'points', 1, '', now(), now())",
            owner.member_id,
        )
        await db.raw(tx).execute(
            "INSERT INTO group_allot_batch (id, key, digest, group_id, owner_id, title, state, rows, skipped,"
            " stored_fen, points, staff_id, created_at, updated_at)"
            " VALUES ('GB1', 'k', '', 'nothing', 'x', 'x', 'waiting', 1, 0, 1, 0, 1, now(), now())"
        )
    return {"candidate_id": "MC1", "merge_id": "M1", "allotment_id": "N1", "allot_batch_id": "GB1"}


async def points_objects(owner: Phone) -> dict[str, str]:
    """Points that the owner gave away, a batch of adjustments of S1's manager, and one of changes of members."""
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO points_transfer (id, giver_id, receiver_id, points, state, at) VALUES ('X1', $1, 4711, 1,"
            " 'done', now())",
            owner.member_id,
        )
        await db.raw(tx).execute(
            "INSERT INTO points_batch (id, key, digest, title, state, rows, skipped, given, taken, staff_id, store_id,"
            " created_at, updated_at) VALUES ('B1', 'k', '', 'x', 'waiting', 1, 0, 1, 0, 1, 'S1', now(), now())"
        )
        await db.raw(tx).execute(
            "INSERT INTO registration_batch (id, key, digest, kind, reason, change, audience, state, meant, staff_id,"
            " store_id, created_at, updated_at)"
            " VALUES ('MB1', 'k', '', 'freeze', 'x', '{}', '{}', 'waiting', 1, 1, 'S1', now(), now())"
        )
        await db.raw(tx).execute(
            "INSERT INTO registration_application (id, member_id, channel, store_id, referred, state, claimed,"
            " applied_at) VALUES ('RA1', $1, 'phone', 'S1', false, 'pending', false, now())",
            owner.member_id,
        )
    return {"transfer_id": "X1", "points_batch_id": "B1", "source": "sale"} | {
        "member_batch_id": "MB1",
        "application_id": "RA1",
        "member_import_id": "nothing",
    }


async def rebate_objects(admin: StaffSession, owner: Phone) -> dict[str, str]:
    """A scheme, a run that was closed, and the owner's statement of it."""
    terms = {"tiers": [{"from_fen": 0, "rate_bp": 100}]}
    scheme = {"title": "x", "period": "month", "first_on": "2026-11-01", "terms": terms}
    made = await admin.post("/v1/admin/rebates/schemes", scheme)
    run_id, statement_id = await plant_statement(owner.member_id)
    return {"scheme_id": made.json()["id"], "rebate_run_id": run_id, "statement_id": statement_id}


async def privacy_objects(owner: Phone) -> dict[str, str]:
    """An archive that the owner asked for and that staff want to hand out, and a wish to be erased that is over."""
    asked = await owner.call("POST", "/v1/member/privacy/exports")
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO privacy_erasure (id, member_id, state, store_id, given_up, asked_at, due_at, ended_at)"
            " VALUES ('Q1', $1, 'withdrawn', 'S1', '[]', now(), now(), now())",
            owner.member_id,
        )
        await db.raw(tx).execute(
            "INSERT INTO privacy_handout (id, export_id, member_id, store_id, staff_id, proof, reason, state, asked_at)"
            " VALUES ('H1', $2, $1, 'S1', 1, 'paper', '', 'waiting', now())",
            owner.member_id,
            asked.json()["id"],
        )
    return {"export_id": asked.json()["id"], "erasure_id": "Q1", "hand_out_id": "H1", "purpose": "terms"}


async def gift_objects(admin: StaffSession, owner: Phone) -> dict[str, str]:
    """A gift, and one that waits for the owner in S1."""
    await put("S1", "6902", 1, 1)
    await give(owner.member_id, points=100)
    gift = await make_gift(admin, GOODS)
    return {"gift_item_id": gift["id"], "redemption_id": (await redeemed(owner, gift))["id"]}


async def conversation_objects(admin: StaffSession, owner: Phone) -> dict[str, str]:
    """What the owner wrote to customer service, and an answer that S1 keeps ready."""
    await Customer(owner.client, owner.openid).write("人工")
    canned = await admin.post(f"{DESK}/canned", {"title": "x", "text": "x", "store_id": "S1"})
    return {"conversation_id": await newest(), "canned_id": canned.json()["id"]}


async def mall_order(owner: Phone, admin: StaffSession) -> dict[str, str]:
    """An order of the owner's at S1 that waits to be fetched, a refund of a part, and a request about the rest."""
    await open_mall("S1")
    await put("S1", "6902", 3, 3)
    order_id = (await order(owner, checkout(a6902=3), 3_750)).json()["checkout_id"]
    path = f"/v1/member/orders/{order_id}/after-sales"
    paid = await owner.call("POST", path, ASKED, key="paid")
    refunded = await admin.post(f"/v1/admin/after-sales/{paid.json()['id']}/approve", {})
    assert (await admin.post(f"/v1/admin/orders/{order_id}/ready")).status_code == 200
    asked = await owner.call("POST", path, ASKED, key="asked")
    spot = await admin.post("/v1/admin/mall/spots", {"store_id": "S1", "kind": "table", "name": "A1"})
    return {
        "order_id": order_id,
        "spot_id": spot.json()["id"],
        "line_no": "1",
        "after_sale_id": asked.json()["id"],
        "refund_id": refunded.json()["refund"]["id"],
    }


async def pass_objects(browser, chain, admin: StaffSession, owner: Phone) -> dict[str, str]:
    """A product, a pass of it that store S1 sold, and a use of that."""
    product = await make_pass_product(admin)
    (code,) = await codes_of(owner, 1)
    token = (await chain.till.post(browser, "/v1/pos/scan", {"code": code})).json()["scan_token"]
    await buy(browser, chain.till, token, line_of(product))
    (card,) = await passes_of(owner)
    used = await use(browser, chain.till, token, card["id"])
    load()  # the handlers that write its row
    await outbox.drain()
    return {"pass_product_id": product["id"], "pass_id": card["id"], "use_id": used.json()["id"]}


async def coupon_objects(admin: StaffSession, owner: Phone) -> dict[str, str]:
    """A template with a batch of codes and a handout, and a coupon that the owner is giving away."""
    template = await make_template(admin, CASH | {"transferable": True})
    batch = await admin.post(f"{TEMPLATES}/{template['id']}/batches", {"total": 1})
    handout = await admin.client.post(
        f"{TEMPLATES}/{template['id']}/handouts",
        json={"member_ids": [str(owner.member_id)]},
        headers={"Authorization": f"Bearer {admin.access_token}", "Idempotency-Key": "mine"},
    )
    coupon = await claim(owner, template_id=template["id"])
    gift = await owner.call("POST", f"/v1/member/coupons/{coupon.json()['id']}/gifts", key="the-gift")
    return {
        "template_id": template["id"],
        "batch_id": batch.json()["id"],
        "handout_id": handout.json()["id"],
        "coupon_id": coupon.json()["id"],
        "gift_id": gift.json()["gift_id"],
        "token": gift.json()["token"],
    }


async def gift_card_objects(admin: StaffSession, chain: Chain, owner: Phone) -> dict[str, str]:
    """A product with a card that was sold at S1, paid with there, and is the owner's."""
    product = await make_product(admin)
    (card,) = await print_cards(admin, product["id"])
    sold = await activate(chain.till, owner.client, card, 1_000)
    paid = await charge(chain.till, owner.client, await token_of(chain.till, owner.client, card), 100)
    bound = await bind(owner, card)
    return {
        "product_id": product["id"],
        "card_id": bound.json()["id"],
        "activation_id": sold.json()["id"],
        "charge_id": paid.json()["id"],
    }


async def suggestion_objects(admin: StaffSession, owner: Phone) -> dict[str, str]:
    """A box that head office alone reads, what the owner put into it, and a case of the owner's at S1."""
    box = await make_box(admin, await own_id(admin))
    case = await complain(owner, store_id="S1")
    return {"box_id": box["id"], "suggestion_id": (await suggest(owner, box))["id"], "case_id": case["id"]}


async def stock_objects(admin: StaffSession) -> dict[str, str]:
    """A document of S1 with a paper, and something to look at there."""
    body = {"kind": "receipt", "place_id": "S1", "lines": [{"sku": "6901", "qty": 1}]}
    document_id = (await admin.post("/v1/admin/stock/documents", body, key="stock-objects")).json()["id"]
    path = f"/v1/admin/stock/documents/{document_id}/attachments?name=x"
    headers = {"Authorization": f"Bearer {admin.access_token}", "Content-Type": "application/pdf"}
    kept = await admin.client.post(path, content=b"%PDF-1.7 %%EOF", headers=headers)
    async with db.transaction() as tx:
        await stock.alert(tx, AlertKind.LOW, {("S1", "6901"): 1}, at=clock.now())
    alert = (await admin.get("/v1/admin/stock/alerts")).json()["items"][0]
    return {"document_id": document_id, "attachment_id": kept.json()["items"][0]["id"], "alert_id": alert["id"]}


async def care_objects(admin: StaffSession, owner: Phone) -> dict[str, str]:
    """A call that is to be made to a member of store S1, and its plan."""
    meant = {"member_nos": [owner.member["member_no"]]}
    plan_id = await care.started(admin, {"on": "registered"}, how="call", audience=meant)
    await running.run_due(clock.now())
    return {"care_plan_id": plan_id, "task_id": (await care.tasks(admin, plan_id))[0]["id"]}


async def notice_objects(admin: StaffSession, manager: StaffSession) -> dict[str, str]:
    """An announcement of store S1 to its members, and a chapter that is not published."""
    text = {"title": "x", "body": "x"}
    announcement = (await manager.post("/v1/admin/announcements", text, key="notice-objects")).json()
    shown = await manager.post(f"/v1/admin/announcements/{announcement['id']}/publish", {"revision": 1})
    assert shown.status_code == 200, shown.text
    chapter = await admin.post("/v1/admin/handbook/chapters", text, key="notice-objects")
    return {"announcement_id": announcement["id"], "chapter_id": chapter.json()["id"], "number": "1"}


def with_objects(routes: list[Route | WebSocketRoute], scheme: str) -> list[Route]:
    """The routes that name an object of somebody's.

    A gift's token is for whoever has it (``coupons/test_gifts.py``); campaigns, gifts, products, stores and
    boxes are everybody's, texts of letters, of consents and gifts the whole staff's.
    """
    everybodys = {"token", "campaign_id", "box_id", "spu", "store_id", "sku", "gift_item_id"}
    free = everybodys if scheme == "memberBearer" else {"token", "template", "gift_item_id", "purpose"}
    return [
        route
        for route in http_routes(routes)
        if route.path_params and not free & {*route.path_params} and route.guard.scheme == scheme
    ]


def test_every_kind_of_object_is_known_to_this_test(routes, world):
    named = {name for route in http_routes(routes) for name in route.path_params if route.guard.name != "public"}

    assert named <= set(world.values) == set(NOWHERE)


def same_refusal(found: httpx.Response, nothing: httpx.Response) -> None:
    """Whether it exists for somebody else cannot be told."""
    for answer in (found, nothing):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), answer.text
    assert found.json()["detail"] == nothing.json()["detail"]


async def test_another_member_s_object_is_not_found(settings, routes, world):
    before = await fingerprint(settings)
    walked = with_objects(routes, "memberBearer")
    for route in walked:
        answers = [
            await world.stranger.call(
                route.method, target_of(route, values), world.bodies.get(label(route)), key="stranger"
            )
            for values in (world.values, NOWHERE)
        ]
        same_refusal(*answers)

    assert len(walked) >= 4
    assert await fingerprint(settings) == before


async def test_another_store_s_object_is_not_found_by_a_terminal(client, chain, settings, routes, world):
    before = await fingerprint(settings)
    walked = with_objects(routes, "terminalHmac")
    for route in walked:
        answers = [
            await chain.tills["S2"][0].send(
                client, route.method, target_of(route, values), world.bodies.get(label(route))
            )
            for values in (world.values, NOWHERE)
        ]
        same_refusal(*answers)
    by_order = await chain.tills["S2"][0].get(client, "/v1/pos/sales?order_no=nothing")

    assert len(walked) >= 3
    assert by_order.status_code == 404
    assert await fingerprint(settings) == before


@pytest.mark.parametrize("who", ["manager-S2", "clerk-S2"])
async def test_another_store_s_object_is_not_found_by_its_staff(settings, routes, world, who):
    before = await fingerprint(settings)
    role = who.partition("-")[0]
    for route in with_objects(routes, "staffBearer"):
        answers = [
            await world.staff[who].call(
                route.method, target_of(route, values), world.bodies.get(label(route)), key="stranger"
            )
            for values in (world.values, NOWHERE)
        ]
        if route.guard.name in doors(routes, Role(role), "S2"):
            same_refusal(*answers)
        else:
            assert {answer.status_code for answer in answers} == {403}, label(route)

    assert await fingerprint(settings) == before


async def test_another_store_s_objects_are_in_no_list_and_take_nothing_new(settings, chain, world):
    before = await fingerprint(settings)
    manager = world.staff["manager-S2"]

    stores = (await manager.get("/v1/admin/stores")).json()["items"]
    terminals = (await manager.get("/v1/admin/terminals")).json()["items"]
    asked_for = (await manager.get("/v1/admin/terminals?store_id=S1")).json()["items"]
    found = (await manager.get(f"/v1/admin/members?query={world.owner.member['member_no']}")).json()["items"]
    waiting = (await manager.get("/v1/admin/members?status=active")).json()["items"]
    made = await manager.post("/v1/admin/terminals", {"store_id": "S1", "name": "fremd"})

    assert {store["id"] for store in stores} == {"S2"}
    assert {terminal["store_id"] for terminal in terminals} == {"S2"}
    assert asked_for == found == waiting == []
    assert (made.status_code, made.json()["code"]) == (404, "not_found")
    assert await fingerprint(settings) == before


async def test_the_objects_are_there_for_those_they_belong_to(client, chain, world):
    """Else the walks above would show nothing."""
    values = world.values
    admin = await log_in(client, chain, "admin")
    manager = await log_in(client, chain, "manager-S1")

    answers = [
        await world.owner.call("GET", f"/v1/member/recharges/{values['recharge_id']}"),
        await world.owner.call("POST", f"/v1/member/devices/{values['device_id']}/rotate"),
        await world.owner.call("GET", f"/v1/member/coupons/{values['coupon_id']}"),
        await world.stranger.call("GET", f"/v1/member/coupon-gifts/{values['token']}"),
        await chain.till.get(client, f"/v1/pos/sales/{values['sale_id']}"),
        await chain.till.get(client, f"/v1/pos/gift-cards/charges/{values['charge_id']}"),
        await world.owner.call("GET", f"/v1/member/gift-cards/{values['card_id']}"),
        await admin.get(f"/v1/admin/gift-cards/cards/{values['card_id']}"),
        await admin.get(f"/v1/admin/gift-cards/products/{values['product_id']}"),
        await manager.get(f"/v1/admin/members/{values['member_id']}"),
        await admin.get(f"/v1/admin/members/{values['member_id']}"),
        await admin.get(f"{TEMPLATES}/{values['template_id']}"),
        await admin.get(f"/v1/admin/coupons/batches/{values['batch_id']}"),
        await admin.get(f"/v1/admin/coupons/handouts/{values['handout_id']}"),
        await admin.get(f"/v1/admin/pass-products/{values['pass_product_id']}"),
        await manager.get(f"/v1/admin/passes/{values['pass_id']}"),
        await world.owner.call("GET", f"/v1/member/passes/{values['pass_id']}"),
        await chain.till.post(client, f"/v1/pos/pass-uses/{values['use_id']}/undo", None),
    ]
    confirmations = (await world.owner.call("GET", "/v1/member/confirmations")).json()["items"]

    assert {answer.status_code for answer in answers} == {200}
    assert [item["id"] for item in confirmations] == [values["confirmation_id"]]


async def test_a_sale_s_id_of_one_member_with_another_member_s_inside_is_not_found(client, chain, world):
    """An id carries its member: changing that part finds nothing of anybody's."""
    sale_id = world.values["sale_id"]
    for forged in (
        sale_id[:-1] + ("0" if sale_id[-1] != "0" else "1"),
        "F" + sale_id[1:],
        sale_id.lower(),
        sale_id + "0",
    ):
        assert (await chain.till.get(client, f"/v1/pos/sales/{forged}")).status_code == 404


async def test_a_terminal_s_scan_token_is_of_no_use_to_another(client, chain, phone):
    await give(phone.member_id, principal=5_000)
    token = (await chain.till.post(client, "/v1/pos/scan", {"code": phone.code()})).json()["scan_token"]

    for till in (chain.tills["S1"][1], chain.tills["S2"][0]):
        sold = await till.sell(client, None, scan_token=token)
        assert (sold.status_code, sold.json()["code"]) == (422, "code_invalid")
    assert (await phone.wallet())["stored"]["total_fen"] == 5_000
