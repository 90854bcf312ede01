"""Orders by the code of a table or shelf: who may name one, what it opens, what a till brings, and what is refused."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio

from backend.kernel import db
from backend.orders.commands import cancel
from tests.orders.test_after_sales import ask, step
from tests.support.books import fingerprint
from tests.support.mall import checkout, order, put, shelf
from tests.support.members import Phone
from tests.support.races import held_up
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"
SPOTS = "/v1/admin/mall/spots"
WAITING = "/v1/pos/spot-orders"


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(phone: Phone) -> Phone:
    """Has ¥500; ten apples more lie in the store."""
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    return phone


@pytest_asyncio.fixture(loop_scope="session")
async def table(admin) -> Any:
    """A table of the first store; taken out of use afterwards."""
    made = await admin.post(SPOTS, {"store_id": "S1", "kind": "table", "name": "A12"})
    assert made.status_code == 201, made.text
    yield made.json()
    await admin.call("PUT", f"{SPOTS}/{made.json()['id']}", {"name": "A12", "active": False})


def at_table(code: str, store_id: str = "S1", note: str = "", **qty: int) -> dict[str, Any]:
    body = checkout(store_id, (), **qty)
    body["orders"][0] |= {"delivery": {"kind": "spot", "spot_code": code}, "note": note}
    return body


async def waiting(till: Any, client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await till.get(client, WAITING)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_guest_orders_at_a_table_and_is_served_once(buyer, admin, chain, client, table):
    till, other = chain.tills["S1"][0], chain.tills["S2"][0]
    opened = (await buyer.call("GET", f"/v1/member/spots?code={table['code']}")).json()
    made = await order(buyer, at_table(table["code"], note="少糖", a6902=2), 2_500)
    order_id = made.json()["checkout_id"]

    assert (opened["store_id"], opened["kind"], opened["name"], opened["product_id"]) == ("S1", "table", "A12", None)
    assert (made.status_code, made.json()["orders"][0]["spot"], made.json()["orders"][0]["delivery"]) == (
        201,
        "A12",
        "spot",
    )
    (mine,) = [one for one in await waiting(till, client) if one["order_id"] == order_id]
    assert (mine["spot"], mine["note"]) == ("A12", "少糖")
    assert [(line["sku"], line["qty"]) for line in mine["lines"]] == [(APPLE, 2)]
    assert await waiting(other, client) == []

    path = f"{WAITING}/{order_id}/serve"
    theirs = await other.post(client, path, None)
    answers = await asyncio.gather(*(till.post(client, path, None) for _ in range(4)))
    again = await till.post(client, path, None)

    assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found")
    assert {answer.status_code for answer in [*answers, again]} == {200}
    assert again.json()["status"] == "received"
    assert order_id not in {one["order_id"] for one in await waiting(till, client)}
    (fulfilled,) = await db.fetch(
        "SELECT received_by, terminal_id FROM orders_fulfilment WHERE order_id = $1", order_id
    )
    assert tuple(fulfilled) == ("till", till.terminal_id)
    received = await db.fetchval(
        "SELECT count(*) FROM outbox WHERE body->>'order_id' = $1 AND name = 'OrderReceived'", order_id
    )
    assert received == 1
    shown = (await buyer.call("GET", f"/v1/member/orders/{order_id}")).json()
    assert (shown["status"], shown["spot"]) == ("received", "A12")


async def test_tills_that_bring_it_at_the_same_moment_are_all_told_that_it_was_brought(
    buyer, chain, client, table, settings
):
    till = chain.tills["S1"][0]
    order_id = (await order(buyer, at_table(table["code"], a6902=1), 1_250)).json()["checkout_id"]
    held = f"SELECT 1 FROM orders_order WHERE id = '{order_id}' FOR UPDATE"

    answers = await held_up(settings, held, [till.post(client, f"{WAITING}/{order_id}/serve", None) for _ in range(4)])

    assert [(one.status_code, one.json().get("status")) for one in answers] == [(200, "received")] * 4


async def test_what_is_no_code_of_the_store_orders_nothing(buyer, admin, table, settings):
    shelf_of_two = (await admin.post(SPOTS, {"store_id": "S2", "kind": "shelf", "name": "B1"})).json()
    gone = (await admin.post(SPOTS, {"store_id": "S1", "kind": "table", "name": "A13"})).json()
    renewed = await admin.call("PUT", f"{SPOTS}/{gone['id']}", {"name": "A13", "new_code": True})
    code = table["code"]
    wrong = [
        code[:-1] + ("A" if code[-1] != "A" else "B"),
        code.partition(".")[0],
        "." + code.partition(".")[2],
        gone["id"] + "." + code.partition(".")[2],
        "桌.码",
        gone["code"],  # a newer one was printed
        shelf_of_two["code"],  # another store's
    ]
    before = await fingerprint(settings)

    answers = [await order(buyer, at_table(one, a6902=1), 1_250) for one in wrong]
    quotes = [await buyer.call("POST", "/v1/member/orders/quote", at_table(one, a6902=1)) for one in wrong]
    read = [await buyer.call("GET", "/v1/member/spots?" + urlencode({"code": one})) for one in wrong[:6]]
    unnamed = await order(buyer, at_table("", a6902=1), 1_250)
    both = at_table(code, a6902=1)
    both["orders"][0]["delivery"]["kind"] = "pickup"

    assert {(one.status_code, one.json()["code"]) for one in [*answers, *quotes, *read]} == {(422, "spot_invalid")}
    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "validation_failed")
    assert (await order(buyer, both, 1_250)).json()["code"] == "validation_failed"
    assert await fingerprint(settings) == before
    assert (await order(buyer, at_table(renewed.json()["code"], a6902=1), 1_250)).status_code == 201
    await admin.call("PUT", f"{SPOTS}/{gone['id']}", {"name": "A13", "active": False})
    closed = await order(buyer, at_table(renewed.json()["code"], a6902=1), 1_250)
    assert (closed.status_code, closed.json()["code"]) == (422, "spot_invalid")


async def test_what_was_taken_back_is_not_served(buyer, chain, client, table):
    till = chain.tills["S1"][0]
    before = await shelf("S1", APPLE)
    made = await order(buyer, at_table(table["code"], a6902=3), 3_750)
    order_id = made.json()["checkout_id"]

    await cancel.cancel(buyer.member_id, order_id)
    refused = await till.post(client, f"{WAITING}/{order_id}/serve", None)
    fetched = await order(buyer, checkout(a6902=1), 1_250)  # not a table's
    not_here = await till.post(client, f"{WAITING}/{fetched.json()['checkout_id']}/serve", None)

    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_receivable")
    assert (not_here.status_code, not_here.json()["code"]) == (404, "not_found")
    assert order_id not in {one["order_id"] for one in await waiting(till, client)}
    assert (await shelf("S1", APPLE))[0] == before[0] - 1


async def test_who_asks_for_the_money_is_not_served_before_that_is_decided(buyer, chain, client, manager, table):
    till = chain.tills["S1"][0]
    order_id = (await order(buyer, at_table(table["code"], a6902=2), 2_500)).json()["checkout_id"]
    asked = (await ask(buyer, order_id, "refund", qty=1)).json()
    state = "SELECT o, f FROM orders_order o LEFT JOIN orders_fulfilment f ON f.order_id = o.id WHERE o.id = $1"
    before = await db.fetch(state, order_id)

    refused = await till.post(client, f"{WAITING}/{order_id}/serve", None)
    after = await db.fetch(state, order_id)
    await step(manager, asked["id"], "reject", {"note": "已在制作"})
    served = await till.post(client, f"{WAITING}/{order_id}/serve", None)

    assert (refused.status_code, refused.json()["code"]) == (409, "after_sale_open")
    assert after == before
    assert (served.status_code, served.json()["status"]) == (200, "received")


async def test_staff_name_print_and_renew_the_spots_of_their_store(admin, manager, stranger, table):
    twice = await admin.post(SPOTS, {"store_id": "S1", "kind": "table", "name": "A12"})
    opens = await admin.post(SPOTS, {"store_id": "S1", "kind": "shelf", "name": "苹果<b>", "product_id": "P-6902"})
    unsold = await admin.post(SPOTS, {"store_id": "S1", "kind": "shelf", "name": "B", "product_id": "P-none"})
    elsewhere = await stranger.post(SPOTS, {"store_id": "S1", "kind": "table", "name": "A14"})
    changed = await stranger.call("PUT", f"{SPOTS}/{table['id']}", {"name": "A15"})
    listed = (await manager.get(SPOTS)).json()["items"]
    page = await admin.get(f"{SPOTS}/print?store_id=S1")

    assert (twice.status_code, twice.json()["errors"][0]["pointer"]) == (422, "/name")
    assert (opens.status_code, opens.json()["product_id"]) == (201, "P-6902")
    assert (unsold.status_code, unsold.json()["errors"][0]["pointer"]) == (422, "/product_id")
    assert {(one.status_code, one.json()["code"]) for one in (elsewhere, changed)} == {(404, "not_found")}
    assert opens.json()["link"].endswith(f"/?spot={opens.json()['code']}")
    assert {"A12", "苹果<b>"} <= {one["name"] for one in listed}
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "苹果&lt;b&gt;" in page.text
    assert "<b>" not in page.text
    in_use = [one for one in listed if one["active"]]
    assert len(re.findall("<svg", page.text)) == len(in_use)
    await admin.call("PUT", f"{SPOTS}/{opens.json()['id']}", {"name": "苹果", "active": False})
