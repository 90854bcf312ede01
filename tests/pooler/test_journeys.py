"""What a member, a till and the background do, all of it through a pooler that keeps no session."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid

import asyncpg
import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from backend.engines import datadir
from backend.kernel import db, jobs, live
from tests.support import kept, recharge
from tests.support.members import Phone, register
from tests.support.races import at_once, codes_of, outcomes
from tests.support.value import findings, give

from .conftest import SIZE

LINES = [{"sku": "X-1", "qty": 1, "unit_price_fen": 500}]


async def backends(settings) -> int:
    """The connections that the pooler holds to this module's database."""
    connection = await asyncpg.connect(**db.connect_args(settings.direct_database_url))
    try:
        return await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND application_name <> $1",
            kept.NAME,
        )
    finally:
        await connection.close()


async def hears(phone: Phone) -> bool:
    """Whether the phone's socket hears: the handshake is answered a moment earlier."""
    return bool(live._hub.inboxes.get(phone.member_id))


async def test_two_clients_use_one_connection_in_turn(database):
    async with db.pool().acquire() as one, db.pool().acquire() as other:
        pids = [await connection.fetchval("SELECT pg_backend_pid()") for connection in (one, other)]

    assert pids[0] == pids[1], "the pooler is not in transaction mode: this directory proves nothing"


async def test_a_member_recharges_buys_and_is_refunded(client, chain, phone, settings):
    order = await recharge.begin(phone, amount_fen=30_000)
    await recharge.pay(client, order["id"])
    await recharge.in_state(phone, order["id"], "paid")
    scan = await chain.till.post(client, "/v1/pos/scan", {"code": phone.code()})
    body = {"scan_token": scan.json()["scan_token"], "order_no": "PB-1", "lines": [
        {"sku": "6901", "qty": 3, "unit_price_fen": 200}, {"sku": "6902", "qty": 1, "unit_price_fen": 1_250},
    ]}  # fmt: skip

    sale = await chain.till.post(client, "/v1/pos/sales", body, key="pb-1")
    again = await chain.till.post(client, "/v1/pos/sales", body, key="pb-1")
    back = await chain.till.post(
        client, f"/v1/pos/sales/{sale.json()['id']}/refunds", {"lines": [{"line_no": 2, "qty": 1}], "reason": "坏了"}
    )

    assert sale.status_code == 201, sale.text
    assert again.json() == sale.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert back.status_code == 201, back.text
    assert back.json()["refund_fen"] == 1_250
    assert (await phone.wallet())["stored"]["total_fen"] == 30_000 - 600
    entries = (await phone.call("GET", "/v1/member/wallet/entries?account=stored")).json()["items"]
    assert [entry["amount"] for entry in entries] == [1_250, -1_850, 30_000]
    assert await findings(settings) == []


async def test_of_many_sales_at_once_as_many_go_through_as_there_is_value_for(client, chain, phone, settings):
    await give(phone.member_id, principal=7_000)
    codes = await codes_of(phone, 24)

    answers = await at_once(
        chain.tills["S1"][n % 2].sell(client, code, fen=1_000) for n, code in enumerate(codes)
    )  # fmt: skip

    assert outcomes(answers) == {201: 7, "insufficient_balance": 17}
    assert (await phone.wallet())["stored"]["total_fen"] == 0
    assert await findings(settings) == []


async def test_more_requests_than_connections_are_all_answered_and_the_books_balance(client, chain, settings):
    """As a benchmark loads it: 12 members, 5 sales each, some twice, and their reading."""
    phones = await asyncio.gather(*(register(client, name=f"会员{n}") for n in range(12)))
    for phone in phones:
        await give(phone.member_id, principal=10_000)

    async def shop(phone: Phone) -> None:
        for number, code in enumerate(await codes_of(phone, 5)):
            body = {"code": code, "order_no": uuid.uuid4().hex[:16], "lines": LINES}
            key = uuid.uuid4().hex
            sales = await at_once(
                chain.till.post(client, "/v1/pos/sales", body, key=key) for _ in range(1 + number % 2)
            )
            assert {answer.status_code for answer in sales} == {201}, sales[0].text
            assert len({answer.json()["id"] for answer in sales}) == 1
            assert (await phone.wallet())["stored"]["total_fen"] == 10_000 - (number + 1) * 500

    await asyncio.gather(*(shop(phone) for phone in phones))

    assert 2 <= await backends(settings) <= SIZE
    assert await db.fetchval("SELECT count(*) FROM ledger_document WHERE kind = 'sale'") >= 60
    assert await findings(settings) == []


async def test_a_phone_hears_of_its_sale(client, server, chain, phone):
    await give(phone.member_id, principal=1_000)
    protocols = [Subprotocol("huiyuan.v1"), Subprotocol(f"bearer.{phone.access_token}")]
    async with connect(
        f"{server.base_url.replace('http', 'ws')}/v1/member/live", subprotocols=protocols, proxy=None
    ) as ws:
        await recharge.until(lambda: hears(phone))

        sale = await chain.till.sell(client, phone.code(), fen=400)
        message = json.loads(await asyncio.wait_for(ws.recv(), 60))

    assert sale.status_code == 201, sale.text
    assert (message["type"], message["data"]["sale"]["id"]) == ("sale_completed", sale.json()["id"])


@pytest.mark.parametrize("way", ["past the pooler", "through the pooler"])
async def test_the_worker_relays_events_and_runs_jobs(client, chain, phone, settings, way):
    given = settings if way == "past the pooler" else msgspec.structs.replace(settings, direct_database_url="")
    await give(phone.member_id, principal=900)
    assert (await chain.till.sell(client, phone.code(), fen=900)).status_code == 201
    async with db.transaction() as tx:
        job = await jobs.defer(tx, "auth.sweep_nonces")

    async def worked() -> bool:
        left = await db.fetchval("SELECT count(*) FROM outbox WHERE member_id = $1", phone.member_id)
        waiting = await db.fetchval("SELECT count(*) FROM procrastinate_jobs WHERE id = $1", job)
        growth = await db.fetchval("SELECT growth_fen FROM member WHERE id = $1", phone.member_id)
        return (left, waiting, growth) == (0, 0, 900)

    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "backend.cli.main", "worker", env=datadir.environment(given)
    )
    try:
        await recharge.until(worked, seconds=20)
    finally:
        worker.terminate()
        assert await worker.wait() == 0
