"""Another's things named in a query or a body: every place where a call takes such a name has a case here."""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from backend.kernel.http.routing import Route, WebSocketRoute
from tests.support.books import fingerprint
from tests.support.members import Phone, register
from tests.support.seed import Chain
from tests.support.staff import StaffSession, log_in
from tests.support.value import give

NAMES = ("_id", "_no", "code", "token", "cursor", "query", "reference", "username")
"""How the name of a field ends that says which thing is meant."""


@dataclass(frozen=True)
class World:
    """Things of one member and of store S1, and those who have no business with them."""

    client: httpx.AsyncClient
    chain: Chain
    owner: Phone
    stranger: Phone
    manager: StaffSession
    order_no: str
    scan_token: str
    offer_id: str
    cursor: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(browser, chain) -> World:
    owner, stranger = await register(browser), await register(browser)
    await give(owner.member_id, principal=10_000, points=50)
    await give(owner.member_id, principal=1)
    admin = await log_in(browser, chain, "admin")
    offer = {"pay_fen": 1_000, "bonus_fen": 100, "store_id": "S1", "active": True}
    made = await admin.post("/v1/admin/recharge-offers", offer)
    assert made.status_code == 201, made.text
    sale = await chain.till.sell(browser, owner.code(), order_no="R-1")
    assert sale.status_code == 201, sale.text
    other = await owner.call("POST", "/v1/member/devices", {"name": "second"})
    owner.device = other.json()
    scanned = await chain.till.post(browser, "/v1/pos/scan", {"code": owner.code()}, key="")
    page = (await owner.call("GET", "/v1/member/wallet/entries?account=stored&limit=1")).json()
    return World(
        browser,
        chain,
        owner,
        stranger,
        await log_in(browser, chain, "manager-S2"),
        "R-1",
        scanned.json()["scan_token"],
        made.json()["id"],
        page["next_cursor"],
    )


def sale_with(world: World, path: str = "sales", **fields: object) -> Awaitable[httpx.Response]:
    """A sale at the other store's till."""
    lines = [{"sku": "a", "qty": 1, "unit_price_fen": 100}]
    return world.chain.tills["S2"][0].post(
        world.client, f"/v1/pos/{path}", {"order_no": "R-9", "lines": lines, **fields}
    )


def nothing_listed(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["items"]) == (200, [])


def refused(status: int, code: str) -> Callable[[httpx.Response], None]:
    def check(answer: httpx.Response) -> None:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text

    return check


Case = tuple[Callable[[World], Awaitable[httpx.Response]], Callable[[httpx.Response], None]]

CASES: dict[tuple[str, str], Case] = {
    ("GET /v1/admin/terminals", "store_id"): (
        lambda w: w.manager.get("/v1/admin/terminals?store_id=S1"),
        nothing_listed,
    ),
    ("POST /v1/admin/terminals", "store_id"): (
        lambda w: w.manager.post("/v1/admin/terminals", {"store_id": "S1", "name": "x"}),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/members", "query"): (
        lambda w: w.manager.get(f"/v1/admin/members?query={w.owner.member['member_no']}"),
        nothing_listed,
    ),
    ("POST /v1/member/recharges", "offer_id"): (
        lambda w: w.stranger.call("POST", "/v1/member/recharges", {"offer_id": w.offer_id}, key="theirs"),
        refused(409, "offer_unavailable"),  # as for an offer that is none
    ),
    ("GET /v1/member/wallet/entries", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/wallet/entries?account=stored&cursor={w.cursor}"),
        nothing_listed,
    ),
    ("PUT /v1/member/pin", "phone_code"): (
        lambda w: w.stranger.call("PUT", "/v1/member/pin", {"pin": "271828", "phone_code": "phone-13900000000"}),
        refused(422, "validation_failed"),
    ),
    ("GET /v1/pos/sales", "order_no"): (
        lambda w: w.chain.tills["S2"][0].get(w.client, f"/v1/pos/sales?order_no={w.order_no}"),
        refused(404, "not_found"),
    ),
    ("POST /v1/pos/sales", "scan_token"): (
        lambda w: sale_with(w, scan_token=w.scan_token),
        refused(422, "code_invalid"),
    ),
    ("POST /v1/pos/quotes", "scan_token"): (
        lambda w: sale_with(w, "quotes", scan_token=w.scan_token),
        refused(422, "code_invalid"),
    ),
    ("POST /v1/pos/sales", "tenders.coupon_id"): (
        lambda w: sale_with(w, code=w.stranger.code(), tenders=[{"type": "coupon", "coupon_id": "C1"}]),
        refused(422, "tender_unsupported"),
    ),
    ("POST /v1/pos/quotes", "tenders.coupon_id"): (
        lambda w: sale_with(w, "quotes", code=w.stranger.code(), tenders=[{"type": "coupon", "coupon_id": "C1"}]),
        refused(422, "tender_unsupported"),
    ),
}

OWN = {
    # credentials: tests/security/test_tokens.py, tests/auth
    ("POST /v1/member/token", "refresh_token"),
    ("POST /v1/admin/token", "refresh_token"),
    ("POST /v1/member/login", "js_code"),
    ("POST /v1/admin/login", "username"),
    ("POST /v1/member/register", "phone_code"),
    # a member chooses a store and a referrer freely
    ("POST /v1/member/register", "store_id"),
    ("POST /v1/member/register", "referrer_code"),
    ("PATCH /v1/member/profile", "store_id"),
    ("POST /v1/member/profile", "store_id"),
    # head office alone
    ("POST /v1/admin/staff", "username"),
    ("POST /v1/admin/staff", "store_id"),
    ("POST /v1/admin/levels", "code"),
    ("POST /v1/admin/recharge-offers", "store_id"),
    ("PUT /v1/admin/recharge-offers/{offer_id}", "store_id"),
    # whoever shows a code is served at any till; guessing: tests/security/test_guessing.py
    ("POST /v1/pos/scan", "code"),
    ("POST /v1/pos/sales", "code"),
    ("POST /v1/pos/quotes", "code"),
    ("POST /v1/pos/accruals", "code"),
    ("POST /v1/pos/accruals", "member_no"),
    # the till's own numbers, each store's apart; lines of the sale in the path; text; the chain's catalogue
    ("POST /v1/pos/sales", "order_no"),
    ("POST /v1/pos/quotes", "order_no"),
    ("POST /v1/pos/accruals", "order_no"),
    ("POST /v1/pos/sales/{sale_id}/refunds", "lines.line_no"),
    ("POST /v1/pos/sales", "tenders.reference"),
    ("POST /v1/pos/quotes", "tenders.reference"),
    ("GET /v1/pos/articles", "query"),
}
"""Places that name nothing of another's, and why."""


def structs_in(hint: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for inner in typing.get_args(hint):
        yield from structs_in(inner)


def fields_of(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    for item in msgspec.structs.fields(struct):
        yield prefix + item.name
        for inner in structs_in(item.type):
            yield from fields_of(inner, f"{prefix}{item.name}.")


def named(routes: list[Route | WebSocketRoute]) -> set[tuple[str, str]]:
    """Every call and the field of its query or body that names a thing."""
    found = set()
    for route in routes:
        if isinstance(route, Route):
            for part in (route.signature.query, route.signature.body):
                for struct in structs_in(part):
                    names = {name for name in fields_of(struct) if name.endswith(NAMES)}
                    found |= {(f"{route.method} {route.path}", name) for name in names}
    return found


def test_every_place_that_names_a_thing_has_a_case(routes):
    assert named(routes) == CASES.keys() | OWN
    assert not CASES.keys() & OWN


@pytest.mark.parametrize("place", CASES, ids=" ".join)
async def test_another_s_thing_is_not_there(settings, world, place):
    attempt, check = CASES[place]
    before = await fingerprint(settings)

    answer = await attempt(world)

    check(answer)
    assert await fingerprint(settings) == before


async def test_the_things_are_there_for_those_they_belong_to(world):
    """Else the cases above would show nothing."""
    page = (await world.owner.call("GET", f"/v1/member/wallet/entries?account=stored&cursor={world.cursor}")).json()
    sale = await world.chain.till.get(world.client, f"/v1/pos/sales?order_no={world.order_no}")
    lines = [{"sku": "a", "qty": 1, "unit_price_fen": 100}]
    body = {"scan_token": world.scan_token, "order_no": "R-2", "lines": lines}

    assert len(page["items"]) == 2
    assert sale.status_code == 200
    assert (await world.chain.till.post(world.client, "/v1/pos/quotes", body)).status_code == 200
