"""The demo's customer service: some wait, some are being answered, and what staff answer goes out."""

from __future__ import annotations

from collections import Counter

import httpx

from backend.demo import chats
from backend.demo.load import _load_chain, _staff
from backend.kernel import db
from tests.support.chat import DESK, Customer, say, work
from tests.support.members import register
from tests.support.seed import Login
from tests.support.staff import StaffSession


async def test_some_wait_and_can_be_answered(client: httpx.AsyncClient, settings):
    await _load_chain()
    for _ in chats.TALKS:
        await register(client)

    await chats.load(settings)

    states = Counter(row["state"] for row in await db.fetch("SELECT state FROM conversation"))
    assert states == {"waiting": 3, "open": 1, "wechat": 1, "robot": 1, "closed": 2}
    admin = await office(client)
    waiting = (await admin.get(f"{DESK}?view=waiting")).json()
    assert [item["unread"] for item in waiting["items"]] == [2, 1, 2]
    first = waiting["items"][0]["id"]
    assert (await admin.post(f"{DESK}/{first}/claim")).status_code == 200
    assert (await say(admin, first, "可以换，请带小票到店。")).json()["message"]["stage"] == "sent"
    customer = Customer(client, chats.openid_of(6))
    await customer.write("退货怎么办")
    await work(settings)
    assert [text[:4] for text in await customer.answers()] == ["收货后七", "我的订单"]


async def office(client: httpx.AsyncClient) -> StaffSession:
    login = next(Login(p["username"], p["password"], p["role"], None) for p in _staff() if p["role"] == "admin")
    answer = await client.post("/v1/admin/login", json={"username": login.username, "password": login.password})
    return StaffSession(client, answer.json()["access_token"], answer.json()["refresh_token"])
