"""Bonus that an owner allotted before its recharge went back is given up when it comes home."""

from __future__ import annotations

import uuid

import pytest

from backend.kernel import db, ids, outbox
from backend.wallet import service as wallet
from backend.wallet.commands import forfeiting
from backend.wallet.types import Offer
from tests.groups.test_allotments import allot, group_of, held, take_back
from tests.support import refunds
from tests.support.members import register

pytestmark = pytest.mark.usefixtures("books")


async def test_bonus_of_a_recharge_that_went_back_does_not_come_home(client, admin, phone, clock):
    offer = Offer(id=ids.new_short("O"), pay_fen=10_000, bonus_fen=2_000, bonus_valid_days=30, sort=1)
    async with db.transaction() as tx:
        await wallet.create_offer(tx, offer)
    recharge_id = await refunds.paid(client, phone, offer_id=offer.id)
    person = await register(client)
    _, (_, person_id) = await group_of(admin, phone, person)
    made = (await allot(phone, person_id, 2_500)).json()
    await refunds.until_state(clock, await refunds.asked(admin, recharge_id), "done")
    login = await client.post("/v1/member/login", json={"js_code": f"demo-{phone.openid.removeprefix('openid-')}"})
    phone.access_token = login.json()["access_token"]
    assert await held(phone) == []

    back = await take_back(phone, made, key=uuid.uuid4().hex)
    await outbox.drain()

    assert back.json()["taken"] == 2_500, back.text
    asked = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = $1 AND args->>'by' = $2"
    assert await db.fetchval(asked, forfeiting.JOB, f"{made['id']}:2500") == 1
    assert await forfeiting.forfeit(phone.member_id, f"{made['id']}:2500") == 2_000
    assert [lot[1:3] for lot in await held(phone)] == [("principal", 500)]
