"""Refunds of sales with coupons, and sales with coupons that wait for the phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_asyncio

from backend.kernel import db, events, outbox
from backend.worker import DOMAINS
from tests.flows.test_coupon_sales import booked
from tests.support.books import fingerprint
from tests.support.coupons import CASH, VALUE, by_coupons, coupons_of, give_coupon, log_in_again
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


async def sell(client, chain, phone, *coupon_ids, fen=12_000, rest="cash"):
    answer = await chain.till.sell(client, phone.code(), fen=fen, tenders=by_coupons(*coupon_ids, rest=rest))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def refund(client, chain, sale, **what):
    answer = await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", {"reason": "不想要了"} | what)
    assert answer.status_code == 201, answer.text
    given = answer.json()
    assert sum(tender["amount_fen"] for tender in given["by_tender"]) == given["refund_fen"]
    return given


def by_type(given):
    return {tender["type"]: tender["amount_fen"] for tender in given["by_tender"]}


async def test_a_coupon_comes_back_when_all_of_it_was_refunded(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone)
    sale = await sell(client, chain, phone, coupon_id)

    half = await refund(client, chain, sale, amount_fen=6_000)
    still_used = await coupons_of(phone)
    rest = await refund(client, chain, sale, amount_fen=6_000)

    assert half["by_tender"] == [
        {"type": "coupon", "amount_fen": 1_000, "coupon_id": coupon_id},
        {"type": "cash", "amount_fen": 5_000},
    ]
    assert (half["coupons_returned"], still_used) == ([], [])
    assert rest["coupons_returned"] == [{"id": coupon_id, "state": "available"}]
    assert [(coupon["id"], coupon["balance"]) for coupon in await coupons_of(phone)] == [(coupon_id, 1)]
    assert {account for account, _, _ in await booked(sale["id"])} == {"house.points_issued", "house.points_clawed"}
    assert await findings(settings) == []


async def test_what_would_not_have_earned_the_coupon_takes_it_back_first(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone, CASH | {"refund": "claw_back"})
    sale = await sell(client, chain, phone, coupon_id)

    given = await refund(client, chain, sale, amount_fen=6_000)

    assert by_type(given) == {"coupon": 2_000, "cash": 4_000}
    assert given["coupons_returned"] == [{"id": coupon_id, "state": "available"}]
    assert await findings(settings) == []


async def test_a_forfeited_coupon_never_comes_back(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone, CASH | {"refund": "forfeit"})
    sale = await sell(client, chain, phone, coupon_id)

    given = await refund(client, chain, sale, amount_fen=12_000)

    assert by_type(given) == {"coupon": 2_000, "cash": 10_000}
    assert (given["coupons_returned"], await coupons_of(phone)) == ([], [])
    assert not any(account.startswith("house.coupon_cost") for account, _, _ in await booked(sale["id"]))
    assert await findings(settings) == []


async def test_shares_of_a_value_coupon_go_back_to_its_balance(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone, VALUE | {"refund": "split"})
    sale = await sell(client, chain, phone, coupon_id, fen=10_000)

    first = await refund(client, chain, sale, amount_fen=3_000)
    second = await refund(client, chain, sale, amount_fen=7_000)

    assert first["coupons_returned"] == [{"id": coupon_id, "state": "available", "amount_fen": 1_500}]
    assert second["coupons_returned"] == [{"id": coupon_id, "state": "available", "amount_fen": 3_500}]
    assert [coupon["balance"] for coupon in await coupons_of(phone)] == [5_000]
    assert await findings(settings) == []


async def test_a_coupon_that_comes_back_after_its_last_day_is_expired(client, chain, admin, phone, clock, settings):
    coupon_id = await give_coupon(admin, phone, CASH | {"validity": {"days": 2}})
    sale = await sell(client, chain, phone, coupon_id)
    clock.shift(timedelta(days=2))

    given = await refund(client, chain, sale, amount_fen=12_000)

    assert given["coupons_returned"] == [{"id": coupon_id, "state": "expired"}]
    await log_in_again(phone)
    assert await coupons_of(phone) == []
    assert [coupon["id"] for coupon in await coupons_of(phone, "expired")] == [coupon_id]
    assert await findings(settings) == []


async def test_a_coupon_that_came_back_pays_again(client, chain, admin, phone, clock, settings):
    coupon_id = await give_coupon(admin, phone)
    first = await sell(client, chain, phone, coupon_id)
    await refund(client, chain, first, amount_fen=12_000)
    clock.shift(timedelta(seconds=15))

    second = await sell(client, chain, phone, coupon_id)

    assert second["tenders"][0]["amount_fen"] == 2_000
    assert await findings(settings) == []


async def test_a_repeated_refund_gives_its_first_answer(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone)
    sale = await sell(client, chain, phone, coupon_id)
    path, body = f"/v1/pos/sales/{sale['id']}/refunds", {"amount_fen": 12_000, "reason": "x"}

    first = await chain.till.post(client, path, body, key="coupon-back")
    again = await chain.till.post(client, path, body, key="coupon-back")

    assert first.status_code == 201, first.text
    assert first.json()["coupons_returned"] == [{"id": coupon_id, "state": "available"}]
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert await findings(settings) == []


async def test_how_a_coupon_ended_is_shown_and_forgotten_when_it_is_back(client, chain, admin, phone):
    events.load(DOMAINS)
    coupon_id = await give_coupon(admin, phone)
    sale = await sell(client, chain, phone, coupon_id)

    await outbox.drain()
    used = (await phone.call("GET", f"/v1/member/coupons/{coupon_id}")).json()
    await refund(client, chain, sale, amount_fen=12_000)
    await outbox.drain()
    back = (await phone.call("GET", f"/v1/member/coupons/{coupon_id}")).json()

    assert (used["state"], used["used_in"]) == ("used", sale["id"])
    assert (back["state"], back["used_in"], back["ended_at"]) == ("available", None, None)


# ------------------------------------------------------------------------------------------------ sales that wait


async def wait(client, chain, phone, coupon_id):
    await give(phone.member_id, principal=50_000)
    sale = await sell(client, chain, phone, coupon_id, fen=30_000, rest="stored")
    assert sale["status"] == "awaiting_confirmation"
    return sale


async def decide(phone, sale, decision="approve"):
    return await phone.call("POST", f"/v1/member/confirmations/{sale['id']}", {"decision": decision})


async def test_a_waiting_sale_keeps_its_price_and_takes_the_coupon_when_it_is_approved(
    client, chain, admin, phone, settings
):
    coupon_id = await give_coupon(admin, phone)
    sale = await wait(client, chain, phone, coupon_id)
    reserved = await coupons_of(phone)
    (asked,) = (await phone.call("GET", "/v1/member/confirmations")).json()["items"]

    approved = await decide(phone, sale)

    assert [coupon["id"] for coupon in reserved] == [coupon_id]
    assert (asked["payable_fen"], asked["coupon_fen"]) == (30_000, 2_000)
    assert approved.json()["status"] == "completed"
    assert await coupons_of(phone) == []
    polled = (await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")).json()
    assert polled["tenders"][0] == {"type": "coupon", "amount_fen": 2_000, "coupon_id": coupon_id}
    assert (polled["points_earned"], polled["balances"]["stored_fen"]) == (280, 22_000)
    given = await refund(client, chain, sale, amount_fen=30_000)
    assert given["coupons_returned"] == [{"id": coupon_id, "state": "available"}]
    assert await findings(settings) == []


async def test_a_coupon_that_went_meanwhile_leaves_the_sale_waiting(client, chain, admin, phone, clock, settings):
    coupon_id = await give_coupon(admin, phone)
    sale = await wait(client, chain, phone, coupon_id)
    clock.shift(timedelta(seconds=15))
    await sell(client, chain, phone, coupon_id)
    before = await fingerprint(settings)

    refused = await decide(phone, sale)

    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_unavailable")
    assert refused.json()["coupon_id"] == coupon_id
    assert await fingerprint(settings) == before
    assert (await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")).json()["status"] == "awaiting_confirmation"
    assert (await decide(phone, sale, "reject")).json()["status"] == "rejected"
    assert await findings(settings) == []


@pytest.mark.parametrize("end", ["reject", "cancel"])
async def test_a_sale_that_does_not_go_through_leaves_the_coupon(client, chain, admin, phone, settings, end):
    coupon_id = await give_coupon(admin, phone)
    sale = await wait(client, chain, phone, coupon_id)

    if end == "reject":
        await decide(phone, sale, "reject")
    else:
        await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/cancel", {})

    assert [coupon["id"] for coupon in await coupons_of(phone)] == [coupon_id]
    moved = await db.fetchval("SELECT count(*) FROM ledger_transfer WHERE document_id = $1", sale["id"])
    assert moved == 0
    assert await findings(settings) == []
