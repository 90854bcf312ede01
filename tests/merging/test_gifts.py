"""What is given by a job is given once and not lost, whoever its member has become since."""

from __future__ import annotations

import pytest

from backend.coupons import queries as coupons
from backend.coupons.commands import automatic, handouts
from backend.coupons.commands.rewards import take_back
from backend.groups.commands import batches as allot_batches
from backend.kernel import db, events, outbox
from backend.ledger.errors import Stale
from backend.lifecycle import service as lifecycle
from backend.lifecycle.types import Source
from backend.members import queries as members
from backend.members.events import LevelReached
from backend.passes.commands import earning
from backend.stamps.commands import closing
from backend.surveys.commands import rewards
from tests.coupons.test_handouts import hand_out
from tests.groups.test_allotments import group_of
from tests.groups.test_batches import no, path, table, total
from tests.groups.test_batches import send as send_table
from tests.support.coupons import CASH, TEMPLATES, by_coupons, coupons_of, make_template
from tests.support.members import register
from tests.support.merging import merge
from tests.support.passes import WASHES, make_pass_product, passes_of
from tests.support.races import codes_of
from tests.support.stamps import CARDS, held, make_campaign
from tests.support.surveys import MINE, gain, make_survey, send, taste
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")


async def test_what_a_recharge_earned_is_given_once_and_its_job_ends(client, admin, second, phone):
    source = await register(client)
    product = await make_pass_product(admin, WASHES | {"earned_by_recharge_fen": 50_000})
    await earning.give_earned(source.member_id, product["id"], "R-merged")  # and the worker dies
    await outbox.drain()
    await merge(admin, second, source, phone)

    await earning.give_earned(source.member_id, product["id"], "R-merged")
    await outbox.drain()

    assert len(await passes_of(phone)) == 1


async def test_a_level_that_both_reach_is_rewarded_once(client, admin, second, phone, settings):
    source = await register(client)
    triggers = [{"on": "level", "level": "gold"}]
    template = await make_template(admin, claim_by="nobody", per_member=None, triggers=triggers)
    coupons.forget_offered()
    for who in (source, phone):
        if who is phone:
            await merge(admin, second, source, phone)
        async with db.transaction() as tx:
            await events.publish(tx, LevelReached(member_id=who.member_id, level="gold"))
        await outbox.drain()
        await automatic.issue_due()

    async with db.transaction() as tx:  # an event of the source's that was on its way
        await events.publish(tx, LevelReached(member_id=source.member_id, level="platinum"))
    await outbox.drain()

    found = [one["template_id"] for one in await coupons_of(phone)]
    await admin.post(f"{TEMPLATES}/{template['id']}/end")
    assert found == [template["id"]]
    facts = await db.fetch("SELECT ref FROM care_fact WHERE member_id = $1 AND kind = 'level'", phone.member_id)
    assert {row["ref"] for row in facts} == {"gold", "platinum"}


async def test_a_sales_reward_that_comes_back_after_the_merge_goes_with_the_sale(client, chain, admin, second, phone):
    source = await register(client)
    terms = CASH | {"refund": "return"}
    template = await make_template(
        admin, terms, claim_by="nobody", per_member=None, triggers=[{"on": "sale", "min_fen": 15_000}]
    )
    coupons.forget_offered()
    codes = await codes_of(source, 2)
    first = (await chain.till.sell(client, codes[0], fen=15_000, tenders=[{"type": "cash"}])).json()
    await outbox.drain()
    await automatic.issue_due()
    (reward,) = await coupons_of(source)
    used = (await chain.till.sell(client, codes[1], fen=10_000, tenders=by_coupons(reward["id"]))).json()
    await admin.post(f"{TEMPLATES}/{template['id']}/end")
    await outbox.drain()
    await merge(admin, second, source, phone)
    for sale in (first, used):
        body = {"amount_fen": sale["payable_fen"], "reason": "x"}
        assert (await chain.till.post(client, f"/v1/pos/sales/{sale['id']}/refunds", body)).status_code == 201

    # The job is before the event that passes on what came back.
    assert await take_back(source.member_id, first["id"]) == 1
    await outbox.drain()

    assert await coupons_of(phone) == []


async def test_a_list_that_names_both_gives_one_coupon_and_to_whom_they_are_now(client, admin, second, phone):
    source = await register(client)
    template = await make_template(admin, claim_by="nobody", per_member=None)
    begun = (await hand_out(admin, template, [source.member_id, phone.member_id])).json()
    alone = (await hand_out(admin, template, [source.member_id])).json()
    await merge(admin, second, source, phone)

    await handouts.hand_out(begun["id"])
    both = len(await coupons_of(phone))
    await handouts.hand_out(alone["id"])

    assert (both, len(await coupons_of(phone))) == (1, 2)


async def test_an_answer_is_rewarded_once_though_the_other_had_begun_one(client, admin, second, phone, monkeypatch):
    source = await register(client)
    surveys = [await make_survey(admin, reward={"points": 7}) for _ in range(2)]
    assert (await send(source, surveys[0])).status_code == 201
    with monkeypatch.context() as patched:  # the worker dies before it pays the second

        async def die(*_):
            raise Stale

        patched.setattr(rewards, "pay", die)
        assert (await send(source, surveys[1])).status_code == 201
    for survey in surveys:
        begun = {"version": survey["version"], "revision": 1, "page": 0, "answers": taste()}
        assert (await phone.call("PUT", f"{MINE}/{survey['id']}/progress", begun)).status_code == 200
    await merge(admin, second, source, phone)

    await rewards.try_pay(surveys[1]["id"], phone.member_id)

    assert (await phone.wallet())["points"]["available"] == 14
    assert [(await send(phone, survey)).status_code for survey in surveys] == [409, 409]
    assert [(await gain(phone, survey))["paid"] for survey in surveys] == [True, True]


async def test_a_table_goes_on_out_of_what_its_owner_is_merged_into_meanwhile(
    client, admin, second, phone, monkeypatch
):
    owner, *people = [await register(client) for _ in range(3)]
    group_id, _ = await group_of(admin, owner, *people)
    await give(owner.member_id, points=100)
    rows = [(no(one), "积分", 10, "") for one in people]
    batch_id = (await send_table(admin, path(group_id), table(*rows))).json()["id"]
    real, asked = allot_batches._runs, []

    async def merged_before_the_second(id_):
        asked.append(id_)
        if len(asked) == 2:
            await merge(admin, second, owner, phone)
        return await real(id_)

    monkeypatch.setattr(allot_batches, "_runs", merged_before_the_second)
    await allot_batches.run(batch_id)

    assert await total(phone, *people) == [80, 10, 10]


async def test_a_level_that_was_given_before_the_merge_is_not_given_again(client, admin, second, phone):
    source = await register(client)
    given, (*_, level) = [], await members.levels()
    for who in (source, phone):  # what it is given for is told once more to who they are now
        if who is phone:
            await merge(admin, second, source, phone)
        async with db.transaction() as tx:
            grant_id = await lifecycle.grant_months(
                tx, who.member_id, level, 1, source=Source.CAMPAIGN, reason="x", key="stamps:K1"
            )
        given.append(grant_id)

    assert given[0] == given[1]
    assert await db.fetchval("SELECT count(*) FROM lifecycle_grant WHERE member_id = $1", phone.member_id) == 1


@pytest.mark.parametrize("closed", ["source", "target"])
async def test_stamps_of_a_campaign_whose_cards_are_being_closed_expire_with_the_target_s(
    client, admin, second, phone, closed
):
    source = await register(client)
    campaign = await make_campaign(admin, kind="attendance", goal=9)
    for who in (source, phone):
        assert (await who.call("POST", f"{CARDS}/{campaign['id']}/check-in", {})).status_code == 200
    await db.pool().execute("UPDATE stamp_campaign SET state = 'ended' WHERE id = $1", campaign["id"])
    first = source if closed == "source" else phone
    await closing._close_card(first.member_id, campaign["id"])  # and the worker dies
    await merge(admin, second, source, phone)

    await closing.close_ended()

    assert await held(phone.member_id, campaign["id"]) == (0, 0, 0)
