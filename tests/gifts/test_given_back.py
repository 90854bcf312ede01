"""Bonus that paid for a gift before its recharge went back is given up when the gift comes to nothing."""

from __future__ import annotations

import pytest

from backend.kernel import db, ids, outbox
from backend.reconciliation.commands import clearing
from backend.wallet import service as wallet
from backend.wallet.commands import forfeiting
from backend.wallet.types import Offer
from tests.support import refunds
from tests.support.gifts import GOODS, MINE, make_gift, redeemed
from tests.support.mall import put
from tests.support.value import findings, give

pytestmark = pytest.mark.usefixtures("books")


async def test_bonus_of_a_recharge_that_went_back_does_not_come_back_with_a_gift(client, admin, phone, clock, settings):
    offer = Offer(id=ids.new_short("O"), pay_fen=10_000, bonus_fen=2_000, bonus_valid_days=30, sort=1)
    async with db.transaction() as tx:
        await wallet.create_offer(tx, offer)
    recharge_id = await refunds.paid(client, phone, offer_id=offer.id)
    await put("S1", "6902", 5, 3_750)
    await give(phone.member_id, points=100)
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": "121212"})).status_code == 204
    made = await redeemed(phone, await make_gift(admin, GOODS, pay_fen=2_500), pin="121212")
    await refunds.until_state(clock, await refunds.asked(admin, recharge_id), "done")
    assert (await phone.wallet())["stored"]["total_fen"] == 0

    cancelled = await phone.call("POST", f"{MINE}/{made['id']}/cancel")
    await outbox.drain()

    assert cancelled.json()["status"] == "cancelled", cancelled.text
    asked = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = $1 AND args->>'by' = $2"
    assert await db.fetchval(asked, forfeiting.JOB, made["id"]) == 1
    await clearing.count_due()
    assert await forfeiting.forfeit(phone.member_id, made["id"]) == 2_000
    assert await findings(settings) == []  # what was counted before still is what the books say
    async with db.transaction() as tx:
        await clearing.note(tx, phone.member_id, made["id"])
    await clearing.count_due()
    assert await findings(settings) == []
    assert (await phone.wallet())["stored"] == {"total_fen": 500, "principal_fen": 500, "bonus_fen": 0}
