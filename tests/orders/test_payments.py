"""Orders of which WeChat pays a part: held, paid once, given back when they are not, and late money returned."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.orders import plans
from backend.orders.commands import pay as opening
from backend.orders.commands import payments, psp_refunds
from backend.wechat import service as wechat
from backend.wechat.errors import CallbackRefused
from backend.wechat.types import Payment, Refund
from tests.support.books import fingerprint
from tests.support.coupons import coupons_of, give_coupon
from tests.support.mall import checkout, order, put, shelf
from tests.support.members import Phone
from tests.support.recharge import all_answered, document, faults, in_state, pay
from tests.support.value import findings, give

pytestmark = pytest.mark.usefixtures("books", "clock")

APPLE, WATER = "6902", "6901"
OFF_500 = {"kind": "cash", "face_fen": 500, "min_spend_fen": 2_000, "validity": {"days": 3}}
MIXED = [
    {"type": "points", "points": 100},
    {"type": "stored", "amount_fen": 900},
    {"type": "wechat"},
]


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(phone: Phone) -> Phone:
    """Has ¥20 (half of it bonus) and 1,000 points."""
    await give(phone.member_id, principal=1_000, bonus=1_000, points=1_000)
    for sku in (APPLE, WATER):
        await put("S1", sku, 10, 1_001)
        await put("S2", sku, 10, 999)
    return phone


async def standing(phone: Phone) -> tuple[Any, ...]:
    """What an order takes and gives back: wallet, coupons, shelves."""
    shelves = [await shelf(store, sku) for store in ("S1", "S2") for sku in (APPLE, WATER)]
    return await phone.wallet(), await coupons_of(phone), shelves


async def begin(phone: Phone, coupon_ids: tuple[str, ...] = ()) -> dict[str, Any]:
    """Order two apples, paid by a coupon, points, stored value, and WeChat for the rest."""
    body = checkout(coupon_ids=coupon_ids, a6902=2) | {"tenders": MIXED}
    placed = await order(phone, body, 2_500)
    assert placed.status_code == 201, placed.text
    made: dict[str, Any] = placed.json()
    return made


def payment(made: dict[str, Any], **other: Any) -> Payment:
    """What WeChat says when the order that was begun is paid."""
    right = Payment(
        out_trade_no=made["payment"]["id"],
        transaction_id="4200009",
        amount_fen=made["payment"]["pay_fen"],
        currency="CNY",
        success_at=kernel_clock.now(),
        openid="openid-x",
        trade_state="SUCCESS",
    )
    return msgspec.structs.replace(right, **other)


async def look(phone: Phone, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await phone.call("GET", f"/v1/member/orders/{made['checkout_id']}")).json()
    return found


async def test_what_the_member_pays_is_held_until_wechat_has_paid_the_rest(buyer, admin, client):
    coupon_id = await give_coupon(admin, buyer, OFF_500)
    before = await standing(buyer)
    made = await begin(buyer, (coupon_id,))
    payment = made["payment"]
    assert (made["orders"][0]["status"], payment["pay_fen"]) == ("awaiting_payment", 1_000)
    wallet, coupons, shelves = await standing(buyer)
    assert (wallet["stored"]["total_fen"], wallet["points"]["available"]) == (1_100, 900)
    assert [coupon["state"] for coupon in coupons] == ["locked"]
    assert shelves[0] == (before[2][0][0], 2, before[2][0][2])
    again = (await buyer.call("POST", f"/v1/member/orders/{made['checkout_id']}/pay")).json()
    assert again == payment
    (listed,) = (await buyer.call("GET", "/v1/member/orders?status=awaiting_payment")).json()["items"]
    assert payment["pay_until"] == made["orders"][0]["pay_until"] == listed["pay_until"]
    assert (await look(buyer, made))["pay_until"] == payment["pay_until"]

    await pay(client, payment["id"])
    await all_answered(client, payment["id"], 1)

    paid = await look(buyer, made)
    assert paid["pay_until"] is None
    assert (paid["status"], [(t["type"], t["amount_fen"]) for t in paid["tenders"]]) == (
        "paid",
        [("coupon", 500), ("points", 100), ("stored", 900), ("wechat", 1_000)],
    )
    assert (await buyer.wallet())["points"]["available"] == 900 + paid["points_earned"]
    assert (await shelf("S1", APPLE))[:2] == (before[2][0][0] - 2, 0)

    cancelled = await buyer.call("POST", f"/v1/member/orders/{made['checkout_id']}/cancel")
    await psp_refunds.advance_due(kernel_clock.now())
    await all_answered(client, payment["id"], 2)

    assert cancelled.json()["status"] == "cancelled"
    assert await standing(buyer) == before
    await outbox.drain()


async def test_a_rebate_is_held_spent_and_given_back_like_stored_value(buyer, client, settings):
    await give(buyer.member_id, rebate=700)
    before = await standing(buyer)
    rest = [{"type": "rebate", "amount_fen": 600}, {"type": "stored", "amount_fen": 500}, {"type": "wechat"}]
    whole = [{"type": "rebate", "amount_fen": 700}, {"type": "stored"}]

    held = (await order(buyer, checkout(a6902=1) | {"tenders": rest}, 1_250)).json()
    assert (held["payment"]["pay_fen"], (await buyer.wallet())["rebate_fen"]) == (150, 100)
    assert await findings(settings) == []
    await buyer.call("POST", f"/v1/member/orders/{held['checkout_id']}/cancel")
    assert await standing(buyer) == before
    for tenders, left in ((whole, 0), (rest, 100)):
        made = (await order(buyer, checkout(a6902=1) | {"tenders": tenders}, 1_250)).json()
        if made["payment"]:
            await pay(client, made["payment"]["id"])
            await all_answered(client, made["payment"]["id"], 1)
        assert ((await look(buyer, made))["status"], (await buyer.wallet())["rebate_fen"]) == ("paid", left)
        await buyer.call("POST", f"/v1/member/orders/{made['checkout_id']}/cancel")
        await psp_refunds.advance_due(kernel_clock.now())
        if made["payment"]:
            await all_answered(client, made["payment"]["id"], 2)
        assert (await buyer.wallet())["rebate_fen"] == 700

    assert await standing(buyer) == before


async def test_a_payment_heard_of_twice_counts_once(buyer, client):
    made = await begin(buyer)
    await faults(client, duplicate=True)
    await pay(client, made["payment"]["id"])
    await all_answered(client, made["payment"]["id"], 2)
    await faults(client)

    assert (await look(buyer, made))["status"] == "paid"
    assert (await buyer.wallet())["stored"]["total_fen"] == 1_100


@pytest.mark.parametrize(
    "wrong",
    [{"amount_fen": 1_499}, {"amount_fen": 1_501}, {"currency": "USD"}, {"out_trade_no": "Q" + "0" * 26}],
    ids=["a fen less", "a fen more", "other money", "another order"],
)
async def test_refuses_a_payment_that_is_not_the_order_s(buyer, settings, wrong):
    made = await begin(buyer)
    before = await fingerprint(settings)

    with pytest.raises(CallbackRefused):
        await payments.settle_payment(payment(made, **wrong))

    assert await fingerprint(settings) == before
    await buyer.call("POST", f"/v1/member/orders/{made['checkout_id']}/cancel")


async def test_money_for_an_order_that_was_closed_is_to_go_back_and_no_other_refund_is_its_end(buyer, settings):
    made = await begin(buyer)
    payment_id = made["payment"]["id"]
    await buyer.call("POST", f"/v1/member/orders/{made['checkout_id']}/cancel")

    await payments.settle_payment(payment(made, transaction_id="4200010"))

    assert (await document(buyer, payment_id)).state == "refunding"
    told: dict[str, Any] = {
        "out_trade_no": payment_id,
        "out_refund_no": plans.late_refund_no(payment_id),
        "refund_id": "5000001",
        "amount_fen": 1_500,
        "total_fen": 1_500,
        "status": "SUCCESS",
    }
    before = await fingerprint(settings)
    for wrong in ({"amount_fen": 1_499}, {"out_refund_no": "F1"}):
        with pytest.raises(CallbackRefused):
            await payments.settle_late_refund(Refund(**told | wrong))
    assert await fingerprint(settings) == before
    await payments.settle_late_refund(Refund(**told))
    assert (await document(buyer, payment_id)).state == "refunded"


@pytest.mark.parametrize("how", ["cancelled", "too late"])
async def test_an_order_that_is_not_paid_gives_back_what_it_held_and_late_money_returns(
    buyer, admin, client, clock, how
):
    coupon_id = await give_coupon(admin, buyer, OFF_500)
    await give(buyer.member_id, bonus=300, bonus_until=date(2999, 12, 31))  # it has a last day, so it goes first
    before = await standing(buyer)
    made = await begin(buyer, (coupon_id,))
    payment_id = made["payment"]["id"]
    if how == "cancelled":
        ended = await buyer.call("POST", f"/v1/member/orders/{made['checkout_id']}/cancel")
        assert ended.json()["status"] == "cancelled"
    else:
        clock.shift(timedelta(minutes=16))
        await payments.advance_due(clock.now())
        clock.reset()
    assert (await look(buyer, made))["status"] == ("cancelled" if how == "cancelled" else "closed")
    assert await standing(buyer) == before
    told = "SELECT body->>'by' FROM outbox WHERE member_id = $1 AND name = 'StoredReturned'"
    assert [row[0] for row in await db.fetch(told, buyer.member_id)] == [made["orders"][0]["id"]]
    again = await buyer.call("POST", f"/v1/member/orders/{made['checkout_id']}/pay")
    assert again.json()["code"] == "order_not_payable"

    await pay(client, payment_id, force=True)
    await in_state(buyer, payment_id, "refunding")
    await payments.advance_due(clock.now())

    await in_state(buyer, payment_id, "refunded")
    assert await standing(buyer) == before
    assert (await wechat.query_refund(plans.late_refund_no(payment_id))).amount_fen == made["payment"]["pay_fen"]


async def test_a_payment_and_the_time_out_at_once_end_in_one_of_both(buyer, client, clock):
    """Paid, or closed and given back: never both, never neither."""
    await give(buyer.member_id, principal=9_000)
    before = (await buyer.wallet())["stored"]["total_fen"]
    tenders = [{"type": "stored", "amount_fen": 250}, {"type": "wechat"}]
    made = [(await order(buyer, checkout(a6902=1) | {"tenders": tenders}, 1_250)).json() for _ in range(5)]
    payment_ids = [one["payment"]["id"] for one in made]
    clock.shift(timedelta(minutes=16))

    await asyncio.gather(
        *(pay(client, payment_id, force=True) for payment_id in payment_ids),
        *(payments.advance_due(clock.now()) for _ in range(2)),
        return_exceptions=True,
    )
    for payment_id in payment_ids:
        await all_answered(client, payment_id, 1)
    ends = []
    for payment_id in payment_ids:
        found = await document(buyer, payment_id)
        if found.state == "refunding":
            await payments.advance_due(clock.now())
            found = await in_state(buyer, payment_id, "refunded")
        ends.append(found.state)
    clock.reset()

    assert set(ends) <= {"paid", "refunded"}
    assert (await buyer.wallet())["stored"]["total_fen"] == before - 250 * ends.count("paid")


async def test_an_order_that_never_reached_wechat_is_finished_by_the_retry(buyer, settings):
    body, key = checkout(a6902=1) | {"tenders": [{"type": "wechat"}]}, "never"
    await wechat.open_client(msgspec.structs.replace(settings, wechat_pay_url="http://127.0.0.1:9/mock/wechat"))
    failed = await order(buyer, body, 1_250, key=key)
    await wechat.open_client(settings)

    placed = await order(buyer, body, 1_250, key=key)

    assert failed.status_code >= 500
    assert (placed.status_code, placed.headers["idempotency-replayed"]) == (201, "true")
    assert placed.json()["payment"]["pay_params"]["package"].startswith("prepay_id=")
    assert len((await buyer.call("GET", "/v1/member/orders")).json()["items"]) == 1


async def test_whoever_asks_at_the_same_moment_is_told_to_pay_the_same_way(buyer, settings):
    """A phone sends a checkout again because the first answer was lost; both requests go to WeChat."""
    body, key = checkout(a6902=1) | {"tenders": [{"type": "wechat"}]}, "both"
    await wechat.open_client(msgspec.structs.replace(settings, wechat_pay_url="http://127.0.0.1:9/mock/wechat"))
    await order(buyer, body, 1_250, key=key)
    await wechat.open_client(settings)
    (placed,) = (await buyer.call("GET", "/v1/member/orders")).json()["items"]
    payment_id = await db.fetchval("SELECT payment_id FROM orders_order WHERE id = $1", placed["id"])
    before = await opening.get(buyer.member_id, payment_id)

    both = [await opening.open_at_wechat(before, buyer.openid) for _ in range(2)]

    again = (await order(buyer, body, 1_250, key=key)).json()["payment"]
    assert both[0].pay_params == both[1].pay_params == again["pay_params"]


async def test_a_checkout_at_two_stores_makes_two_orders_and_one_payment(buyer, client):
    body = {"orders": [*checkout(a6902=1)["orders"], *checkout(store_id="S2", a6901=2)["orders"]], "tenders": MIXED}
    quoted = (await buyer.call("POST", "/v1/member/orders/quote", body)).json()
    assert quoted["payable_fen"] == 1_650

    placed = (await order(buyer, body, 1_650, key="two-stores")).json()
    assert (await order(buyer, body, 1_650, key="two-stores")).json() == placed
    assert [[(t["type"], t["amount_fen"]) for t in one["tenders"]] for one in placed["orders"]] == [
        [("points", 100), ("stored", 900), ("wechat", 250)],
        [("wechat", 400)],
    ]
    await pay(client, placed["payment"]["id"])
    await all_answered(client, placed["payment"]["id"], 1)

    listed = (await buyer.call("GET", "/v1/member/orders?status=paid")).json()["items"]
    assert {one["store_id"] for one in listed} == {"S1", "S2"}


async def test_two_stores_are_paid_in_full_by_the_wallet_or_not_at_all(buyer):
    await give(buyer.member_id, principal=650)
    both = [*checkout(a6902=2)["orders"], *checkout(store_id="S2", a6901=1)["orders"]]
    before = await standing(buyer)

    refused = await order(buyer, {"orders": both}, 2_700)
    assert refused.json()["code"] == "insufficient_balance"
    assert await standing(buyer) == before
    both[1]["lines"][0]["qty"], both[0]["lines"][0]["qty"] = 7, 1
    placed = await order(buyer, {"orders": both}, 2_650)

    assert placed.status_code == 201, placed.text
    assert (await buyer.wallet())["stored"]["total_fen"] == 0


async def test_a_payment_whose_time_ends_on_its_way_to_wechat_is_told_so(buyer, clock, monkeypatch):
    clock.shift(timedelta(hours=1))
    await payments.advance_due(clock.now())  # what other tests left unpaid is given up
    clock.reset()
    before = await standing(buyer)
    open_order = wechat.create_order

    async def late(*args: Any, **terms: Any) -> str:
        clock.shift(timedelta(hours=1))
        return await open_order(*args, **terms)

    monkeypatch.setattr(wechat, "create_order", late)

    refused = await order(buyer, checkout(a6902=2) | {"tenders": MIXED}, 2_500)

    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_payable")
    await payments.advance_due(clock.now())
    clock.reset()
    assert await standing(buyer) == before
