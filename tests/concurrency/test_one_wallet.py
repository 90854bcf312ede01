"""One wallet, many tills: what is spent is what was there, never more."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from backend.kernel import clock
from backend.ledger import service as ledger
from tests.support.races import at_once, codes_of, outcomes
from tests.support.value import findings, give


def basket(code: str, fen: int, **more: object) -> dict[str, object]:
    lines = [{"sku": "X-1", "qty": 1, "unit_price_fen": fen}]
    return {"code": code, "order_no": uuid.uuid4().hex[:16], "lines": lines} | more


@pytest.mark.parametrize(("held", "enough_for"), [(7_000, 7), (7_999, 7), (999, 0)])
async def test_exactly_as_many_sales_go_through_as_there_is_value_for(client, chain, phone, settings, held, enough_for):
    await give(phone.member_id, principal=held)
    codes = await codes_of(phone, 20)
    tills = chain.tills["S1"]

    answers = await at_once(tills[n % 2].sell(client, code, fen=1_000) for n, code in enumerate(codes))

    expected = {201: enough_for, "insufficient_balance": 20 - enough_for}
    assert outcomes(answers) == {key: count for key, count in expected.items() if count}
    assert (await phone.wallet())["stored"]["total_fen"] == held - 1_000 * enough_for
    balances = sorted(answer.json()["balances"]["stored_fen"] for answer in answers if answer.status_code == 201)
    assert balances == [held - 1_000 * n for n in range(enough_for, 0, -1)]
    assert await findings(settings) == []


async def test_neither_of_two_tenders_is_overdrawn(client, chain, phone, settings):
    await give(phone.member_id, principal=10_000, points=500)
    codes = await codes_of(phone, 12)
    tenders = [{"type": "points", "points": 100}, {"type": "stored", "amount_fen": 900}]

    answers = await at_once(
        chain.tills["S1"][n % 2].post(client, "/v1/pos/sales", basket(code, 1_000, tenders=tenders))
        for n, code in enumerate(codes)
    )

    wallet = await phone.wallet()
    sold = [answer.json() for answer in answers if answer.status_code == 201]
    earned = sum(sale["points_earned"] for sale in sold)
    assert outcomes(answers)[201] >= 5  # points that were earned meanwhile may pay for another
    assert wallet["points"]["available"] == 500 + earned - 100 * len(sold)
    assert wallet["stored"]["total_fen"] == 10_000 - 900 * len(sold)
    assert wallet["points"]["available"] >= 0
    assert await findings(settings) == []


async def test_sales_that_eat_through_bonus_and_principal_are_planned_again_until_they_fit(
    client, chain, phone, settings
):
    """Each sale's points depend on how much bonus it takes; a till that is told `stale` sends the same again."""
    soon = clock.local_date(clock.now() + timedelta(days=30), "Asia/Shanghai")
    for _ in range(3):
        await give(phone.member_id, principal=500, bonus=250, bonus_until=soon)
    codes = await codes_of(phone, 9)

    async def sell(n: int, code: str):
        body, key = basket(code, 250), uuid.uuid4().hex
        while True:
            answer = await chain.tills["S1"][n % 2].post(client, "/v1/pos/sales", body, key=key)
            if answer.status_code == 201 or answer.json()["code"] != "stale":
                return answer

    answers = await at_once(sell(n, code) for n, code in enumerate(codes))

    assert outcomes(answers) == {201: 9}
    assert (await phone.wallet())["stored"]["total_fen"] == 0
    earned = sorted(answer.json()["points_earned"] for answer in answers)
    assert earned == [0] * 3 + [2] * 6  # the bonus goes first and earns nothing
    assert await findings(settings) == []


async def test_a_sale_that_meets_another_is_planned_again_with_what_that_one_left(client, chain, phone, monkeypatch):
    soon = clock.local_date(clock.now() + timedelta(days=30), "Asia/Shanghai")
    await give(phone.member_id, principal=250, bonus=250, bonus_until=soon)
    codes = await codes_of(phone, 2)
    post, both_priced, planned = ledger.post, asyncio.Barrier(2), 0

    async def post_once_both_are_priced(plan):
        nonlocal planned
        planned += 1
        if planned <= 2:
            await both_priced.wait()
        return await post(plan)

    monkeypatch.setattr(ledger, "post", post_once_both_are_priced)

    answers = await at_once(
        chain.tills["S1"][n].post(client, "/v1/pos/sales", basket(code, 250), key=uuid.uuid4().hex)
        for n, code in enumerate(codes)
    )

    assert outcomes(answers) == {201: 2}
    assert sorted(answer.json()["points_earned"] for answer in answers) == [0, 2]  # both saw the same bonus
    assert planned == 3


async def test_many_members_at_many_tills_do_not_touch_each_other(client, chain, settings):
    from tests.support.members import register

    phones = await asyncio.gather(*(register(client) for _ in range(16)))
    await asyncio.gather(*(give(phone.member_id, principal=1_000) for phone in phones))

    answers = await at_once(
        chain.tills["S1"][n % 2].sell(client, phone.code(), fen=100 + n) for n, phone in enumerate(phones)
    )

    assert outcomes(answers) == {201: 16}
    assert [(await phone.wallet())["stored"]["total_fen"] for phone in phones] == [900 - n for n in range(16)]
    assert await findings(settings) == []


async def test_the_password_free_day_is_counted_once_for_all_tills(client, chain, phone, settings):
    await give(phone.member_id, principal=500_000)
    codes = await codes_of(phone, 8)

    answers = await at_once(chain.tills["S1"][n % 2].sell(client, code, fen=20_000) for n, code in enumerate(codes))

    statuses = sorted(answer.json()["status"] for answer in answers)
    assert statuses == ["awaiting_confirmation"] * 3 + ["completed"] * 5
    assert (await phone.wallet())["stored"]["total_fen"] == 400_000
    assert await findings(settings) == []


async def test_the_daily_cap_of_offline_points_is_counted_once(client, chain, phone, settings):
    def accrual(n: int) -> dict[str, object]:
        return {
            "member_no": phone.member["member_no"],
            "order_no": f"CAP-{phone.member_id}-{n}",
            "total_fen": 100_000,
            "lines": [{"sku": "X", "qty": 1, "unit_price_fen": 100_000}],
            "occurred_at": clock.now().isoformat(),
        }

    answers = await at_once(chain.till.post(client, "/v1/pos/accruals", accrual(n)) for n in range(8))

    assert outcomes(answers) == {201: 5, "accrual_limit": 3}
    assert (await phone.wallet())["points"]["available"] == 5_000
    assert await findings(settings) == []
