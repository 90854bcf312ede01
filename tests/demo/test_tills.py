"""The demo's tills: limits, rules, what a manager let through, a closed shift with a difference, one that is open."""

from __future__ import annotations

from backend.demo import tills
from backend.demo.load import _load_chain, _staff
from backend.kernel import clock, db
from tests.support import wire
from tests.support.members import register
from tests.support.staff import StaffSession
from tests.support.value import findings


def today() -> str:
    return clock.local_date(clock.now(), "Asia/Shanghai").isoformat()


async def test_there_is_something_to_look_at_and_the_books_balance(server):
    await _load_chain()
    async with wire.connected(server.base_url) as client:
        boss = await register(client)
        await db.pool().execute("UPDATE auth_staff SET member_id = $1 WHERE username = 'manager1'", boss.member_id)
        await register(client)
        await tills.load()
        admin = next(one for one in _staff() if one["username"] == "admin")
        body = {"username": "admin", "password": admin["password"]}
        token = (await client.post("/v1/admin/login", json=body)).json()["access_token"]
        session = StaffSession(client, token, "")

        shifts = (await session.get("/v1/admin/shifts")).json()["items"]
        limits = (await session.get("/v1/admin/override-limits")).json()["items"]
        (grant,) = (await session.get("/v1/admin/overrides")).json()["items"]
        summed = (await session.get(f"/v1/admin/reports/overrides?from={today()}&to={today()}")).json()["items"]
        rules = (await session.get("/v1/admin/discount-rules")).json()["items"]

    assert [(one["state"], one.get("difference_fen")) for one in shifts] == [("open", None), ("closed", -200)]
    assert {
        name: grant[name] for name in ("username", "store_id", "terminal_id", "cashier", "fen", "reason", "note")
    } == {
        "username": "manager1",
        "store_id": "S001",
        "terminal_id": "S001-T1",
        "cashier": "小李",
        "fen": 4_500,
        "reason": "damaged",
        "note": "外盒破损",
    }
    assert [(one["username"], one["grants"], one["fen"]) for one in summed] == [("manager1", 1, 4_500)]
    assert {one["role"] for one in limits} == {"cashier", "manager", "admin"}
    assert {one["state"] for one in rules} == {"draft", "active"}
    assert await findings(server.settings) == []
