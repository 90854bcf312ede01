"""What may be stored at most, and in which turn it is spent: judged when asked, and again inside the door."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from backend.kernel import config, db, ids
from backend.ledger import queries as ledger
from backend.wallet import plans, service
from backend.wallet.commands import pending
from backend.wallet.types import Offer, SpendOrder
from backend.wechat import service as wechat
from tests.support import recharge, refunds
from tests.support.books import fingerprint
from tests.support.races import at_once, codes_of, outcomes

pytestmark = pytest.mark.usefixtures("books")

OFFERS = "/v1/admin/recharge-offers"


@contextmanager
def rules(**changed: Any) -> Iterator[None]:
    """Other settings for a while."""
    before = config.settings()
    config.use(msgspec.structs.replace(before, **changed))
    try:
        yield
    finally:
        config.use(before)


async def make_offer(**said: Any) -> str:
    offer = Offer(id=ids.new_short("O"), **said)
    async with db.transaction() as tx:
        await service.create_offer(tx, offer)
    return offer.id


async def ask(phone, **body: object):
    return await phone.call("POST", "/v1/member/recharges", body, key=ids.new_short("k"))


async def total(phone) -> int:
    return (await ledger.get_balances(phone.member_id)).get("stored", 0)


async def test_a_recharge_above_the_limit_is_refused_and_says_what_is_possible(client, phone, settings):
    await refunds.paid(client, phone, amount_fen=499_000)
    before = await fingerprint(settings)

    refused = await ask(phone, amount_fen=1_001)
    shown = (await phone.call("GET", "/v1/member/recharge-offers")).json()

    assert (refused.status_code, refused.json()["code"]) == (409, "stored_limit_reached")
    assert refused.json()["possible_fen"] == shown["possible_fen"] == 1_000
    assert await fingerprint(settings) == before
    await refunds.paid(client, phone, amount_fen=1_000)
    assert await total(phone) == 500_000


async def test_the_gift_counts_unless_the_chain_counts_principal_only(client, phone):
    await refunds.paid(client, phone, amount_fen=440_000)
    offer = await make_offer(pay_fen=50_000, bonus_fen=10_001)

    refused = await ask(phone, offer_id=offer)

    assert refused.json()["possible_fen"] == 60_000
    with rules(stored_limit_counts="principal"):
        await refunds.paid(client, phone, offer_id=offer)
        over = await ask(phone, amount_fen=10_001)
        assert over.json()["possible_fen"] == 10_000
    assert await total(phone) == 500_001


async def test_of_ten_recharges_paid_at_once_those_above_the_limit_go_back(client, phone, clock):
    """Each was possible when it was begun."""
    orders = [await recharge.begin(phone, amount_fen=60_000) for _ in range(10)]

    await asyncio.gather(*(recharge.pay(client, order["id"]) for order in orders))
    for order in orders:
        await recharge.all_answered(client, order["id"], 1)

    async def nothing_goes_back() -> bool:
        await pending.advance_due(clock.now())
        return "refunding" not in await states(phone, orders)

    await recharge.until(nothing_goes_back)
    assert Counter(await states(phone, orders)) == {"paid": 8, "refunded": 2}
    assert await total(phone) == 480_000
    for order in orders:
        document = await recharge.document(phone, order["id"])
        if document.state == "refunded":
            assert document.progress["given_back"] == "stored_limit_reached"
            assert (await wechat.query_refund(plans.refund_no(order["id"]))).amount_fen == 60_000


async def states(phone, orders) -> list[str]:
    return [(await recharge.document(phone, order["id"])).state for order in orders]


async def test_what_is_held_for_a_refund_counts(client, phone, admin):
    recharge_id = await refunds.paid(client, phone, amount_fen=300_000)
    with rules(recharge_refund_approval_fen=300_000):
        await refunds.asked(admin, recharge_id)
    assert (await phone.wallet())["stored"]["held_fen"] == 300_000

    refused = await ask(phone, amount_fen=200_001)

    assert refused.json()["possible_fen"] == 200_000


async def test_what_is_held_for_a_refund_counts_in_the_door(client, phone, admin):
    recharge_id = await refunds.paid(client, phone, amount_fen=300_000)
    order = await recharge.begin(phone, amount_fen=200_000)
    other = await recharge.begin(phone, amount_fen=100_000)
    with rules(recharge_refund_approval_fen=300_000):
        await refunds.asked(admin, recharge_id)

    await recharge.pay(client, order["id"])
    await recharge.in_state(phone, order["id"], "paid")
    await recharge.pay(client, other["id"])
    await recharge.all_answered(client, other["id"], 1)

    found = await recharge.document(phone, other["id"])
    assert (found.state, found.progress.get("given_back")) == ("refunding", "stored_limit_reached")
    assert await total(phone) == 200_000


async def test_a_day_has_its_own_limit(client, phone):
    with rules(recharge_day_max_fen=10_000):
        first = await recharge.begin(phone, amount_fen=6_000)
        second = await recharge.begin(phone, amount_fen=6_000)
        await recharge.pay(client, first["id"])
        await recharge.in_state(phone, first["id"], "paid")
        refused = await ask(phone, amount_fen=4_001)
        await recharge.pay(client, second["id"])
        given_back = await recharge.in_state(phone, second["id"], "refunding")

    assert (refused.status_code, refused.json()["code"]) == (409, "recharge_day_limit_reached")
    assert refused.json()["possible_fen"] == 4_000
    assert given_back.progress["given_back"] == "recharge_day_limit_reached"
    assert await total(phone) == 6_000


@pytest.mark.parametrize(
    ("offer", "pointer"),
    [
        ({"pay_fen": 500_001}, "/pay_fen"),
        ({"pay_fen": 500_000, "bonus_fen": 1}, "/bonus_fen"),
    ],
)
async def test_an_offer_that_nobody_could_take_is_refused_when_it_is_made(admin, settings, offer, pointer):
    before = await fingerprint(settings)

    refused = await admin.post(OFFERS, offer)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await fingerprint(settings) == before


@pytest.mark.parametrize(
    ("spend", "left"),
    [
        (SpendOrder.BY_EXPIRY, {"principal": 10_000, "bonus": 1_000}),
        (SpendOrder.PRINCIPAL_FIRST, {"principal": 8_000, "bonus": 3_000}),
        (SpendOrder.BONUS_FIRST, {"principal": 10_000, "bonus": 1_000}),
    ],
)
async def test_what_an_offer_brings_is_spent_in_its_turn(client, chain, phone, spend, left):
    offer = await make_offer(pay_fen=10_000, bonus_fen=3_000, bonus_valid_days=30, spend=spend)
    await refunds.paid(client, phone, offer_id=offer)

    sold = await chain.till.sell(client, (await codes_of(phone, 1))[0], fen=2_000)

    assert sold.status_code == 201, sold.text
    wallet = (await phone.wallet())["stored"]
    assert {"principal": wallet["principal_fen"], "bonus": wallet["bonus_fen"]} == left
    assert sold.json()["points_earned"] == (20 if spend is SpendOrder.PRINCIPAL_FIRST else 0)


async def test_changing_an_offer_leaves_the_turn_of_lots_that_were_made(client, chain, phone, admin):
    made = (await admin.post(OFFERS, {"pay_fen": 5_000, "bonus_fen": 1_000, "spend": "bonus_first"})).json()
    await refunds.paid(client, phone, offer_id=made["id"])
    body = {"pay_fen": 5_000, "bonus_fen": 1_000, "spend": "principal_first"}
    assert (await admin.call("PUT", f"{OFFERS}/{made['id']}", body)).status_code == 200
    await refunds.paid(client, phone, offer_id=made["id"])

    taken = []
    for fen in (1_000, 10_000):
        await chain.till.sell(client, (await codes_of(phone, 1))[0], fen=fen)
        lots = await ledger.list_open_lots(phone.member_id, "stored")
        taken.append([(lot.part, lot.remaining) for lot in lots])

    assert taken == [[("principal", 5_000), ("principal", 5_000), ("bonus", 1_000)], [("bonus", 1_000)]]


async def test_a_refund_over_several_lots_goes_to_those_it_came_from_the_last_first(client, chain, phone):
    """Bonus of two recharges and principal of both: each refund fills what was taken last."""
    offer = await make_offer(pay_fen=3_000, bonus_fen=1_000, bonus_valid_days=30)
    first = await refunds.paid(client, phone, offer_id=offer)
    second = await refunds.paid(client, phone, offer_id=offer)
    sold = (await chain.till.sell(client, (await codes_of(phone, 1))[0], fen=6_000)).json()
    lots = {(lot.source, lot.part): lot.remaining for lot in await ledger.list_open_lots(phone.member_id, "stored")}
    assert lots == {(second, "principal"): 2_000}

    for fen in (1_500, 3_000, 1_500):
        path = f"/v1/pos/sales/{sold['id']}/refunds"
        assert (await chain.till.post(client, path, {"amount_fen": fen, "reason": "退"})).status_code == 201
        lots = {(lot.source, lot.part): lot.remaining for lot in await ledger.list_open_lots(phone.member_id, "stored")}
        assert sum(lots.values()) == await total(phone)

    assert lots == {
        (first, "principal"): 3_000, (second, "principal"): 3_000, (first, "bonus"): 1_000, (second, "bonus"): 1_000,
    }  # fmt: skip


async def test_recharges_at_the_limit_race_with_sales_and_nobody_is_over_it(client, chain, phone):
    await refunds.paid(client, phone, amount_fen=490_000)
    orders = [await recharge.begin(phone, amount_fen=10_000) for _ in range(3)]
    codes = await codes_of(phone, 3)

    answers = await at_once(
        [
            *(recharge.pay(client, order["id"]) for order in orders),
            *(chain.till.sell(client, code, fen=5_000) for code in codes),
        ]
    )

    assert outcomes(answers[3:]) == {201: 3}

    async def settled() -> bool:
        states = [(await recharge.document(phone, order["id"])).state for order in orders]
        return "pending" not in states

    await recharge.until(settled)
    assert await total(phone) <= 500_000
