"""Devices and handles: enrol, list, rotate, revoke, bounds; the session's own device."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import jwt
import pytest

from backend.auth import queries, rules, service
from backend.kernel import db
from backend.kernel.errors import Unauthenticated
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused
from backend.ledger.plans import Guard
from backend.ledger.service import device_mark
from tests.support.books import plan, stored
from tests.support.members import register


def session_of(phone) -> int:
    return int(jwt.decode(phone.access_token, options={"verify_signature": False})["sid"])


async def ensure(phone):
    async with db.transaction() as tx:
        return await service.ensure_session_device(tx, session_of(phone), phone.member_id)


async def test_enrolling_gives_all_that_codes_need(client):
    phone = await register(client)

    device = phone.device

    assert device.keys() == {"device_id", "handle", "secret", "algorithm", "step_s", "digits", "server_time"}
    assert (device["step_s"], device["digits"], device["algorithm"]) == (15, 8, "HMAC-SHA256")
    assert len(device["handle"]) == 9
    assert device["handle"].isdigit()
    assert len(device["secret"]) == 43  # 32 bytes, base64url without padding


async def test_the_secret_is_sealed_at_rest(client, database):
    phone = await register(client)

    sealed = await db.fetchval("SELECT secret_sealed FROM auth_device WHERE id = $1", int(phone.device["device_id"]))

    assert phone.device["secret"] not in sealed


async def test_rotation_changes_the_handle_and_keeps_the_secret(client, database, clock):
    phone = await register(client)
    device_id = phone.device["device_id"]

    answer = await phone.call("POST", f"/v1/member/devices/{device_id}/rotate")

    assert answer.status_code == 200
    assert answer.json()["handle"] != phone.device["handle"]
    old = await queries.find_handle(phone.device["handle"])
    new = await queries.find_handle(answer.json()["handle"])
    assert old.secret == new.secret
    assert old.usable(clock.now() + timedelta(seconds=55))
    assert not old.usable(clock.now() + timedelta(seconds=61))
    assert new.usable(clock.now() + timedelta(days=1))


async def test_revoking_ends_the_device_and_its_handles_at_once(client, database, clock):
    phone = await register(client)
    device_id = phone.device["device_id"]
    rotated = (await phone.call("POST", f"/v1/member/devices/{device_id}/rotate")).json()

    assert (await phone.call("DELETE", f"/v1/member/devices/{device_id}")).status_code == 204

    assert (await phone.call("GET", "/v1/member/devices")).json() == {"items": []}
    for handle in (phone.device["handle"], rotated["handle"]):
        assert not (await queries.find_handle(handle)).usable(clock.now())
    assert (await phone.call("DELETE", f"/v1/member/devices/{device_id}")).status_code == 404
    assert (await phone.call("POST", f"/v1/member/devices/{device_id}/rotate")).status_code == 404


async def test_a_sale_that_was_planned_before_the_revocation_is_refused_after_it(client, database, clock):
    """The books know: whoever read the device a moment ago and posts now is too late."""
    phone = await register(client)
    device_id = int(phone.device["device_id"])
    step = clock.unix() // 15
    planned = plan(phone.member_id, *stored(1), guards=(Guard(device_mark(device_id), "above", step, "code_used"),))

    assert (await phone.call("DELETE", f"/v1/member/devices/{device_id}")).status_code == 204

    with pytest.raises(GuardRefused):
        await ledger.post(planned)
    assert (await phone.wallet())["stored"]["total_fen"] == 0


@pytest.mark.parametrize("device_id", ["0", "x", "-1", "9" * 40, "1", "%00", "1.5"])
async def test_what_is_no_device_is_not_found(client, device_id):
    phone = await register(client)

    answer = await phone.call("DELETE", f"/v1/member/devices/{device_id}")

    assert answer.status_code in (404, 422)


async def test_another_members_device_is_not_found(client, database):
    phone, other = await register(client), await register(client)
    device_id = other.device["device_id"]

    assert (await phone.call("DELETE", f"/v1/member/devices/{device_id}")).status_code == 404
    assert (await phone.call("POST", f"/v1/member/devices/{device_id}/rotate")).status_code == 404

    assert (await other.call("GET", "/v1/member/devices")).json()["items"][0]["handle"] == other.device["handle"]


async def test_a_member_has_at_most_a_hundred_devices(client, database):
    phone = await register(client)

    async def enrol() -> int:
        return (await phone.call("POST", "/v1/member/devices", {"name": "x"})).status_code

    async with db.transaction() as tx:
        for _ in range(rules.MAX_DEVICES - 3):
            await service.create_device(tx, phone.member_id, "x")
    statuses = await asyncio.gather(*(enrol() for _ in range(4)))

    assert sorted(statuses) == [201, 201, 409, 409]
    assert len(await queries.list_devices(phone.member_id)) == rules.MAX_DEVICES


async def test_an_old_or_suspect_handle_is_to_be_rotated(client, database, clock):
    phone = await register(client)

    async def due() -> bool:
        return (await phone.call("GET", "/v1/member/devices")).json()["items"][0]["rotate"]

    assert await due() is False
    async with db.transaction() as tx:
        await service.mark_handle_suspect(tx, phone.device["handle"])
    assert await due() is True
    await phone.call("POST", f"/v1/member/devices/{phone.device['device_id']}/rotate")
    assert await due() is False


async def test_a_session_has_one_device_of_its_own(client, database):
    phone = await register(client)

    made = await asyncio.gather(*(asyncio.create_task(ensure(phone)) for _ in range(5)))

    assert len({device.id for device in made}) == 1
    assert made[0] == await queries.find_session_device(phone.member_id, session_of(phone))
    assert len(await queries.list_devices(phone.member_id)) == 1  # the enrolled one only


async def test_a_sessions_handle_is_rotated_daily_and_when_guessed_at(client, database, clock):
    phone = await register(client)
    first = await ensure(phone)
    async with db.transaction() as tx:
        await service.mark_handle_suspect(tx, first.handle)
    assert await queries.find_session_device(phone.member_id, session_of(phone)) is None
    second = await ensure(phone)

    clock.shift(timedelta(hours=24, seconds=1))

    assert await queries.find_session_device(phone.member_id, session_of(phone)) is None
    third = await ensure(phone)
    assert len({first.handle, second.handle, third.handle}) == 3
    assert first.secret == second.secret == third.secret


async def test_logging_out_revokes_the_sessions_device_and_not_the_enrolled_one(client, database, clock):
    phone = await register(client)
    own = await ensure(phone)

    await phone.call("POST", "/v1/member/logout")

    assert not (await queries.find_handle(own.handle)).usable(clock.now())
    assert (await queries.find_handle(phone.device["handle"])).usable(clock.now())
    with pytest.raises(Unauthenticated):
        await ensure(phone)
