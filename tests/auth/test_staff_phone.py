"""A phone speaks for somebody of the staff once both sides have proved it."""

from __future__ import annotations

from datetime import timedelta

import pytest_asyncio

from tests.support.members import register
from tests.support.overrides import bind_phone
from tests.support.seed import seed_chain
from tests.support.staff import log_in


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server):
    return await seed_chain(server.base_url)


async def test_a_phone_is_bound_once_and_unbound_with_the_password(client, chain):
    manager, phone, other = await log_in(client, chain, "manager-S1"), await register(client), await register(client)

    bound = await bind_phone(manager, phone)
    again = await manager.post("/v1/admin/me/phone", {"current": "correct horse"})
    since = await manager.get("/v1/admin/me/phone")
    wrong = await manager.post("/v1/admin/me/phone/unbind", {"current": "wrong"})
    gone = await manager.post("/v1/admin/me/phone/unbind", {"current": "correct horse"})
    rebound = await bind_phone(manager, other)

    assert (bound.status_code, bound.json()) == (200, {"username": "manager-s1"})
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    assert since.json()["bound_at"] is not None
    assert (wrong.status_code, wrong.json()["code"]) == (409, "password_wrong")
    assert gone.status_code == 204
    assert rebound.status_code == 200


async def test_a_ticket_needs_the_password_is_good_once_and_not_for_long(client, chain, clock):
    manager, phone = await log_in(client, chain, "manager-S2"), await register(client)

    wrong = await manager.post("/v1/admin/me/phone", {"current": "wrong"})
    ticket = (await manager.post("/v1/admin/me/phone", {"current": "correct horse"})).json()["ticket"]
    clock.shift(timedelta(minutes=11))
    late = await phone.call("POST", "/v1/member/staff-phone", {"ticket": ticket})
    guessed = await phone.call("POST", "/v1/member/staff-phone", {"ticket": "0" * 10})

    assert (wrong.status_code, wrong.json()["code"]) == (409, "password_wrong")
    assert (late.status_code, late.json()["code"]) == (409, "link_gone")
    assert (guessed.status_code, guessed.json()["code"]) == (409, "link_gone")


async def test_one_phone_speaks_for_one_person(client, chain):
    phone = await register(client)
    admin, manager = await log_in(client, chain, "admin"), await log_in(client, chain, "manager-S2")
    first = await bind_phone(admin, phone)

    second = await bind_phone(manager, phone)

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (409, "already_exists")
    assert (await manager.get("/v1/admin/me/phone")).json() == {"bound_at": None}


async def test_head_office_unbinds_a_lost_phone(client, chain):
    admin, manager = await log_in(client, chain, "admin"), await log_in(client, chain, "manager-S2")
    staff_id = next(
        one["id"] for one in (await admin.get("/v1/admin/staff")).json()["items"] if one["username"] == "manager-s2"
    )
    bound = await bind_phone(manager, await register(client))

    gone = await admin.call("DELETE", f"/v1/admin/staff/{staff_id}/phone")
    none = await admin.call("DELETE", f"/v1/admin/staff/{staff_id}/phone")

    assert (bound.status_code, gone.status_code, none.status_code) == (200, 204, 404)
    assert (await manager.get("/v1/admin/me/phone")).json() == {"bound_at": None}
