"""What still comes to a member who was merged goes on to the other: refunds, payments, accruals, coupons, points."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from backend.audience import service as audience
from backend.audience.commands import purchases
from backend.care import service as care
from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.kernel.config import settings
from backend.ledger import plans, service
from backend.ledger import queries as ledger
from backend.ledger.plans import POINTS_PENDING, Issue, Leg, Plan
from backend.members import queries as members
from backend.members import service as member_service
from backend.merging.commands import passing
from backend.privacy.commands import erasures
from backend.stamps import locks
from backend.stamps import service as stamps
from backend.stamps.commands.cards import redeem_waiting
from backend.surveys.commands import entering, rewards
from backend.wallet.commands import lots
from tests.support import passes, recharge, refunds
from tests.support.books import connected
from tests.support.coupons import (
    CASH,
    VALUE,
    accept_gift,
    by_coupons,
    claim,
    coupons_of,
    give_to_friend,
    make_template,
)
from tests.support.members import register
from tests.support.merging import approve, ask, merge
from tests.support.races import codes_of
from tests.support.stamps import GIFT, card, make_campaign, settle
from tests.support.surveys import enter, make_survey, send
from tests.support.value import give

COUPONS = "/v1/member/coupons"

pytestmark = pytest.mark.usefixtures("books")


async def balances(member_id: int) -> dict[str, int]:
    """What is not nothing."""
    return {kind: held for kind, held in (await ledger.get_balances(member_id)).items() if held}


async def buy(client, till, phone, fen, *tenders, **more):
    (code,) = await codes_of(phone, 1)
    sold = await till.sell(client, code, fen=fen, tenders=list(tenders), **more)
    assert sold.status_code == 201, sold.text
    await outbox.drain()
    return sold.json()


async def give_back(client, till, sale, fen):
    body = {"amount_fen": fen, "reason": "x"}
    answer = await till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", body)
    assert answer.status_code == 201, answer.text
    await outbox.drain()


async def test_a_refund_of_an_old_sale_goes_to_the_target(client, chain, admin, second, phone):
    source = await register(client)
    await give(source.member_id, principal=9_000, bonus=1_000)
    await give(phone.member_id, points=500)
    sale = await buy(client, chain.till, source, 9_500, {"type": "stored", "amount_fen": 9_500})
    earned = sale["points_earned"]
    await merge(admin, second, source, phone)
    before = await balances(phone.member_id)

    await give_back(client, chain.till, sale, 9_500)

    assert before == {"stored": 500, "points": 500 + earned}
    assert await balances(source.member_id) == {}
    assert await balances(phone.member_id) == {"stored": 10_000, "points": 500}
    held = await ledger.list_open_lots(phone.member_id, "stored")
    assert sum(lot.remaining for lot in held if lot.part == "bonus") == 1_000
    (growth,) = await db.fetch("SELECT growth_fen FROM member WHERE id = $1", phone.member_id)
    assert growth["growth_fen"] == 0


async def test_points_that_a_refund_takes_back_are_owed_where_they_were_spent(client, chain, admin, second, phone):
    source = await register(client)
    sale = await buy(client, chain.till, source, 20_000, {"type": "cash"})
    earned = sale["points_earned"]
    await merge(admin, second, source, phone)
    await buy(client, chain.till, phone, 5_000, {"type": "points", "points": 150}, {"type": "cash"})
    left = (await balances(phone.member_id)).get("points", 0)

    await give_back(client, chain.till, sale, 20_000)

    held = await balances(phone.member_id)
    assert (held.get("points", 0), held.get("points_debt", 0)) == (max(0, left - earned), max(0, earned - left))
    assert await balances(source.member_id) == {}


async def test_a_payment_of_a_recharge_that_was_under_way_is_the_targets(client, admin, second, phone):
    source = await register(client)
    order = await recharge.begin(source, amount_fen=5_000)
    await merge(admin, second, source, phone)

    paid = await recharge.pay(client, order["id"])
    await recharge.all_answered(client, order["id"], 1)
    await outbox.drain()

    assert paid.status_code == 200
    assert await balances(phone.member_id) == {"stored": 5_000}
    assert await balances(source.member_id) == {}
    letters = await db.fetch("SELECT member_id FROM message_letter WHERE once = $1", order["id"])
    assert [row["member_id"] for row in letters] == [phone.member_id]


async def test_the_phone_that_waits_for_a_recharge_sees_it_through(client, admin, second, phone):
    source, stranger = await register(client), await register(client)
    key = uuid.uuid4().hex
    order = await recharge.begin(source, key=key, amount_fen=2_000)
    await merge(admin, second, source, phone)

    assert (await phone.call("GET", f"/v1/member/recharges/{order['id']}")).json()["status"] == "pending"
    assert (await stranger.call("GET", f"/v1/member/recharges/{order['id']}")).status_code == 404
    assert await recharge.begin(phone, key=key, amount_fen=2_000) == order
    assert [(one.code, one.amount) for one in await erasures.look(phone.member_id) if one.blocks] == [("recharge", 1)]
    await recharge.pay(client, order["id"])
    await recharge.in_state(source, order["id"], "paid")
    assert (await phone.call("GET", f"/v1/member/recharges/{order['id']}")).json()["status"] == "paid"


async def test_a_recharge_of_the_sources_is_given_back_out_of_what_the_target_has(client, admin, second, phone, clock):
    source = await register(client)
    recharge_id = await refunds.paid(client, source, amount_fen=5_000)
    await outbox.drain()
    await merge(admin, second, source, phone)

    too_much = await refunds.ask(admin, recharge_id, 5_001)
    refund_id = await refunds.asked(admin, recharge_id, 3_000)
    frozen = await balances(source.member_id), await balances(phone.member_id)
    blocked = await ask(admin, phone, await register(client))
    in_the_way = [stake.code for stake in await erasures.look(phone.member_id) if stake.blocks]
    await refunds.until_state(clock, refund_id, "done")
    await outbox.drain()
    rest = await refunds.ask(phone, recharge_id, 2_000)

    assert too_much.status_code == 409
    assert frozen == ({"stored_held": 3_000}, {"stored": 2_000})
    assert (await balances(source.member_id), await balances(phone.member_id)) == ({}, {"stored": 2_000})
    assert blocked.status_code == 202
    assert in_the_way == ["recharge_refund"], "who leaves now would lose what is thawed"
    assert rest.status_code == 201, rest.text
    assert (await refunds.stored(rest.json()["id"])).state == "asked"
    await refunds.decide(admin, rest.json()["id"], "reject", note="x")


async def test_what_is_thawed_is_the_targets_again(client, admin, second, phone):
    source = await register(client)
    recharge_id = await refunds.paid(client, source, amount_fen=5_000)
    await merge(admin, second, source, phone)
    refund_id = await refunds.asked(admin, recharge_id, 3_000)

    stopped = await refunds.decide(admin, refund_id, "cancel", note="x")
    await outbox.drain()

    assert stopped.status_code == 200, stopped.text
    assert (await balances(source.member_id), await balances(phone.member_id)) == ({}, {"stored": 5_000})


async def test_an_offline_accrual_by_an_old_code_is_the_targets(client, chain, admin, second, phone):
    source = await register(client)
    code, at = source.code(), kernel_clock.now()
    await merge(admin, second, source, phone)
    body = {
        "order_no": uuid.uuid4().hex[:16],
        "code": code,
        "occurred_at": at.isoformat(),
        "total_fen": 3_000,
        "lines": [{"sku": "X-1", "qty": 1, "unit_price_fen": 3_000}],
    }

    done = await chain.till.post(client, "/v1/pos/accruals", body)
    twice = await chain.till.post(client, "/v1/pos/accruals", body | {"order_no": uuid.uuid4().hex[:16]})
    by_number = body | {"order_no": uuid.uuid4().hex[:16], "member_no": source.member["member_no"]}
    del by_number["code"]
    more = await chain.till.post(client, "/v1/pos/accruals", by_number)
    await outbox.drain()

    assert (done.status_code, twice.json()["code"], more.status_code) == (201, "code_used", 201)
    earned = done.json()["points_earned"] + more.json()["points_earned"]
    assert earned > 0
    assert await balances(phone.member_id) == {"points": earned}
    assert await balances(source.member_id) == {}


async def test_pending_points_become_available_at_the_target(client, admin, second, phone):
    source = await register(client)
    now = kernel_clock.now()
    on = kernel_clock.local_date(now, settings().timezone)
    lot = Issue("earned", 70, matures_on=on + timedelta(days=2), source="S-of-the-source")
    legs = (Leg(POINTS_PENDING, plans.POINT, 70, issue=(lot,)), Leg(plans.HOUSE_POINTS_ISSUED, plans.POINT, -70))
    key = uuid.uuid4().hex
    await service.post(
        Plan(member_id=source.member_id, kind="x", at=now, on=on, scope="t", key=key, hash="00" * 32, legs=legs)
    )

    await merge(admin, second, source, phone)
    waiting = await ledger.list_open_lots(phone.member_id, POINTS_PENDING)
    await lots.mature_points(now + timedelta(days=3))

    assert [(one.source, one.matures_on) for one in waiting] == [("S-of-the-source", lot.matures_on)]
    assert await balances(phone.member_id) == {"points": 70}


async def test_coupons_go_on_and_one_that_comes_back_follows(client, chain, admin, second, phone):
    source = await register(client)
    template = await make_template(admin, CASH | {"transferable": True}, per_member=2)
    used, kept = [(await claim(source, template_id=template["id"])).json() for _ in range(2)]
    (code,) = await codes_of(source, 1)
    sale = (await chain.till.sell(client, code, fen=15_000, tenders=by_coupons(used["id"]))).json()
    friend = await register(client)
    gift = (await give_to_friend(source, kept["id"])).json()
    await outbox.drain()
    await merge(admin, second, source, phone)
    mine = await coupons_of(phone)

    await give_back(client, chain.till, sale, 15_000)

    after = await coupons_of(phone)
    assert [one["template_id"] for one in mine] == [template["id"]]
    assert {one["template_id"] for one in after} == {template["id"]}
    assert (len(after), kept["id"] in {one["id"] for one in after}) == (2, False)
    assert (await accept_gift(friend, gift["token"])).json()["code"] == "coupon_gift_over"
    taken_back = [await by.call("DELETE", f"{COUPONS}/{kept['id']}/gifts/{gift['gift_id']}") for by in (phone, friend)]
    assert [answer.status_code for answer in taken_back] == [204, 404]
    assert (await claim(phone, template_id=template["id"])).json()["code"] == "coupon_limit_reached"


async def test_what_is_left_of_a_coupon_and_a_pass_that_were_used_goes_on(client, chain, admin, second, phone):
    source = await register(client)
    template = await make_template(admin, VALUE, per_member=1)
    coupon = (await claim(source, template_id=template["id"])).json()
    codes = await codes_of(source, 3)
    await chain.till.sell(client, codes[0], fen=1_200, tenders=by_coupons(coupon["id"]))
    scanned = [(await chain.till.post(client, "/v1/pos/scan", {"code": code})).json() for code in codes[1:]]
    product = await passes.make_pass_product(admin)
    await passes.buy(client, chain.till, scanned[0]["scan_token"], passes.line_of(product))
    await outbox.drain()
    (card,) = await passes.passes_of(source)
    used = await passes.use(client, chain.till, scanned[1]["scan_token"], card["id"])
    held = await passes.held(card["id"])

    await merge(admin, second, source, phone)

    (mine,), (goes_on,) = await coupons_of(phone), await passes.passes_of(phone)
    assert used.status_code == 201, used.text
    assert (mine["balance"], mine["expires_on"]) == (3_800, coupon["expires_on"])
    assert (goes_on["uses_left"], goes_on["uses"]) == (card["uses"] - 1, card["uses"])
    assert (await passes.held(goes_on["id"]), await passes.held(card["id"])) == (held, (0, 0))


async def test_a_stamp_that_was_being_given_at_that_moment_is_the_targets(client, admin, second, phone):
    source = await register(client)
    campaign = await make_campaign(admin, kind="attendance", goal=1)
    await merge(admin, second, source, phone)

    now = kernel_clock.now()
    async with db.transaction() as tx:  # as a check-in that had begun before
        (running,) = (await locks.hold_campaigns(tx, [campaign["id"]])).values()
        (card,) = (await locks.lock_cards(tx, [(source.member_id, running.id)], now)).values()
        await stamps.give(tx, running, card, 1, source="day:2026-12-01", now=now, on=stamps.today(now))
    await outbox.drain()
    rewards = await redeem_waiting()

    waiting = await db.fetchval("SELECT count(*) FROM stamp_card WHERE campaign_id = $1 AND waiting", running.id)
    assert (rewards, waiting, len(await coupons_of(phone))) == (1, 0, 1)


async def test_a_stamp_of_an_old_sale_is_taken_back_of_the_target(client, chain, admin, second, phone, settings):
    source = await register(client)
    campaign = await make_campaign(admin, goal=10)
    sale = await buy(client, chain.till, source, 1_200, {"type": "cash"})
    await settle()
    await merge(admin, second, source, phone)

    await give_back(client, chain.till, sale, 1_200)
    await settle()

    held = await db.fetchval("SELECT sum(taken) FROM stamp_given WHERE member_id = $1", phone.member_id)
    assert (held, (await card(phone, campaign["id"]))["have"]) == (1, 0)


async def note_stamps(tx, member_id, sale_id):
    await stamps.note_due(tx, member_id, sale_id, "")


async def note_care(tx, member_id, sale_id):
    await care.note_fact(tx, "level", member_id, "gold", kernel_clock.now().date())


@pytest.mark.parametrize("note", [audience.note, note_stamps, note_care])
async def test_a_purchase_that_was_being_noted_at_that_moment_is_the_targets(client, chain, admin, second, phone, note):
    source = await register(client)
    asked = await ask(admin, source, phone)
    (code,) = await codes_of(source, 1)
    sale = (await chain.till.sell(client, code, fen=1_200, tenders=[{"type": "cash"}])).json()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    async with db.transaction() as tx, asyncio.timeout(60):  # as the worker has begun to hand out the event
        await note(tx, source.member_id, sale["id"])
        approving = asyncio.create_task(approve(second, asked))
        while not approving.done() and not await db.fetchval(waits):
            await asyncio.sleep(0.01)
    approved = await approving
    left = [
        await db.fetchval(f"SELECT count(*) FROM {table} WHERE member_id = $1", source.member_id)
        for table in ("stamp_due", "care_fact")
    ]
    await outbox.drain()
    await purchases.count_due()

    bought = await db.fetch("SELECT member_id, times FROM audience_bought WHERE member_id = ANY($1)",
                            [source.member_id, phone.member_id])  # fmt: skip
    assert (approved.status_code, left) == (200, [0, 0]), approved.text
    assert [tuple(row) for row in bought] == [(phone.member_id, 1)]


async def test_a_surveys_reward_that_waits_goes_to_whoever_its_member_is_now(client, admin, second, phone):
    template = await make_template(admin, GIFT, claim_by="nobody", title="问卷礼", per_member=None, total=1)
    survey = await make_survey(admin, reward={"template_id": template["id"]})
    source = await register(client)
    assert [(await send(one, survey)).status_code for one in (phone, source)] == [201, 201]  # there is only one
    await merge(admin, second, source, phone)
    more = {"claim_by": "nobody", "per_member": None, "total": 5}
    assert (await admin.call("PUT", f"/v1/admin/coupons/templates/{template['id']}/offer", more)).status_code == 200
    await db.pool().execute("UPDATE survey_participation SET tried_at = NULL WHERE member_id = $1", source.member_id)

    await rewards.pay_due()

    assert await db.fetchval("SELECT count(*) FROM coupon WHERE member_id = $1", phone.member_id) == 2


async def test_an_answer_that_was_being_entered_at_that_moment_is_the_targets(
    client, admin, second, phone, monkeypatch
):
    survey, source = await make_survey(admin), await register(client)

    async def merged_meanwhile(*_):
        await merge(admin, second, source, phone)
        return True

    monkeypatch.setattr(entering, "is_meant", merged_meanwhile)

    entered = await enter(admin, survey, member_no=source.member["member_no"])

    part = await db.fetchrow("SELECT member_id, done_on FROM survey_participation WHERE survey_id = $1", survey["id"])
    assert (entered.status_code, part["member_id"], part["done_on"] is None) == (201, phone.member_id, False)


async def test_whatever_became_of_the_event_the_sweep_passes_it_on(client, admin, second, phone):
    source = await register(client)
    await merge(admin, second, source, phone)
    await give(source.member_id, principal=1_000, points=5)
    await db.pool().execute("DELETE FROM outbox WHERE name = 'MergedBooksMoved'")

    found = await passing.sweep()

    assert found == 1
    assert await balances(phone.member_id) == {"stored": 1_000, "points": 5}
    assert await passing.sweep() == 0


async def test_a_sale_that_waits_for_the_phone_must_end_first(client, chain, admin, second, phone):
    source = await register(client)
    await give(source.member_id, principal=100_000)
    asked = await ask(admin, source, phone)
    (code,) = await codes_of(source, 1)
    waiting = (await chain.till.sell(client, code, fen=90_000)).json()

    again = await ask(admin, source, phone)
    late = await second.post(f"/v1/admin/approvals/{asked.json()['approval_id']}/approve", {})

    assert again.json()["code"] == late.json()["code"] == "merge_blocked"
    (obstacle,) = late.json()["obstacles"]
    assert (obstacle["code"], obstacle["ids"]) == ("sale_under_way", [waiting["id"]])
    assert await balances(source.member_id) == {"stored": 100_000}
    assert await members.current_id(source.member_id) == source.member_id


async def test_who_takes_over_somebody_may_be_taken_over(client, chain, admin, second, phone):
    first, middle = await register(client), await register(client)
    await give(first.member_id, principal=3_000)
    sale = await buy(client, chain.till, first, 1_000, {"type": "stored", "amount_fen": 1_000})
    await merge(admin, second, first, middle)
    await merge(admin, second, middle, phone)

    await give_back(client, chain.till, sale, 1_000)

    assert await members.ids_of(phone.member_id) == (phone.member_id, middle.member_id, first.member_id)
    assert (await balances(phone.member_id))["stored"] == 3_000
    assert await balances(first.member_id) == await balances(middle.member_id) == {}


async def test_who_holds_whoever_a_member_is_now_stands_in_no_further_merge_s_way(admin, second, phone):
    """It holds the other first, then moves along who was merged before: crosswise one of the two would die of it."""
    source = await register(phone.client)
    await merge(admin, second, source, phone)

    async def hold() -> int:
        async with db.transaction() as tx:
            return await member_service.hold_current(tx, source.member_id)

    async with connected(settings(), "huiyuan_app") as merging:
        await merging.execute("SET lock_timeout = '2s'")
        async with merging.transaction():
            await merging.execute("SELECT FROM member WHERE id = $1 FOR UPDATE", phone.member_id)
            holding = asyncio.create_task(hold())
            while not await merging.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
            await merging.execute("UPDATE member SET merged_into = merged_into WHERE merged_into = $1", phone.member_id)

    assert await holding == phone.member_id
