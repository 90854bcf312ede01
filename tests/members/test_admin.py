"""Staff's calls about members and levels: finding, scope, freezing."""

from __future__ import annotations

import pytest

from backend.kernel import db, guessing
from tests.support.members import random_phone, register
from tests.support.staff import log_in

SEARCH = "/v1/admin/members/search"


async def member_of(client, store_id: str | None):
    number = random_phone()
    phone = await register(client, phone=number)
    if store_id:
        await phone.call("POST", "/v1/member/profile", {"store_id": store_id})
    return phone, number


async def test_a_member_is_found_by_phone_and_by_number(client, chain):
    phone, number = await member_of(client, "S1")
    admin = await log_in(client, chain, "admin")

    by_phone = (await admin.post(SEARCH, {"query": number})).json()["items"]
    by_number = (await admin.post(SEARCH, {"query": phone.member["member_no"]})).json()["items"]
    in_address = (await admin.get(f"/v1/admin/members?query={phone.member['member_no']}")).json()["items"]

    assert by_phone == by_number == in_address
    assert [item["id"] for item in by_phone] == [phone.member["id"]]
    assert by_phone[0]["phone_masked"] == phone.member["phone_masked"]
    assert by_phone[0]["store_id"] == "S1"


@pytest.mark.parametrize("query", ["nobody", "1", "%", "13800000000", "' OR 1=1", "汉", "138\t0000"])
async def test_half_a_number_finds_nobody(client, chain, query):
    await member_of(client, "S1")
    admin = await log_in(client, chain, "admin")

    assert (await admin.post(SEARCH, {"query": query})).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    "query", ["13800000000", "%2B8613800000000", "138-0000-0000", "138%200000%200000", "0211234567"]
)
async def test_a_phone_number_is_not_taken_from_an_address(client, chain, query):
    """Whoever sends one so is told where it belongs, whether it is anybody's or not."""
    admin = await log_in(client, chain, "admin")

    refused = await admin.get(f"/v1/admin/members?query={query}")

    assert (refused.status_code, refused.json()["code"]) == (422, "phone_in_address")
    assert "138" not in refused.text


async def test_guessing_numbers_ends_wherever_they_are_tried(client, chain, monkeypatch):
    """Misses count together with those of contacts' look-ups; then also whom there is, is not found."""
    phone, number = await member_of(client, "S1")
    manager = await log_in(client, chain, "manager-S1")
    monkeypatch.setattr(guessing.of_staff, "most", 3)
    tries = [
        await manager.post(SEARCH, {"query": random_phone()}),
        await manager.get("/v1/admin/members?query=999999999993"),
        await manager.post("/v1/admin/contacts/lookup", {"phone": random_phone()}),
        await manager.post(SEARCH, {"query": random_phone()}),
    ]
    try:
        found = [
            await manager.post(SEARCH, {"query": number}),
            await manager.get(f"/v1/admin/members?query={phone.member['member_no']}"),
            await manager.post("/v1/admin/contacts/lookup", {"phone": number}),
        ]
    finally:
        guessing.forget()

    assert [one.status_code for one in tries] == [200, 200, 404, 429]
    assert [(one.status_code, one.json()["code"]) for one in found] == [(429, "rate_limited")] * 3
    assert 0 < int(found[0].headers["retry-after"]) <= 1200
    assert (await manager.get("/v1/admin/members?status=active")).status_code == 200


async def test_searching_needs_something_to_search(client, chain):
    admin = await log_in(client, chain, "admin")

    assert (await admin.get("/v1/admin/members")).status_code == 422
    assert (await admin.get("/v1/admin/members?other=1")).status_code == 422


async def test_a_store_sees_its_own_members_only(client, chain):
    own, own_number = await member_of(client, "S1")
    other, other_number = await member_of(client, "S2")
    nobodys, _ = await member_of(client, None)
    manager = await log_in(client, chain, "manager-S1")

    assert len((await manager.post(SEARCH, {"query": own_number})).json()["items"]) == 1
    assert (await manager.post(SEARCH, {"query": other_number})).json()["items"] == []
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

    assert (made.status_code, made.json()) == (201, gold | {"benefits": [], "ruled": False})
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
