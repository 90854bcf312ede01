"""One sale: many refunds give back what was paid and no more; of many decisions one holds."""

from __future__ import annotations

import asyncio
import random
import uuid
from datetime import timedelta

import httpx
import pytest

from backend.kernel import clock
from backend.ledger import queries
from backend.pos.commands import refunds
from backend.pos.commands.sales import expire_sale
from tests.support.races import NoTurns, at_once, codes_of, outcomes
from tests.support.value import findings, give


async def refund(client, till, sale, body) -> httpx.Response:
    """At a till; none is ever told ``stale``."""
    key = uuid.uuid4().hex
    return await till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", body | {"reason": "x"}, key=key)


async def test_refunds_by_amount_give_back_what_was_paid_and_no_more(client, chain, phone, settings):
    await give(phone.member_id, principal=4_000, bonus=3_000, points=500)
    tenders = [{"type": "points", "points": 300}, {"type": "stored", "amount_fen": 5_000}, {"type": "cash"}]
    sale = (await chain.till.sell(client, phone.code(), fen=10_000, tenders=tenders)).json()

    answers = await at_once(refund(client, chain.tills["S1"][n % 2], sale, {"amount_fen": 1_430}) for n in range(10))
    last = await refund(client, chain.till, sale, {"amount_fen": 10_000 - 6 * 1_430})
    too_much = await refund(client, chain.till, sale, {"amount_fen": 1})

    assert outcomes(answers) == {201: 6, "refund_exceeds_paid": 4}
    assert last.status_code == 201
    assert too_much.json()["code"] == "sale_not_refundable"
    given: dict[str, int] = {}
    clawed = 0
    for answer in (*answers, last):
        if answer.status_code == 201:
            clawed += answer.json()["points_clawed_back"]
            for tender in answer.json()["by_tender"]:
                given[tender["type"]] = given.get(tender["type"], 0) + tender["amount_fen"]
    assert given == {"points": 300, "stored": 5_000, "cash": 4_700}
    assert clawed == sale["points_earned"]
    wallet = await phone.wallet()
    assert wallet["stored"] == {"total_fen": 7_000, "principal_fen": 4_000, "bonus_fen": 3_000}
    assert wallet["points"]["available"] == 500
    assert await findings(settings) == []


async def test_no_till_is_told_stale_however_many_processes_refund_a_sale(client, chain, phone, settings, monkeypatch):
    monkeypatch.setattr(refunds, "_turns", NoTurns())
    await give(phone.member_id, principal=10_000)
    sale = (await chain.till.sell(client, phone.code(), fen=9_600)).json()
    path = f"/v1/pos/sales/{sale['id']}/refunds"

    answers = await at_once(
        chain.tills["S1"][n % 2].post(client, path, {"amount_fen": 400, "reason": "x"}) for n in range(26)
    )

    assert outcomes(answers) == {201: 24, "sale_not_refundable": 2}
    assert (await phone.wallet())["stored"]["total_fen"] == 10_000
    assert await findings(settings) == []


async def test_refunds_by_piece_give_back_every_piece_once(client, chain, phone, settings):
    await give(phone.member_id, principal=10_000)
    lines = [
        {"sku": "A", "qty": 3, "unit_price_fen": 333, "discount_fen": 1},
        {"sku": "B", "qty": 2, "unit_price_fen": 77},
    ]
    sale = (await chain.till.sell(client, phone.code(), lines=lines)).json()
    assert sale["payable_fen"] == 998 + 154

    wishes = [{"lines": [{"line_no": 1 + n % 2, "qty": 1}]} for n in range(10)]
    answers = await at_once(refund(client, chain.tills["S1"][n % 2], sale, wish) for n, wish in enumerate(wishes))

    done = [answer.json()["refund_fen"] for answer in answers if answer.status_code == 201]
    assert len(done) == 5
    assert sum(done) == 998 + 154
    assert (await phone.wallet())["stored"]["total_fen"] == 10_000
    assert (await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")).json()["status"] == "refunded"
    assert await findings(settings) == []


async def test_a_refund_beside_a_sale_that_spends_the_points_it_claws_back(client, chain, phone, settings):
    """Either the points are taken back first, or they are owed: they are never both spent and forgotten."""
    await give(phone.member_id, principal=50_000)
    for _ in range(4):
        sale = (await chain.till.sell(client, (await codes_of(phone, 1))[0], fen=10_000)).json()
        held = (await phone.wallet())["points"]["available"]
        (code,) = await codes_of(phone, 1)
        tenders = [{"type": "points", "points": held}]

        back, spent = await at_once(
            [
                refund(client, chain.tills["S1"][0], sale, {"amount_fen": 10_000}),
                chain.tills["S1"][1].sell(client, code, fen=held, tenders=tenders),
            ]
        )

        after = (await phone.wallet())["points"]["available"]
        assert back.status_code == 201
        assert back.json()["points_clawed_back"] == 100
        assert spent.status_code == 201 or spent.json()["code"] in ("insufficient_balance", "stale")
        assert after == held - 100 - (held if spent.status_code == 201 else 0)
        if after < 0:
            await give(phone.member_id, points=-after)
    assert await findings(settings) == []


@pytest.mark.parametrize("seed", range(8))
async def test_of_approve_expire_cancel_and_reject_one_holds(client, chain, phone, settings, seed):
    await give(phone.member_id, principal=50_000)
    order = f"ONE-{seed}"
    sale = (await chain.till.sell(client, phone.code(), fen=30_000, order_no=order)).json()
    assert sale["status"] == "awaiting_confirmation"
    document = await queries.find_document(phone.member_id, sale["id"])
    assert document is not None
    confirmation = f"/v1/member/confirmations/{sale['id']}"

    async def approve() -> str:
        answer = await phone.call("POST", confirmation, {"decision": "approve"})
        return "completed" if answer.status_code == 200 else ""

    async def reject() -> str:
        answer = await phone.call("POST", confirmation, {"decision": "reject"})
        return "rejected" if answer.status_code == 200 else ""

    async def cancel() -> str:
        answer = await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/cancel", None)
        return "cancelled" if answer.status_code == 200 else ""

    async def expire() -> str:
        return "expired" if await expire_sale(document) else ""

    calls = [approve, reject, cancel, expire, approve, reject, cancel, expire]
    random.Random(seed).shuffle(calls)
    said = set(await asyncio.gather(*(call() for call in calls))) - {""}
    stands = (await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")).json()["status"]
    by_order = await chain.till.get(client, f"/v1/pos/sales?order_no={order}")
    (code,) = await codes_of(phone, 1)
    again = await chain.till.sell(client, code, fen=100, order_no=order)

    completed = stands == "completed"
    assert said == {stands}
    assert (await phone.wallet())["stored"]["total_fen"] == (20_000 if completed else 49_900)
    assert by_order.status_code == (200 if completed else 404)
    assert outcomes([again]) == ({"order_exists": 1} if completed else {201: 1})
    assert await findings(settings) == []


async def test_many_approvals_take_the_money_once(client, chain, phone, settings):
    await give(phone.member_id, principal=100_000)
    sale = (await chain.till.sell(client, phone.code(), fen=30_000)).json()
    path = f"/v1/member/confirmations/{sale['id']}"

    answers = await at_once(phone.call("POST", path, {"decision": "approve"}) for _ in range(8))

    assert outcomes(answers) == {200: 8}
    assert {answer.json()["status"] for answer in answers} == {"completed"}
    assert (await phone.wallet())["stored"]["total_fen"] == 70_000
    assert await findings(settings) == []


async def test_several_waiting_sales_do_not_spend_the_same_money(client, chain, phone, settings):
    await give(phone.member_id, principal=100_000)
    codes = await codes_of(phone, 5)
    sales = await at_once(chain.till.sell(client, code, fen=30_000) for code in codes)
    assert {answer.json()["status"] for answer in sales} == {"awaiting_confirmation"}

    answers = await at_once(
        phone.call("POST", f"/v1/member/confirmations/{answer.json()['id']}", {"decision": "approve"})
        for answer in sales
    )

    assert outcomes(answers) == {200: 3, "insufficient_balance": 2}
    assert (await phone.wallet())["stored"]["total_fen"] == 10_000
    assert len((await phone.call("GET", "/v1/member/confirmations")).json()["items"]) == 2
    assert await findings(settings) == []


async def test_an_approval_at_the_last_moment_and_the_clock_agree(client, chain, phone, settings):
    await give(phone.member_id, principal=100_000)
    sale = (await chain.till.sell(client, phone.code(), fen=30_000)).json()
    clock.shift(timedelta(seconds=120))
    try:
        looks = [chain.till.get(client, f"/v1/pos/sales/{sale['id']}") for _ in range(4)]
        approval = phone.call("POST", f"/v1/member/confirmations/{sale['id']}", {"decision": "approve"})
        approved, *seen = await at_once([approval, *looks])
    finally:
        clock.reset()

    assert outcomes([approved]) == {"sale_not_waiting": 1}
    assert {answer.json()["status"] for answer in seen} == {"expired"}
    assert (await phone.wallet())["stored"]["total_fen"] == 100_000
