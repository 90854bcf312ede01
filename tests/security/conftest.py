"""A chain with people of every sort, and every credential that a caller may show, good and bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import msgspec
import pytest
import pytest_asyncio

from backend.app import create_app
from backend.auth import tokens
from backend.auth.guards import StaffGuard
from backend.auth.types import Permission, Role
from backend.kernel import clock, config, db
from backend.kernel.config import Settings
from backend.kernel.http import iter_routes
from backend.kernel.http.routing import Route, WebSocketRoute
from backend.members import service as members
from backend.members.types import Status
from tests.support import gateways, wire
from tests.support.members import Phone, register
from tests.support.mis import make_subscriber
from tests.support.pos import Till
from tests.support.seed import Chain, Login, seed_chain
from tests.support.staff import StaffSession, log_in
from tests.support.suggestions import make_box, whisper
from tests.support.tickets import fetch
from tests.support.value import give

Headers = Callable[[str, str, bytes, str], dict[str, str]]
"""From method, target, body and key to the headers that show who calls."""


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """The module's settings; an attack comes from one address, and here it is not the limit that stops it."""
    made = msgspec.structs.replace(
        settings,
        rate_anonymous_per_minute=1_000_000,
        rate_member_per_minute=1_000_000,
        rate_login_per_minute=1_000_000,
        log_level="warning",
    )
    config.use(made)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    """A small chain in this module's database."""
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(loop_scope="session")
async def phone(client, chain) -> Phone:
    """A newly registered member."""
    return await register(client)


@pytest_asyncio.fixture(loop_scope="session")
async def rich(phone) -> Phone:
    """A member with 50,000 fen."""
    await give(phone.member_id, principal=50_000)
    return phone


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(server):
    """An HTTP client for fixtures of the whole module."""
    async with wire.connected(server.base_url) as made:
        yield made


@pytest.fixture(scope="module")
def routes(settings: Settings) -> list[Route | WebSocketRoute]:
    """Every route of the application, health and documentation too."""
    return list(iter_routes(create_app(settings).routers))


@dataclass
class Credential:
    """What somebody shows. ``opens`` are the guards it is good for; ``scheme`` is the kind of guard it is meant for."""

    name: str
    headers: Headers
    opens: frozenset[str] = frozenset()
    scheme: str | None = None
    token: str = field(default="", repr=False)


def bearer(name: str, token: str, *opens: str, scheme: str | None = None) -> Credential:
    """A token in the Authorization header."""
    return Credential(
        name, lambda *_: {"Authorization": f"Bearer {token}"}, frozenset(opens), scheme=scheme, token=token
    )


def signed(name: str, till: Till, *opens: str) -> Credential:
    """A terminal's signature."""
    return Credential(
        name,
        lambda method, target, body, key: {"Authorization": till.authorization(method, target, body, key)},
        frozenset(opens),
    )


def gateway(key: str, secret: str, scheme: str) -> Credential:
    """The signature of a gateway that reports."""

    def headers(method: str, target: str, body: bytes, _: str) -> dict[str, str]:
        return {"Authorization": gateways.authorization(key, secret, method, target, body)}

    return Credential(f"the {key} gateway", headers, frozenset({f"gateway:{key}"}), scheme=scheme)


async def _unregistered(client: httpx.AsyncClient) -> str:
    answer = await client.post("/v1/member/login", json={"js_code": "demo-somebody"})
    token: str = answer.json()["access_token"]
    return token


async def _with_status(client: httpx.AsyncClient, status: Status) -> Phone:
    phone = await register(client)
    async with db.transaction() as tx:
        await members.set_status(tx, phone.member_id, status)
    return phone


def forged(session_id: str, **changes: object) -> dict[str, object]:
    """The claims of an access token."""
    now = clock.unix()
    claims: dict[str, object] = {"iss": tokens.ISSUER, "aud": "member", "sid": session_id, "iat": now, "exp": now + 900}
    return claims | changes


async def _hire(admin: StaffSession, chain: Chain, role: str, store_id: str | None = None) -> StaffSession:
    """Somebody new of the staff, logged in."""
    body = {"username": role, "password": "correct horse", "role": role, "store_id": store_id}
    made = await admin.post("/v1/admin/staff", body)
    assert made.status_code == 201, made.text
    chain.staff.append(Login(role, "correct horse", role, store_id))
    return await log_in(admin.client, chain, role)


def doors(routes: list[Route | WebSocketRoute], role: Role, store_id: str | None) -> set[str]:
    """The guards that let in this built-in role there: what docs/security.md says it may do."""
    held = {one for one in Permission if role is Role.ADMIN or (role in one.holders and not (one.office and store_id))}
    guards = {route.guard for route in routes if isinstance(route.guard, StaffGuard)}
    return {guard.name for guard in guards if not guard.permissions or guard.permissions & held}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def credentials(browser, chain, routes) -> list[Credential]:
    """Everybody and everything that knocks."""
    active, ended = await register(browser), await register(browser)
    pending, frozen = await _with_status(browser, Status.PENDING), await _with_status(browser, Status.FROZEN)
    await ended.call("POST", "/v1/member/logout")
    admin = await log_in(browser, chain, "admin")
    made = await admin.post(
        "/v1/admin/staff",
        {"username": "clerk-S1", "password": "correct horse", "role": "clerk", "store_id": "S1"},
    )
    assert made.status_code == 201, made.text
    chain.staff.append(Login("clerk-S1", "correct horse", "clerk", "S1"))
    manager, clerk = await log_in(browser, chain, "manager-S1"), await log_in(browser, chain, "clerk-S1")
    session_id = str(jwt.decode(active.access_token, options={"verify_signature": False})["sid"])
    other_key = "x" * 43
    finance = await _hire(admin, chain, "finance")
    auditor = await _hire(admin, chain, "auditor", "S1")
    till = chain.till
    box = await make_box(admin, made.json()["staff"]["id"])
    receipt = (await whisper(active, box))["receipt"]
    (ticket,) = await fetch(active)
    system = await make_subscriber(admin)
    return [
        Credential("nobody", lambda *_: {}),
        Credential("a scheme without a token", lambda *_: {"Authorization": "Bearer"}),
        bearer("garbage", "x.y.z"),
        bearer("a long token", "a" * 8_000),
        Credential("basic", lambda *_: {"Authorization": "Basic YWRtaW46YWRtaW4="}),
        Credential("a cookie", lambda *_: {"Cookie": f"access_token={active.access_token}"}),
        Credential("a token in another header", lambda *_: {"X-Access-Token": active.access_token}),
        bearer("a refresh token", active.refresh_token),
        bearer("a token of an ended session", ended.access_token),
        bearer("an expired token", jwt.encode(forged(session_id, exp=clock.unix()), tokens._key(), "HS256")),
        bearer("a token signed with another key", jwt.encode(forged(session_id), other_key, "HS256")),
        bearer("an unsigned token", jwt.encode(forged(session_id), "", "none")),
        bearer("a token for another audience", jwt.encode(forged(session_id, aud="x"), tokens._key(), "HS256")),
        bearer("a token of another issuer", jwt.encode(forged(session_id, iss="x"), tokens._key(), "HS256")),
        bearer("a member's session as staff's", jwt.encode(forged(session_id, aud="staff"), tokens._key(), "HS256")),
        bearer("an unregistered user", await _unregistered(browser), "session", scheme="memberBearer"),
        bearer("a pending member", pending.access_token, "session", "registered", scheme="memberBearer"),
        bearer("a frozen member", frozen.access_token, "session", "registered", scheme="memberBearer"),
        bearer("a member", active.access_token, "session", "registered", "member", scheme="memberBearer"),
        *(
            bearer(name, one.access_token, *doors(routes, role, store_id), scheme="staffBearer")
            for name, one, role, store_id in (
                ("an admin", admin, Role.ADMIN, None),
                ("a manager", manager, Role.MANAGER, "S1"),
                ("a clerk", clerk, Role.CLERK, "S1"),
                ("somebody of finance", finance, Role.FINANCE, None),
                ("a store's auditor", auditor, Role.AUDITOR, "S1"),
            )
        ),
        signed("a terminal", till, "terminal"),
        signed("a terminal with another's secret", Till("", till.terminal_id, chain.tills["S2"][0].secret, "S1")),
        signed("a terminal that does not exist", Till("", "S9-T1", till.secret, "S9")),
        bearer("a terminal's secret as a token", till.secret),
        gateway("sms", config.settings().sms_secret, "smsHmac"),
        gateway("mail", config.settings().mail_report_secret, "mailHmac"),
        bearer("a ticket", ticket, "ticket", scheme="ticketBearer"),
        bearer("a receipt", receipt, "receipt", scheme="receiptBearer"),
        bearer("another system", system["key"], "subscriber", scheme="subscriberBearer"),
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def document(browser) -> dict[str, Any]:
    """The API as it describes itself."""
    found: dict[str, Any] = (await browser.get("/openapi.json")).json()
    return found


@pytest.fixture(scope="module")
def by_scheme(credentials: list[Credential]) -> dict[str, Credential]:
    """A good credential for every sort of call."""
    found = {credential.name: credential for credential in credentials}
    return {
        "memberBearer": found["a member"],
        "staffBearer": found["an admin"],
        "terminalHmac": found["a terminal"],
        "smsHmac": found["the sms gateway"],
        "mailHmac": found["the mail gateway"],
        "ticketBearer": found["a ticket"],
        "receiptBearer": found["a receipt"],
        "subscriberBearer": found["another system"],
        "": found["nobody"],
    }


def scheme_of(operation: dict[str, Any]) -> str:
    """The kind of credential a call wants, empty for none."""
    return next((name for item in operation.get("security", []) for name in item), "")
