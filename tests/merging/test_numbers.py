"""What is said of numbers that were merged: they are not followed into a merge, and nothing is agreed with them."""

from __future__ import annotations

import pytest

from backend.kernel import db, outbox
from backend.kernel.errors import DomainError
from backend.ledger import queries as ledger
from backend.members import queries as members
from backend.merging import service
from backend.merging.commands import passing
from tests.support.books import fingerprint
from tests.support.members import random_phone, register
from tests.support.merging import MERGES, ask, merge, numbers
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")


async def test_a_number_that_was_merged_is_not_followed_into_another_merge(client, admin, second, phone, settings):
    first, middle = await register(client), await register(client)
    await merge(admin, second, first, middle)
    before = await fingerprint(settings)

    as_source = await ask(admin, first, phone)
    as_target = await admin.post(f"{MERGES}/preview", numbers(phone, first))
    same = await ask(admin, first, middle)
    after = await fingerprint(settings)
    await merge(admin, second, middle, phone)

    goes_on = middle.member["member_no"]
    assert [(one.json()["code"], one.json()["now"]) for one in (as_source, as_target)] == [
        ("merge_status", goes_on)
    ] * 2
    assert same.json()["code"] == "merge_same"
    assert {name for name in before if before[name] != after[name]} <= {"auth_audit"}
    for number in (first.member["member_no"], phone.member["member_no"]):
        steps = (await admin.get(f"{MERGES}?member_no={number}")).json()["items"]
        assert [one["source_no"] for one in steps] == [goes_on, first.member["member_no"]]


async def test_the_sources_phone_may_become_the_targets(client, admin, second, phone):
    number = random_phone()
    source, stranger = await register(client, phone=number), await register(client)
    await merge(admin, second, source, phone)

    taken = await stranger.call("POST", "/v1/member/phone", {"phone_code": f"phone-{number}"})
    own = await phone.call("POST", "/v1/member/phone", {"phone_code": f"phone-{number}"})

    assert taken.json()["code"] == "phone_taken"
    assert own.status_code == 200, own.text
    assert own.json()["phone_masked"] == f"139****{number[-4:]}"
    assert await members.find_id_by_phone(number) == phone.member_id
    assert (await admin.get(f"/v1/admin/members/{source.member_id}")).json()["phone_masked"] == "****"


async def test_nothing_is_agreed_with_somebody_who_was_merged(client, admin, second, phone, settings):
    source = await register(client)
    await merge(admin, second, source, phone)
    staff_id = (await admin.get("/v1/admin/staff")).json()["items"][0]["id"]
    path = f"/v1/admin/members/{source.member_id}"
    version = (await admin.get(path)).json()["version"]
    before = await fingerprint(settings)

    refused = [
        await admin.call("PATCH", path, {"name": "别人", "version": version, "reason": "x"}),
        await admin.call("PUT", f"{path}/key-account", {"staff_id": staff_id, "discount_bp": 500}),
        await admin.post(f"{path}/freeze", {"reason": "x"}),
    ]

    assert [one.json()["code"] for one in refused] == ["status_conflict"] * 3
    after = await fingerprint(settings)
    assert {name for name in before if before[name] != after[name]} <= {"auth_audit"}


async def test_a_frozen_source_is_shown_as_such_and_its_value_goes_on(client, admin, second, phone):
    source = await register(client)
    await give(source.member_id, principal=900)
    await admin.post(f"/v1/admin/members/{source.member_id}/freeze", {"reason": "争议"})

    seen = (await admin.post(f"{MERGES}/preview", numbers(source, phone))).json()
    await merge(admin, second, source, phone)

    assert "standing" in {one["code"] for one in seen["clashes"]}
    assert (await ledger.get_balances(phone.member_id))["stored"] == 900


async def test_one_who_cannot_be_passed_on_keeps_nobody_waiting(client, admin, second, phone, monkeypatch):
    stuck, other = sorted([await register(client), await register(client)], key=lambda one: one.member_id)
    for source in (stuck, other):
        await merge(admin, second, source, phone)
    for source in (stuck, other):
        await give(source.member_id, points=5)
    await db.pool().execute("DELETE FROM outbox WHERE name = 'MergedBooksMoved'")
    passes = service.pass_on

    async def refused(tx, source_id):
        if source_id == stuck.member_id:
            raise DomainError
        await passes(tx, source_id)

    monkeypatch.setattr(service, "pass_on", refused)
    assert await passing.sweep() == 2
    assert (await ledger.get_balances(phone.member_id))["points"] == 5
    monkeypatch.undo()
    assert await passing.sweep() == 1
    await outbox.drain()
    assert (await ledger.get_balances(phone.member_id))["points"] == 10
