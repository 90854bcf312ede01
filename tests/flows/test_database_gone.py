"""What a till is told while the database restarts: try again; and then it works, once."""

from __future__ import annotations

import asyncio

from backend.kernel import db
from tests.support.value import findings, give


async def test_sales_during_a_restart_are_told_to_try_again_and_happen_once(client, chain, phone, engines, settings):
    await give(phone.member_id, principal=5_000)
    body = {"code": phone.code(), "order_no": "DB-1", "lines": [{"sku": "a", "qty": 1, "unit_price_fen": 900}]}
    assert (await chain.till.post(client, "/v1/pos/quotes", body)).status_code == 200
    name = db.connect_args(settings.database_url)["database"]
    engines.postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    answer = await chain.till.post(client, "/v1/pos/sales", body, key="db-1")
    for _ in range(40):
        if answer.status_code == 201:
            break
        assert answer.json()["code"] in ("unavailable", "outcome_unknown"), answer.text
        assert int(answer.headers["retry-after"]) >= 1
        await asyncio.sleep(0.1)
        answer = await chain.till.post(client, "/v1/pos/sales", body, key="db-1")

    assert answer.status_code == 201
    again = await chain.till.post(client, "/v1/pos/sales", body, key="db-1")
    assert again.json()["id"] == answer.json()["id"]
    assert (await phone.wallet())["stored"]["total_fen"] == 4_100
    assert await findings(settings) == []
