"""Stamps for sales: what is given for which, what refunds take back, and the reward of a full card."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import pytest

from backend.kernel import db, events, outbox
from backend.ledger.events import SaleCompleted, SaleRefunded
from backend.stamps import service
from backend.stamps.commands import cards, giving
from tests.support.coupons import by_coupons, coupons_of, give_coupon
from tests.support.members import register
from tests.support.stamps import CAMPAIGNS, CARDS, Held, card, held, make_campaign, move, rewards_of, settle
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

WATER, APPLE = "6901", "6902"
CASH = [{"type": "cash"}]


async def buy(chain, client, phone, *lines, tenders=None) -> dict:
    """A sale that is paid in cash: ``(sku, qty, price)``."""
    await phone.enrol()  # a code of its own for each sale
    body = {
        "code": phone.code(),
        "order_no": uuid.uuid4().hex[:16],
        "lines": [{"sku": sku, "qty": qty, "unit_price_fen": price} for sku, qty, price in lines],
        "tenders": tenders or CASH,
    }
    sold = await chain.till.post(client, "/v1/pos/sales", body)
    assert sold.status_code == 201, sold.text
    return sold.json()


async def refund(chain, client, sale, **what):
    answer = await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", {"reason": "退"} | what)
    assert answer.status_code == 201, answer.text


async def test_a_sale_of_enough_is_stamped_and_a_full_card_becomes_its_reward(chain, client, admin, phone):
    campaign = await make_campaign(admin, goal=2, earning={"min_fen": 3_000})

    await buy(chain, client, phone, ("X", 1, 2_999))
    await settle()
    none = await card(phone, campaign["id"])
    await buy(chain, client, phone, ("X", 1, 3_000))
    await settle()
    one = await card(phone, campaign["id"])
    await buy(chain, client, phone, ("X", 1, 9_000))
    await settle()
    full = await card(phone, campaign["id"])

    assert [(item["have"], item["rewards"]) for item in (none, one, full)] == [(0, 0), (1, 0), (0, 1)]
    assert [item["template_id"] for item in await coupons_of(phone)] == campaign["reward"]
    assert [(item["source"], item["given"]) for item in full["given"]] == [("sale", 1), ("sale", 1)]
    assert one["rule"] == "每笔消费满 ¥30 集 1 个，集满 2 个得奖励"
    earned = await db.fetchval("SELECT count(*) FROM outbox WHERE name = 'RewardEarned'")
    assert earned <= 1  # nobody hears it yet: it is forgotten by the relay


async def test_an_event_that_comes_again_gives_nothing(chain, client, admin, phone):
    campaign = await make_campaign(admin)
    sale = await buy(chain, client, phone, ("X", 1, 100))
    await settle()
    again = SaleCompleted(member_id=phone.member_id, sale_id=sale["id"], store_id="S1", payable_fen=100)

    async with db.transaction() as tx:
        await events.publish(tx, again)
    await settle()

    assert await held(phone.member_id, campaign["id"]) == Held(1, 0, 0)


async def test_pieces_that_count_are_stamped_by_article_and_category(chain, client, admin, phone):
    by_article = await make_campaign(admin, earning={"per": "piece", "skus": [WATER], "most_a_sale": 5})
    by_category = await make_campaign(admin, earning={"per": "piece", "categories": ["fruit", "drinks"]})
    elsewhere = await make_campaign(admin, stores=["S2"])

    await buy(chain, client, phone, (WATER, 8, 200), (APPLE, 2, 1_250), ("X", 4, 100))
    await settle()

    assert await held(phone.member_id, by_article["id"]) == Held(5, 0, 0)
    assert await held(phone.member_id, by_category["id"]) == Held(0, 0, 1)  # ten: full at once
    assert await held(phone.member_id, elsewhere["id"]) == Held(0, 0, 0)


async def test_what_a_coupon_paid_is_not_stamped(chain, client, admin, phone):
    per_sale = await make_campaign(admin, earning={"min_fen": 1_000})
    per_piece = await make_campaign(admin, earning={"per": "piece", "skus": [WATER]})
    free = {"kind": "exchange", "pieces": 1, "scope": {"skus": [WATER]}, "validity": {"days": 5}, "stacking": "joint"}
    coupon = await give_coupon(admin, phone, free)

    await buy(chain, client, phone, (WATER, 3, 400), tenders=by_coupons(coupon))
    await settle()

    assert await held(phone.member_id, per_sale["id"]) == Held(0, 0, 0)  # 1,200 fen, of which 800 were paid
    assert await held(phone.member_id, per_piece["id"]) == Held(2, 0, 0)


async def test_a_refund_takes_back_what_the_sale_no_longer_deserves(chain, client, admin, phone):
    per_sale = await make_campaign(admin, earning={"min_fen": 500})
    per_piece = await make_campaign(admin, earning={"per": "piece"})
    sale = await buy(chain, client, phone, (WATER, 3, 200))
    await settle()
    before = await held(phone.member_id, per_sale["id"]), await held(phone.member_id, per_piece["id"])

    await refund(chain, client, sale, amount_fen=50)
    await settle()
    reduced = await held(phone.member_id, per_sale["id"]), await held(phone.member_id, per_piece["id"])
    await refund(chain, client, sale, lines=[{"line_no": 1, "qty": 2}])
    await settle()
    after = await held(phone.member_id, per_sale["id"]), await held(phone.member_id, per_piece["id"])

    assert before == reduced == (Held(1, 0, 0), Held(3, 0, 0))
    assert after == (Held(0, 0, 0), Held(1, 0, 0))


async def test_what_became_a_reward_is_owed_and_the_next_stamps_pay_it(chain, client, admin, phone):
    campaign = await make_campaign(admin, goal=3, earning={"per": "piece"})
    sale = await buy(chain, client, phone, ("X", 4, 100))
    await settle()
    assert await held(phone.member_id, campaign["id"]) == Held(1, 0, 1)

    await refund(chain, client, sale, lines=[{"line_no": 1, "qty": 4}])
    await settle()
    owing = await held(phone.member_id, campaign["id"])
    shown = await card(phone, campaign["id"])
    await buy(chain, client, phone, ("X", 5, 100))
    await settle()
    paid = await held(phone.member_id, campaign["id"])
    await buy(chain, client, phone, ("X", 1, 100))
    await settle()

    assert owing == Held(0, 3, 1)
    assert (shown["have"], shown["owed"]) == (0, 3)
    assert paid == Held(2, 0, 1)
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 2)
    assert await rewards_of(phone.member_id, campaign["id"]) == 2


async def test_a_refund_that_is_heard_of_before_its_sale_counts(chain, client, admin, phone):
    campaign = await make_campaign(admin, earning={"per": "piece"})
    sale = await buy(chain, client, phone, ("X", 4, 100))
    await refund(chain, client, sale, lines=[{"line_no": 1, "qty": 3}])
    late = await db.fetch(
        "DELETE FROM outbox WHERE member_id = $1 AND name = 'SaleCompleted' RETURNING 1", phone.member_id
    )
    await settle()
    first = await held(phone.member_id, campaign["id"])

    async with db.transaction() as tx:
        await events.publish_many(
            tx,
            [
                SaleCompleted(member_id=phone.member_id, sale_id=sale["id"], store_id="S1", payable_fen=400),
                SaleRefunded(member_id=phone.member_id, sale_id=sale["id"], refund_id="again", refund_fen=300),
            ],
        )
    await settle()

    assert len(late) == 1
    assert first == Held(0, 0, 0)
    assert await held(phone.member_id, campaign["id"]) == Held(1, 0, 0)


async def test_a_refund_waits_for_whoever_looks_at_its_sale(chain, client, admin, phone, monkeypatch):
    campaign = await make_campaign(admin)
    sale = await buy(chain, client, phone, ("X", 1, 100))
    await outbox.drain()
    read, looked, go = giving._wishes, asyncio.Event(), asyncio.Event()

    async def slow(*args):
        wishes = await read(*args)
        if not looked.is_set():
            looked.set()
            await go.wait()
        return wishes

    monkeypatch.setattr(giving, "_wishes", slow)
    first = asyncio.create_task(giving.give_due())
    await looked.wait()
    await refund(chain, client, sale, lines=[{"line_no": 1, "qty": 1}])
    await outbox.drain()
    await giving.give_due()  # another worker, to whom the sale was never stamped
    go.set()
    await first
    given = await held(phone.member_id, campaign["id"])
    await settle()

    assert given == Held(1, 0, 0)
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 0)


async def test_no_member_has_more_rewards_than_one_may_have(chain, client, admin, phone):
    campaign = await make_campaign(admin, goal=2, per_member=2, earning={"per": "piece"})

    sale = await buy(chain, client, phone, ("X", 7, 100))
    await settle()
    most = await held(phone.member_id, campaign["id"])
    await buy(chain, client, phone, ("X", 1, 100))
    await settle()
    shown = await card(phone, campaign["id"])
    await refund(chain, client, sale, lines=[{"line_no": 1, "qty": 6}])
    await settle()

    assert most == Held(0, 0, 2)
    assert (shown["state"], shown["have"], shown["rewards"]) == ("complete", 0, 2)
    assert await held(phone.member_id, campaign["id"]) == Held(0, 3, 2)  # of the four that were given one stays


async def test_a_full_card_waits_while_the_reward_is_sold_out_and_is_redeemed_when_there_is_one(
    chain, client, admin, phone
):
    campaign = await make_campaign(admin, goal=1, gift={"total": 1})
    other = await register(client)
    for who in (other, phone):
        await buy(chain, client, who, ("X", 1, 100))
        await settle()
    waiting = await card(phone, campaign["id"])

    refused = await phone.call("POST", f"{CARDS}/{campaign['id']}/redeem")
    offer = {"claim_by": "nobody", "per_member": None, "total": 2}
    await admin.call("PUT", f"/v1/admin/coupons/templates/{campaign['reward'][0]}/offer", offer)
    redeemed = await phone.call("POST", f"{CARDS}/{campaign['id']}/redeem")
    empty = await phone.call("POST", f"{CARDS}/{campaign['id']}/redeem")

    assert (waiting["state"], waiting["have"]) == ("full", 1)
    assert (refused.status_code, refused.json()["code"]) == (409, "coupon_sold_out")
    assert redeemed.status_code == 200
    assert redeemed.json()["card"]["rewards"] == 1
    assert [item["id"] for item in await coupons_of(phone)] == redeemed.json()["coupon_ids"]
    assert (empty.status_code, empty.json()["code"]) == (409, "campaign_card_not_full")
    statistics = (await admin.get(f"{CAMPAIGNS}/{campaign['id']}/statistics")).json()
    assert statistics == {"cards": 2, "given": 2, "taken": 0, "rewards": 2, "waiting": 0}


async def test_the_job_redeems_what_waits(chain, client, admin, phone):
    campaign = await make_campaign(admin, goal=1, gift={"total": 1})
    for who in (await register(client), phone):
        await buy(chain, client, who, ("X", 1, 100))
        await settle()

    none = await cards.redeem_waiting()
    offer = {"claim_by": "nobody", "per_member": None, "total": 2}
    await admin.call("PUT", f"/v1/admin/coupons/templates/{campaign['reward'][0]}/offer", offer)
    one = await cards.redeem_waiting()

    assert (none, one) == (0, 1)
    assert await held(phone.member_id, campaign["id"]) == Held(0, 0, 1)


async def test_a_campaign_that_is_paused_or_of_another_level_gives_nothing(chain, client, admin, phone):
    paused = await make_campaign(admin)
    gold = await make_campaign(admin, levels=["gold"])
    await move(admin, paused["id"], "pause")

    await buy(chain, client, phone, ("X", 1, 100))
    await settle()

    assert await held(phone.member_id, paused["id"]) == Held(0, 0, 0)
    assert await held(phone.member_id, gold["id"]) == Held(0, 0, 0)
    items = (await phone.call("GET", CARDS)).json()["items"]
    assert items == []
    assert await db.fetchval("SELECT count(*) FROM stamp_due") == 0


async def test_what_fails_for_one_holds_nobody_up(chain, client, admin, phone, monkeypatch):
    campaign = await make_campaign(admin)
    other = await register(client)
    first, second = sorted((phone, other), key=lambda who: who.member_id)
    for who in (first, second):
        await buy(chain, client, who, ("X", 1, 100))
    read = service.give

    async def fails_for_first(tx, campaign_, card_, *args, **more):
        if card_.member_id == first.member_id:
            raise asyncpg.DeadlockDetectedError
        return await read(tx, campaign_, card_, *args, **more)

    monkeypatch.setattr(service, "give", fails_for_first)
    await settle()
    after_failure = [await held(who.member_id, campaign["id"]) for who in (first, second)]
    monkeypatch.undo()
    await settle()

    assert after_failure == [Held(0, 0, 0), Held(1, 0, 0)]
    assert await held(first.member_id, campaign["id"]) == Held(1, 0, 0)


async def test_stored_value_counts_and_waiting_sales_do_not_until_they_are_paid(chain, client, admin, phone):
    campaign = await make_campaign(admin)
    await give(phone.member_id, principal=100_000)
    body = {"code": phone.code(), "code_entry": "typed", "order_no": uuid.uuid4().hex[:16]}
    body |= {"lines": [{"sku": "X", "qty": 1, "unit_price_fen": 5_000}]}
    waiting = await chain.till.post(client, "/v1/pos/sales", body)
    await settle()
    before = await held(phone.member_id, campaign["id"])

    sale_id = waiting.json()["id"]
    await phone.call("POST", f"/v1/member/confirmations/{sale_id}", {"decision": "approve"})
    await settle()

    assert before == Held(0, 0, 0)
    assert await held(phone.member_id, campaign["id"]) == Held(1, 0, 0)
