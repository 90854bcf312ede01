"""Several things fill one card at once: each is counted once, and a full card becomes one reward."""

from __future__ import annotations

import asyncio
import uuid

import pytest_asyncio

from backend.kernel import db, outbox
from backend.stamps.commands import cards, closing, giving
from tests.support.coupons import coupons_of
from tests.support.members import register
from tests.support.races import at_once, codes_of, held_up, outcomes
from tests.support.staff import StaffSession, log_in
from tests.support.stamps import (  # noqa: F401 - a fixture
    CAMPAIGNS,
    CARDS,
    Held,
    held,
    make_campaign,
    move,
    no_other_campaign,
    rewards_of,
    settle,
)
from tests.support.value import findings


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _worker(server):
    """The handlers are known."""
    from backend.worker import load

    load()


def sale(code: str, fen: int = 100) -> dict[str, object]:
    lines = [{"sku": "X", "qty": 1, "unit_price_fen": fen}]
    return {"code": code, "order_no": uuid.uuid4().hex[:16], "lines": lines, "tenders": [{"type": "cash"}]}


async def test_two_sales_complete_one_card_at_once(client, chain, admin, phone, settings):
    campaign = await make_campaign(admin, goal=6)
    codes = await codes_of(phone, 12)

    sold = await at_once(chain.till.post(client, "/v1/pos/sales", sale(code)) for code in codes)
    await outbox.drain()
    workers = await asyncio.gather(*(giving.give_due() for _ in range(4)))
    await asyncio.gather(*(cards.redeem_all(full) for full in workers * 2))
    await settle()  # what two workers met at is left to the next run

    assert outcomes(sold) == {201: 12}
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 2)
    assert await rewards_of(phone.member_id, campaign["id"]) == 2
    assert await findings(settings) == []


async def test_a_sale_and_its_refund_are_looked_at_by_several_workers(client, chain, admin, phone, settings):
    campaign = await make_campaign(admin, goal=50)
    codes = await codes_of(phone, 8)
    sold = await at_once(chain.till.post(client, "/v1/pos/sales", sale(code)) for code in codes)
    ids = [answer.json()["id"] for answer in sold]

    async def take_back(sale_id: str) -> None:
        body = {"lines": [{"line_no": 1, "qty": 1}], "reason": "退"}
        assert (await chain.till.post(client, f"/v1/pos/sales/{sale_id}/refunds", body)).status_code == 201
        await outbox.drain()
        await giving.give_due()

    await outbox.drain()
    await asyncio.gather(*(take_back(sale_id) for sale_id in ids[:5]), *(giving.give_due() for _ in range(4)))
    await settle()

    assert await held(phone.member_id, campaign["id"]) == Held(3, 0, 0)
    assert await findings(settings) == []


async def test_a_day_is_stamped_once_however_often_it_is_asked_for(client, chain, admin, phone, settings):
    campaign = await make_campaign(admin, kind="attendance", goal=1)

    answers = await at_once(phone.call("POST", f"{CARDS}/{campaign['id']}/check-in") for _ in range(12))

    assert outcomes(answers) == {200: 12}
    assert sum(answer.json()["stamped"] for answer in answers) == 1
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 1)
    assert len(await coupons_of(phone)) == 1
    assert await findings(settings) == []


async def test_many_full_cards_share_the_one_reward_that_is_left(client, chain, admin, settings):
    campaign = await make_campaign(admin, kind="attendance", goal=1, gift={"total": 3})
    phones = await asyncio.gather(*(register(client) for _ in range(10)))

    answers = await at_once(phone.call("POST", f"{CARDS}/{campaign['id']}/check-in") for phone in phones)
    asked = await at_once(phone.call("POST", f"{CARDS}/{campaign['id']}/redeem") for phone in phones * 2)

    assert outcomes(answers) == {200: 10}
    assert sum(bool(answer.json()["coupon_ids"]) for answer in answers) == 3
    assert outcomes(asked) == {"coupon_sold_out": 14, "campaign_card_not_full": 6}
    each = [await held(phone.member_id, campaign["id"]) for phone in phones]
    assert sorted(each) == [Held(0, 0, 1)] * 3 + [Held(1, 0, 0)] * 7
    statistics = (await admin.get(f"{CAMPAIGNS}/{campaign['id']}/statistics")).json()
    assert (statistics["rewards"], statistics["waiting"]) == (3, 7)
    assert await findings(settings) == []


async def test_a_card_is_redeemed_once_however_often_it_is_asked_for(client, chain, admin, phone, settings):
    campaign = await make_campaign(admin, kind="attendance", goal=1, gift={"total": 1})
    other = await register(client)
    for who in (other, phone):
        await who.call("POST", f"{CARDS}/{campaign['id']}/check-in")
    offer = {"claim_by": "nobody", "per_member": None, "total": 50}
    await admin.call("PUT", f"/v1/admin/coupons/templates/{campaign['reward'][0]}/offer", offer)

    lock = f"SELECT FROM coupon_template WHERE id = '{campaign['reward'][0]}' FOR UPDATE"
    answers = await held_up(settings, lock, (phone.call("POST", f"{CARDS}/{campaign['id']}/redeem") for _ in range(10)))

    assert outcomes(answers) == {200: 1, "campaign_card_not_full": 9}
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 1)
    assert len(await coupons_of(phone)) == 1
    assert await findings(settings) == []


async def test_a_campaign_ends_while_its_cards_are_filled(client, chain, admin, settings):
    campaign = await make_campaign(admin, kind="attendance", goal=3)
    phones = await asyncio.gather(*(register(client) for _ in range(8)))

    async def end() -> None:
        await move(admin, campaign["id"], "end")
        await closing.close_ended()

    answers, _ = await asyncio.gather(
        at_once(phone.call("POST", f"{CARDS}/{campaign['id']}/check-in") for phone in phones), end()
    )
    await closing.close_ended()

    assert {*outcomes(answers)} <= {200, "campaign_not_running"}
    assert [await held(phone.member_id, campaign["id"]) for phone in phones] == [Held(0, 0, 0)] * 8
    closed = "SELECT count(*) FROM stamp_card WHERE campaign_id = $1 AND closed_at IS NULL"
    assert await db.fetchval(closed, campaign["id"]) == 0
    assert await findings(settings) == []
