"""Staff: passwords, second factor, lock-out, sessions, roles and store scope."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pyotp
import pytest

from backend.auth.control import TRIES
from backend.kernel import db
from tests.support.staff import log_in


async def make(admin, **more):
    body = {"username": f"u-{uuid.uuid4().hex[:8]}", "password": "long enough 1", "role": "clerk", "store_id": "S1"}
    body |= more
    answer = await admin.post("/v1/admin/staff", {key: value for key, value in body.items() if value is not None})
    assert answer.status_code == 201, answer.text
    return body["username"], answer.json()


async def try_login(client, username, password="long enough 1", **more):
    return await client.post("/v1/admin/login", json={"username": username, "password": password} | more)


async def test_login_gives_tokens_that_work(client, chain):
    admin = await log_in(client, chain, "admin")

    me = await admin.get("/v1/admin/me")

    assert me.json()["staff"]["username"] == "admin"
    assert me.json()["staff"]["role"] == "admin"


@pytest.mark.parametrize(("username", "password"), [("admin", "wrong"), ("nobody", "correct horse")])
async def test_wrong_name_and_wrong_password_look_the_same(client, chain, username, password):
    answer = await try_login(client, username, password)

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.json()["detail"] == "name, password or code is wrong"


async def test_eight_wrong_tries_lock_the_name_for_a_quarter_of_an_hour(client, chain, clock):
    username, _ = await make(await log_in(client, chain, "admin"))
    for _ in range(TRIES):
        assert (await try_login(client, username, "wrong")).status_code == 401

    locked = await try_login(client, username)

    assert (locked.status_code, locked.json()["code"]) == (429, "login_locked")
    assert int(locked.headers["retry-after"]) > 0
    clock.shift(timedelta(minutes=16))
    assert (await try_login(client, username)).status_code == 200


async def test_a_right_try_forgets_the_wrong_ones(client, chain):
    username, _ = await make(await log_in(client, chain, "admin"))
    for _ in range(2):
        for _ in range(TRIES - 1):
            await try_login(client, username, "wrong")
        assert (await try_login(client, username)).status_code == 200


async def test_a_second_factor_is_asked_for_and_each_code_is_good_once(client, chain, clock):
    username, made = await make(await log_in(client, chain, "admin"), totp=True)
    totp = pyotp.TOTP(made["totp_secret"])
    now = int(clock.now().timestamp())

    assert (await try_login(client, username)).status_code == 401
    assert (await try_login(client, username, totp=totp.at(now - 600))).status_code == 401
    assert (await try_login(client, username, totp=totp.at(now))).status_code == 200
    assert (await try_login(client, username, totp=totp.at(now))).status_code == 401
    clock.shift(timedelta(seconds=60))
    assert (await try_login(client, username, totp=totp.at(now + 60))).status_code == 200


async def test_refresh_tokens_rotate_and_reuse_ends_the_session(client, chain):
    admin = await log_in(client, chain, "admin")

    first = await client.post("/v1/admin/token", json={"refresh_token": admin.refresh_token})
    again = await client.post("/v1/admin/token", json={"refresh_token": admin.refresh_token})

    assert (first.status_code, again.status_code) == (200, 401)
    assert (await admin.get("/v1/admin/me")).status_code == 401
    after = await client.post("/v1/admin/token", json={"refresh_token": first.json()["refresh_token"]})
    assert after.status_code == 401


async def test_a_staff_session_ends_twelve_hours_after_the_login(client, chain, clock):
    admin = await log_in(client, chain, "admin")
    clock.shift(timedelta(hours=11, minutes=59))
    refreshed = await client.post("/v1/admin/token", json={"refresh_token": admin.refresh_token})
    assert refreshed.status_code == 200

    clock.shift(timedelta(minutes=2))

    late = await client.post("/v1/admin/token", json={"refresh_token": refreshed.json()["refresh_token"]})
    assert late.status_code == 401


async def test_logout_ends_the_access_token_too(client, chain):
    admin = await log_in(client, chain, "admin")

    assert (await admin.post("/v1/admin/logout")).status_code == 204

    assert (await admin.get("/v1/admin/me")).status_code == 401


async def test_closing_a_login_ends_its_sessions(client, chain):
    admin = await log_in(client, chain, "admin")
    username, made = await make(admin)
    token = (await try_login(client, username)).json()["access_token"]

    assert (await admin.post(f"/v1/admin/staff/{made['staff']['id']}/close")).status_code == 204

    gone = await client.get("/v1/admin/me", headers={"Authorization": f"Bearer {token}"})
    assert gone.status_code == 401
    assert (await try_login(client, username)).status_code == 401


async def test_a_members_token_is_no_staff_token(client, chain):
    login = (await client.post("/v1/member/login", json={"js_code": "demo-no-staff"})).json()

    answer = await client.get("/v1/admin/me", headers={"Authorization": f"Bearer {login['access_token']}"})
    refreshed = await client.post("/v1/admin/token", json={"refresh_token": login["refresh_token"]})

    assert (answer.status_code, refreshed.status_code) == (401, 401)


async def test_a_manager_sees_the_own_store_only(client, chain):
    manager = await log_in(client, chain, "manager-S1")

    stores = (await manager.get("/v1/admin/stores")).json()["items"]
    own = (await manager.get("/v1/admin/terminals")).json()["items"]
    others = (await manager.get("/v1/admin/terminals?store_id=S2")).json()["items"]

    assert [store["id"] for store in stores] == ["S1"]
    assert {terminal["store_id"] for terminal in own} == {"S1"}
    assert others == []


async def test_another_stores_terminal_is_not_found(client, chain):
    manager = await log_in(client, chain, "manager-S1")

    for call in ("rotate-secret", "revoke"):
        assert (await manager.post(f"/v1/admin/terminals/S2-T1/{call}")).status_code == 404
    made = await manager.post("/v1/admin/terminals", {"store_id": "S2", "name": "x"})

    assert made.status_code == 404
    assert await db.fetchval(
        "SELECT revoked_at IS NULL AND previous_until IS NULL FROM auth_terminal WHERE id = 'S2-T1'"
    )


async def test_clerks_keep_no_terminals_and_managers_no_staff(client, chain):
    username, _ = await make(await log_in(client, chain, "admin"))
    token = (await try_login(client, username)).json()["access_token"]
    manager = await log_in(client, chain, "manager-S1")

    clerk = await client.get("/v1/admin/terminals", headers={"Authorization": f"Bearer {token}"})

    assert (clerk.status_code, clerk.json()["code"]) == (403, "forbidden")
    assert (await manager.get("/v1/admin/staff")).status_code == 403
    assert (await manager.post("/v1/admin/stores", {"id": "S9", "name": "x"})).status_code == 403


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/admin/stores", {"id": "S1", "name": "x"}, 409),
        ("/v1/admin/stores", {"id": "S8", "name": "x", "timezone": "Asia/Nowhere"}, 422),
        ("/v1/admin/stores", {"id": "S8", "name": "x", "timezone": "../etc"}, 422),
        ("/v1/admin/stores", {"id": "a b", "name": "x"}, 422),
        ("/v1/admin/terminals", {"store_id": "S1", "name": "x", "id": "S1-T1"}, 409),
        ("/v1/admin/terminals", {"store_id": "S7", "name": "x"}, 422),
        ("/v1/admin/staff", {"username": "admin", "password": "long enough 1", "role": "admin"}, 409),
        ("/v1/admin/staff", {"username": "xx", "password": "long enough 1", "role": "clerk"}, 422),
        ("/v1/admin/staff", {"username": "xx", "password": "long enough 1", "role": "clerk", "store_id": "S7"}, 422),
        ("/v1/admin/staff", {"username": "xx", "password": "short", "role": "admin"}, 422),
    ],
)
async def test_bad_stores_terminals_and_logins_are_refused(client, chain, path, body, status):
    admin = await log_in(client, chain, "admin")

    answer = await admin.post(path, body)

    assert answer.status_code == status, answer.text
