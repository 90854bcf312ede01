"""Ways of staff to more than they were given: each is shut, and nothing moves."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pyotp
import pytest

from backend.auth import passwords, queries
from backend.auth import service as auth
from backend.kernel import db
from tests.support.books import fingerprint
from tests.support.staff import PASSWORD, STAFF, StaffSession, enter, hire, log_in, refused

INVITATIONS = "/v1/admin/invitations"
USE = "/v1/admin/links/use"
ME = "/v1/admin/me"
PEOPLE = {
    "code": "people", "title": "人事", "scope": "office",
    "permissions": ["staff.manage", "staff.read", "roles.manage", "members.read"],
}  # fmt: skip


@pytest.fixture
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


async def who_manages_people(client, admin) -> tuple[str, StaffSession]:
    """Somebody who manages people and may do little else: id and session."""
    made = await admin.post("/v1/admin/roles", PEOPLE)
    assert made.status_code in (201, 409), made.text
    staff_id, name = await hire(admin, "people", None)
    return staff_id, await enter(client, name)


async def test_a_link_ends_with_the_right_to_make_it(client, settings, admin):
    """Whoever is sent away, or given less, has no way back in by what they handed out before."""
    colleague, _ = await who_manages_people(client, admin)
    tokens = []
    for end in (("close", None), ("", {"role": "auditor", "store_id": None})):
        staff_id, session = await who_manages_people(client, admin)
        invited = await session.post(INVITATIONS, {"username": f"x-{uuid.uuid4().hex[:6]}", "role": "people"})
        reset = await session.post(f"{STAFF}/{colleague}/reset-password")
        assert (invited.status_code, reset.status_code) == (201, 201)
        tokens += [invited.json()["token"], reset.json()["token"]]
        path = f"{STAFF}/{staff_id}"
        answer = await (admin.post(f"{path}/close") if end[0] else admin.call("PUT", path, end[1]))
        assert answer.status_code in (200, 204), answer.text
    before = await fingerprint(settings)

    for token in tokens:
        refused(await client.post(USE, json={"token": token, "password": PASSWORD}), 409, "link_gone")

    assert await fingerprint(settings) == before


async def test_who_set_a_password_by_a_link_is_in_the_log(client, admin):
    made = (await admin.post(INVITATIONS, {"username": f"n-{uuid.uuid4().hex[:6]}", "role": "auditor"})).json()
    assert (await client.post(USE, json={"token": made["token"], "password": PASSWORD})).status_code == 200

    (row,) = (await admin.get(f"/v1/admin/audit?thing={made['id']}&action=POST {USE}")).json()["items"]

    assert (row["status"], row["role"], row["detail"]["actions"]) == (200, "auditor", ["invite"])
    assert made["token"] not in str(row)


async def test_nobody_touches_what_guards_somebody_greater(client, settings, admin):
    """Their second factor, their devices, and which member they are."""
    boss_id = (await admin.get(ME)).json()["staff"]["id"]
    _, session = await who_manages_people(client, admin)
    device = await client.post("/v1/admin/login", json={"username": "admin", "password": "correct horse", "device": ""})
    assert device.status_code == 200, device.text
    (device_id,) = [one["id"] for one in (await session.get("/v1/admin/staff-devices")).json()["items"]]
    (role,) = [one for one in (await admin.get("/v1/admin/roles")).json()["items"] if one["code"] == "admin"]
    body = {key: role[key] for key in ("title", "permissions", "version")} | {"second_factor": True}
    before = await fingerprint(settings)

    refused(await session.call("PUT", "/v1/admin/roles/admin", body), 403, "beyond_oneself")
    refused(await session.call("DELETE", f"/v1/admin/staff-devices/{device_id}"), 403, "beyond_oneself")
    refused(await session.post(f"/v1/admin/staff-devices/{device_id}/approve"), 403, "beyond_oneself")
    refused(await session.call("PUT", f"{STAFF}/{boss_id}/member", {"member_id": None}), 403, "beyond_oneself")

    assert await fingerprint(settings) == before


async def test_a_code_stays_spent_after_a_log_in_by_recovery_code(client, clock, admin):
    _, name = await hire(admin)
    session = await enter(client, name)
    totp = pyotp.TOTP((await session.post(f"{ME}/totp", {"current": PASSWORD})).json()["secret"])
    codes = (await session.post(f"{ME}/totp/confirm", {"totp": totp.at(clock.now())})).json()["codes"]
    clock.shift(timedelta(seconds=60))
    used = totp.at(clock.now())
    await enter(client, name, totp=used)

    await enter(client, name, recovery=codes[0])

    again = await client.post("/v1/admin/login", json={"username": name, "password": PASSWORD, "totp": used})
    refused(again, 401, "unauthenticated")


async def test_a_log_in_that_is_overtaken_by_another_password_opens_nothing(client, admin, monkeypatch):
    """Another password ends every session: also the one that is being opened with the old one."""
    staff_id, name = await hire(admin)
    check = passwords.matches

    async def slowly(password_hash: str, password: str) -> bool:
        right = await check(password_hash, password)
        async with db.transaction() as tx:
            await auth.set_password(tx, int(staff_id), "another")
        return right

    monkeypatch.setattr(passwords, "matches", slowly)

    answer = await client.post("/v1/admin/login", json={"username": name, "password": PASSWORD})

    refused(answer, 401, "unauthenticated")
    assert await db.fetchval("SELECT count(*) FROM auth_staff_session WHERE staff_id = $1", int(staff_id)) == 0


async def test_who_lacks_the_second_factor_holds_nothing_outside_of_a_session_either(client, admin):
    role = PEOPLE | {"code": "careful", "permissions": ["members.read"]}
    assert (await admin.post("/v1/admin/roles", role)).status_code == 201
    staff_id, _ = await hire(admin, "careful", None)
    change = {"title": "人事", "permissions": ["members.read"], "version": 1, "second_factor": True}
    assert (await queries.get_caller(int(staff_id))).permissions == {"members.read"}

    assert (await admin.call("PUT", "/v1/admin/roles/careful", change)).status_code == 200

    assert (await queries.get_caller(int(staff_id))).permissions == frozenset()
