"""Hours, known devices and tries of staff, and how much of a member's is at once, as head office sets them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyotp
import pytest
import pytest_asyncio

from backend.auth import queries
from backend.auth.control import Hours, may_log_in
from backend.kernel import clock as real_clock
from backend.kernel import db
from tests.auth.test_staff import make, try_login
from tests.support.books import fingerprint
from tests.support.members import register
from tests.support.staff import StaffSession, log_in

CONTROL = "/v1/admin/login-control"
PASSWORD = "long enough 1"
SHANGHAI = ZoneInfo("Asia/Shanghai")
SATURDAY_NIGHT = Hours(days=(6,), begin="22:00", end="02:00")


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nothing_set(database):
    """What a test sets is gone when it is over."""
    yield
    await db.pool().execute("DELETE FROM auth_control")
    queries.forget_control()


async def put(staff, **what):
    version = (await staff.get(CONTROL)).json()["version"]
    return await staff.call("PUT", CONTROL, {"version": version} | what)


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        ([SATURDAY_NIGHT], datetime(2026, 11, 28, 23, 0), True),
        ([SATURDAY_NIGHT], datetime(2026, 11, 29, 1, 59), True),
        ([SATURDAY_NIGHT], datetime(2026, 11, 29, 2, 0), False),
        ([SATURDAY_NIGHT], datetime(2026, 11, 28, 1, 0), False),
        ([Hours(days=(1, 2), begin="09:00", end="18:00")], datetime(2026, 11, 30, 9, 0), True),
        ([Hours(days=(1, 2), begin="09:00", end="18:00")], datetime(2026, 11, 30, 18, 0), False),
        ([Hours(days=(1,), begin="09:00", end="10:00", role="manager")], datetime(2026, 11, 28, 3, 0), True),
        ([Hours(days=(1,), begin="09:00", end="10:00", store_id="S2")], datetime(2026, 11, 28, 3, 0), True),
    ],
)
def test_somebody_may_log_in_within_the_hours_that_concern_them(hours, at, expected):
    assert may_log_in(hours, "clerk", "S1", at.replace(tzinfo=SHANGHAI)) is expected
    assert may_log_in(hours, "admin", None, at.replace(tzinfo=SHANGHAI)) is True


async def test_outside_of_the_hours_nobody_logs_in_or_goes_on(client, chain, clock):
    admin = await log_in(client, chain, "admin")
    username, _ = await make(admin)
    before = (await try_login(client, username)).json()
    now = datetime.now(SHANGHAI)
    weekday = now.isoweekday() % 7 + 2  # neither today's nor tomorrow's
    day = (weekday - 1) % 7 + 1
    made = await put(admin, hours=[{"days": [day], "begin": "00:00", "end": "00:01", "role": "clerk"}])

    refused = await try_login(client, username)
    wrong = await try_login(client, username, "wrong")
    renewed = await client.post("/v1/admin/token", json={"refresh_token": before["refresh_token"]})
    await put(admin)
    later = await client.post("/v1/admin/token", json={"refresh_token": before["refresh_token"]})

    assert made.status_code == 200, made.text
    assert (refused.status_code, refused.json()["code"]) == (403, "login_hours")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "unauthenticated")
    assert (renewed.json()["code"], later.status_code) == ("login_hours", 200)
    assert (await try_login(client, username)).status_code == 200
    logged = "SELECT count(*) FROM auth_audit WHERE code = 'login_hours'"
    assert await db.fetchval(logged) == 2


async def second_factor(client, username, password=PASSWORD):
    """Set up the second factor of somebody; its codes."""
    tokens = (await try_login(client, username, password)).json()
    person = StaffSession(client, tokens["access_token"], tokens["refresh_token"])
    begun = (await person.post("/v1/admin/me/totp", {"current": password})).json()
    totp = pyotp.TOTP(begun["secret"])
    assert (await person.post("/v1/admin/me/totp/confirm", {"totp": totp.now()})).status_code == 200
    return totp


async def test_a_new_device_needs_a_second_factor_or_somebody_elses_word(client, chain, clock, settings):
    root = await log_in(client, chain, "admin")
    boss, _ = await make(root, role="admin", store_id=None)
    clerk, made = await make(root)
    nobody_shuts_themselves_out = await put(root, known_devices=True)
    totp = await second_factor(client, boss)
    clock.shift(timedelta(seconds=60))
    first = await try_login(client, boss, totp=totp.at(real_clock.now()), device="")
    admin = StaffSession(client, first.json()["access_token"], first.json()["refresh_token"])
    assert (await put(admin, known_devices=True)).status_code == 200

    wrong = await try_login(client, clerk, "wrong")
    refused = await try_login(client, clerk)
    token = refused.json()["device"]
    again = await try_login(client, clerk, device=token)
    (waiting,) = (await admin.get("/v1/admin/staff-devices?state=waiting")).json()["items"]
    approved = await admin.post(f"/v1/admin/staff-devices/{waiting['id']}/approve")
    let_in = await try_login(client, clerk, device=token)
    stolen = await try_login(client, boss, device=token)
    person = StaffSession(client, let_in.json()["access_token"], let_in.json()["refresh_token"])
    own = (await person.get("/v1/admin/me/devices")).json()["items"]
    revoked = await admin.call("DELETE", f"/v1/admin/staff-devices/{waiting['id']}")
    after = await person.get("/v1/admin/me")
    dead = await try_login(client, clerk, device=token)

    assert nobody_shuts_themselves_out.json()["code"] == "second_factor_missing"
    assert wrong.status_code == 401
    assert (refused.status_code, refused.json()["code"], again.json()["code"]) == (
        403,
        "device_unknown",
        "device_unknown",
    )
    assert (waiting["staff_id"], approved.json()["state"]) == (made["staff"]["id"], "known")
    assert let_in.status_code == 200
    assert "device" not in let_in.json()
    assert stolen.status_code == 401  # without the second factor the token says nothing
    assert [one["id"] for one in own] == [waiting["id"]]
    assert (revoked.status_code, after.status_code, dead.json()["code"]) == (204, 401, "device_unknown")


async def test_tries_and_lock_are_as_set(client, chain, clock):
    admin = await log_in(client, chain, "admin")
    username, _ = await make(admin)
    assert (await put(admin, staff_tries=3, staff_lock_minutes=2)).status_code == 200

    wrong = [(await try_login(client, username, "wrong")).status_code for _ in range(3)]
    locked = await try_login(client, username)

    assert wrong == [401] * 3
    assert (locked.status_code, locked.json()["code"]) == (429, "login_locked")
    assert int(locked.headers["retry-after"]) <= 120
    until = await shown_until(admin, username)
    assert until is not None
    assert real_clock.now() < until <= real_clock.now() + timedelta(minutes=2)
    assert (await put(admin, staff_tries=4)).status_code == 200
    assert await shown_until(admin, username) is None, "three tries lock nobody any more"


async def shown_until(admin: StaffSession, username: str) -> datetime | None:
    (until,) = [
        one["locked_until"]
        for one in (await admin.get("/v1/admin/staff")).json()["items"]
        if one["username"] == username
    ]
    return datetime.fromisoformat(until) if until else None


async def test_what_is_set_wrong_is_named(client, chain, settings):
    admin = await log_in(client, chain, "admin")
    hours = {"days": [1], "begin": "09:00", "end": "09:00"}
    before = await fingerprint(settings)

    bad = await put(admin, hours=[hours | {"role": "nobody"}, hours | {"store_id": "S9", "end": "10:00"}])
    stale = await admin.call("PUT", CONTROL, {"version": 7})
    outside = await put(admin, member_sessions=11)

    assert [one["pointer"] for one in bad.json()["errors"]] == ["/hours/0/role", "/hours/0/end", "/hours/1/store_id"]
    assert (stale.json()["code"], outside.json()["errors"][0]["pointer"]) == ("control_changed", "/member_sessions")
    changed = {name for name, value in (await fingerprint(settings)).items() if before[name] != value}
    assert changed <= {"auth_audit"}


async def test_a_member_has_so_many_sessions_and_ends_them_on_the_phone(client, chain):
    admin = await log_in(client, chain, "admin")
    phone = await register(client, who="twice")
    other = await register(client)
    login = {"js_code": "demo-twice"}
    second = (await client.post("/v1/member/login", json=login)).json()
    listed = (await phone.call("GET", "/v1/member/sessions")).json()["items"]
    (elsewhere,) = [one["id"] for one in listed if not one["current"]]

    foreign = await other.call("DELETE", f"/v1/member/sessions/{elsewhere}")
    ended = await phone.call("DELETE", f"/v1/member/sessions/{elsewhere}")
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    dead = await client.get("/v1/member/profile", headers=headers)
    assert (await put(admin, member_sessions=1, member_devices=1)).status_code == 200
    queries.forget_control()
    await client.post("/v1/member/login", json=login)
    evicted = await phone.call("GET", "/v1/member/profile")
    full = await other.call("POST", "/v1/member/devices", {"name": "second"})

    assert (len(listed), foreign.status_code, ended.status_code, dead.status_code) == (2, 404, 204, 401)
    assert evicted.status_code == 401
    assert full.json()["code"] == "too_many_devices"
