"""After-sales requests to their end: what goes back to wallet, points, coupons, shelf, and never more than was paid."""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import Any

import pytest
import pytest_asyncio

from backend.kernel import outbox
from backend.ledger import queries as ledger
from backend.members import queries as members
from backend.orders.commands import after_sales
from backend.orders.queries import requests as request_queries
from tests.orders.test_fulfilment import buy, delivery
from tests.support.books import fingerprint
from tests.support.coupons import coupons_of, give_coupon
from tests.support.mall import checkout, order, put, shelf
from tests.support.members import Phone, register
from tests.support.pictures import uploaded
from tests.support.races import outcomes
from tests.support.staff import StaffSession
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"
OFF_500 = {"kind": "cash", "face_fen": 500, "min_spend_fen": 2_000, "validity": {"days": 3}}
SENT = {"carrier": "SF", "tracking_no": "SF1000001"}


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(phone: Phone) -> Phone:
    """Has ¥500 and 2,000 points; ten apples more lie in the store."""
    await give(phone.member_id, principal=40_000, bonus=10_000, points=2_000)
    await put("S1", APPLE, 10, 7_501)
    return phone


async def ask(phone: Phone, order_id: str, kind: str, qty: int = 1, *, key: str | None = None, **more: Any) -> Any:
    body = {"kind": kind, "lines": [{"line_no": 1, "qty": qty}], "reason": "不合适"} | more
    return await phone.call("POST", f"/v1/member/orders/{order_id}/after-sales", body, key=key or uuid.uuid4().hex)


async def step(staff: StaffSession, after_sale_id: str, name: str, body: dict[str, Any] | None = None) -> Any:
    return await staff.post(f"/v1/admin/after-sales/{after_sale_id}/{name}", body or {})


async def sent(phone: Phone, staff: StaffSession, qty: int = 2) -> str:
    order_id = await buy(phone, qty, express=True)
    assert (await staff.post(f"/v1/admin/orders/{order_id}/parcels", SENT)).status_code == 200
    return order_id


async def test_money_alone_before_the_goods_leave_undoes_a_part_of_everything(buyer, admin, manager):
    coupon_id = await give_coupon(admin, buyer, OFF_500)
    wallet, on_shelf = await buyer.wallet(), await shelf("S1", APPLE)
    tenders = [{"type": "points", "points": 250}, {"type": "stored"}]
    made = await order(buyer, checkout(coupon_ids=(coupon_id,), a6902=2) | {"tenders": tenders}, 2_500)
    order_id = made.json()["checkout_id"]
    key = uuid.uuid4().hex

    asked = await ask(buyer, order_id, "refund", key=key)
    again = await ask(buyer, order_id, "refund", key=key)
    other = await ask(buyer, order_id, "refund", 2, key=key)
    waits = await manager.post(f"/v1/admin/orders/{order_id}/ready")
    first = await step(manager, asked.json()["id"], "approve")
    twice = await step(manager, asked.json()["id"], "approve")

    assert (asked.status_code, again.json()) == (201, asked.json())
    assert (other.json()["code"], waits.json()["code"]) == ("idempotency_conflict", "after_sale_open")
    assert (first.json()["status"], first.json()["refund"]["refund_fen"]) == ("refunded", 1_250)
    assert first.json() == twice.json()
    assert [one["step"] for one in first.json()["stages"]] == ["ask", "refund"]
    assert (await shelf("S1", APPLE))[0] == on_shelf[0] - 1
    assert (await delivery(buyer, order_id))["status"] == "paid"

    rest = await ask(buyer, order_id, "refund")
    too_much = await ask(buyer, order_id, "refund")
    done = await step(manager, rest.json()["id"], "approve")

    assert too_much.json()["code"] == "after_sale_unavailable"
    assert done.json()["refund"]["refund_fen"] == 1_250
    assert (await delivery(buyer, order_id))["status"] == "cancelled"
    assert (await buyer.wallet(), await shelf("S1", APPLE)) == (wallet, on_shelf)
    assert [one["state"] for one in await coupons_of(buyer)] == ["available"]


async def test_goods_come_back_before_the_money_and_lie_on_the_shelf_if_they_can_be_sold(buyer, manager):
    order_id = await sent(buyer, manager)
    on_shelf, stored = await shelf("S1", APPLE), (await buyer.wallet())["stored"]["total_fen"]
    good, broken = [(await ask(buyer, order_id, "return")).json()["id"] for _ in range(2)]

    early = [await step(manager, good, "refund"), await step(manager, good, "goods")]
    await step(manager, good, "approve")
    await buyer.call("POST", f"/v1/member/after-sales/{good}/parcel", {"carrier": "YTO", "tracking_no": "YT0001"})
    unpaid = await step(manager, good, "refund")
    await step(manager, good, "goods")
    paid = await step(manager, good, "refund")
    late = await buyer.call("POST", f"/v1/member/after-sales/{good}/cancel")
    await step(manager, broken, "approve", {"amount_fen": 1_000})
    await step(manager, broken, "goods", {"restock": False})
    less = await step(manager, broken, "refund")

    assert outcomes([*early, unpaid, late]) == {"after_sale_conflict": 4}
    assert (paid.json()["refund"]["refund_fen"], less.json()["refund"]["refund_fen"]) == (1_250, 1_000)
    assert (await shelf("S1", APPLE))[0] == on_shelf[0] + 1
    assert (await buyer.wallet())["stored"]["total_fen"] == stored + 2_250


async def test_other_pieces_are_sent_for_those_that_came_back(buyer, manager):
    order_id = await sent(buyer, manager)
    stored, on_shelf = (await buyer.wallet())["stored"], await shelf("S1", APPLE)
    request = (await ask(buyer, order_id, "exchange", 2, fault="shop")).json()["id"]
    await step(manager, request, "approve")
    await step(manager, request, "goods", {"restock": False})
    body = {"carrier": "SF", "tracking_no": "SF2000002"}

    done, again = await step(manager, request, "exchange", body), await step(manager, request, "exchange", body)

    assert done.json()["status"] == again.json()["status"] == "exchanged"
    assert (await shelf("S1", APPLE))[0] == on_shelf[0] - 2
    assert (await buyer.wallet())["stored"] == stored
    assert [one["tracking_no"] for one in (await delivery(buyer, order_id))["parcels"]] == ["SF1000001", "SF2000002"]


async def test_what_is_refused_moves_nothing(buyer, manager):
    order_id = await buy(buyer)
    wallet, on_shelf = await buyer.wallet(), await shelf("S1", APPLE)

    refused = [
        await ask(buyer, order_id, "return"),
        await ask(buyer, order_id, "exchange"),
        await ask(buyer, order_id, "refund", 3),
        await ask(buyer, order_id, "refund", amount_fen=1_251),
    ]
    request = (await ask(buyer, order_id, "refund", amount_fen=1_250)).json()["id"]
    too_much = await step(manager, request, "approve", {"amount_fen": 1_251})
    rejected = await step(manager, request, "reject", {"note": "已备货"})
    after = await step(manager, request, "approve")

    assert outcomes(refused) == {"after_sale_unavailable": 3, "refund_exceeds_paid": 1}
    assert outcomes([too_much, after]) == {"refund_exceeds_paid": 1, "after_sale_conflict": 1}
    assert rejected.json()["status"] == "rejected"
    assert (await buyer.wallet(), await shelf("S1", APPLE)) == (wallet, on_shelf)


async def test_a_request_brings_its_member_s_pictures_as_evidence_once(buyer, client, manager, stranger):
    other = await register(client)
    order_id, key = await sent(buyer, manager), uuid.uuid4().hex
    mine, theirs = await uploaded(buyer, "red"), await uploaded(other, "green")

    refused = [await ask(buyer, order_id, "return", pictures=pictures) for pictures in ([theirs], [mine, mine], ["x"])]
    none = (await buyer.call("GET", f"/v1/member/after-sales?order_id={order_id}")).json()["items"]
    asked = await ask(buyer, order_id, "return", key=key, pictures=[mine])
    again = await ask(buyer, order_id, "return", key=key, pictures=[mine])
    without = await ask(buyer, order_id, "return", key=key)
    twice = await ask(buyer, order_id, "return", pictures=[mine])
    path = f"/v1/admin/after-sales/{asked.json()['id']}"
    (seen,) = (await manager.get(path)).json()["pictures"]

    assert outcomes(refused) == {"not_found": 1, "validation_failed": 2}
    assert (none, again.json()["id"], seen["id"]) == ([], asked.json()["id"], mine)
    assert outcomes([without, twice]) == {"idempotency_conflict": 1, "not_found": 1}
    assert (await client.get(seen["small_url"])).status_code == 200
    assert (await stranger.get(path)).status_code == 404


async def test_requests_are_listed_by_order_among_one_s_own(buyer, client, manager, stranger):
    first, second = await sent(buyer, manager), await buy(buyer)
    asked = [(await ask(buyer, first, "return")).json()["id"], (await ask(buyer, second, "refund")).json()["id"]]

    listed = [
        [one["id"] for one in (await buyer.call("GET", f"/v1/member/after-sales?order_id={one}")).json()["items"]]
        for one in (first, second, "O-none")
    ]
    staffs = (await manager.get(f"/v1/admin/after-sales?order_id={second}")).json()["items"]

    others = [
        await (await register(client)).call("GET", f"/v1/member/after-sales?order_id={first}"),
        await stranger.get(f"/v1/admin/after-sales?order_id={first}"),
    ]

    assert listed == [[asked[0]], [asked[1]], []]
    assert [one["id"] for one in staffs] == [asked[1]]
    assert [answer.json()["items"] for answer in others] == [[], []]


async def test_growth_follows_what_was_bought_and_given_back(buyer, manager):
    async def growth() -> int:
        await outbox.drain()
        return (await members.get_member(buyer.member_id)).growth_fen

    before = await growth()
    order_id = await sent(buyer, manager)
    bought = await growth()
    request = (await ask(buyer, order_id, "return")).json()["id"]
    for name in ("approve", "goods", "refund", "refund"):
        assert (await step(manager, request, name)).status_code == 200
    half = await growth()
    cancelled = await buy(buyer, 1)
    await buyer.call("POST", f"/v1/member/orders/{cancelled}/cancel")

    assert (bought - before, half - before, await growth() - before) == (2_500, 1_250, 1_250)


async def test_two_requests_for_the_last_piece_and_two_decisions_are_one(buyer, manager):
    order_id = await buy(buyer, 1)
    stored = (await buyer.wallet())["stored"]["total_fen"]

    asked = await asyncio.gather(*(ask(buyer, order_id, "refund") for _ in range(6)))
    request = next(answer.json()["id"] for answer in asked if answer.status_code == 201)
    decided = await asyncio.gather(
        *(step(manager, request, "approve") for _ in range(5)),
        buyer.call("POST", f"/v1/member/orders/{order_id}/cancel"),
        buyer.call("POST", f"/v1/member/orders/{order_id}/cancel"),
    )

    assert outcomes(asked) == {201: 1, "after_sale_unavailable": 5}
    assert all(answer.status_code == 200 or answer.status_code == 409 for answer in decided)
    assert (await buyer.wallet())["stored"]["total_fen"] == stored + 1_250


async def test_who_approves_while_somebody_else_does_is_answered_the_same(buyer, manager, monkeypatch):
    """The request is read as it waits; then somebody else pays it, before anything else is read."""
    order_id = await buy(buyer, 2)
    request = (await ask(buyer, order_id, "refund", 2)).json()["id"]
    read, answers, reads = request_queries.find_after_sale, [], []

    async def overtaken(member_id: int, after_sale_id: str) -> Any:
        found = await read(member_id, after_sale_id)
        reads.append(found)
        if len(reads) == 2:  # the first is the look whether this person may see it
            answers.append(await step(manager, request, "approve"))
        return found

    monkeypatch.setattr(request_queries, "find_after_sale", overtaken)
    answers.append(await step(manager, request, "approve"))

    assert [(one.status_code, one.json().get("status")) for one in answers] == [(200, "refunded")] * 2
    assert answers[0].json() == answers[1].json()


async def test_who_cancels_while_somebody_else_does_is_answered_the_same(buyer, monkeypatch):
    """The order is read as it is paid; then it is cancelled, before its document is read."""
    order_id = await buy(buyer, 1)
    stored = (await buyer.wallet())["stored"]["total_fen"]
    read, answers, reads = ledger.find_document, [], []
    path = f"/v1/member/orders/{order_id}/cancel"

    async def overtaken(member_id: int, document_id: str) -> Any:
        reads.append(document_id)
        if len(reads) == 1:
            answers.append(await buyer.call("POST", path))
        return await read(member_id, document_id)

    monkeypatch.setattr(ledger, "find_document", overtaken)
    answers.append(await buyer.call("POST", path))

    assert [(one.status_code, one.json().get("status")) for one in answers] == [(200, "cancelled")] * 2
    assert (await buyer.wallet())["stored"]["total_fen"] == stored + 1_250


async def test_an_order_of_which_a_part_was_given_back_is_not_cancelled(buyer, manager, settings):
    order_id = await buy(buyer, 2)
    await step(manager, (await ask(buyer, order_id, "refund")).json()["id"], "approve")
    before = await fingerprint(settings)

    refused = await buyer.call("POST", f"/v1/member/orders/{order_id}/cancel")

    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_cancellable")
    assert "given back" in refused.json()["detail"]
    assert await fingerprint(settings) == before


async def test_a_return_whose_goods_never_came_is_ended_and_its_pieces_may_be_asked_for_again(buyer, manager):
    order_id = await sent(buyer, manager)
    stored, on_shelf = (await buyer.wallet())["stored"]["total_fen"], await shelf("S1", APPLE)
    request = (await ask(buyer, order_id, "return", 2)).json()["id"]
    await step(manager, request, "approve")
    way = {"carrier": "SF", "tracking_no": "SF2000002"}
    assert (await buyer.call("POST", f"/v1/member/after-sales/{request}/parcel", way)).status_code == 200

    withdrawn = await buyer.call("POST", f"/v1/member/after-sales/{request}/cancel")
    ended = await step(manager, request, "reject", {"note": "没有收到"})
    came = await step(manager, request, "goods")
    again = await ask(buyer, order_id, "return", 2)

    assert outcomes([withdrawn, came]) == {"after_sale_conflict": 2}
    assert (ended.json()["status"], again.status_code) == ("rejected", 201)
    assert ((await buyer.wallet())["stored"]["total_fen"], await shelf("S1", APPLE)) == (stored, on_shelf)


async def test_staff_agree_to_no_more_than_the_pieces_cost(buyer, manager, settings):
    order_id = await sent(buyer, manager)
    request = (await ask(buyer, order_id, "return")).json()["id"]
    before = await fingerprint(settings)

    refused = await step(manager, request, "approve", {"amount_fen": 1_251})

    assert (refused.status_code, refused.json()["code"]) == (409, "refund_exceeds_paid")
    assert await fingerprint(settings) == before
    agreed = await step(manager, request, "approve", {"amount_fen": 1_250})
    assert (agreed.json()["status"], agreed.json()["agreed_fen"]) == ("approved", 1_250)


async def test_a_line_that_is_named_twice_is_refused(buyer, manager, settings):
    order_id = await buy(buyer, 3, express=True)
    twice = [{"line_no": 1, "qty": 1}, {"line_no": 1, "qty": 2}]
    before = await fingerprint(settings)

    asked = await ask(buyer, order_id, "refund", lines=twice)
    packed = await manager.post(f"/v1/admin/orders/{order_id}/parcels", SENT | {"lines": twice})

    for refused in (asked, packed):
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/lines")
    assert await fingerprint(settings) == before


@pytest.mark.parametrize("seed", [5, 17])
async def test_nobody_gets_more_than_was_paid_whatever_is_asked_and_decided(buyer, admin, manager, seed):
    chance = random.Random(seed)
    before = await buyer.wallet()
    on_shelf = (await shelf("S1", APPLE))[0]
    coupon_id = await give_coupon(admin, buyer, OFF_500)
    qty = chance.randint(2, 4)
    tenders = [{"type": "points", "points": chance.randint(1, 900)}, {"type": "stored"}]
    body = checkout(coupon_ids=(coupon_id,), a6902=qty) | {"tenders": tenders}
    order_id = (await order(buyer, body, 1_250 * qty)).json()["checkout_id"]
    requests: list[str] = []
    for _ in range(14):
        act = chance.choice(("ask", "ask", "approve", "approve", "goods", "refund", "reject", "cancel"))
        if act == "ask":
            amount: dict[str, Any] = {"amount_fen": chance.randint(1, 3_000)} if chance.random() < 0.4 else {}
            asked = await ask(buyer, order_id, chance.choice(("refund", "return")), chance.randint(1, 2), **amount)
            requests += [asked.json()["id"]] if asked.status_code == 201 else []
        elif requests:
            request = chance.choice(requests)
            if act == "cancel":
                await buyer.call("POST", f"/v1/member/after-sales/{request}/cancel")
            else:
                await step(manager, request, act, {"note": "x"})
    refunded = (await buyer.call("GET", f"/v1/member/orders/{order_id}")).json()["refunded_fen"]
    wallet = await buyer.wallet()

    assert 0 <= refunded <= 1_250 * qty
    assert wallet["stored"]["total_fen"] <= before["stored"]["total_fen"]
    assert wallet["points"]["available"] <= before["points"]["available"] + 40
    assert (await shelf("S1", APPLE))[0] <= on_shelf


async def test_a_piece_that_was_exchanged_is_exchanged_again_and_given_back(buyer, manager):
    order_id = await sent(buyer, manager)
    stored, on_shelf = (await buyer.wallet())["stored"]["total_fen"], await shelf("S1", APPLE)

    async def exchange(tracking_no: str) -> Any:
        request = (await ask(buyer, order_id, "exchange")).json()["id"]
        await step(manager, request, "approve")
        await step(manager, request, "goods")
        return request, await step(manager, request, "exchange", {"carrier": "SF", "tracking_no": tracking_no})

    _, first = await exchange("SF3000001")
    second_id, known = await exchange("SF3000001")
    second = await step(manager, second_id, "exchange", {"carrier": "SF", "tracking_no": "SF3000002"})
    _, third = await exchange("SF3000003")
    rest = (await ask(buyer, order_id, "return", 2)).json()["id"]
    await step(manager, rest, "approve")
    await step(manager, rest, "goods")
    paid = await step(manager, rest, "refund")

    assert outcomes([first, known, second, third, paid]) == {200: 4, "shipment_invalid": 1}
    assert paid.json()["refund"]["refund_fen"] == 2_500
    assert (await buyer.wallet())["stored"]["total_fen"] == stored + 2_500
    assert (await shelf("S1", APPLE))[0] == on_shelf[0] + 2


async def test_what_an_exchange_sends_is_not_what_is_still_to_be_sent(buyer, manager):
    order_id = await buy(buyer, 2, express=True)
    one = {"lines": [{"line_no": 1, "qty": 1}]}
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", SENT | one)
    request = (await ask(buyer, order_id, "exchange")).json()["id"]
    for name, body in (("approve", {}), ("goods", {}), ("exchange", {"carrier": "SF", "tracking_no": "SF4000001"})):
        assert (await step(manager, request, name, body)).status_code == 200

    rest = await manager.post(f"/v1/admin/orders/{order_id}/parcels", {"carrier": "SF", "tracking_no": "SF4000002"})
    received = await buyer.call("POST", f"/v1/member/orders/{order_id}/receipt")

    assert rest.status_code == 200, rest.text
    assert received.json()["status"] == "received"


async def test_an_order_is_not_cancelled_while_a_request_waits_and_takes_no_requests_without_end(
    buyer, manager, monkeypatch
):
    monkeypatch.setattr(after_sales, "MOST_REQUESTS", 2)
    monkeypatch.setattr(after_sales, "MOST_STEPS", 3)
    order_id, wallet = await buy(buyer), await buyer.wallet()
    first = (await ask(buyer, order_id, "refund")).json()["id"]

    waits = await buyer.call("POST", f"/v1/member/orders/{order_id}/cancel")
    await buyer.call("POST", f"/v1/member/after-sales/{first}/cancel")
    second = await ask(buyer, order_id, "refund", 2)
    await step(manager, second.json()["id"], "reject", {"note": "已备货"})
    third = await ask(buyer, order_id, "refund")

    assert (waits.json()["code"], third.json()["code"]) == ("after_sale_open", "after_sale_unavailable")
    assert await buyer.wallet() == wallet
    assert (await buyer.call("POST", f"/v1/member/orders/{order_id}/cancel")).json()["status"] == "cancelled"

    returned = (await ask(buyer, await sent(buyer, manager), "return")).json()["id"]
    await step(manager, returned, "approve")
    parcels = [
        await buyer.call(
            "POST", f"/v1/member/after-sales/{returned}/parcel", SENT | {"tracking_no": f"SF500000{number}"}
        )
        for number in range(2)
    ]
    assert outcomes(parcels) == {200: 1, "after_sale_conflict": 1}
