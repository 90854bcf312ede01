"""Bonus that returns while its recharge is being given back: WeChat may still refuse, so it is given up at the end."""

from __future__ import annotations

import msgspec
import pytest

from backend.kernel import config, db, outbox
from backend.wallet.commands import forfeiting
from tests.support import refunds
from tests.wallet.test_refunds import give_back, spend, wallet

pytestmark = pytest.mark.usefixtures("books")

JOBS = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = $1 AND args->>'by' = $2"


async def test_it_stays_where_the_refund_fails_and_goes_where_it_is_done(client, chain, phone, offers, admin, clock):
    recharge_id = await refunds.paid(client, phone, offer_id=offers.big)
    sale = await spend(client, chain, phone, 8_000)  # 5,000 of bonus, 3,000 of principal
    fails = await refunds.asked(admin, recharge_id)
    back = await give_back(client, chain, sale["id"], 8_000)
    await outbox.drain()
    assert await forfeiting.forfeit(phone.member_id, back["id"]) == 0

    await refunds.decide(admin, fails, "cancel", note="会员改变主意")

    assert await forfeiting.forfeit(phone.member_id, back["id"]) == 0
    assert await wallet(phone) == {"total_fen": 55_000, "principal_fen": 50_000, "bonus_fen": 5_000}

    sale = await spend(client, chain, phone, 8_000)
    goes = await refunds.asked(admin, recharge_id)
    await give_back(client, chain, sale["id"], 8_000)
    await refunds.until_state(clock, goes, "done")

    assert await db.fetchval(JOBS, forfeiting.JOB, goes) == 1
    assert [await forfeiting.forfeit(phone.member_id, goes) for _ in range(2)] == [5_000, 0]
    assert await wallet(phone) == {"total_fen": 3_000, "principal_fen": 3_000, "bonus_fen": 0}


async def test_what_principal_was_to_pay_for_is_given_up_when_that_refund_fails(
    client, chain, phone, offers, admin, clock
):
    recharge_id = await refunds.paid(client, phone, offer_id=offers.big)
    sale = await spend(client, chain, phone, 8_000)
    await refunds.until_state(clock, await refunds.asked(admin, recharge_id, 10_000), "done")
    config.use(msgspec.structs.replace(config.settings(), recharge_refund_withholds_bonus=True))
    try:
        fails = await refunds.asked(admin, recharge_id, 10_000)
    finally:
        config.use(msgspec.structs.replace(config.settings(), recharge_refund_withholds_bonus=False))
    assert (await refunds.stored(fails)).withheld_fen == 5_000
    back = await give_back(client, chain, sale["id"], 8_000)
    assert await forfeiting.forfeit(phone.member_id, back["id"]) == 0

    await refunds.decide(admin, fails, "cancel", note="会员改变主意")

    assert await db.fetchval(JOBS, forfeiting.JOB, fails) == 1
    assert await forfeiting.forfeit(phone.member_id, fails) == 5_000
    assert await wallet(phone) == {"total_fen": 40_000, "principal_fen": 40_000, "bonus_fen": 0}
