"""Staff change a profile, and what members may change themselves."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import db
from backend.members import queries
from tests.support.delivery import SHENZHEN
from tests.support.members import random_phone, register
from tests.support.staff import log_in

FIELDS = "/v1/admin/member-fields"


@pytest.fixture(autouse=True)
async def no_rules(database):
    """Each test sets its own."""
    yield
    await db.pool().execute("DELETE FROM member_field_rules")
    queries.forget_field_rules()


async def member_of(client, store_id="S1"):
    phone = await register(client, name="王小明")
    await phone.call("POST", "/v1/member/profile", {"store_id": store_id})
    return phone


async def edit(staff, member, /, **fields):
    path = f"/v1/admin/members/{member.member_id}"
    version = fields.pop("version", None) or (await staff.get(path)).json().get("version", 1)
    return await staff.call("PATCH", path, {"version": version, "reason": "到店更正"} | fields)


async def allow(admin, **changes):
    version = (await admin.get(FIELDS)).json()["version"]
    answer = await admin.call("PUT", FIELDS, {"version": version, "changes": changes})
    assert answer.status_code == 200, answer.text
    queries.forget_field_rules()
    return answer.json()


async def test_staff_change_a_profile_for_a_reason(client, chain):
    phone, manager = await member_of(client), await log_in(client, chain, "manager-S1")

    changed = await edit(manager, phone, name="王晓明", birthday="1990-05-01", gender="male")

    assert changed.status_code == 200, changed.text
    assert (changed.json()["name"], changed.json()["birthday"]) == ("王晓明", "1990-05-01")
    (last,) = [one for one in await queries.list_changes(phone.member_id, before=None, limit=9) if one.field == "name"]
    assert (last.by.kind, last.before, last.after, last.reason) == ("staff", "王小明", "王晓明", "到店更正")
    assert (await edit(manager, phone, birthday=None)).json()["birthday"] is None


@pytest.mark.parametrize(
    ("fields", "status", "pointer"),
    [
        ({"name": " "}, 422, "/name"),
        ({"birthday": "2999-01-01"}, 422, "/birthday"),
        ({"gender": "x"}, 422, "/gender"),
        ({"store_id": "S2"}, 422, "/store_id"),
        ({"store_id": "S77"}, 422, "/store_id"),
        ({"phone": "13800000000"}, 403, "/phone"),
        ({"attributes": {"none": 1}}, 422, "/attributes/none"),
        ({"reason": ""}, 422, "/reason"),
        ({"reason": "x" * 201}, 422, "/reason"),
        ({"version": 2**31}, 422, "/version"),
        ({"status": "active"}, 422, "/status"),
    ],
)
async def test_what_is_refused_is_named_and_moves_nothing(client, chain, fields, status, pointer):
    phone, manager = await member_of(client), await log_in(client, chain, "manager-S1")
    before = (await manager.get(f"/v1/admin/members/{phone.member_id}")).json()

    answer = await edit(manager, phone, **{"name": "别人"} | fields)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer)
    assert (await manager.get(f"/v1/admin/members/{phone.member_id}")).json() == before


async def test_another_stores_member_is_not_there(client, chain):
    phone, manager = await member_of(client, "S2"), await log_in(client, chain, "manager-S1")

    answer = await edit(manager, phone, name="别人", version=1)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await queries.get_member(phone.member_id)).name == "王小明"


async def test_of_two_who_read_the_same_one_is_told_to_read_again(client, chain):
    phone = await member_of(client)
    admin, manager = await log_in(client, chain, "admin"), await log_in(client, chain, "manager-S1")
    version = (await admin.get(f"/v1/admin/members/{phone.member_id}")).json()["version"]

    answers = await asyncio.gather(
        edit(admin, phone, name="甲", version=version), edit(manager, phone, name="乙", version=version)
    )

    assert sorted(one.status_code for one in answers) == [200, 409]
    (late,) = [one for one in answers if one.status_code == 409]
    assert (late.json()["code"], late.json()["version"]) == ("version_conflict", version + 1)


async def test_head_office_changes_a_phone_and_one_phone_is_one_member(client, chain):
    phone, other = await member_of(client), await register(client, phone=(taken := random_phone()))
    admin, free = await log_in(client, chain, "admin"), random_phone()

    refused = await edit(admin, phone, phone=taken, name="不变")
    wrong = await edit(admin, phone, phone="abcdefg")
    changed = await edit(admin, phone, phone=free)

    assert (refused.status_code, refused.json()["code"]) == (409, "phone_taken")
    assert wrong.json()["errors"][0]["pointer"] == "/phone"
    assert (changed.status_code, changed.json()["name"]) == (200, "王小明")
    assert await queries.find_id_by_phone(free) == phone.member_id
    assert await queries.find_id_by_phone(taken) == other.member_id
    (item,) = (await admin.get(f"/v1/admin/members/{phone.member_id}/changes?limit=1")).json()["items"]
    assert (item["field"], item["after"], item["masked"]) == ("phone", f"{free[:3]}****{free[-4:]}", True)


async def test_a_birthday_is_corrected_once_and_then_by_staff(client, chain):
    phone, manager = await member_of(client), await log_in(client, chain, "manager-S1")

    async def put(on):
        return await phone.call("POST", "/v1/member/profile", {"birthday": on, "name": "换名"})

    assert (await put("1990-05-01")).status_code == 200  # filled in: no change
    assert (await put("1990-05-11")).status_code == 200
    left = {one["field"]: one for one in (await phone.call("GET", "/v1/member/profile/form")).json()["fields"]}
    again = await put("1990-06-11")

    assert left["birthday"] == {"field": "birthday", "editable": False, "changes_left": 0}
    assert left["name"] == {"field": "name", "editable": True, "changes_left": None}
    assert (again.status_code, again.json()["code"]) == (409, "field_locked")
    assert again.json()["errors"][0]["pointer"] == "/birthday"
    profile = (await phone.call("GET", "/v1/member/profile")).json()
    assert profile["birthday"] == "1990-05-11"
    assert (await put("1990-05-11")).status_code == 200  # as it is
    assert (await put(None)).json()["code"] == "field_locked"
    assert (await edit(manager, phone, birthday="1990-06-11")).status_code == 200
    assert (await put("1990-05-11")).json()["code"] == "field_locked"


async def test_clearing_and_filling_in_again_is_a_second_change(client, chain):
    phone = await member_of(client)
    for on in ("1990-05-01", None):
        assert (await phone.call("POST", "/v1/member/profile", {"birthday": on})).status_code == 200

    again = await phone.call("POST", "/v1/member/profile", {"birthday": "1990-06-01"})

    assert again.json()["code"] == "field_locked"


async def test_two_corrections_at_once_are_one(client, chain):
    phone = await member_of(client)
    await phone.call("POST", "/v1/member/profile", {"birthday": "1990-05-01"})

    answers = await asyncio.gather(
        *(phone.call("POST", "/v1/member/profile", {"birthday": f"1990-06-{day:02}"}) for day in range(1, 7))
    )

    assert sorted(one.status_code for one in answers) == [200] + [409] * 5


async def test_head_office_says_what_members_change_themselves(client, chain):
    admin, phone = await log_in(client, chain, "admin"), await member_of(client)
    rules = await allow(admin, name=0, store_id=1, birthday=None)

    name = await phone.call("POST", "/v1/member/profile", {"name": "新名", "gender": "male"})
    stores = [(await phone.call("POST", "/v1/member/profile", {"store_id": f"S{n}"})).status_code for n in (2, 1, 2)]

    assert (rules["version"], rules["changes"]["name"], rules["changes"]["birthday"]) == (1, 0, None)
    assert (name.status_code, name.json()["errors"][0]["pointer"]) == (409, "/name")
    assert (await queries.get_member(phone.member_id)).gender == "unknown"
    assert stores == [200, 409, 200]  # the last says what is so already
    late = await admin.call("PUT", FIELDS, {"version": 0, "changes": {}})
    wrong = await admin.call("PUT", FIELDS, {"version": 1, "changes": {"addresses": 2}})
    unknown = await admin.call("PUT", FIELDS, {"version": 1, "changes": {"status": 0}})
    assert (late.status_code, late.json()["code"]) == (409, "version_conflict")
    assert wrong.json()["errors"][0]["pointer"] == "/changes/addresses"
    assert unknown.status_code == 422
    history = (await admin.get(f"{FIELDS}/changes")).json()["items"]
    assert [one["detail"]["changes"]["name"] for one in history] == [0]


async def test_saying_what_was_unknown_is_no_change(client, chain):
    phone = await member_of(client)
    await allow(await log_in(client, chain, "admin"), gender=1)

    said = [await phone.call("POST", "/v1/member/profile", {"gender": one}) for one in ("male", "female", "male")]

    assert [one.status_code for one in said] == [200, 200, 409]
    assert (await queries.get_member(phone.member_id)).gender == "female"


async def test_a_member_takes_the_number_that_wechat_vouches_for(client, chain):
    phone, taken, free = await member_of(client), random_phone(), random_phone()
    await register(client, phone=taken)

    async def take(number, **more):
        return await phone.call("POST", "/v1/member/phone", {"phone_code": f"phone-{number}"} | more)

    assert (await take(taken)).json()["code"] == "phone_taken"
    assert (await phone.call("POST", "/v1/member/phone", {"phone_code": "made up"})).json()["code"] == (
        "phone_code_invalid"
    )
    assert (await take(free)).json()["phone_masked"] == f"{free[:3]}****{free[-4:]}"
    await phone.call("PUT", "/v1/member/pin", {"pin": "135790"})
    another = random_phone()
    assert (await take(another)).json()["code"] == "pin_required"
    assert (await take(another, pin="000000")).json()["code"] == "pin_invalid"
    assert await queries.find_id_by_phone(free) == phone.member_id
    assert (await take(another, pin="135790")).status_code == 200
    assert await queries.find_id_by_phone(free) is None
    await allow(await log_in(client, chain, "admin"), phone=0)
    locked = await take(free, pin="135790")
    assert (locked.json()["code"], locked.json()["errors"][0]["pointer"]) == ("field_locked", "/phone")


async def test_one_number_taken_by_many_at_once_is_one_members(client, chain):
    phones, number = [await member_of(client) for _ in range(5)], random_phone()

    answers = await asyncio.gather(
        *(phone.call("POST", "/v1/member/phone", {"phone_code": f"phone-{number}"}) for phone in phones)
    )

    assert sorted(one.status_code for one in answers) == [200] + [409] * 4
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"phone_taken"}


async def test_e_mail_and_addresses_go_by_the_same_rules(client, chain):
    admin, phone = await log_in(client, chain, "admin"), await member_of(client)
    await allow(admin, email=0, addresses=0)

    mail = await phone.call("PUT", "/v1/member/email", {"email": "wang@example.com"})
    book = await phone.call("POST", "/v1/member/addresses", SHENZHEN)

    for answer, field in ((mail, "/email"), (book, "/addresses")):
        assert (answer.status_code, answer.json()["code"]) == (409, "field_locked"), answer.text
        assert answer.json()["errors"][0]["pointer"] == field
    assert await db.fetchval("SELECT count(*) FROM orders_address WHERE member_id = $1", phone.member_id) == 0
    paths = (await client.get("/openapi.json")).json()["paths"]
    for path, method in (("addresses", "post"), ("addresses/{address_id}", "put"), ("email", "put")):
        assert "`field_locked`" in paths[f"/v1/member/{path}"][method]["responses"]["409"]["description"], path
