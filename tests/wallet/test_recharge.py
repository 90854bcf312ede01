"""Recharges as a phone makes them: offers, free amounts, keys, what is refused."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import msgspec
import pytest

from backend.kernel import live
from backend.ledger import queries as ledger
from backend.wechat import service as wechat
from tests.support import recharge
from tests.support.members import register

pytestmark = pytest.mark.usefixtures("books")


async def test_a_free_amount_is_credited_as_principal_when_it_is_paid(client, phone):
    order = await recharge.begin(phone, amount_fen=12_345)
    assert order["status"] == "pending"
    assert order["id"] == order["out_trade_no"]
    assert set(order["pay_params"]) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert await recharge.status(phone, order["id"]) == "pending"

    paid = await recharge.pay(client, order["id"])

    assert paid.status_code == 200
    await recharge.in_state(phone, order["id"], "paid")
    assert (await phone.wallet())["stored"] == {"total_fen": 12_345, "principal_fen": 12_345, "bonus_fen": 0}
    shown = (await phone.call("GET", f"/v1/member/recharges/{order['id']}")).json()
    assert shown == {"id": order["id"], "status": "paid", "pay_fen": 12_345, "bonus_fen": 0, "points": 0}


async def test_an_offer_gives_bonus_and_points_that_expire(client, phone, offers, clock):
    order = await recharge.begin(phone, offer_id=offers.big)
    async with live.subscribe(phone.member_id) as inbox:
        await recharge.pay(client, order["id"])
        await recharge.in_state(phone, order["id"], "paid")
        pushed = await asyncio.wait_for(inbox.get(), 60)

    assert pushed == {
        "type": "recharged",
        "data": {"id": order["id"], "pay_fen": 50_000, "bonus_fen": 5_000, "points": 500},
    }
    wallet = await phone.wallet()
    assert wallet["stored"] == {"total_fen": 55_000, "principal_fen": 50_000, "bonus_fen": 5_000}
    assert wallet["points"]["available"] == 500
    on = clock.local_date(clock.now(), "Asia/Shanghai")
    assert wallet["points"]["expiring"] == [{"points": 500, "on": clock.end_of_month(on, 12).isoformat()}]
    bonus = [lot for lot in await ledger.list_open_lots(phone.member_id, "stored") if lot.part == "bonus"]
    assert [(lot.remaining, lot.expires_on) for lot in bonus] == [(5_000, clock.days_after(on, 30))]


async def test_an_offer_for_the_first_recharge_is_hidden_after_any_recharge(client, phone, offers):
    before = (await phone.call("GET", "/v1/member/recharge-offers")).json()["items"]
    assert before == [
        {"id": offers.first, "pay_fen": 10_000, "bonus_fen": 3_000, "points": 0, "first_only": True},
        {"id": offers.big, "pay_fen": 50_000, "bonus_fen": 5_000, "points": 500, "first_only": False},
    ]
    order = await recharge.begin(phone, amount_fen=100)
    await recharge.pay(client, order["id"])
    await recharge.in_state(phone, order["id"], "paid")

    after = (await phone.call("GET", "/v1/member/recharge-offers")).json()["items"]
    refused = await phone.call("POST", "/v1/member/recharges", {"offer_id": offers.first}, key="again")

    assert [item["id"] for item in after] == [offers.big]
    assert (refused.status_code, refused.json()["code"]) == (409, "offer_unavailable")


async def test_of_two_first_recharges_one_gets_the_gift_and_both_their_money(client, phone, offers):
    orders = [await recharge.begin(phone, offer_id=offers.first) for _ in range(2)]

    await asyncio.gather(*(recharge.pay(client, order["id"]) for order in orders))

    for order in orders:
        await recharge.in_state(phone, order["id"], "paid")
    assert (await phone.wallet())["stored"] == {"total_fen": 23_000, "principal_fen": 20_000, "bonus_fen": 3_000}
    shown = [(await phone.call("GET", f"/v1/member/recharges/{order['id']}")).json()["bonus_fen"] for order in orders]
    assert sorted(shown) == [0, 3_000]


async def test_one_key_is_one_order_however_many_requests(phone):
    key = uuid.uuid4().hex

    answers = await asyncio.gather(
        *(phone.call("POST", "/v1/member/recharges", {"amount_fen": 500}, key=key) for _ in range(12))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert len(await ledger.list_documents(phone.member_id, "recharge", states=["pending"], limit=9)) == 1


async def test_a_retry_gets_the_first_answer_also_after_the_payment(client, phone):
    key = uuid.uuid4().hex
    first = await recharge.begin(phone, key=key, amount_fen=700)
    await recharge.pay(client, first["id"])
    await recharge.in_state(phone, first["id"], "paid")

    again = await phone.call("POST", "/v1/member/recharges", {"amount_fen": 700}, key=key)
    other = await phone.call("POST", "/v1/member/recharges", {"amount_fen": 701}, key=key)

    assert (again.status_code, again.json()) == (201, first)
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_a_retry_finishes_what_wechat_could_not_do(client, phone, settings):
    key = uuid.uuid4().hex
    await wechat.open_client(msgspec.structs.replace(settings, wechat_pay_url="http://127.0.0.1:9/mock/wechat"))
    try:
        failed = await phone.call("POST", "/v1/member/recharges", {"amount_fen": 800}, key=key)
    finally:
        await wechat.open_client(settings)
    assert (failed.status_code, failed.json()["code"]) == (503, "unavailable")
    assert int(failed.headers["retry-after"]) > 0
    (begun,) = await ledger.list_documents(phone.member_id, "recharge", states=["pending"], limit=9)

    order = await recharge.begin(phone, key=key, amount_fen=800)

    assert order["id"] == begun.id
    await recharge.pay(client, order["id"])
    await recharge.in_state(phone, order["id"], "paid")
    assert (await phone.wallet())["stored"]["total_fen"] == 800


async def test_a_retry_after_the_order_ended_is_told_to_start_anew(phone, settings, clock):
    key = uuid.uuid4().hex
    await wechat.open_client(msgspec.structs.replace(settings, wechat_pay_url="http://127.0.0.1:9/mock/wechat"))
    try:
        await phone.call("POST", "/v1/member/recharges", {"amount_fen": 800}, key=key)
    finally:
        await wechat.open_client(settings)
    for _ in range(2):  # a token lives for 15 minutes
        clock.shift(timedelta(minutes=14))
        fresh = (await phone.client.post("/v1/member/token", json={"refresh_token": phone.refresh_token})).json()
        phone.access_token, phone.refresh_token = fresh["access_token"], fresh["refresh_token"]
    clock.shift(timedelta(minutes=2, seconds=1))

    refused = await phone.call("POST", "/v1/member/recharges", {"amount_fen": 800}, key=key)

    assert (refused.status_code, refused.json()["code"]) == (409, "recharge_closed")


async def test_an_order_whose_time_ends_on_its_way_to_wechat_is_told_so(phone, clock, monkeypatch):
    """The clock goes on while WeChat is asked; its word for an end that is over is that it refuses."""
    open_order = wechat.create_order

    async def late(*args, **terms):
        clock.shift(timedelta(hours=1))
        return await open_order(*args, **terms)

    monkeypatch.setattr(wechat, "create_order", late)

    refused = await phone.call("POST", "/v1/member/recharges", {"amount_fen": 800}, key=uuid.uuid4().hex)

    assert (refused.status_code, refused.json()["code"]) == (409, "recharge_closed")
    clock.reset()
    assert (await phone.wallet())["stored"]["total_fen"] == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/offer_id"),
        ({"offer_id": "O1", "amount_fen": 100}, "/offer_id"),
        ({"amount_fen": 99}, "/amount_fen"),
        ({"amount_fen": 500_001}, "/amount_fen"),
        ({"amount_fen": 0}, "/amount_fen"),
        ({"amount_fen": "100"}, "/amount_fen"),
        ({"amount_fen": 100.5}, "/amount_fen"),
        ({"offer_id": ""}, "/offer_id"),
        ({"amount_fen": 100, "bonus_fen": 100}, "/bonus_fen"),
    ],
)
async def test_refuses_a_recharge_that_is_neither_an_offer_nor_an_amount_in_bounds(bystander, body, pointer):
    refused = await bystander.call("POST", "/v1/member/recharges", body, key=uuid.uuid4().hex)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert await ledger.list_documents(bystander.member_id, "recharge", states=["pending"], limit=9) == []


async def test_refuses_an_offer_nobody_made(bystander):
    refused = await bystander.call("POST", "/v1/member/recharges", {"offer_id": "O-NO-SUCH"}, key="x")

    assert (refused.status_code, refused.json()["code"]) == (409, "offer_unavailable")


async def test_needs_a_key(bystander):
    refused = await bystander.call("POST", "/v1/member/recharges", {"amount_fen": 100})

    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_required")


async def test_another_members_recharge_is_not_there(client, phone):
    order = await recharge.begin(phone, amount_fen=100)
    other = await register(client)

    for recharge_id in (order["id"], "R" + "0" * 26, "R1", order["id"].lower()):
        answer = await other.call("GET", f"/v1/member/recharges/{recharge_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
