"""Registering: what is checked, who gets which member, and races for one phone."""

from __future__ import annotations

import asyncio
import uuid

import msgspec
import pytest

from backend.kernel import config, db
from backend.members import queries, service
from backend.members.types import NewMember, Status
from backend.privacy import queries as privacy
from tests.support.members import random_phone, register
from tests.support.staff import log_in


async def login(client, who: str | None = None):
    answer = await client.post("/v1/member/login", json={"js_code": f"demo-{who or uuid.uuid4().hex[:12]}"})
    return answer.json()


async def sign_up(client, tokens, phone: str | None = None, **more):
    body = {"phone_code": f"phone-{phone or random_phone()}", "name": "李雷", "consents": ["terms", "privacy"]} | more
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return await client.post("/v1/member/register", json=body, headers=headers)


async def count_members() -> int:
    return int(await db.fetchval("SELECT count(*) FROM member"))


async def test_a_registered_member_has_all_that_the_contract_says(client, chain):
    answer = await sign_up(
        client,
        await login(client),
        "13812345678",
        birthday="1990-05-01",
        gender="female",
        store_id="S1",
        name=" 韩梅梅 ",
    )

    assert answer.status_code == 201
    member = answer.json()
    assert member.keys() == {
        "id", "member_no", "name", "phone_masked", "birthday", "gender", "level", "status", "attributes",
        "pin_set", "valid_from", "valid_until",
    }  # fmt: skip
    assert member["name"] == "韩梅梅"
    assert member["phone_masked"] == "138****5678"
    assert member["birthday"] == "1990-05-01"
    assert member["gender"] == "female"
    assert member["level"] == {"code": "basic", "name": "普通会员", "discount_bp": 0}
    assert member["status"] == "active"
    assert member["attributes"] == {}
    assert len(member["member_no"]) == 12
    member_id = int(member["id"])
    assert await db.fetchval("SELECT active FROM ledger_head WHERE member_id = $1", member_id) is True
    agreed = await privacy.list_changes(member_id, before=None, limit=10)
    assert sorted((word.purpose, word.version, word.place) for word in agreed) == [
        ("privacy", 1, "phone"),
        ("terms", 1, "phone"),
    ]


async def test_the_phone_is_sealed_and_found_by_its_index(client, database, chain):
    phone = random_phone()
    member = (await sign_up(client, await login(client), phone)).json()

    row = await db.fetchrow("SELECT phone_sealed, phone_index FROM member WHERE id = $1", int(member["id"]))

    assert phone not in row["phone_sealed"]
    assert row["phone_index"] == queries.phone_index(phone)
    assert queries.open_phone(row["phone_sealed"]) == phone


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"name": "   "}, "/name"),
        ({"name": "x" * 41}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"birthday": "2999-01-01"}, "/birthday"),
        ({"birthday": "1899-12-31"}, "/birthday"),
        ({"birthday": "1990-02-30"}, "/birthday"),
        ({"gender": "robot"}, "/gender"),
        ({"store_id": "S77"}, "/store_id"),
        ({"referrer_code": "123"}, "/referrer_code"),
        ({"consents": []}, "/consents"),
        ({"consents": ["terms"]}, "/consents"),
        ({"consents": ["terms", "privacy", "more"]}, "/consents"),
        ({"consents": None}, "/consents"),
        ({"unknown": 1}, "/unknown"),
        ({"level": "gold"}, "/level"),
    ],
)
async def test_a_bad_field_is_refused_and_named(client, database, chain, more, pointer):
    tokens, before = await login(client), await count_members()

    answer = await sign_up(client, tokens, **more)

    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "validation_failed"
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert await count_members() == before


async def test_a_wrong_phone_code_is_refused(client, chain):
    answer = await sign_up(client, await login(client), phone_code="invented")

    assert (answer.status_code, answer.json()["code"]) == (422, "phone_code_invalid")


async def test_registering_needs_a_login(client, chain):
    answer = await sign_up(client, {"access_token": "x"})

    assert answer.status_code == 401


async def test_registering_twice_is_refused(client, database, chain):
    tokens = await login(client)
    assert (await sign_up(client, tokens)).status_code == 201
    before = await count_members()

    again = await sign_up(client, tokens)

    assert (again.status_code, again.json()["code"]) == (409, "already_registered")
    assert await count_members() == before


async def test_somebody_elses_phone_is_refused(client, database, chain):
    phone = random_phone()
    first = (await sign_up(client, await login(client), phone)).json()
    other = await login(client)

    answer = await sign_up(client, other, phone)

    assert (answer.status_code, answer.json()["code"]) == (409, "phone_taken")
    member_id = await db.fetchval(
        "SELECT member_id FROM auth_wechat_identity WHERE id = (SELECT identity_id FROM auth_session"
        " ORDER BY created_at DESC LIMIT 1)"
    )
    assert member_id is None
    assert (await queries.get_member(int(first["id"]))).name == "李雷"


async def test_a_member_without_wechat_becomes_whoever_proves_the_phone(client, database, chain):
    phone = random_phone()
    async with db.transaction() as tx:
        known = await service.create_member(tx, NewMember(phone=phone, name="店员录入", status=Status.ACTIVE))

    assert known is not None
    answer = await sign_up(client, await login(client), phone, birthday="1990-05-01", store_id="S2")

    assert answer.status_code == 201
    assert answer.json()["id"] == str(known)
    assert answer.json()["name"] == "店员录入"
    assert answer.json()["birthday"] == "1990-05-01"
    assert (await queries.get_member(known)).store_id == "S2"


async def test_a_frozen_member_stays_frozen_when_bound(client, database, chain):
    phone = random_phone()
    async with db.transaction() as tx:
        await service.create_member(tx, NewMember(phone=phone, name="冻结", status=Status.FROZEN))
    tokens = await login(client)

    answer = await sign_up(client, tokens, phone)

    assert answer.json()["status"] == "frozen"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/v1/member/devices", headers=headers)).json()["code"] == "member_frozen"


async def test_a_referrer_is_kept(client, database, chain):
    referrer = await register(client)

    answer = await sign_up(client, await login(client), referrer_code=referrer.member["member_no"])

    kept = await db.fetchval("SELECT referrer_id FROM member WHERE id = $1", int(answer.json()["id"]))
    assert kept == referrer.member_id


async def test_one_phone_many_registrations_make_one_member(client, database, chain):
    phone, before = random_phone(), await count_members()
    logins = [await login(client) for _ in range(8)]

    answers = await asyncio.gather(*(sign_up(client, tokens, phone) for tokens in logins))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"phone_taken"}
    assert await count_members() == before + 1


async def test_one_login_many_registrations_make_one_member(client, database, chain):
    tokens, before, own = await login(client), await count_members(), random_phone()

    answers = await asyncio.gather(*(sign_up(client, tokens, phone) for phone in (own, random_phone(), own) * 2))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_registered"}
    assert await count_members() == before + 1


@pytest.fixture
def approval(database):
    before = config.settings()
    config.use(msgspec.structs.replace(before, registration_approval=True))
    yield
    config.use(before)


async def test_with_approval_a_member_waits_and_may_only_look(client, chain, approval, database):
    tokens = await login(client)
    member = (await sign_up(client, tokens, store_id="S1")).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    assert member["status"] == "pending"
    assert (await client.get("/v1/member/profile", headers=headers)).json()["status"] == "pending"
    waiting = await client.get("/v1/member/devices", headers=headers)
    assert (waiting.status_code, waiting.json()["code"]) == (403, "registration_pending")
    assert await db.fetchval("SELECT active FROM ledger_head WHERE member_id = $1", int(member["id"])) is False

    manager = await log_in(client, chain, "manager-S1")
    found = (await manager.get("/v1/admin/members?status=pending")).json()["items"]
    assert member["id"] in {item["id"] for item in found}
    approved = await manager.post(f"/v1/admin/members/{member['id']}/approve")

    assert approved.json()["status"] == "active"
    assert (await client.get("/v1/member/devices", headers=headers)).status_code == 200
    assert await db.fetchval("SELECT active FROM ledger_head WHERE member_id = $1", int(member["id"])) is True


async def test_a_refused_registration_may_be_sent_again(client, chain, approval, database):
    tokens, phone = await login(client), random_phone()
    member = (await sign_up(client, tokens, phone, store_id="S1")).json()
    admin = await log_in(client, chain, "admin")

    refused = await admin.post(f"/v1/admin/members/{member['id']}/reject")
    again = await sign_up(client, tokens, phone, name="新名字")

    assert refused.json()["status"] == "none"
    assert again.status_code == 201
    assert (again.json()["id"], again.json()["name"], again.json()["status"]) == (member["id"], "新名字", "pending")
