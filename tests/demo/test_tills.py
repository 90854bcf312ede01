"""The demo's tills: limits, rules, a closed shift with a difference, and one that is open."""

from __future__ import annotations

from backend.demo import tills
from backend.demo.load import _load_chain, _staff
from tests.support import wire
from tests.support.members import register
from tests.support.staff import StaffSession
from tests.support.value import findings


async def test_there_is_something_to_look_at_and_the_books_balance(server):
    await _load_chain()
    async with wire.connected(server.base_url) as client:
        await register(client)
        await tills.load()
        admin = next(one for one in _staff() if one["username"] == "admin")
        body = {"username": "admin", "password": admin["password"]}
        token = (await client.post("/v1/admin/login", json=body)).json()["access_token"]
        session = StaffSession(client, token, "")

        shifts = (await session.get("/v1/admin/shifts")).json()["items"]
        limits = (await session.get("/v1/admin/override-limits")).json()["items"]
        rules = (await session.get("/v1/admin/discount-rules")).json()["items"]

    assert [(one["state"], one.get("difference_fen")) for one in shifts] == [("open", None), ("closed", -200)]
    assert {one["role"] for one in limits} == {"cashier", "manager", "admin"}
    assert {one["state"] for one in rules} == {"draft", "active"}
    assert await findings(server.settings) == []
