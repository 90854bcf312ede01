"""One coupon at many tills at once: it pays once, or to its balance, and whoever loses has lost nothing."""

from __future__ import annotations

import pytest
import pytest_asyncio

from backend.pos.commands import sales
from tests.support.coupons import CASH, VALUE, by_coupons, coupons_of, give_coupon
from tests.support.races import at_once, codes_of, outcomes
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings

GONE = {"coupon_unavailable", "coupon_used"}


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


async def test_a_coupon_at_many_tills_pays_once(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone)
    codes = await codes_of(phone, 8)

    answers = await at_once(
        chain.tills["S1"][n % 2].sell(client, code, fen=12_000, tenders=by_coupons(coupon_id))
        for n, code in enumerate(codes)
    )

    counted = outcomes(answers)
    assert counted.pop(201) == 1
    assert counted.keys() <= GONE
    assert sum(counted.values()) == 7
    assert await coupons_of(phone) == []
    assert await findings(settings) == []


async def test_a_value_coupon_at_many_tills_pays_to_its_balance(client, chain, admin, phone, settings):
    """And not a fen more or less: who comes too late for the whole gets what is left."""
    coupon_id = await give_coupon(admin, phone, VALUE)
    codes = await codes_of(phone, 8)

    answers = await at_once(
        chain.tills["S1"][n % 2].sell(client, code, fen=1_500, tenders=by_coupons(coupon_id))
        for n, code in enumerate(codes)
    )

    sold = [answer.json() for answer in answers if answer.status_code == 201]
    paid = sum(t["amount_fen"] for sale in sold for t in sale["tenders"] if t["type"] == "coupon")
    left = sum(coupon["balance"] for coupon in await coupons_of(phone))
    assert (paid, left) == (5_000, 0)
    assert len(sold) == 4
    assert {key for key in outcomes(answers) if key != 201} <= GONE
    assert await findings(settings) == []


@pytest.mark.parametrize(("tender", "outcome"), [({}, 201), ({"amount_fen": 3_000}, "coupon_unavailable")])
async def test_who_is_overtaken_gets_what_is_left_or_is_told(
    client, chain, admin, phone, settings, monkeypatch, tender, outcome
):
    """Between the reading of a value coupon and the door another till takes of it."""
    coupon_id = await give_coupon(admin, phone, VALUE)
    first, second = await codes_of(phone, 2)
    tenders = by_coupons(coupon_id)
    post = sales.post_paid

    async def overtaken(*args):
        monkeypatch.undo()
        assert (await chain.tills["S1"][1].sell(client, second, fen=3_000, tenders=tenders)).status_code == 201
        return await post(*args)

    monkeypatch.setattr(sales, "post_paid", overtaken)
    answer = await chain.till.sell(client, first, fen=3_000, tenders=[tenders[0] | tender, {"type": "cash"}])

    assert outcomes([answer]) == {outcome: 1}
    assert sum(coupon["balance"] for coupon in await coupons_of(phone)) == (0 if outcome == 201 else 2_000)
    if outcome == 201:
        assert [t["amount_fen"] for t in answer.json()["tenders"]] == [2_000, 1_000]
    assert await findings(settings) == []


async def test_refunds_of_one_sale_at_once_give_its_coupon_back_once(client, chain, admin, phone, settings):
    coupon_id = await give_coupon(admin, phone, CASH | {"refund": "claw_back"})
    sale = (await chain.till.sell(client, phone.code(), fen=12_000, tenders=by_coupons(coupon_id))).json()
    path = f"/v1/pos/sales/{sale['id']}/refunds"

    answers = await at_once(
        chain.tills["S1"][n % 2].post(client, path, {"amount_fen": 2_400, "reason": "x"}) for n in range(8)
    )

    given = [answer.json() for answer in answers if answer.status_code == 201]
    assert len(given) == 5
    assert [coupon["id"] for refund in given for coupon in refund["coupons_returned"]] == [coupon_id]
    assert sum(t["amount_fen"] for refund in given for t in refund["by_tender"] if t["type"] == "cash") == 10_000
    assert [coupon["balance"] for coupon in await coupons_of(phone)] == [1]
    assert await findings(settings) == []
