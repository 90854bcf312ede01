"""Refunds over HTTP: shares, lots, points owed, keys."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from backend.ledger import queries as ledger
from tests.support.value import findings, give


async def refund(client, chain, sale, body, **more):
    return await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", {"reason": "不想要了"} | body, **more)


async def test_lines_then_the_rest_give_everything_back_to_its_lots(client, chain, phone, settings):
    await give(phone.member_id, principal=600, bonus=900, points=300)
    sale = (
        await chain.till.sell(
            client,
            phone.code(),
            lines=[{"sku": "a", "qty": 3, "unit_price_fen": 333}, {"sku": "b", "qty": 1, "unit_price_fen": 501}],
            tenders=[{"type": "points", "points": 300}, {"type": "stored"}],
        )
    ).json()
    assert sale["payable_fen"] == 1_500

    first = await refund(client, chain, sale, {"lines": [{"line_no": 1, "qty": 1}]})
    rest = await refund(client, chain, sale, {"amount_fen": 1_500 - 333})

    assert first.status_code == 201, first.text
    assert first.json()["refund_fen"] == 333
    lines = (await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")).json()["lines"]
    assert sum(line.get("refunded_fen", 0) for line in lines) == 1_500
    assert [line.get("refunded_qty", 0) for line in lines] == [1, 0]
    assert sum(t["amount_fen"] for t in first.json()["by_tender"]) == 333
    assert rest.status_code == 201, rest.text
    assert rest.json()["points_returned"] + first.json()["points_returned"] == 300
    assert first.json()["points_clawed_back"] + rest.json()["points_clawed_back"] == sale["points_earned"]
    wallet = await phone.wallet()
    assert wallet["stored"] == {"total_fen": 1_500, "principal_fen": 600, "bonus_fen": 900}
    assert wallet["points"]["available"] == 300
    assert (await chain.till.get(client, f"/v1/pos/sales/{sale['id']}")).json()["status"] == "refunded"
    more = await refund(client, chain, sale, {"amount_fen": 1})
    assert (more.status_code, more.json()["code"]) == (409, "sale_not_refundable")
    assert await findings(settings) == []


async def test_points_already_spent_are_owed_and_the_next_ones_pay(client, chain, phone, clock, settings):
    earned = (await chain.till.sell(client, phone.code(), fen=20_000, tenders=[{"type": "cash"}])).json()
    clock.shift(timedelta(seconds=15))
    spent = await chain.till.sell(client, phone.code(), fen=150, tenders=[{"type": "points", "points": 150}])
    assert spent.status_code == 201, spent.text

    back = (await refund(client, chain, earned, {"amount_fen": 20_000})).json()

    assert back["points_clawed_back"] == 200
    assert back["by_tender"] == [{"type": "cash", "amount_fen": 20_000}]
    assert (await phone.wallet())["points"]["available"] == -150
    clock.shift(timedelta(seconds=15))
    refused = await chain.till.sell(client, phone.code(), fen=10, tenders=[{"type": "points", "points": 10}])
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_balance")
    clock.shift(timedelta(seconds=15))
    next_one = await chain.till.sell(client, phone.code(), fen=18_000, tenders=[{"type": "cash"}])
    assert next_one.json()["balances"]["points"] == 30
    assert (await phone.wallet())["points"]["available"] == 30
    held = await ledger.get_balances(phone.member_id)  # the debt is paid, not only counted against
    assert (held["points"], held["points_debt"]) == (30, 0)
    assert await findings(settings) == []


async def test_points_given_back_while_points_are_owed_cannot_be_spent(client, chain, phone, settings, clock):
    earned = (await chain.till.sell(client, phone.code(), fen=20_000, tenders=[{"type": "cash"}])).json()
    clock.shift(timedelta(seconds=15))
    by_points = [{"type": "points", "points": 150}]
    spent = (await chain.till.sell(client, phone.code(), fen=150, tenders=by_points)).json()
    assert (await refund(client, chain, earned, {"amount_fen": 20_000})).status_code == 201
    assert (await refund(client, chain, spent, {"amount_fen": 150})).json()["points_returned"] == 150
    clock.shift(timedelta(seconds=15))

    refused = await chain.till.sell(client, phone.code(), fen=10, tenders=[{"type": "points", "points": 10}])

    assert (refused.status_code, refused.json().get("code")) == (409, "insufficient_balance")
    held = await ledger.get_balances(phone.member_id)
    assert (held["points"], held["points_debt"]) == (150, 150)
    assert await findings(settings) == []


async def test_more_than_was_paid_is_refused(client, chain, phone):
    await give(phone.member_id, principal=1_000)
    sale = (await chain.till.sell(client, phone.code())).json()

    over = await refund(client, chain, sale, {"amount_fen": 1_001})
    pieces = await refund(client, chain, sale, {"lines": [{"line_no": 1, "qty": 2}]})
    no_line = await refund(client, chain, sale, {"lines": [{"line_no": 2, "qty": 1}]})
    both = await refund(client, chain, sale, {"amount_fen": 1, "lines": [{"line_no": 1, "qty": 1}]})

    assert (over.status_code, over.json()["code"]) == (409, "refund_exceeds_paid")
    assert (pieces.status_code, pieces.json()["code"]) == (409, "refund_exceeds_paid")
    assert (no_line.status_code, both.status_code) == (422, 422)
    assert (await phone.wallet())["stored"]["total_fen"] == 0


async def test_many_refunds_of_one_sale_at_once_all_happen(client, chain, phone, settings):
    await give(phone.member_id, principal=1_000)
    lines = [{"sku": "a", "qty": 10, "unit_price_fen": 100}]
    sale = (await chain.till.sell(client, phone.code(), lines=lines)).json()

    answers = await asyncio.gather(
        *(refund(client, chain, sale, {"lines": [{"line_no": 1, "qty": 1}]}) for _ in range(14))
    )

    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 4
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"sale_not_refundable", "refund_exceeds_paid"}
    assert (await phone.wallet())["stored"]["total_fen"] == 1_000
    assert await findings(settings) == []


async def test_a_refund_is_done_once_a_key(client, chain, phone):
    await give(phone.member_id, principal=1_000)
    sale = (await chain.till.sell(client, phone.code())).json()

    first = await refund(client, chain, sale, {"amount_fen": 400}, key="rf-1")
    again = await refund(client, chain, sale, {"amount_fen": 400}, key="rf-1")
    other = await refund(client, chain, sale, {"amount_fen": 401}, key="rf-1")

    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (await phone.wallet())["stored"]["total_fen"] == 400


async def test_a_replayed_sale_shows_what_it_was_then(client, chain, phone):
    await give(phone.member_id, principal=1_000)
    body = {"code": phone.code(), "order_no": "THEN-1", "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 900}]}
    first = await chain.till.post(client, "/v1/pos/sales", body, key="then-1")
    await refund(client, chain, first.json(), {"amount_fen": 900})

    again = await chain.till.post(client, "/v1/pos/sales", body, key="then-1")

    assert again.json() == first.json()
    assert again.json()["status"] == "completed"
