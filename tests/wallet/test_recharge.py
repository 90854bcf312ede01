"""Recharges over HTTP, paid at the simulated platform."""

from __future__ import annotations

import asyncio
import uuid

import pytest_asyncio

from tests.support.members import register
from tests.support.seed import Chain, seed_chain
from tests.support.value import findings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    return await seed_chain(server.base_url)


async def test_a_recharge_is_credited_when_wechat_says_it_is_paid(client, chain, settings):
    phone = await register(client)

    made = await phone.call("POST", "/v1/member/recharges", {"amount_fen": 50_000}, key=uuid.uuid4().hex)
    assert made.status_code == 201, made.text
    order = made.json()
    paid = await client.post(f"/mock/wechat/pay/{order['out_trade_no']}/pay")
    assert paid.status_code == 200, paid.text

    for _ in range(50):
        if (await phone.wallet())["stored"]["total_fen"]:
            break
        await asyncio.sleep(0.1)
    assert (await phone.wallet())["stored"] == {"total_fen": 50_000, "principal_fen": 50_000, "bonus_fen": 0}
    assert await findings(settings) == []
