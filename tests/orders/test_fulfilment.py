"""Orders on their way: packed in parcels or made ready, fetched once with a code, received by member, till or clock."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from backend.kernel import clock, db
from backend.orders import queries
from backend.orders.commands import pickups, receipts, shipping
from tests.support.mall import checkout, order, put, shelf
from tests.support.members import Phone, register
from tests.support.races import outcomes
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(phone: Phone) -> Phone:
    """Has ¥500; ten apples more lie in the store."""
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    return phone


@pytest.fixture(autouse=True)
def real_clock():
    """The clock goes on where it was, and no till is blocked."""
    pickups._blocked_until.clear()
    yield
    clock.reset()


async def buy(phone: Phone, qty: int = 2, *, express: bool = False) -> str:
    """A paid order of so many apples; its id."""
    made = await order(phone, checkout(a6902=qty), 1_250 * qty)
    assert made.status_code == 201, made.text
    order_id: str = made.json()["checkout_id"]
    if express:
        async with db.transaction() as tx:
            await db.raw(tx).execute("UPDATE orders_order SET delivery = 'express' WHERE id = $1", order_id)
    return order_id


async def delivery(phone: Phone, order_id: str) -> Any:
    return (await phone.call("GET", f"/v1/member/orders/{order_id}/delivery")).json()


async def test_an_order_is_fetched_once_with_its_code(buyer, manager, chain):
    till, other = chain.tills["S1"][0], chain.tills["S2"][0]
    order_id = await buy(buyer)
    before = await delivery(buyer, order_id)
    await manager.post(f"/v1/admin/orders/{order_id}/ready")
    ready = await manager.post(f"/v1/admin/orders/{order_id}/ready")
    code = (await delivery(buyer, order_id))["pickup"]["code"]
    typed = {"code": f"{code[:3]} {code[3:6]} {code[6:]}"}
    path, key = f"/v1/pos/pickups/{order_id}/handover", uuid.uuid4().hex

    elsewhere = [
        await other.post(buyer.client, "/v1/pos/pickups", typed),
        await other.post(buyer.client, path, typed),
    ]
    found = await till.post(buyer.client, "/v1/pos/pickups", typed)
    wrong = await till.post(buyer.client, path, {"code": "0000000000"})
    first = await till.post(buyer.client, path, typed, key=key)
    again = await till.post(buyer.client, path, typed, key=key)
    twice = await till.post(buyer.client, path, typed)

    assert "pickup" not in before
    assert ready.json()["order"]["status"] == "ready_for_pickup"
    assert outcomes(elsewhere) == {"pickup_code_invalid": 1, "not_found": 1}
    assert found.json()["lines"] == [{"line_no": 1, "sku": APPLE, "name": "苹果", "spec": "", "qty": 2}]
    assert wrong.json()["code"] == "pickup_code_invalid"
    assert (first.status_code, first.json()["status"]) == (200, "received")
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert (twice.status_code, twice.json()["code"]) == (409, "pickup_done")
    after = await delivery(buyer, order_id)
    assert (after["received_by"], after["pickup"].get("code")) == ("till", None)
    assert (await buyer.call("POST", f"/v1/member/orders/{order_id}/cancel")).json()["code"] == "order_not_cancellable"


async def test_an_order_does_not_wait_under_the_code_of_another(buyer, manager, chain, monkeypatch):
    for module in (shipping, pickups):
        monkeypatch.setattr(module, "pickup_code", lambda _: "1234567897")
    first, second = await buy(buyer), await buy(buyer)
    till, code = chain.tills["S1"][0], {"code": "1234567897"}

    ready = [await manager.post(f"/v1/admin/orders/{order_id}/ready") for order_id in (first, second)]
    found = await till.post(buyer.client, "/v1/pos/pickups", code)
    handed = await till.post(buyer.client, f"/v1/pos/pickups/{first}/handover", code)
    later = await manager.post(f"/v1/admin/orders/{second}/ready")
    other = await till.post(buyer.client, "/v1/pos/pickups", code)

    assert outcomes([*ready, found, handed, later, other]) == {200: 5, "order_not_sendable": 1}
    assert (found.json()["order_id"], other.json()["order_id"]) == (first, second)
    assert (await delivery(buyer, second))["status"] == "ready_for_pickup"


async def test_two_tills_at_once_hand_an_order_over_once(buyer, manager, chain):
    order_id = await buy(buyer)
    await manager.post(f"/v1/admin/orders/{order_id}/ready")
    code = {"code": (await delivery(buyer, order_id))["pickup"]["code"]}
    path = f"/v1/pos/pickups/{order_id}/handover"

    answers = await asyncio.gather(
        *(till.post(buyer.client, path, code) for till in chain.tills["S1"][:2] for _ in range(4))
    )

    assert outcomes(answers) == {200: 1, "pickup_done": 7}


async def test_a_till_that_guesses_is_blocked_also_for_the_right_code(buyer, manager, chain):
    till = chain.tills["S1"][1]
    order_id = await buy(buyer)
    await manager.post(f"/v1/admin/orders/{order_id}/ready")
    code = (await delivery(buyer, order_id))["pickup"]["code"]
    wrong = ["0000000000", "1000000008", "2000000006", "3000000004", "4000000002", "5000000009"]

    misses = [(await till.post(buyer.client, "/v1/pos/pickups", {"code": text})).json()["code"] for text in wrong * 2]
    right = await till.post(buyer.client, "/v1/pos/pickups", {"code": code})
    typing = await chain.tills["S1"][0].post(buyer.client, "/v1/pos/pickups", {"code": "1234567890"})
    beside = await chain.tills["S1"][0].post(buyer.client, "/v1/pos/pickups", {"code": code})

    assert misses == ["pickup_code_invalid"] * 10 + ["rate_limited"] * 2
    assert (right.status_code, right.json()["code"]) == (429, "rate_limited")
    assert typing.json()["code"] == "pickup_code_invalid"
    assert beside.status_code == 200


async def test_parcels_are_sent_and_the_member_says_when_they_are_there(buyer, manager):
    order_id = await buy(buyer, 3, express=True)
    parcels, receipt = f"/v1/admin/orders/{order_id}/parcels", f"/v1/member/orders/{order_id}/receipt"
    one = {"carrier": "SF", "tracking_no": "SF1000001", "lines": [{"line_no": 1, "qty": 2}]}
    rest = {"carrier": "YTO", "tracking_no": "YT2000002"}

    too_early = await buyer.call("POST", receipt)
    too_much = await manager.post(parcels, one | {"lines": [{"line_no": 1, "qty": 4}]})
    none_such = await manager.post(parcels, one | {"lines": [{"line_no": 2, "qty": 1}]})
    first = await manager.post(parcels, one)
    again = await manager.post(parcels, one)
    half = await buyer.call("POST", receipt)
    second = await manager.post(parcels, rest)
    third = await manager.post(parcels, rest | {"tracking_no": "YT3000003"})
    shown = await delivery(buyer, order_id)
    received = await buyer.call("POST", receipt)

    assert outcomes([too_early, half]) == {"order_not_receivable": 2}
    assert outcomes([too_much, none_such, third]) == {"shipment_invalid": 3}
    assert first.json() == again.json()
    assert second.json()["order"]["status"] == "shipped"
    assert [(one["tracking_no"], one["lines"]) for one in shown["parcels"]] == [
        ("SF1000001", [{"line_no": 1, "qty": 2}]),
        ("YT2000002", [{"line_no": 1, "qty": 1}]),
    ]
    assert (received.json()["status"], received.json()["received_by"]) == ("received", "member")
    assert (await buyer.call("POST", receipt)).json() == received.json()


async def test_the_clock_receives_and_ends_what_nobody_speaks_of(buyer, manager):
    order_id = await buy(buyer, express=True)
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", {"carrier": "ZTO", "tracking_no": "ZT77770001"})
    states = []
    for days in (9, 11, 17, 19):
        clock.reset()
        clock.shift(timedelta(days=days))
        await receipts.advance_due(clock.now())
        found = await queries.find_order(buyer.member_id, order_id)
        states.append(found.state if found else None)

    assert states == ["shipped", "received", "received", "completed"]


async def test_what_is_given_back_before_it_left_makes_the_rest_whole(buyer, manager):
    order_id = await buy(buyer, 3, express=True)
    one = {"carrier": "SF", "tracking_no": "SF1000001", "lines": [{"line_no": 1, "qty": 2}]}
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", one)
    body = {"kind": "refund", "lines": [{"line_no": 1, "qty": 1}], "reason": "等不及"}
    asked = await buyer.call("POST", f"/v1/member/orders/{order_id}/after-sales", body, key=uuid.uuid4().hex)
    before = await delivery(buyer, order_id)
    on_shelf = await shelf("S1", APPLE)

    await manager.post(f"/v1/admin/after-sales/{asked.json()['id']}/approve", {})

    after = await delivery(buyer, order_id)
    assert ("sent_at" in before, "receives_itself_at" in after) == (False, True)
    assert (await shelf("S1", APPLE))[0] == on_shelf[0] + 1
    assert (await buyer.call("POST", f"/v1/member/orders/{order_id}/receipt")).json()["status"] == "received"


async def test_only_its_store_and_its_member_find_an_order(buyer, manager, stranger, client):
    order_id = await buy(buyer)
    other = await register(client)
    member = f"/v1/member/orders/{order_id}"
    ask = {"kind": "refund", "lines": [{"line_no": 1, "qty": 1}], "reason": "不要了"}
    asked = await buyer.call("POST", f"{member}/after-sales", ask, key=uuid.uuid4().hex)
    request = asked.json()["id"]

    answers = [
        await other.call("GET", f"{member}/delivery"),
        await other.call("POST", f"{member}/receipt"),
        await other.call("POST", f"{member}/after-sales", ask, key=uuid.uuid4().hex),
        await other.call("POST", f"{member}/reviews", {"line_no": 1, "stars": 5}),
        await other.call("PUT", f"{member}/invoice", {"kind": "personal", "title": "个人"}),
        await other.call("GET", f"{member}/invoice"),
        await other.call("GET", f"/v1/member/after-sales/{request}"),
        await other.call("POST", f"/v1/member/after-sales/{request}/cancel"),
        await other.call(
            "POST", f"/v1/member/after-sales/{request}/parcel", {"carrier": "SF", "tracking_no": "SF1234"}
        ),
        await stranger.get(f"/v1/admin/orders/{order_id}"),
        await stranger.post(f"/v1/admin/orders/{order_id}/ready"),
        await stranger.post(f"/v1/admin/orders/{order_id}/parcels", {"carrier": "SF", "tracking_no": "SF1234"}),
        await stranger.post(f"/v1/admin/orders/{order_id}/after-sales", ask, key=uuid.uuid4().hex),
        await stranger.post(f"/v1/admin/orders/{order_id}/invoice", {"status": "issued", "number": "1"}),
        await stranger.get(f"/v1/admin/after-sales/{request}"),
        *[
            await stranger.post(f"/v1/admin/after-sales/{request}/{step}", body)
            for step, body in (
                ("approve", {}),
                ("reject", {"note": "x"}),
                ("goods", {}),
                ("refund", {}),
                ("exchange", {"carrier": "SF", "tracking_no": "SF1234"}),
            )
        ],
        await stranger.get("/v1/admin/orders?store_id=S1"),
        await stranger.get("/v1/admin/after-sales?store_id=S1"),
        await stranger.get("/v1/admin/reports/sales?from=2026-11-01&to=2026-11-02&store_id=S1"),
    ]

    assert outcomes(answers) == {"not_found": len(answers)}
    assert (await manager.get(f"/v1/admin/after-sales/{request}")).json()["status"] == "requested"
    assert order_id in [one["id"] for one in (await manager.get("/v1/admin/orders")).json()["items"]]
    assert (await stranger.get("/v1/admin/orders")).json()["items"] == []
