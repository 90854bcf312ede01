"""What staff do about log-ins: their own, and one another's."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pyotp
import pytest

from backend.auth import password_rules, rules, service
from backend.auth.control import TRIES
from backend.kernel import db
from backend.kernel.errors import ValidationFailed
from tests.support.books import fingerprint
from tests.support.races import held_by_us
from tests.support.staff import PASSWORD, STAFF, StaffSession, enter, hire, log_in, refused

INVITATIONS = "/v1/admin/invitations"
ME = "/v1/admin/me"


@pytest.fixture
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest.mark.parametrize(
    "password",
    ["short", "Password123", "p@ssw0rd2026", "qwertyuiop", "1234567890", "aaaaaaaaaaaa", "abcabcabcabc", "woaini1314",
     "Admin@123456", "dianzhang-01!!", "9876543210", "1q2w3e4r5t"],
)  # fmt: skip
def test_passwords_that_everybody_tries_first_are_refused(password):
    with pytest.raises(ValidationFailed):
        password_rules.check_password(password, "somebody")


def test_a_password_with_the_name_in_it_is_refused_and_a_sentence_is_not():
    with pytest.raises(ValidationFailed):
        password_rules.check_password("xx-LiMing-2026", "liming")
    password_rules.check_password("今天下雨我带了把绿色的伞", "liming")
    password_rules.check_password(PASSWORD, "liming")


async def test_an_invitation_makes_a_login_once(client, settings, admin):
    name = f"New-{uuid.uuid4().hex[:6]}"
    made = await admin.post(INVITATIONS, {"username": name, "role": "member_centre", "store_id": "S1"})
    assert made.status_code == 201
    token = made.json()["token"]
    refused(
        await admin.post(INVITATIONS, {"username": name.upper(), "role": "clerk", "store_id": "S1"}),
        409,
        "already_exists",
    )
    before = await fingerprint(settings)
    weak = await client.post("/v1/admin/links/use", json={"token": token, "password": "password123"})
    refused(weak, 422, "validation_failed")
    assert weak.json()["errors"][0]["pointer"] == "/password"
    assert await fingerprint(settings) == before

    answers = await asyncio.gather(
        *(client.post("/v1/admin/links/use", json={"token": token, "password": PASSWORD}) for _ in range(6))
    )

    assert sorted(one.status_code for one in answers) == [200] + [409] * 5
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"link_gone"}
    who = (await (await enter(client, name)).get(ME)).json()
    assert (who["staff"]["username"], who["staff"]["role"], who["staff"]["store_id"]) == (
        name.lower(),
        "member_centre",
        "S1",
    )
    (mine,) = [one for one in (await admin.get(INVITATIONS)).json()["items"] if one["id"] == made.json()["id"]]
    assert (mine["state"], mine["made_by"]) == ("used", "admin")
    assert token not in str(await db.fetch("SELECT * FROM auth_staff_link"))


async def test_an_invitation_that_is_old_or_taken_back_is_good_for_nothing(client, settings, clock, admin):
    def body(name: str) -> dict:
        return {"username": f"{name}-{uuid.uuid4().hex[:6]}", "role": "clerk", "store_id": "S1"}

    back, old = [(await admin.post(INVITATIONS, body(name))).json() for name in ("back", "old")]
    assert (await admin.call("POST", f"{INVITATIONS}/{back['id']}/revoke")).status_code == 204
    refused(await admin.call("POST", f"{INVITATIONS}/{back['id']}/revoke"), 404, "not_found")
    clock.shift(rules.INVITED)
    before = await fingerprint(settings)

    for token in (back["token"], old["token"], "x" * 43):
        refused(await client.post("/v1/admin/links/use", json={"token": token, "password": PASSWORD}), 409, "link_gone")

    assert await fingerprint(settings) == before


async def test_a_reset_link_sets_another_password_and_ends_all_sessions(client, admin):
    staff_id, name = await hire(admin)
    session = await enter(client, name)
    first = (await admin.call("POST", f"{STAFF}/{staff_id}/reset-password")).json()
    second = (await admin.call("POST", f"{STAFF}/{staff_id}/reset-password")).json()
    use = {"password": "blue horses rest 8"}
    refused(await client.post("/v1/admin/links/use", json=use | {"token": first["token"]}), 409, "link_gone")
    assert (await session.get(ME)).status_code == 200

    answer = await client.post("/v1/admin/links/use", json=use | {"token": second["token"]})

    assert answer.json() == {"username": name}
    assert (await session.get(ME)).status_code == 401
    await enter(client, name, "blue horses rest 8")
    wrong = await client.post("/v1/admin/login", json={"username": name, "password": PASSWORD})
    refused(wrong, 401, "unauthenticated")


async def test_the_own_password_is_changed_with_the_one_of_now_and_every_session_ends(client, settings, admin):
    _, name = await hire(admin)
    session, other = await enter(client, name), await enter(client, name)
    before = await fingerprint(settings)
    refused(
        await session.call("PUT", f"{ME}/password", {"current": "wrong", "password": "blue horses rest 8"}),
        409,
        "password_wrong",
    )
    refused(
        await session.call("PUT", f"{ME}/password", {"current": PASSWORD, "password": f"x{name}xxx"}),
        422,
        "validation_failed",
    )
    assert await fingerprint(settings) == before

    answer = await session.call("PUT", f"{ME}/password", {"current": PASSWORD, "password": "blue horses rest 8"})

    assert answer.status_code == 204
    assert [(await one.get(ME)).status_code for one in (session, other)] == [401, 401]
    await enter(client, name, "blue horses rest 8")


async def test_whoever_sits_at_an_open_till_guesses_no_password(client, admin):
    _, name = await hire(admin)
    session = await enter(client, name)
    for _ in range(TRIES):
        refused(
            await session.call("PUT", f"{ME}/password", {"current": "wrong", "password": PASSWORD}),
            409,
            "password_wrong",
        )

    refused(
        await session.call("PUT", f"{ME}/password", {"current": PASSWORD, "password": "blue horses rest 8"}),
        429,
        "login_locked",
    )


async def test_an_open_session_alone_gets_past_no_password_second_factor_or_lock(client, settings, admin):
    staff_id, name = await hire(admin, "admin", None)
    session = await enter(client, name)
    before = await fingerprint(settings)

    for what in ("reset-password", "reset-totp", "unlock"):
        refused(await session.call("POST", f"{STAFF}/{staff_id}/{what}"), 409, "own_login")

    assert await fingerprint(settings) == before


async def test_a_second_factor_is_set_replaced_and_survived_with_a_recovery_code(client, clock, admin):
    staff_id, name = await hire(admin)
    session, other = await enter(client, name), await enter(client, name)
    refused(await session.post(f"{ME}/totp", {"current": "wrong"}), 409, "password_wrong")
    begun = await session.post(f"{ME}/totp", {"current": PASSWORD})
    totp = pyotp.TOTP(begun.json()["secret"])
    assert begun.json()["uri"].startswith("otpauth://totp/")
    await enter(client, name)  # not asked for before a code was shown
    refused(
        await session.post(f"{ME}/totp/confirm", {"totp": "000000" if totp.at(clock.now()) != "000000" else "1" * 6}),
        409,
        "password_wrong",
    )

    done = await session.post(f"{ME}/totp/confirm", {"totp": totp.at(clock.now())})

    codes = done.json()["codes"]
    assert len(set(codes)) == rules.RECOVERY_CODES
    assert (await other.get(ME)).status_code == 401
    assert (await session.get(f"{ME}/account")).json() == {"username": name, "totp": True, "recovery_codes": 10}
    body = {"username": name, "password": PASSWORD}
    refused(await client.post("/v1/admin/login", json=body), 401, "unauthenticated")
    refused(await client.post("/v1/admin/login", json=body | {"recovery": "AAAAA-AAAAA"}), 401, "unauthenticated")
    await enter(client, name, recovery=codes[0])
    refused(await client.post("/v1/admin/login", json=body | {"recovery": codes[0]}), 401, "unauthenticated")
    await enter(client, name, recovery=codes[1].replace("-", "").lower())
    assert (await session.get(f"{ME}/account")).json()["recovery_codes"] == 8

    clock.shift(timedelta(seconds=60))
    refused(await session.post(f"{ME}/totp", {"current": PASSWORD}), 409, "password_wrong")
    code = totp.at(clock.now())
    assert (await session.post(f"{ME}/totp", {"current": PASSWORD, "totp": code})).status_code == 201
    refused(await session.post(f"{ME}/recovery-codes", {"current": PASSWORD, "totp": code}), 409, "password_wrong")
    clock.shift(timedelta(seconds=60))
    renewed = await session.post(f"{ME}/recovery-codes", {"current": PASSWORD, "totp": totp.at(clock.now())})
    assert set(renewed.json()["codes"]).isdisjoint(codes)
    refused(await client.post("/v1/admin/login", json=body | {"recovery": codes[2]}), 401, "unauthenticated")

    assert (await admin.call("POST", f"{STAFF}/{staff_id}/reset-totp")).status_code == 204
    assert (await session.get(ME)).status_code == 401
    await enter(client, name)


async def test_sessions_are_listed_and_ended_one_and_all(client, admin):
    staff_id, name = await hire(admin)
    body = {"username": name, "password": PASSWORD}
    answer = await client.post("/v1/admin/login", json=body, headers={"User-Agent": "Till-Browser/1"})
    first = StaffSession(client, answer.json()["access_token"], answer.json()["refresh_token"])
    second, third = await enter(client, name), await enter(client, name)

    shown = (await first.get(f"{ME}/sessions")).json()["items"]
    (own,) = [one for one in shown if one["current"]]
    assert (own["agent"], own["address"], len(shown)) == ("Till-Browser/1", "127.0.0.1", 3)
    theirs = (await admin.get(f"{STAFF}/{staff_id}/sessions")).json()["items"]
    assert [one["id"] for one in theirs] == [one["id"] for one in shown]
    assert not any(one["current"] for one in theirs)
    (of_second,) = [one for one in (await second.get(f"{ME}/sessions")).json()["items"] if one["current"]]

    assert (await first.call("DELETE", f"{ME}/sessions/{of_second['id']}")).status_code == 204
    refused(await first.call("DELETE", f"{ME}/sessions/{of_second['id']}"), 404, "not_found")
    assert [(await one.get(ME)).status_code for one in (first, second, third)] == [200, 401, 200]
    assert (await first.call("POST", f"{ME}/end-other-sessions")).json() == {"ended": 1}
    assert [(await one.get(ME)).status_code for one in (first, third)] == [200, 401]
    assert (await admin.call("DELETE", f"{STAFF}/{staff_id}/sessions/{own['id']}")).status_code == 204
    assert (await first.get(ME)).status_code == 401
    again = await enter(client, name)
    assert (await admin.call("POST", f"{STAFF}/{staff_id}/end-sessions")).json() == {"ended": 1}
    assert (await again.get(ME)).status_code == 401
    refreshed = await client.post("/v1/admin/token", json={"refresh_token": again.refresh_token})
    refused(refreshed, 401, "unauthenticated")


async def test_another_s_session_is_none_of_mine(client, settings, admin):
    staff_id, name = await hire(admin)
    _, other = await hire(admin)
    mine = await enter(client, name)
    stranger = await enter(client, other)
    session_id = (await mine.get(f"{ME}/sessions")).json()["items"][0]["id"]
    before = await fingerprint(settings)

    refused(await stranger.call("DELETE", f"{ME}/sessions/{session_id}"), 404, "not_found")
    refused(await admin.call("DELETE", f"{STAFF}/{staff_id}/sessions/1"), 404, "not_found")
    refused(await stranger.call("DELETE", f"{STAFF}/{staff_id}/sessions/{session_id}"), 403, "forbidden")

    assert await fingerprint(settings) == before


async def test_the_last_who_may_do_everything_stays(client, settings, admin):
    (me,) = [one for one in (await admin.get(STAFF)).json()["items"] if one["username"] == "admin"]
    others = [one for one in (await admin.get(STAFF)).json()["items"] if one["role"] == "admin" and one["active"]]
    for one in others:
        if one["id"] != me["id"]:
            assert (await admin.call("POST", f"{STAFF}/{one['id']}/close")).status_code == 204
    before = await fingerprint(settings)

    refused(await admin.call("POST", f"{STAFF}/{me['id']}/close"), 409, "last_admin")
    refused(await admin.call("PUT", f"{STAFF}/{me['id']}", {"role": "auditor", "store_id": None}), 409, "last_admin")
    assert await fingerprint(settings) == before

    second_id, second = await hire(admin, "admin", None)
    session = await enter(client, second)
    answers = await asyncio.gather(
        admin.call("POST", f"{STAFF}/{second_id}/close"), session.call("POST", f"{STAFF}/{me['id']}/close")
    )
    assert 204 in {one.status_code for one in answers}
    assert await db.fetchval("SELECT count(*) FROM auth_staff WHERE role = 'admin' AND active") == 1
    await db.fetchval("UPDATE auth_staff SET active = true WHERE username = 'admin'")


async def test_nobody_gives_or_decides_over_what_they_may_not_do(client, settings, admin):
    role = {
        "code": "hr", "title": "人事", "scope": "office",
        "permissions": ["staff.manage", "staff.read", "roles.manage", "members.read"],
    }  # fmt: skip
    made = await admin.post("/v1/admin/roles", role)
    assert made.status_code == 201, made.text
    clerk_id, _ = await hire(admin)
    boss_id = (await admin.get(ME)).json()["staff"]["id"]
    _, name = await hire(admin, "hr", None)
    session = await enter(client, name)
    before = await fingerprint(settings)

    refused(
        await session.post(STAFF, {"username": "puppet", "password": PASSWORD, "role": "admin"}), 403, "beyond_oneself"
    )
    refused(await session.post(INVITATIONS, {"username": "puppet", "role": "finance"}), 403, "beyond_oneself")
    for what in ("close", "reset-password", "reset-totp", "end-sessions", "unlock"):
        refused(await session.call("POST", f"{STAFF}/{boss_id}/{what}"), 403, "beyond_oneself")
        refused(await session.call("POST", f"{STAFF}/{clerk_id}/{what}"), 403, "beyond_oneself")
    refused(await session.call("PUT", f"{STAFF}/{clerk_id}", {"role": "hr"}), 403, "beyond_oneself")
    version = made.json()["version"]
    more = {"title": "人事", "permissions": [*role["permissions"], "gift_cards.print"], "version": version}
    refused(await session.call("PUT", "/v1/admin/roles/hr", more), 403, "beyond_oneself")
    assert await fingerprint(settings) == before


async def test_a_role_says_what_its_people_may_do_from_the_next_call_on(client, admin):
    body = {"code": "greeter", "title": "迎宾", "scope": "store", "permissions": ["stores.read"]}
    refused(await admin.post("/v1/admin/roles", body | {"permissions": ["coupons.write"]}), 422, "validation_failed")
    made = (await admin.post("/v1/admin/roles", body)).json()
    assert (made["builtin"], made["permissions"]) == (False, ["stores.read"])
    refused(await admin.post("/v1/admin/roles", body), 409, "already_exists")
    refused(
        await admin.post(STAFF, {"username": "g0", "password": PASSWORD, "role": "greeter"}), 422, "validation_failed"
    )
    staff_id, name = await hire(admin, "greeter")
    session = await enter(client, name)
    assert (await session.get("/v1/admin/stores")).status_code == 200
    refused(await session.get("/v1/admin/levels"), 403, "forbidden")

    change = {"title": "迎宾", "permissions": ["members.read"], "version": 1}
    assert (await admin.call("PUT", "/v1/admin/roles/greeter", change)).json()["version"] == 2

    refused(await session.get("/v1/admin/stores"), 403, "forbidden")
    assert (await session.get("/v1/admin/levels")).status_code == 200
    assert (await session.get(ME)).json()["permissions"] == ["members.read"]
    refused(await admin.call("PUT", "/v1/admin/roles/greeter", change), 409, "role_conflict")
    refused(await admin.call("DELETE", "/v1/admin/roles/greeter?version=2"), 409, "role_conflict")
    nowhere = await admin.call("PUT", f"{STAFF}/{staff_id}", {"role": "clerk", "store_id": "S7"})
    refused(nowhere, 422, "validation_failed")
    assert nowhere.json()["errors"] == [{"pointer": "/store_id", "message": "there is no such store"}]
    moved = await admin.call("PUT", f"{STAFF}/{staff_id}", {"role": "clerk", "store_id": "S2"})
    assert (moved.json()["role"], moved.json()["store_id"]) == ("clerk", "S2")
    assert (await session.get(ME)).json()["staff"]["store_id"] == "S2"
    assert (await admin.call("DELETE", "/v1/admin/roles/greeter?version=2")).status_code == 204


async def test_what_is_built_in_is_changed_within_bounds_and_keeps_what_a_release_adds(client, admin):
    roles = {one["code"]: one for one in (await admin.get("/v1/admin/roles")).json()["items"]}
    assert list(roles)[:7] == ["admin", "member_centre", "manager", "clerk", "marketing", "finance", "auditor"]
    clerk = roles["clerk"]
    refused(
        await admin.call("PUT", "/v1/admin/roles/admin", {"title": "总部管理员", "permissions": [], "version": 1}),
        409,
        "role_conflict",
    )
    refused(
        await admin.call("PUT", "/v1/admin/roles/clerk", {"title": "别名", "permissions": [], "version": 1}),
        409,
        "role_conflict",
    )
    refused(await admin.call("DELETE", "/v1/admin/roles/clerk?version=1"), 409, "role_conflict")
    less = [one for one in clerk["permissions"] if one != "stock.handle"]
    body = {"title": clerk["title"], "permissions": [*less, "reports.read"], "version": 1}

    answer = await admin.call("PUT", "/v1/admin/roles/clerk", body)

    assert set(answer.json()["permissions"]) == {*less, "reports.read"}
    row = await db.fetchrow("SELECT granted::text, withheld::text FROM auth_role WHERE code = 'clerk'")
    assert row is not None
    assert tuple(row) == ('["reports.read"]', '["stock.handle"]')
    back = body | {"permissions": clerk["permissions"], "version": 2}
    assert (await admin.call("PUT", "/v1/admin/roles/clerk", back)).json()["permissions"] == clerk["permissions"]


async def test_a_locked_name_is_shown_and_let_in_again_and_log_ins_have_a_history(client, admin):
    staff_id, name = await hire(admin)
    for _ in range(TRIES):
        await client.post("/v1/admin/login", json={"username": name, "password": "wrong"})
    assert (await admin.get(f"{STAFF}/{staff_id}")).json()["locked_until"] is not None

    assert (await admin.call("POST", f"{STAFF}/{staff_id}/unlock")).status_code == 204

    assert (await admin.get(f"{STAFF}/{staff_id}")).json()["locked_until"] is None
    session = await enter(client, name)
    history = (await session.get(f"{ME}/logins")).json()["items"]
    assert [one["code"] for one in history] == ["", *["unauthenticated"] * TRIES]
    assert (await admin.get(f"{STAFF}/{staff_id}/logins")).json()["items"] == history


async def test_a_link_that_is_used_while_its_person_is_reset_or_closed_waits_its_turn(client, admin):
    """Both lock the person, then the link: the other way round one of the two would die of it."""
    staff_id, name = await hire(admin)
    link = (await admin.call("POST", f"{STAFF}/{staff_id}/reset-password")).json()
    use = {"token": link["token"], "password": "blue horses rest 8"}
    async with db.transaction() as tx:
        await db.fetch_in(tx, "SELECT FROM auth_staff WHERE id = $1 FOR UPDATE", int(staff_id))
        using = await held_by_us(client.post("/v1/admin/links/use", json=use))
        await service.void_links(tx, int(staff_id))

    refused(await using, 409, "link_gone")
    await enter(client, name)


async def test_a_closed_login_is_over_until_it_is_opened_again(client, settings, admin):
    staff_id, name = await hire(admin)
    session = await enter(client, name)
    early = (await admin.call("POST", f"{STAFF}/{staff_id}/reset-password")).json()
    assert (await admin.call("POST", f"{STAFF}/{staff_id}/close")).status_code == 204
    assert (await session.get(ME)).status_code == 401
    link = (await admin.call("POST", f"{STAFF}/{staff_id}/reset-password")).json()
    refused(
        await client.post("/v1/admin/links/use", json={"token": link["token"], "password": PASSWORD}), 409, "link_gone"
    )

    assert (await admin.call("POST", f"{STAFF}/{staff_id}/reopen")).status_code == 204

    assert (await session.get(ME)).status_code == 401
    await enter(client, name)
    refused(
        await client.post("/v1/admin/links/use", json={"token": early["token"], "password": PASSWORD}), 409, "link_gone"
    )


async def test_a_role_may_ask_for_a_second_factor_and_holds_nothing_without(client, clock, admin):
    body = {"code": "guarded", "title": "仓管", "scope": "office", "permissions": ["members.read", "staff.read"]}
    role = (await admin.post("/v1/admin/roles", body)).json()
    _, name = await hire(admin, "guarded", None)
    session = await enter(client, name)
    assert (await session.get("/v1/admin/staff")).status_code == 200
    change = {"title": "仓管", "permissions": role["permissions"], "version": 1}

    asked = await admin.call("PUT", "/v1/admin/roles/guarded", change | {"second_factor": True})
    assert asked.json()["second_factor"] is True
    refused(await session.get("/v1/admin/staff"), 403, "second_factor_required")
    mine = (await session.get("/v1/admin/me")).json()
    assert (mine["second_factor_required"], mine["permissions"]) == (True, [])

    begun = await session.post(f"{ME}/totp", {"current": PASSWORD})
    totp = pyotp.TOTP(begun.json()["secret"])
    assert (await session.post(f"{ME}/totp/confirm", {"totp": totp.at(clock.now())})).status_code == 200
    assert (await session.get("/v1/admin/staff")).status_code == 200
    assert (await session.get("/v1/admin/me")).json()["second_factor_required"] is False

    kept = await admin.call("PUT", "/v1/admin/roles/guarded", change | {"version": 2})
    assert kept.json()["second_factor"] is True, "left out: as it is"


async def test_of_who_may_do_everything_only_the_second_factor_can_be_asked(admin):
    roles = {one["code"]: one for one in (await admin.get("/v1/admin/roles")).json()["items"]}
    role = roles["admin"]
    body = {"title": role["title"], "permissions": role["permissions"], "version": role["version"]}

    asked = await admin.call("PUT", "/v1/admin/roles/admin", body | {"second_factor": True})
    assert asked.status_code == 200, asked.text
    refused(await admin.get("/v1/admin/roles"), 403, "second_factor_required")

    await db.fetch("UPDATE auth_role SET second_factor = false WHERE code = 'admin'")
    assert (await admin.get("/v1/admin/roles")).status_code == 200
