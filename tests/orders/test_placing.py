"""Carts and orders that are paid in full by what the member has: placed once, priced by the server, cancelled whole."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import pytest_asyncio

from backend.kernel import outbox
from tests.support.coupons import VALUE, by_coupons, coupons_of, give_coupon
from tests.support.mall import checkout, order, put, shelf
from tests.support.members import Phone, register
from tests.support.passes import CLUB, buy, line_of, make_pass_product, scan
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"
OFF_500 = {"kind": "cash", "face_fen": 500, "min_spend_fen": 2_000, "validity": {"days": 3}}


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(phone: Phone) -> Phone:
    """Has ¥500 and 1,000 points; ten apples more lie in the store."""
    await give(phone.member_id, principal=50_000, points=1_000)
    await put("S1", APPLE, 10, 7_501)
    return phone


async def standing(phone: Phone) -> tuple[Any, ...]:
    """What an order could move: wallet, coupons, orders, shelf."""
    orders = (await phone.call("GET", "/v1/member/orders")).json()["items"]
    return await phone.wallet(), await coupons_of(phone), orders, await shelf("S1", APPLE)


async def test_what_is_in_the_cart_is_bought_and_leaves_wallet_cart_and_shelf(buyer, admin):
    on_hand, _, value = await shelf("S1", APPLE)
    coupon_id = await give_coupon(admin, buyer, OFF_500)
    await buyer.call("PUT", f"/v1/member/cart/S1/{APPLE}", {"qty": 5})
    await buyer.call("PUT", f"/v1/member/cart/S1/{APPLE}", {"qty": 3})
    (store,) = (await buyer.call("GET", "/v1/member/cart")).json()["stores"]
    assert [(line["sku"], line["qty"], line["price_fen"], line["available"]) for line in store["lines"]] == [
        (APPLE, 3, 1_250, on_hand)
    ]

    body = checkout(coupon_ids=(coupon_id,), a6902=3) | {
        "tenders": [{"type": "points", "points": 250}, {"type": "stored"}]
    }
    quoted = (await buyer.call("POST", "/v1/member/orders/quote", body)).json()
    placed = await order(buyer, body, quoted["payable_fen"])

    assert placed.status_code == 201, placed.text
    (made,) = placed.json()["orders"]
    assert (made["status"], made["payable_fen"], made["points_earned"]) == ("paid", 3_750, 60)
    assert [(one["type"], one["amount_fen"]) for one in made["tenders"]] == [
        ("coupon", 500),
        ("points", 250),
        ("stored", 3_000),
    ]
    assert (await buyer.call("GET", f"/v1/member/orders/{made['id']}")).json() == made
    wallet = await buyer.wallet()
    assert (wallet["stored"]["total_fen"], wallet["points"]["available"]) == (47_000, 810)
    assert await shelf("S1", APPLE) == (on_hand - 3, 0, value - value * 3 // on_hand)
    assert (await buyer.call("GET", "/v1/member/cart")).json() == {"stores": []}


async def test_a_cancelled_order_gives_everything_back_once(buyer, admin):
    coupon_id = await give_coupon(admin, buyer, OFF_500)
    before = await standing(buyer)
    tenders = [{"type": "points", "points": 99}, {"type": "stored"}]
    made = await order(buyer, checkout(coupon_ids=(coupon_id,), a6902=2) | {"tenders": tenders}, 2_500)
    order_id = made.json()["checkout_id"]

    first, again = [(await buyer.call("POST", f"/v1/member/orders/{order_id}/cancel")).json() for _ in range(2)]

    assert (first["status"], first["refunded_fen"]) == ("cancelled", 2_500)
    assert again == first
    wallet, coupons, orders, on_shelf = await standing(buyer)
    assert (wallet, coupons, on_shelf) == (before[0], before[1], before[3])
    assert [one["status"] for one in orders] == ["cancelled"]
    assert (await buyer.call("GET", "/v1/member/orders?status=paid")).json()["items"] == []


async def test_the_same_key_places_one_order_and_another_body_none(buyer):
    key = uuid.uuid4().hex
    first = await order(buyer, checkout(a6902=1), 1_250, key=key)
    assert first.status_code == 201, first.text
    before = await standing(buyer)

    again = await order(buyer, checkout(a6902=1), 1_250, key=key)
    other = await order(buyer, checkout(a6902=2), 2_500, key=key)

    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert await standing(buyer) == before


@pytest.mark.parametrize(
    ("body", "payable_fen", "status", "code"),
    [
        (checkout(a6902=1), 1_249, 409, "price_changed"),
        (checkout(a6902=1_000), 1_250_000, 422, "validation_failed"),
        (checkout(a6902=999), 1_248_750, 409, "insufficient_balance"),
        (checkout(a6901=1), 200, 409, "out_of_stock"),
        (checkout(nothing=1), 1, 409, "not_on_sale"),
        (checkout(store_id="S3", a6902=1), 1_250, 404, "not_found"),
        (checkout(a6902=1) | {"tenders": [{"type": "stored", "amount_fen": 1_249}]}, 1_250, 422, "tenders_mismatch"),
        (checkout(coupon_ids=("C1",), a6902=1), 1_250, 404, "coupon_not_held"),
        (checkout(a6902=1) | {"total_fen": 1}, 1_250, 422, "validation_failed"),
    ],
)
async def test_a_refused_order_moves_nothing(buyer, body, payable_fen, status, code):
    before = await standing(buyer)

    answer = await order(buyer, body, payable_fen)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await standing(buyer) == before


async def test_no_more_is_taken_than_was_seen_where_a_coupon_was_used_elsewhere_since(buyer, admin, chain, client):
    coupon_id = await give_coupon(admin, buyer, VALUE)
    body = checkout(coupon_ids=(coupon_id,), a6902=2)
    quoted = (await buyer.call("POST", "/v1/member/orders/quote", body)).json()
    sold = await chain.tills["S1"][0].sell(client, buyer.code(), fen=4_000, tenders=by_coupons(coupon_id))
    before = await standing(buyer)

    changed = await order(buyer, body | {"due_fen": quoted["due_fen"]}, quoted["payable_fen"])

    assert (sold.status_code, quoted["payable_fen"], quoted["due_fen"]) == (201, 2_500, 0), sold.text
    assert (changed.json()["code"], changed.json()["quote"]["due_fen"]) == ("price_changed", 1_500)
    assert await standing(buyer) == before

    placed = await order(buyer, body | {"due_fen": 1_500}, 2_500)

    assert [one["amount_fen"] for one in placed.json()["orders"][0]["tenders"]] == [1_000, 1_500]


async def test_another_members_order_and_one_that_is_none_are_not_found(buyer, client):
    other = await register(client)
    made = (await order(buyer, checkout(a6902=1), 1_250)).json()["checkout_id"]
    before = await standing(buyer)

    answers = [
        await other.call(method, f"/v1/member/orders/{order_id}{what}")
        for order_id in (made, "D0", "x" * 300)
        for method, what in (("GET", ""), ("POST", "/cancel"))
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert await standing(buyer) == before


async def test_a_discount_card_that_was_given_back_a_moment_ago_takes_nothing_off(buyer, admin, chain, client):
    await buyer.enrol()
    token = (await scan(client, chain.till, buyer))["scan_token"]
    sold = await buy(client, chain.till, token, line_of(await make_pass_product(admin, CLUB)))
    await outbox.drain()
    assert (await buyer.call("POST", "/v1/member/orders/quote", checkout(a6902=1))).json()["payable_fen"] == 1_125
    back = {"lines": [{"line_no": 1, "qty": 1}], "reason": "x"}
    assert (await chain.till.post(client, f"/v1/pos/sales/{sold['id']}/refunds", back)).status_code == 201
    before = await standing(buyer)

    refused = await order(buyer, checkout(a6902=1), 1_125)

    assert (refused.json()["code"], refused.json()["quote"]["payable_fen"]) == ("price_changed", 1_250)
    assert await standing(buyer) == before
    await outbox.drain()
    assert (await order(buyer, checkout(a6902=1), 1_250)).status_code == 201
