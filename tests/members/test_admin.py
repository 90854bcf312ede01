"""Staff's calls about members and levels: finding, scope, freezing."""

from __future__ import annotations

import pytest

from backend.kernel import db
from tests.support.members import random_phone, register
from tests.support.staff import log_in


async def member_of(client, store_id: str | None):
    number = random_phone()
    phone = await register(client, phone=number)
    if store_id:
        await phone.call("POST", "/v1/member/profile", {"store_id": store_id})
    return phone, number


async def test_a_member_is_found_by_phone_and_by_number(client, chain):
    phone, number = await member_of(client, "S1")
    admin = await log_in(client, chain, "admin")

    by_phone = (await admin.get(f"/v1/admin/members?query={number}")).json()["items"]
    by_number = (await admin.get(f"/v1/admin/members?query={phone.member['member_no']}")).json()["items"]

    assert by_phone == by_number
    assert [item["id"] for item in by_phone] == [phone.member["id"]]
    assert by_phone[0]["phone_masked"] == phone.member["phone_masked"]
    assert by_phone[0]["store_id"] == "S1"


@pytest.mark.parametrize("query", ["nobody", "1", "%25", "13800000000", "' OR 1=1", "%E6%B1%89"])
async def test_half_a_number_finds_nobody(client, chain, query):
    await member_of(client, "S1")
    admin = await log_in(client, chain, "admin")

    assert (await admin.get(f"/v1/admin/members?query={query}")).json() == {"items": []}


async def test_searching_needs_something_to_search(client, chain):
    admin = await log_in(client, chain, "admin")

    assert (await admin.get("/v1/admin/members")).status_code == 422
    assert (await admin.get("/v1/admin/members?other=1")).status_code == 422


async def test_a_store_sees_its_own_members_only(client, chain):
    own, own_number = await member_of(client, "S1")
    other, other_number = await member_of(client, "S2")
    nobodys, _ = await member_of(client, None)
    manager = await log_in(client, chain, "manager-S1")

    assert len((await manager.get(f"/v1/admin/members?query={own_number}")).json()["items"]) == 1
    assert (await manager.get(f"/v1/admin/members?query={other_number}")).json()["items"] == []
    assert (await manager.get(f"/v1/admin/members/{own.member['id']}")).status_code == 200
    for phone in (other, nobodys):
        assert (await manager.get(f"/v1/admin/members/{phone.member['id']}")).status_code == 404
        assert (await manager.post(f"/v1/admin/members/{phone.member['id']}/freeze")).status_code == 404
        assert (await phone.call("GET", "/v1/member/devices")).status_code == 200


@pytest.mark.parametrize("member_id", ["0", "x", "9" * 30, "1"])
async def test_what_is_no_member_is_not_found(client, chain, member_id):
    admin = await log_in(client, chain, "admin")

    assert (await admin.get(f"/v1/admin/members/{member_id}")).status_code == 404
    assert (await admin.post(f"/v1/admin/members/{member_id}/freeze")).status_code == 404


async def test_freezing_shuts_out_at_once_and_unfreezing_lets_in(client, database, chain):
    phone, _ = await member_of(client, "S1")
    manager = await log_in(client, chain, "manager-S1")
    path = f"/v1/admin/members/{phone.member['id']}"

    frozen = await manager.post(f"{path}/freeze")

    assert frozen.json()["status"] == "frozen"
    refused = await phone.call("GET", "/v1/member/devices")
    assert (refused.status_code, refused.json()["code"]) == (403, "member_frozen")
    assert (await phone.call("GET", "/v1/member/profile")).json()["status"] == "frozen"
    assert await db.fetchval("SELECT active FROM ledger_head WHERE member_id = $1", phone.member_id) is False
    assert (await manager.post(f"{path}/freeze")).json()["status"] == "frozen"
    assert (await manager.post(f"{path}/unfreeze")).json()["status"] == "active"
    assert (await phone.call("GET", "/v1/member/devices")).status_code == 200


async def test_an_active_member_can_be_neither_rejected_nor_unfrozen_into_another_status(client, chain):
    phone, _ = await member_of(client, "S1")
    admin = await log_in(client, chain, "admin")
    path = f"/v1/admin/members/{phone.member['id']}"

    rejected = await admin.post(f"{path}/reject")

    assert (rejected.status_code, rejected.json()["code"]) == (409, "status_conflict")
    assert (await admin.post(f"{path}/unfreeze")).json()["status"] == "active"
    assert (await admin.post(f"{path}/approve")).json()["status"] == "active"


async def test_levels_are_made_changed_and_kept_whole(client, chain):
    admin = await log_in(client, chain, "admin")
    gold = {
        "code": "gold-t",
        "name": "金卡",
        "growth_from_fen": 77_000,
        "discount_bp": 500,
        "points_multiplier_bp": 15_000,
    }

    made = await admin.post("/v1/admin/levels", gold)
    again = await admin.post("/v1/admin/levels", gold)
    same = await admin.post("/v1/admin/levels", gold | {"code": "other"})
    changed = await admin.call("PUT", "/v1/admin/levels/gold-t", {"name": "金", "growth_from_fen": 78_000})
    missing = await admin.call("PUT", "/v1/admin/levels/none", {"name": "金", "growth_from_fen": 79_000})
    baseless = await admin.call("PUT", "/v1/admin/levels/basic", {"name": "x", "growth_from_fen": 5})

    assert (made.status_code, made.json()) == (201, gold)
    assert (again.status_code, same.status_code) == (409, 409)
    assert changed.json()["growth_from_fen"] == 78_000
    assert missing.status_code == 404
    assert baseless.status_code == 422
    levels = (await admin.get("/v1/admin/levels")).json()["items"]
    assert [level["code"] for level in levels] == ["basic", "gold-t"]


async def test_only_head_office_keeps_levels(client, chain):
    manager = await log_in(client, chain, "manager-S1")

    assert (await manager.get("/v1/admin/levels")).status_code == 200
    assert (await manager.post("/v1/admin/levels", {"code": "x", "name": "x", "growth_from_fen": 1})).status_code == 403
