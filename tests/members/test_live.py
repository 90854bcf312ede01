"""The live channel's WebSocket: subprotocols, events, and closing when the session ends."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from backend.kernel import live
from backend.members import live_socket
from tests.support.members import register
from tests.support.staff import log_in


def socket(server, *subprotocols: str):
    url = server.base_url.replace("http", "ws") + "/v1/member/live"
    return connect(url, subprotocols=[Subprotocol(item) for item in subprotocols], proxy=None)


@pytest.fixture(autouse=True)
def seldom(monkeypatch):
    """No socket is looked at again within a test: what closes it is that it was told."""
    monkeypatch.setattr(live_socket, "CHECK_S", 600.0)


async def close_code(connection) -> int:
    async with asyncio.timeout(60):
        await connection.wait_closed()
    return connection.close_code


async def listening(phone) -> None:
    """Wait until the socket hears: the handshake is answered a moment earlier."""
    async with asyncio.timeout(60):
        while not (live_socket._open[phone.member_id] and live._hub.inboxes.get(phone.member_id)):
            await asyncio.sleep(0.005)


async def test_events_arrive_and_the_token_is_not_echoed(client, server, chain):
    phone = await register(client)

    async with socket(server, "huiyuan.v1", f"bearer.{phone.access_token}") as connection:
        await listening(phone)
        live.push(phone.member_id, "recharged", {"pay_fen": 100})
        message = json.loads(await asyncio.wait_for(connection.recv(), 60))

    assert connection.subprotocol == "huiyuan.v1"
    assert phone.access_token not in str(connection.response.headers)
    assert message == {"type": "recharged", "data": {"pay_fen": 100}}


async def test_others_events_do_not_arrive(client, server, chain):
    phone, other = await register(client), await register(client)

    async with socket(server, "huiyuan.v1", f"bearer.{phone.access_token}") as connection:
        await listening(phone)
        live.push(other.member_id, "recharged", {})
        live.push(phone.member_id, "message", {})
        message = json.loads(await asyncio.wait_for(connection.recv(), 60))

    assert message["type"] == "message"


@pytest.mark.parametrize("token", ["bearer.x", "bearer.", "huiyuan.v2"])
async def test_a_bad_token_closes_with_4401(client, server, chain, token):
    async with socket(server, "huiyuan.v1", token) as connection:
        assert await close_code(connection) == 4401


async def test_an_unregistered_login_is_closed_with_4403(client, server, chain):
    login = (await client.post("/v1/member/login", json={"js_code": "demo-live-nobody"})).json()

    async with socket(server, "huiyuan.v1", f"bearer.{login['access_token']}") as connection:
        assert await close_code(connection) == 4403


@pytest.mark.parametrize("body", [{}, {"everywhere": True}])
async def test_logging_out_closes_with_4401(client, server, chain, body):
    phone = await register(client)

    async with socket(server, "huiyuan.v1", f"bearer.{phone.access_token}") as connection:
        await listening(phone)
        await phone.call("POST", "/v1/member/logout", body)
        assert await close_code(connection) == 4401


async def test_logging_out_elsewhere_closes_nothing_here(client, server, chain):
    phone = await register(client)
    who = phone.openid.removeprefix("openid-")
    other = (await client.post("/v1/member/login", json={"js_code": f"demo-{who}"})).json()

    async with socket(server, "huiyuan.v1", f"bearer.{phone.access_token}") as connection:
        await listening(phone)
        headers = {"Authorization": f"Bearer {other['access_token']}"}
        await client.post("/v1/member/logout", headers=headers)
        live.push(phone.member_id, "message", {})
        message = json.loads(await asyncio.wait_for(connection.recv(), 60))

    assert message["type"] == "message"


async def test_reuse_of_a_dead_token_closes_with_4401(client, server, chain):
    phone = await register(client)

    async with socket(server, "huiyuan.v1", f"bearer.{phone.access_token}") as connection:
        await listening(phone)
        for _ in range(2):
            await client.post("/v1/member/token", json={"refresh_token": phone.refresh_token})
        assert await close_code(connection) == 4401


async def test_freezing_closes_with_4401(client, server, chain):
    phone = await register(client)
    admin = await log_in(client, chain, "admin")

    async with socket(server, "huiyuan.v1", f"bearer.{phone.access_token}") as connection:
        await listening(phone)
        await admin.post(f"/v1/admin/members/{phone.member['id']}/freeze")
        assert await close_code(connection) == 4401


async def test_the_tokens_end_closes_with_4401(client, server, chain, clock):
    phone = await register(client)
    clock.shift(timedelta(minutes=14, seconds=59))

    async with socket(server, "huiyuan.v1", f"bearer.{phone.access_token}") as connection:
        assert await close_code(connection) == 4401


async def test_a_member_has_a_bounded_number_of_sockets(client, server, chain):
    phone = await register(client)
    offered = ("huiyuan.v1", f"bearer.{phone.access_token}")
    connections = [await socket(server, *offered) for _ in range(live_socket.SOCKETS_PER_MEMBER)]

    async with socket(server, *offered) as one_more:
        assert await close_code(one_more) == 4429
    for connection in connections:
        await connection.close()
