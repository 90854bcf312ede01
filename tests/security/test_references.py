"""Another's things named in a query or a body: every place where a call takes such a name has a case here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from backend.kernel import outbox
from backend.kernel.http.routing import Route, WebSocketRoute
from backend.kernel.paging import make_cursor
from backend.messages.types import Letter
from backend.worker import load
from tests.security import test_stores as stores
from tests.security.walk import fields_of, structs_in
from tests.support.books import fingerprint
from tests.support.cases import complain
from tests.support.coupons import claim, make_template
from tests.support.delivery import add_address
from tests.support.gift_cards import bind, charge, sold_card, token_of
from tests.support.mall import open_mall
from tests.support.members import Phone, register
from tests.support.messages import inbox, write
from tests.support.passes import buy, line_of, make_pass_product, passes_of
from tests.support.races import codes_of
from tests.support.seed import Chain
from tests.support.staff import StaffSession, log_in
from tests.support.suggestions import make_box, own_id, suggest
from tests.support.surveys import make_survey, taste
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
    coupon_cursor: str
    coupon_id: str
    gift_card_id: str
    gift_card_cursor: str
    card_token: str
    pass_id: str
    product_id: str
    pass_cursor: str
    address_id: str
    announcement_id: str
    inbox_cursor: str
    box_id: str
    survey_id: str
    sale_id: str


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
    template = await make_template(admin, per_member=None)
    for _ in range(2):
        await claim(owner, template_id=template["id"])
    coupons = (await owner.call("GET", "/v1/member/coupons?limit=1")).json()
    plastic = await sold_card(admin, chain.till, browser)
    token = await token_of(chain.till, browser, plastic)
    assert (await charge(chain.till, browser, token, 100, order_no="R-G")).status_code == 201
    card = (await bind(owner, plastic)).json()
    sold, product = await two_ended_passes(browser, chain, owner, admin)
    await open_mall("S1")
    passes = (await owner.call("GET", "/v1/member/passes?state=ended&limit=1")).json()
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
        coupons["next_cursor"],
        coupons["items"][0]["id"],
        card["id"],
        (await owner.call("GET", f"/v1/member/gift-cards/{card['id']}/entries?limit=1")).json()["next_cursor"],
        token,
        sold,
        product,
        passes["next_cursor"],
        await add_address(owner),
        await announce(await log_in(browser, chain, "manager-S1")),
        await two_letters(owner),
        await box_with_something(admin, owner),
        (await make_survey(admin))["id"],
        sale.json()["id"],
    )


async def box_with_something(admin: StaffSession, owner: Phone) -> str:
    """A box that head office alone reads, with the owner's word in it; and a case of the owner's."""
    box = await make_box(admin, await own_id(admin))
    await suggest(owner, box)
    await complain(owner, store_id="S1")
    box_id: str = box["id"]
    return box_id


async def two_letters(owner: Phone) -> str:
    """Where the second of two letters to that member begins."""
    for once in "ab":
        await write(Letter(owner.member_id, "test.note", {"what": once}, once))
    return str((await inbox(owner, "?limit=1"))["next_cursor"])


async def announce(manager: StaffSession) -> str:
    """An announcement of the manager's own store."""
    made = await manager.post("/v1/admin/announcements", {"title": "x", "body": "x"}, key="theirs")
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


async def two_ended_passes(browser, chain: Chain, owner: Phone, admin: StaffSession) -> tuple[str, str]:
    """Two passes that store S1 sold and staff made void: one of them and their product."""
    product = await make_pass_product(admin)
    (code,) = await codes_of(owner, 1)
    token = (await chain.till.post(browser, "/v1/pos/scan", {"code": code})).json()["scan_token"]
    await buy(browser, chain.till, token, line_of(product, qty=2))
    load()  # the handlers that write their rows
    await outbox.drain()
    sold = [item["id"] for item in await passes_of(owner)]
    for pass_id in sold:
        ended = await admin.post(f"/v1/admin/passes/{pass_id}/void", {"reason": "x"}, key=pass_id)
        assert ended.status_code == 200, ended.text
    await outbox.drain()
    return sold[0], product["id"]


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


def says_only_that_it_is_not_held(answer: httpx.Response) -> None:
    (coupon,) = answer.json()["coupons"]
    assert (answer.status_code, coupon.pop("id")[0]) == (200, "C")
    said = {"title": "", "usable": False, "used": False, "amount_fen": 0, "code": "coupon_not_held"}
    assert coupon == said | {"detail": "该会员没有此券"}


Case = tuple[Callable[[World], Awaitable[httpx.Response]], Callable[[httpx.Response], None]]

JUNE = "from=2026-06-01&to=2026-06-30"

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
    ("POST /v1/admin/members/search", "query"): (
        lambda w: w.manager.post("/v1/admin/members/search", {"query": w.owner.member["member_no"]}),
        nothing_listed,
    ),
    ("POST /v1/admin/contacts/lookup", "member_no"): (
        lambda w: w.manager.post("/v1/admin/contacts/lookup", {"member_no": w.owner.member["member_no"]}),
        refused(404, "not_found"),
    ),
    ("POST /v1/member/recharges", "offer_id"): (
        lambda w: w.stranger.call("POST", "/v1/member/recharges", {"offer_id": w.offer_id}, key="theirs"),
        refused(409, "offer_unavailable"),  # as for an offer that is none
    ),
    ("GET /v1/member/wallet/entries", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/wallet/entries?account=stored&cursor={w.cursor}"),
        nothing_listed,
    ),
    ("GET /v1/member/inbox", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/inbox?cursor={w.inbox_cursor}"),
        nothing_listed,
    ),
    ("GET /v1/member/points/transfers", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/points/transfers?cursor={w.inbox_cursor}"),
        nothing_listed,
    ),
    ("GET /v1/admin/points-transfers", "member_id"): (
        lambda w: w.manager.get(f"/v1/admin/points-transfers?member_id={w.owner.member_id}"),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/points-transfers", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/points-transfers?member_id={w.owner.member_id}&cursor={w.inbox_cursor}"),
        refused(404, "not_found"),
    ),
    ("POST /v1/admin/message-templates/{template}/preview", "member_no"): (
        lambda w: w.manager.post(
            "/v1/admin/message-templates/test.note/preview", {"member_no": w.owner.member["member_no"]}
        ),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/messages/members/{member_id}/letters", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/messages/members/{w.owner.member_id}/letters?cursor={w.inbox_cursor}"),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/messages/members/{member_id}/consents/changes", "cursor"): (
        lambda w: w.manager.get(
            f"/v1/admin/messages/members/{w.owner.member_id}/consents/changes?cursor={w.inbox_cursor}"
        ),
        refused(404, "not_found"),
    ),
    ("GET /v1/member/coupons", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/coupons?cursor={w.coupon_cursor}"),
        nothing_listed,
    ),
    **{
        (f"GET /v1/admin/coupons/{list_}", "store_id"): (
            lambda w, list_=list_: w.manager.get(f"/v1/admin/coupons/{list_}?{JUNE}&store_id=S1"),
            refused(404, "not_found"),
        )
        for list_ in ("statements", "statements.csv", "anomalies")
    },
    ("GET /v1/admin/coupons/statements", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/coupons/statements?{JUNE}&by=store&cursor=UzAv"),  # before store S1
        nothing_listed,
    ),
    ("GET /v1/member/passes", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/passes?state=ended&cursor={w.pass_cursor}"),
        nothing_listed,
    ),
    ("GET /v1/admin/passes", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/passes?product_id={w.product_id}&cursor={w.pass_cursor}"),
        nothing_listed,
    ),
    ("GET /v1/admin/passes", "member_id"): (
        lambda w: w.manager.get(f"/v1/admin/passes?member_id={w.owner.member_id}"),
        nothing_listed,
    ),
    ("GET /v1/admin/passes", "product_id"): (
        lambda w: w.manager.get(f"/v1/admin/passes?product_id={w.product_id}"),
        nothing_listed,
    ),
    ("GET /v1/admin/members", "store_id"): (
        lambda w: w.manager.get("/v1/admin/members?store_id=S1"),
        refused(404, "not_found"),
    ),
    ("POST /v1/admin/members/search", "store_id"): (
        lambda w: w.manager.post("/v1/admin/members/search", {"store_id": "S1"}),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/mall/products", "store_id"): (
        lambda w: w.manager.get("/v1/admin/mall/products?store_id=S1"),
        refused(404, "not_found"),
    ),
    **{
        (f"GET /v1/admin/{list_}", "store_id"): (
            lambda w, list_=list_: w.manager.get(f"/v1/admin/{list_}?{JUNE}&store_id=S1"),
            refused(404, "not_found"),
        )
        for list_ in ("pass-statements", "pass-statements.csv")
    },
    ("POST /v1/pos/passes/{pass_id}/uses", "scan_token"): (
        lambda w: w.chain.tills["S2"][0].post(
            w.client, f"/v1/pos/passes/{w.pass_id}/uses", {"scan_token": w.scan_token}
        ),
        refused(422, "code_invalid"),
    ),
    ("GET /v1/admin/members/{member_id}/coupons", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/members/{w.owner.member_id}/coupons?cursor={w.coupon_cursor}"),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/members/{member_id}/coupons", "template_id"): (
        lambda w: w.manager.get(f"/v1/admin/members/{w.owner.member_id}/coupons?template_id=T000000000000"),
        refused(404, "not_found"),
    ),
    ("PUT /v1/member/pin", "phone_code"): (
        lambda w: w.stranger.call("PUT", "/v1/member/pin", {"pin": "271828", "phone_code": "phone-13900000000"}),
        refused(422, "validation_failed"),
    ),
    ("POST /v1/member/privacy/erasure", "phone_code"): (
        lambda w: w.stranger.call("POST", "/v1/member/privacy/erasure", {"phone_code": "phone-13900000000"}),
        refused(422, "validation_failed"),
    ),
    ("POST /v1/admin/privacy/exports", "member_id"): (
        lambda w: w.manager.post(
            "/v1/admin/privacy/exports", {"member_id": str(w.owner.member_id), "reason": "到店申请"}
        ),
        refused(404, "not_found"),
    ),
    ("POST /v1/admin/privacy/erasures", "member_id"): (
        lambda w: w.manager.post(
            "/v1/admin/privacy/erasures", {"member_id": str(w.owner.member_id), "reason": "到店申请"}, key="erase"
        ),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/members/{member_id}/consents/changes", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/members/{w.owner.member_id}/consents/changes?cursor={w.coupon_cursor}"),
        refused(404, "not_found"),
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
        lambda w: sale_with(w, code=w.stranger.code(), tenders=[{"type": "coupon", "coupon_id": w.coupon_id}]),
        refused(404, "coupon_not_held"),  # as for a coupon that is none
    ),
    ("POST /v1/pos/quotes", "tenders.coupon_id"): (
        lambda w: sale_with(
            w, "quotes", code=w.stranger.code(), tenders=[{"type": "coupon", "coupon_id": w.coupon_id}]
        ),
        says_only_that_it_is_not_held,
    ),
    **{
        (f"POST /v1/pos/{path}", "tenders.reference"): (
            lambda w, path=path: sale_with(
                w, path, code=w.stranger.code(), tenders=[{"type": "gift_card", "reference": w.gift_card_id}]
            ),
            refused(404, "gift_card_not_held"),  # as for a card that is none
        )
        for path in ("sales", "quotes")
    },
    ("GET /v1/pos/gift-cards/charges", "order_no"): (
        lambda w: w.chain.tills["S2"][0].get(w.client, "/v1/pos/gift-cards/charges?order_no=R-G"),
        nothing_listed,
    ),
    ("POST /v1/pos/gift-cards/charges", "card_token"): (
        lambda w: charge(w.chain.tills["S2"][0], w.client, w.card_token, 100),
        refused(422, "gift_card_token_invalid"),
    ),
    **{
        (f"GET /v1/admin/{path}", "store_id"): (
            lambda w, path=path: w.manager.get(f"/v1/admin/{path}?store_id=S1&from=2026-11-01&to=2026-11-02"),
            refused(404, "not_found"),
        )
        for path in (
            *("reports/sales", "reports/margin", "reports/stock", "reports/orders"),
            *("reports/stored-value", "reports/stored-value/file", "reports/stored-value/chart"),
            *("reports/gifts", "reports/gifts/file", "reports/gifts/chart"),
            *("rebates/report", "rebates/report/file", "rebates/report/chart"),
        )
    },
    **{
        (f"GET /v1/admin/{path}", "store_id"): (
            lambda w, path=path: w.manager.get(f"/v1/admin/{path}?store_id=S1"),
            refused(404, "not_found"),
        )
        for path in (
            *("orders", "after-sales", "reviews", "invoices", "mall/spots", "mall/spots/print"),
            "recharge-refunds",
        )
    },
    ("GET /v1/member/gift-cards/{card_id}/entries", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/gift-cards/{w.gift_card_id}/entries?cursor={w.gift_card_cursor}"),
        refused(404, "not_found"),
    ),
}

LINES = {"lines": [{"sku": "6901", "qty": 1}]}

CASES |= {
    ("GET /v1/member/level/history", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/level/history?cursor={w.inbox_cursor}"),
        nothing_listed,
    ),
    ("GET /v1/admin/members/{member_id}/changes", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/members/{w.owner.member_id}/changes?cursor={make_cursor('9')}"),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/members/{member_id}/level-history", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/members/{w.owner.member_id}/level-history?cursor={w.inbox_cursor}"),
        refused(404, "not_found"),
    ),
    **{
        (f"GET /v1/admin/stages{path}", "store_id"): (
            lambda w, path=path: w.manager.get(f"/v1/admin/stages{path}?store_id=S1{'&' + JUNE if path else ''}"),
            refused(404, "not_found"),
        )
        for path in ("", "/statistics", "/statistics/file", "/statistics/chart")
    },
    **{
        (f"GET /v1/admin/{path}", "cursor"): (
            lambda w, path=path: w.manager.get(f"/v1/admin/{path}?cursor={make_cursor('9' * 15, '1')}"),
            nothing_listed,
        )
        for path in ("groups", "key-accounts")
    },
    ("GET /v1/admin/groups/{group_id}/members", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/groups/GA000000000000/members?cursor={make_cursor('9' * 15, '1')}"),
        refused(404, "not_found"),
    ),
    ("GET /v1/member/cases", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/cases?cursor={make_cursor('9' * 15, 'K')}"),
        nothing_listed,
    ),
    ("GET /v1/admin/cases", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/cases?cursor={make_cursor('9' * 15, 'K')}"),
        nothing_listed,
    ),
    **{
        (f"GET /v1/admin/cases{path}", "store_id"): (
            lambda w, path=path: w.manager.get(f"/v1/admin/cases{path}?store_id=S1{'&' + JUNE if path else ''}"),
            refused(404, "not_found"),
        )
        for path in ("", "/statistics", "/statistics/file", "/statistics/chart", "/export")
    },
    ("POST /v1/admin/cases", "store_id"): (
        lambda w: w.manager.post(
            "/v1/admin/cases", {"kind": "praise", "channel": "shop", "text": "x", "store_id": "S1"}, key="theirs"
        ),
        refused(404, "not_found"),
    ),
    ("POST /v1/member/cases", "reference"): (
        lambda w: w.stranger.call(
            "POST", "/v1/member/cases", {"kind": "praise", "text": "x", "reference": w.sale_id}, key="theirs-case"
        ),
        refused(422, "validation_failed"),  # as for a purchase that is none
    ),
    ("GET /v1/admin/suggestions", "box_id"): (
        lambda w: w.manager.get(f"/v1/admin/suggestions?box_id={w.box_id}"),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/suggestions", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/suggestions?cursor={make_cursor('2999-01-01', 'G')}"),
        nothing_listed,
    ),
    ("GET /v1/admin/suggestion-boxes/statistics", "box_id"): (
        lambda w: w.manager.get(f"/v1/admin/suggestion-boxes/statistics?{JUNE}&box_id={w.box_id}"),
        refused(404, "not_found"),
    ),
    ("GET /v1/member/suggestions", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/suggestions?cursor={make_cursor('9' * 15, 'G')}"),
        nothing_listed,
    ),
}


async def send_to_theirs(world: World, path: str, **fields: object) -> httpx.Response:
    """A checkout that the stranger would have sent to the owner's address."""
    delivery = {"kind": "express", "address_id": world.address_id}
    body = {"orders": [{"store_id": "S1", "lines": [{"sku": "6902", "qty": 1}], "delivery": delivery}], **fields}
    return await world.stranger.call("POST", path, body, key="theirs")


async def pay_with_theirs(world: World, path: str, **fields: object) -> httpx.Response:
    """A checkout that the stranger would pay with the owner's gift card."""
    tenders = [{"type": "gift_card", "reference": world.gift_card_id}]
    body = {"orders": [{"store_id": "S1", "lines": [{"sku": "6902", "qty": 1}]}], "tenders": tenders, **fields}
    return await world.stranger.call("POST", path, body, key="theirs-gift")


CASES |= {
    ("GET /v1/admin/birthdays", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/birthdays?on=2026-02-28&cursor={make_cursor('1')}"),
        nothing_listed,  # the owner is no member of the other store
    ),
    **{
        (f"GET /v1/admin/{list_}", "store_id"): (
            lambda w, list_=list_: w.manager.get(f"/v1/admin/{list_}?store_id=S1"),
            refused(404, "not_found"),
        )
        for list_ in ("birthdays", "care-tasks")
    },
    **{
        (f"GET /v1/admin/care-tasks/statistics{form}", "store_id"): (
            lambda w, form=form: w.manager.get(f"/v1/admin/care-tasks/statistics{form}?{JUNE}&store_id=S1"),
            refused(404, "not_found"),
        )
        for form in ("", ".svg", ".png")
    },
    ("GET /v1/admin/care-tasks", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/care-tasks?cursor={make_cursor('9' * 15, 'K')}"),
        nothing_listed,
    ),
    ("GET /v1/admin/care-tasks", "member_id"): (
        lambda w: w.manager.get(f"/v1/admin/care-tasks?member_id={w.owner.member_id}"),
        nothing_listed,
    ),
    ("GET /v1/admin/care-tasks", "plan_id"): (
        lambda w: w.manager.get("/v1/admin/care-tasks?plan_id=BIRTHDAY"),
        nothing_listed,
    ),
    ("POST /v1/admin/care-tasks/{task_id}/assign", "staff_id"): (
        lambda w: w.manager.post("/v1/admin/care-tasks/K000000000000/assign", {"staff_id": "1"}),
        refused(422, "validation_failed"),  # as for a person who is none
    ),
    ("GET /v1/admin/announcements", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/announcements?cursor={make_cursor('9' * 15, 'N')}"),
        nothing_listed,
    ),
    ("GET /v1/admin/announcements/{announcement_id}/readers", "cursor"): (
        lambda w: w.manager.get(
            f"/v1/admin/announcements/{w.announcement_id}/readers?cursor={make_cursor('9' * 15, '1')}"
        ),
        refused(404, "not_found"),
    ),
    ("GET /v1/member/announcements", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/announcements?cursor={make_cursor('1', '9' * 15, 'N')}"),
        nothing_listed,  # the store's only announcement is not for those of no store
    ),
    ("POST /v1/admin/mall/spots", "store_id"): (
        lambda w: w.manager.post("/v1/admin/mall/spots", {"store_id": "S1", "kind": "table", "name": "x"}),
        refused(404, "not_found"),
    ),
    ("POST /v1/member/orders", "orders.delivery.address_id"): (
        lambda w: send_to_theirs(w, "/v1/member/orders", payable_fen=1_250),
        refused(404, "not_found"),
    ),
    ("POST /v1/member/orders/quote", "orders.delivery.address_id"): (
        lambda w: send_to_theirs(w, "/v1/member/orders/quote"),
        refused(404, "not_found"),
    ),
    **{
        (f"POST {path}", "tenders.reference"): (
            lambda w, path=path, fields=fields: pay_with_theirs(w, path, **fields),
            refused(404, "gift_card_not_held"),  # as for a card that is none
        )
        for path, fields in (("/v1/member/orders", {"payable_fen": 1_250}), ("/v1/member/orders/quote", {}))
    },
    **{
        (f"GET /v1/admin/stock/{table}{kind}", "place_id"): (
            lambda w, path=f"{table}{kind}", days=days: w.manager.get(f"/v1/admin/stock/{path}?place_id=S1{days}"),
            refused(404, "not_found"),
        )
        for table, days in (("levels", ""), ("movements", f"&{JUNE}"))
        for kind in ("", ".csv", ".xlsx")
    },
    ("GET /v1/admin/stock/levels", "cursor"): (
        lambda w: w.manager.get("/v1/admin/stock/levels?place_id=S2&cursor=0"),
        nothing_listed,
    ),
    ("GET /v1/admin/stock/movements", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/stock/movements?place_id=S2&{JUNE}&cursor=0/0/0"),
        nothing_listed,
    ),
    ("GET /v1/admin/stock/documents", "place_id"): (
        lambda w: w.manager.get("/v1/admin/stock/documents?place_id=S1"),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/stock/documents", "supplier_id"): (
        lambda w: w.manager.get("/v1/admin/stock/documents?supplier_id=SUP"),
        nothing_listed,
    ),
    ("GET /v1/admin/stock/documents", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/stock/documents?cursor={make_cursor('9' * 15, 'D')}"),
        nothing_listed,
    ),
    ("GET /v1/admin/stock/alerts", "place_id"): (
        lambda w: w.manager.get("/v1/admin/stock/alerts?place_id=S1"),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/stock/alerts", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/stock/alerts?cursor={make_cursor('9' * 15, 'A')}"),
        nothing_listed,
    ),
    ("POST /v1/admin/stock/documents", "place_id"): (
        lambda w: w.manager.post("/v1/admin/stock/documents", {"kind": "receipt", "place_id": "S1"} | LINES, key="own"),
        refused(404, "not_found"),
    ),
    ("POST /v1/admin/stock/stocktakes", "place_id"): (
        lambda w: w.manager.post("/v1/admin/stock/stocktakes", {"place_id": "S1"}),
        refused(404, "not_found"),
    ),
    ("PUT /v1/admin/stock/thresholds", "place_id"): (
        lambda w: w.manager.call(
            "PUT", "/v1/admin/stock/thresholds", {"place_id": "S1", "items": [{"sku": "6901", "low_qty": 1}]}
        ),
        refused(404, "not_found"),
    ),
}

CASES |= {
    ("GET /v1/admin/surveys/{survey_id}/statistics", "store_id"): (
        lambda w: w.manager.get(f"/v1/admin/surveys/{w.survey_id}/statistics?store_id=S1"),
        refused(404, "not_found"),
    ),
    **{
        (f"GET /v1/admin/surveys/{{survey_id}}/chart.{form}", "store_id"): (
            lambda w, form=form: w.manager.get(
                f"/v1/admin/surveys/{w.survey_id}/chart.{form}?what=question&question=taste&store_id=S1"
            ),
            refused(404, "not_found"),
        )
        for form in ("svg", "png")
    },
    ("POST /v1/admin/surveys/{survey_id}/answers", "store_id"): (
        lambda w: w.manager.post(
            f"/v1/admin/surveys/{w.survey_id}/answers",
            {"medium": "paper", "store_id": "S1", "answers": taste()},
            key="theirs",
        ),
        refused(404, "not_found"),
    ),
    ("GET /v1/admin/surveys/{survey_id}/answers", "cursor"): (
        lambda w: w.manager.get(f"/v1/admin/surveys/{w.survey_id}/answers?cursor={make_cursor('9' * 15, '9')}"),
        nothing_listed,
    ),
    ("GET /v1/member/surveys", "cursor"): (
        lambda w: w.stranger.call("GET", f"/v1/member/surveys?cursor={make_cursor('999999', 'N')}"),
        nothing_listed,
    ),
}

OWN = {
    # whoever's code it is: overrides/test_at_the_till.py, as is what another store's staff see of authorisations
    ("POST /v1/pos/sales", "override.code"),
    *(("GET /v1/admin/overrides", name) for name in ("staff_id", "store_id", "order_no", "cursor")),
    ("GET /v1/admin/reports/overrides", "store_id"),
    # gifts are everybody's; what lies at another store's places, and another's address: tests/gifts
    *(("GET /v1/admin/gift-redemptions", name) for name in ("cursor", "store_id", "gift_id", "member_id")),
    *(("POST /v1/member/gift-redemptions", name) for name in ("gift_id", "store_id", "address_id")),
    ("GET /v1/member/gift-redemptions", "cursor"),
    ("GET /v1/admin/gifts", "cursor"),
    *((f"{call}", "template_id") for call in ("POST /v1/admin/gifts", "PUT /v1/admin/gifts/{gift_item_id}")),
    *(("POST /v1/admin/gift-pickups", name) for name in ("code", "store_id")),
    ("POST /v1/pos/gift-pickups", "code"),
    ("POST /v1/pos/gift-pickups/{redemption_id}/handover", "code"),
    ("POST /v1/admin/gift-redemptions/{redemption_id}/handover", "code"),
    ("POST /v1/admin/gift-redemptions/{redemption_id}/send", "tracking_no"),
    # whoever's code, token or number it is: shifts/test_recharges.py; the till's own name of a payment
    *(("POST /v1/pos/recharges", name) for name in ("code", "scan_token", "member_no", "offer_id", "reference")),
    *(("POST /v1/pos/recharge-offers", name) for name in ("scan_token", "member_no")),
    ("POST /v1/pos/recharges/{recharge_id}/reversal", "override.code"),
    # whoever's code, token or card it is: membercards/test_at_till.py; the till's own name of a payment
    *(
        (f"POST /v1/pos/member-cards{path}", name)
        for path, names in (
            ("", ("code", "scan_token", "card_no", "reference")),
            ("/return", ("code", "scan_token", "card_no", "reference")),
            ("/quote", ("code", "scan_token", "card_no")),
            ("/lost", ("code", "scan_token")),
        )
        for name in names
    ),
    # whoever's number it is, the till is not told: identities/test_at_the_till.py
    ("POST /v1/pos/identities", "card_no"),
    (
        "POST /v1/pos/identities/{identity_id}/code",
        "code",
    ),  # of another request it is a wrong one: the digest has its id
    # another store's shifts and reports are none: shifts/test_staff.py
    *(("GET /v1/admin/shifts", name) for name in ("store_id", "terminal_id", "cursor")),
    ("GET /v1/admin/shifts/{shift_id}/entries", "cursor"),
    *((f"GET /v1/admin/reports/shifts{form}", "store_id") for form in ("", "/file", "/chart")),
    # the log of the caller's own store, whatever else is asked for (auth/test_audit.py)
    *(
        (f"GET /v1/admin/audit{form}", name)
        for form in ("", ".csv")
        for name in ("staff_id", "store_id", "request_id", "code")
    ),
    ("GET /v1/admin/audit", "cursor"),
    # what the caller asked for and decides; the cursor is a time and an id
    ("GET /v1/admin/approvals", "cursor"),
    ("GET /v1/admin/approvals/tied", "cursor"),
    # somebody of the group in the path, or of the caller's own: tests/groups/test_allotments.py
    ("GET /v1/admin/groups/{group_id}/allotments", "cursor"),
    ("GET /v1/admin/groups/{group_id}/allotment-batches", "cursor"),
    ("POST /v1/admin/groups/{group_id}/allotments", "person_id"),
    ("GET /v1/member/group/allotments", "cursor"),
    ("GET /v1/member/group/members", "cursor"),
    ("POST /v1/member/group/allotments", "person_id"),
    # head office alone, which sees all members
    ("GET /v1/admin/merge-candidates", "cursor"),
    ("GET /v1/admin/merges", "cursor"),
    ("GET /v1/admin/merges", "member_no"),
    ("POST /v1/admin/merges", "source_no"),
    ("POST /v1/admin/merges", "target_no"),
    ("POST /v1/admin/merges/preview", "source_no"),
    ("POST /v1/admin/merges/preview", "target_no"),
    # which attributes an audience asks for: tests/registration/test_attribute_batches.py
    *(
        (call, "audience.attributes.code")
        for call in (
            "POST /v1/admin/announcements",
            "PUT /v1/admin/announcements/{announcement_id}",
            "POST /v1/admin/care-plans",
            "PUT /v1/admin/care-plans/{care_plan_id}",
            "POST /v1/admin/member-batches",
            "POST /v1/admin/member-batches/preview",
            "POST /v1/admin/messages/batches",
            "PUT /v1/admin/messages/batches/{letter_batch_id}",
            "POST /v1/admin/messages/labels",
            "POST /v1/admin/surveys",
            "PUT /v1/admin/surveys/{survey_id}",
        )
    ),
    # among the members of the caller's store: tests/members/test_finding.py
    ("GET /v1/admin/members", "cursor"),
    ("POST /v1/admin/members/search", "cursor"),
    ("POST /v1/admin/members/search", "attributes.code"),
    # definitions, which are the chain's: head office alone
    ("POST /v1/admin/member-attributes", "code"),
    ("POST /v1/admin/member-attributes", "options.code"),
    ("PUT /v1/admin/member-attributes/{member_attribute}", "options.code"),
    # somebody else's number, and to another store: tests/members/test_editing.py
    ("POST /v1/member/phone", "phone_code"),
    ("PATCH /v1/admin/members/{member_id}", "store_id"),
    # letters' texts: head office alone; a version of the template in the path
    ("POST /v1/admin/message-templates", "code"),
    # codes of templates, which are the chain's
    ("GET /v1/admin/message-templates", "cursor"),
    # a place among the caller's store's own
    ("GET /v1/admin/messages/batches", "cursor"),
    # the caller's store's own, and members of the batch in the path: tests/registration/test_batches.py
    ("GET /v1/admin/member-batches", "cursor"),
    ("GET /v1/admin/member-imports", "cursor"),
    # the caller's store's own: tests/registration/test_applications.py
    ("GET /v1/admin/registrations", "cursor"),
    ("GET /v1/admin/registrations", "store_id"),
    # another store's is refused, another's card too: tests/registration/test_imports.py, tests/membercards
    ("POST /v1/admin/members", "store_id"),
    ("POST /v1/admin/members", "card_no"),
    ("POST /v1/pos/members", "card_no"),
    # nothing is looked up but whether there is such a store: the policy is the chain's
    ("POST /v1/admin/registration/simulate", "store_id"),
    ("GET /v1/admin/member-batches/{member_batch_id}/rows", "cursor"),
    ("GET /v1/admin/messages/labels", "cursor"),
    # another store's batch is none: tests/messages/test_labels.py
    ("POST /v1/admin/messages/labels", "batch_id"),
    ("GET /v1/admin/message-templates/{template}/versions", "cursor"),
    # WeChat's own, head office alone
    ("POST /v1/admin/message-templates", "texts.template_id"),
    ("POST /v1/admin/message-templates/{template}/versions", "texts.template_id"),
    ("POST /v1/admin/message-templates/{template}/preview", "draft.texts.template_id"),
    # head office alone
    ("GET /v1/admin/care-plans", "cursor"),
    *(
        (f"{call}", name)
        for call in ("POST /v1/admin/care-plans", "PUT /v1/admin/care-plans/{care_plan_id}")
        for name in ("gift.template_id", "owner_id")
    ),
    ("POST /v1/admin/handbook/chapters", "parent_id"),
    ("PUT /v1/admin/handbook/chapters/{chapter_id}", "parent_id"),
    # goods are sent to any place; suppliers are the chain's; lines of the document in the path; head office alone
    ("POST /v1/admin/stock/documents", "other_place_id"),
    ("POST /v1/admin/stock/documents", "supplier_id"),
    ("PUT /v1/admin/stock/documents/{document_id}", "supplier_id"),
    ("POST /v1/admin/stock/documents/{document_id}/actions", "lines.line_no"),
    ("POST /v1/admin/stock/warehouses", "store_id"),
    ("POST /v1/admin/stock/payments", "supplier_id"),
    ("GET /v1/admin/stock/payables", "cursor"),
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
    ("PUT /v1/admin/staff/{staff_id}", "store_id"),
    ("POST /v1/admin/invitations", "username"),
    ("POST /v1/admin/invitations", "store_id"),
    ("POST /v1/admin/roles", "code"),
    # whoever has it: good once (auth/test_people.py)
    ("POST /v1/admin/links/use", "token"),
    ("POST /v1/admin/staff", "store_id"),
    ("PUT /v1/admin/staff/{staff_id}/member", "member_id"),
    ("POST /v1/admin/levels", "code"),
    ("GET /v1/admin/level-runs", "cursor"),
    # head office alone; a place in a list of the member's own, and schemes of the chain in a store's own report
    *(("GET /v1/admin/rebates/runs", name) for name in ("cursor", "scheme_id")),
    ("GET /v1/admin/rebates/schemes", "cursor"),
    ("GET /v1/admin/rebates/runs/{rebate_run_id}/statements", "cursor"),
    ("GET /v1/member/rebates/statements", "cursor"),
    *((f"GET /v1/admin/rebates/report{form}", "scheme_id") for form in ("", "/file", "/chart")),
    ("POST /v1/admin/groups", "store_id"),
    ("PUT /v1/admin/groups/{group_id}", "store_id"),
    ("POST /v1/admin/groups/{group_id}/members", "member_no"),
    ("PUT /v1/admin/members/{member_id}/key-account", "staff_id"),
    # head office alone; a card is whose it is that shows it, who is shown by their own code: tests/membercards
    ("POST /v1/admin/member-card-types", "code"),
    ("GET /v1/admin/member-card-batches", "type_code"),
    ("POST /v1/admin/member-card-batches", "type_code"),
    ("GET /v1/admin/member-card-batches", "cursor"),
    ("GET /v1/admin/member-card-moves", "batch_id"),
    ("GET /v1/admin/member-card-moves", "issuer_id"),
    ("GET /v1/admin/member-card-moves", "cursor"),
    ("POST /v1/admin/member-card-moves", "batch_id"),
    ("POST /v1/admin/member-card-moves", "issuer_id"),
    ("GET /v1/admin/member-card-issuers", "cursor"),
    ("POST /v1/admin/member-card-issuers/stores", "store_id"),
    ("GET /v1/admin/member-cards", "batch_id"),
    ("GET /v1/admin/member-cards", "issuer_id"),
    ("GET /v1/admin/member-cards", "cursor"),
    *(
        (f"POST /v1/admin/member-cards/{path}", name)
        for path in ("issue", "{member_card_id}/replace")
        for name in ("card_no", "code")
    ),
    ("POST /v1/admin/member-cards/search", "card_no"),
    ("POST /v1/member/card", "card_no"),
    # who shows it: tests/members/test_pins_by_staff.py
    ("POST /v1/pos/pins", "code"),
    *(
        (f"POST /v1/admin/members/{{member_id}}/pin/{act}", name)
        for act in ("initialise", "unlock")
        for name in ("code", "phone_code")
    ),
    # an invitation is whose it is that has it: tests/groups
    ("POST /v1/member/group/join", "code"),
    ("POST /v1/admin/recharge-offers", "store_id"),
    ("PUT /v1/admin/recharge-offers/{offer_id}", "store_id"),
    ("GET /v1/admin/coupons/templates", "cursor"),
    ("POST /v1/admin/coupons/templates", "terms.cost.code"),
    ("POST /v1/admin/coupons/templates/{template_id}/versions", "terms.cost.code"),
    ("POST /v1/admin/coupons/templates/{template_id}/handouts", "segment.store_id"),
    ("GET /v1/admin/gift-cards/products", "cursor"),
    ("GET /v1/admin/gift-cards/cards", "batch_id"),
    ("GET /v1/admin/gift-cards/cards", "member_id"),
    ("GET /v1/admin/gift-cards/cards", "cursor"),
    ("GET /v1/admin/gift-cards/cards/{card_id}/entries", "cursor"),
    ("POST /v1/admin/gift-cards/cards/{card_id}/replace", "card_no"),
    # a gift card is whose it is that shows it: tests/giftcards
    ("POST /v1/pos/gift-cards/activate", "card_no"),
    ("POST /v1/pos/gift-cards/activate", "order_no"),
    ("POST /v1/pos/gift-cards/check", "card_no"),
    ("POST /v1/pos/gift-cards/charges", "order_no"),
    ("POST /v1/member/gift-cards", "card_no"),
    ("POST /v1/member/gift-cards/check", "card_no"),
    ("POST /v1/admin/gift-cards/cards/search", "card_no"),
    ("POST /v1/admin/points-rules/simulate", "store_id"),
    ("POST /v1/admin/points-rules/simulate", "member_id"),
    # who may be given points is found by number, with a masked name and so many tries: tests/points
    ("POST /v1/member/points/recipient", "member_no"),
    ("POST /v1/member/points/transfers", "member_no"),
    ("POST /v1/admin/campaigns", "earning.tasks.code"),
    ("PUT /v1/admin/campaigns/{campaign_id}", "earning.tasks.code"),
    # head office alone composes surveys; which there are, everybody of the staff whose members they ask may see; a
    # member who is named has answered then, whosever they are: tests/surveys
    ("GET /v1/admin/surveys/projects", "cursor"),
    ("GET /v1/admin/surveys", "project_id"),
    ("GET /v1/admin/surveys", "cursor"),
    ("POST /v1/admin/surveys", "project_id"),
    ("PUT /v1/admin/surveys/{survey_id}", "project_id"),
    ("POST /v1/admin/surveys", "reward.template_id"),
    ("PUT /v1/admin/surveys/{survey_id}", "reward.template_id"),
    ("POST /v1/admin/surveys", "reward.prizes.template_id"),
    ("PUT /v1/admin/surveys/{survey_id}", "reward.prizes.template_id"),
    ("POST /v1/admin/surveys", "content.pages.questions.reference"),  # a right answer
    ("PUT /v1/admin/surveys/{survey_id}", "content.pages.questions.reference"),
    ("POST /v1/admin/surveys/{survey_id}/answers", "member_no"),
    ("GET /v1/admin/pass-products", "cursor"),
    ("POST /v1/admin/pass-products/{pass_product_id}/passes", "member_id"),
    # offers are everybody's, and a coupon's code is whose it is that types it first: tests/coupons
    ("POST /v1/member/coupons/claim", "template_id"),
    ("POST /v1/member/coupons/claim", "share_token"),
    ("POST /v1/member/coupons/claim", "code"),
    # what a store sells is for every member to see: tests/mall
    ("GET /v1/member/mall/home", "store_id"),
    ("GET /v1/member/mall/delivery", "store_id"),
    ("GET /v1/member/mall/products", "store_id"),
    ("GET /v1/member/mall/products", "cursor"),
    ("GET /v1/member/mall/products/{spu}", "store_id"),
    # what the chain sells is every manager's to see, and head office's to change
    ("GET /v1/admin/mall/products", "cursor"),
    ("PUT /v1/admin/mall/products/{spu}", "skus.barcode"),
    ("GET /v1/admin/mall/suppliers", "cursor"),
    ("POST /v1/admin/mall/banners", "store_id"),
    ("PUT /v1/admin/mall/stores/{store_id}/pictures", "items.media_id"),
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
    ("GET /v1/pos/articles", "query"),
    # what the chain sells and what is said of it is every member's to see; a store is chosen freely: tests/orders
    ("GET /v1/member/mall/stock", "store_id"),
    ("GET /v1/member/mall/products/{spu}/reviews", "store_id"),
    ("GET /v1/member/mall/products/{spu}/reviews", "cursor"),
    ("POST /v1/member/orders", "orders.store_id"),
    ("POST /v1/member/orders/quote", "orders.store_id"),
    # a place in a list of one's own, or of a store that is named beside it
    ("GET /v1/member/orders", "cursor"),
    ("GET /v1/member/recharges", "cursor"),
    ("GET /v1/admin/members/{member_id}/recharges", "cursor"),
    ("GET /v1/admin/recharge-refunds", "cursor"),
    # among those of one's own store's members: tests/wallet/test_refunds.py
    ("GET /v1/admin/recharge-refunds", "member_id"),
    ("GET /v1/member/after-sales", "cursor"),
    ("GET /v1/member/reviews", "cursor"),
    ("GET /v1/member/invoices", "cursor"),
    ("GET /v1/admin/orders", "cursor"),
    ("GET /v1/admin/after-sales", "cursor"),
    ("GET /v1/admin/reviews", "cursor"),
    ("GET /v1/admin/invoices", "cursor"),
    # an order's requests and reviews are looked for among one's own, or a store's: tests/orders/test_after_sales.py,
    # tests/orders/test_own_lists.py
    ("GET /v1/member/after-sales", "order_id"),
    ("GET /v1/member/reviews", "order_id"),
    ("GET /v1/member/invoices", "order_id"),
    ("GET /v1/admin/after-sales", "order_id"),
    # lines of the order in the path; a carrier's numbers; what the member writes on an invoice
    ("POST /v1/member/orders/{order_id}/after-sales", "lines.line_no"),
    ("POST /v1/member/orders/{order_id}/reviews", "line_no"),
    ("POST /v1/admin/orders/{order_id}/after-sales", "lines.line_no"),
    ("POST /v1/admin/orders/{order_id}/parcels", "lines.line_no"),
    ("POST /v1/admin/orders/{order_id}/parcels", "tracking_no"),
    ("POST /v1/admin/after-sales/{after_sale_id}/exchange", "tracking_no"),
    ("POST /v1/member/after-sales/{after_sale_id}/parcel", "tracking_no"),
    ("PUT /v1/member/orders/{order_id}/invoice", "tax_no"),
    # a table's code is for everybody who sees it; another store's is none: tests/orders/test_spots.py
    ("GET /v1/member/spots", "code"),
    ("POST /v1/member/orders", "orders.delivery.spot_code"),
    ("POST /v1/member/orders/quote", "orders.delivery.spot_code"),
    ("POST /v1/admin/mall/spots", "product_id"),
    ("PUT /v1/admin/mall/spots/{spot_id}", "product_id"),
    ("PUT /v1/admin/mall/spots/{spot_id}", "new_code"),
    # a code of another store's is none here: tests/orders/test_fulfilment.py
    ("POST /v1/pos/pickups", "code"),
    ("POST /v1/pos/pickups/{order_id}/handover", "code"),
    # head office alone; the administrators of the box that the suggestion is in: tests/suggestions/test_boxes.py
    ("POST /v1/admin/suggestion-boxes", "store_id"),
    ("PUT /v1/admin/suggestion-boxes/{box_id}", "store_id"),
    ("POST /v1/admin/suggestions/{suggestion_id}/assign", "staff_id"),
    # whoever is shown a code sees a guest's card; who looked is head office's
    ("POST /v1/admin/contacts/lookup", "code"),
    ("GET /v1/admin/contacts/looks", "member_id"),
    ("GET /v1/admin/contacts/looks", "staff_id"),
    # head office alone
    ("GET /v1/admin/staff-devices", "staff_id"),
    ("PUT /v1/admin/login-control", "hours.store_id"),
    ("GET /v1/admin/contacts/looks", "cursor"),
    # the same figures, refused alike: tests/suggestions/test_boxes.py
    ("GET /v1/admin/suggestion-boxes/statistics/chart", "box_id"),
    ("GET /v1/admin/suggestion-boxes/statistics/file", "box_id"),
    # boxes and keys are everybody's
    ("POST /v1/anonymous/suggestions", "box_id"),
    ("POST /v1/member/suggestion-tickets", "key_id"),
    # a place in the list that the caller sees; a colleague who may not see the customer, a store: tests/conversations
    ("GET /v1/admin/conversations", "cursor"),
    ("GET /v1/admin/conversations/{conversation_id}/messages", "cursor"),
    ("GET /v1/member/chat", "cursor"),
    ("POST /v1/admin/conversations/{conversation_id}/transfer", "staff_id"),
    ("POST /v1/admin/conversations/canned", "store_id"),
    ("PUT /v1/admin/conversations/canned/{canned_id}", "store_id"),
    # stores are chosen freely; any member may come to any store; text; people who see the case: tests/cases
    ("POST /v1/member/cases", "store_id"),
    ("POST /v1/admin/cases", "member_no"),
    ("POST /v1/admin/cases", "reference"),
    ("POST /v1/admin/cases/{case_id}/assign", "staff_id"),
    # head office alone; a manager's own store, or what concerns it: tests/reconciliation/test_clearing.py
    ("GET /v1/admin/reconciliation/items", "cursor"),
    ("GET /v1/admin/reconciliation/differences", "cursor"),
    ("GET /v1/admin/reconciliation/differences", "store_id"),
    ("GET /v1/admin/clearing/flows", "store_id"),
    ("GET /v1/admin/clearing/flows/file", "store_id"),
    ("GET /v1/admin/clearing/flows/chart", "store_id"),
    ("GET /v1/admin/clearing/lines", "cursor"),
    ("GET /v1/admin/clearing/settlements", "cursor"),
    # a place in what everybody with a key may read; head office alone
    ("GET /v1/feeds/members", "cursor"),
    ("GET /v1/feeds/snapshot", "cursor"),
    ("GET /v1/admin/feeds/subscribers/{subscriber_id}/deliveries", "cursor"),
    # templates are head office's; what stores may not give: tests/cases/test_giving.py
    ("POST /v1/admin/cases/{case_id}/give", "template_id"),
    # a place in a list of one's own store's members: tests/privacy
    ("GET /v1/admin/privacy/exports", "cursor"),
    ("GET /v1/admin/privacy/hand-outs", "cursor"),
    ("POST /v1/admin/privacy/exports/{export_id}/hand-outs", "code"),
    ("POST /v1/admin/privacy/exports/{export_id}/hand-outs", "phone_code"),
    ("GET /v1/admin/privacy/erasures", "cursor"),
    # the gateway's own messages; the caller's own code; a page of what staff may see: tests/messages/test_returns.py
    ("POST /v1/messages/sms/receipts", "items.delivery_id"),
    ("POST /v1/member/email/confirm", "code"),
    ("GET /v1/admin/messages/replies", "cursor"),
}
"""Places that name nothing of another's, and why."""


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


def test_every_body_that_names_a_store_has_a_case(routes):
    """What is said of a store that is none: ``test_stores``."""
    assert stores.named(routes) == stores.CASES


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

    coupons = (await world.owner.call("GET", f"/v1/member/coupons?cursor={world.coupon_cursor}")).json()

    passes = (await world.owner.call("GET", f"/v1/member/passes?state=ended&cursor={world.pass_cursor}")).json()

    assert len(coupons["items"]) == len(passes["items"]) == 1
    assert len(page["items"]) == 2
    charged = await world.chain.till.get(world.client, "/v1/pos/gift-cards/charges?order_no=R-G")
    assert sale.status_code == 200
    assert len(charged.json()["items"]) == 1
    assert (await world.chain.till.post(world.client, "/v1/pos/quotes", body)).status_code == 200
