"""Attributes that staff define: who fills them in, who sees them, and what a change of them may not break."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import db
from backend.members import queries
from tests.support.attributes import CHOICES, define, redefine
from tests.support.members import random_phone, register
from tests.support.staff import log_in

ALL = "/v1/admin/member-attributes"


@pytest.fixture(autouse=True)
async def no_attributes(database):
    """Each test defines its own."""
    yield
    await db.pool().execute("DELETE FROM member_value")
    await db.pool().execute("DELETE FROM member_attribute")
    await db.pool().execute("UPDATE member SET attributes = '{}' WHERE attributes <> '{}'")
    queries.forget_attributes()


async def fill(phone, **attributes):
    return await phone.call("POST", "/v1/member/profile", {"attributes": attributes})


async def rows_of(member_id):
    rows = await db.fetch(
        "SELECT attribute, text, number FROM member_value WHERE member_id = $1 ORDER BY 1, 2", member_id
    )
    return [tuple(row) for row in rows]


async def test_members_fill_in_what_head_office_asks_for(client, chain):
    admin, phone = await log_in(client, chain, "admin"), await register(client)
    bounds = {"at_least": 30, "at_most": 260}
    await define(admin, "city", name="城市", type="choice", options=CHOICES, group="住址", position=1, required=True)
    await define(admin, "likes", name="喜好", type="choices", options=CHOICES, position=2)
    await define(admin, "height", name="身高", type="number", bounds=bounds, position=3)

    form = (await phone.call("GET", "/v1/member/profile/form")).json()
    filled = await fill(phone, city="sh", likes=["gz", "sh"], height=172)

    assert [(one["code"], one["group"], one["required"], one["editable"]) for one in form["attributes"]] == [
        ("city", "住址", True, True),
        ("likes", "", False, True),
        ("height", "", False, True),
    ]
    assert form["attributes"][2]["bounds"] == bounds
    assert filled.json()["attributes"] == {"city": "sh", "likes": ["sh", "gz"], "height": 172}
    assert await rows_of(phone.member_id) == [
        ("city", "sh", None), ("height", "", 172.0), ("likes", "gz", None), ("likes", "sh", None),
    ]  # fmt: skip
    assert (await fill(phone, likes=None, height=173)).json()["attributes"] == {"city": "sh", "height": 173}
    assert await rows_of(phone.member_id) == [("city", "sh", None), ("height", "", 173.0)]


async def test_what_is_refused_is_named_and_moves_nothing(client, chain):
    admin, phone = await log_in(client, chain, "admin"), await register(client)
    await define(admin, "city", type="choice", options=CHOICES, required=True)
    await define(admin, "height", type="number", bounds={"at_most": 260})
    await fill(phone, city="sh", height=172)
    before = await rows_of(phone.member_id)

    refused = await fill(phone, city="x", height=300, none="x")
    cleared = await fill(phone, city=None)

    assert [one["pointer"] for one in refused.json()["errors"]] == [
        "/attributes/city",
        "/attributes/height",
        "/attributes/none",
    ]
    assert (cleared.status_code, cleared.json()["errors"][0]["pointer"]) == (422, "/attributes/city")
    assert await rows_of(phone.member_id) == before
    assert (await phone.call("GET", "/v1/member/profile")).json()["attributes"] == {"city": "sh", "height": 172}


async def test_who_registers_must_say_what_is_required(client, chain):
    admin = await log_in(client, chain, "admin")
    await define(admin, "city", type="choice", options=CHOICES, required=True)
    await define(admin, "tier", required=True, seen_by=["office"], edited_by=["office"])  # not theirs to say
    tokens = (await client.post("/v1/member/login", json={"js_code": f"demo-{random_phone()}"})).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    body = {"phone_code": f"phone-{random_phone()}", "name": "李雷", "consents": ["terms", "privacy"]}
    members = await db.fetchval("SELECT count(*) FROM member")

    form = (await client.get("/v1/member/profile/form", headers=headers)).json()
    without = await client.post("/v1/member/register", json=body, headers=headers)
    wrong = await client.post("/v1/member/register", json=body | {"attributes": {"city": "x"}}, headers=headers)
    assert await db.fetchval("SELECT count(*) FROM member") == members
    right = await client.post("/v1/member/register", json=body | {"attributes": {"city": "sh"}}, headers=headers)

    assert [one["code"] for one in form["attributes"]] == ["city"]
    for answer in (without, wrong):
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/attributes/city")
    assert (right.status_code, right.json()["attributes"]) == (201, {"city": "sh"})
    assert await rows_of(int(right.json()["id"])) == [("city", "sh", None)]


async def test_each_sees_and_edits_what_is_theirs(client, chain):
    admin, manager = await log_in(client, chain, "admin"), await log_in(client, chain, "manager-S1")
    phone = await register(client)
    await phone.call("POST", "/v1/member/profile", {"store_id": "S1"})
    await define(admin, "risk", type="choice", options=CHOICES, seen_by=["office"], edited_by=["office"])
    await define(admin, "skin", seen_by=["store", "office"], edited_by=["store"])
    await define(admin, "budget", see_permission="levels.write")  # head office's, though stores are named
    path = f"/v1/admin/members/{phone.member_id}"

    async def edit(who, **attributes):
        version = (await who.get(path)).json()["version"]
        return await who.call("PATCH", path, {"version": version, "reason": "到店登记", "attributes": attributes})

    assert (await edit(manager, skin="敏感")).status_code == 200
    assert (await edit(admin, risk="sh", budget="高")).status_code == 200
    refused = [await edit(manager, risk="bj"), await edit(admin, skin="干"), await edit(manager, budget="低")]
    by_member = await fill(phone, skin="油")

    assert [one.json()["errors"][0]["pointer"] for one in refused] == [
        "/attributes/risk",
        "/attributes/skin",
        "/attributes/budget",
    ]
    assert by_member.json()["errors"][0]["pointer"] == "/attributes/skin"
    assert (await admin.get(path)).json()["attributes"] == {"risk": "sh", "skin": "敏感", "budget": "高"}
    assert (await manager.get(path)).json()["attributes"] == {"skin": "敏感"}
    assert (await phone.call("GET", "/v1/member/profile")).json()["attributes"] == {"budget": "高"}
    form = (await phone.call("GET", "/v1/member/profile/form")).json()
    assert [one["code"] for one in form["attributes"]] == ["budget"]
    seen = (await manager.get(f"{path}/changes")).json()["items"]
    masked = {one["field"]: (one["masked"], one["after"]) for one in seen}
    assert masked["attributes.risk"] == (True, None)
    assert masked["attributes.skin"] == (False, "敏感")
    listed = [[one["code"] for one in (await who.get(ALL)).json()["items"]] for who in (admin, manager)]
    assert listed == [["budget", "risk", "skin"], ["skin"]], "not even what it is called"


async def test_a_used_definition_stays_readable(client, chain):
    admin, phone = await log_in(client, chain, "admin"), await register(client)
    made = await define(admin, "city", type="choice", options=CHOICES)
    await fill(phone, city="bj")
    body = {key: value for key, value in made.items() if key not in ("code", "archived", "used")}
    before = (await admin.get(f"{ALL}/city")).json()

    retyped = await admin.call("PUT", f"{ALL}/city", body | {"type": "text", "options": []})
    fewer = await admin.call("PUT", f"{ALL}/city", body | {"options": CHOICES[:1]})
    late = await admin.call("PUT", f"{ALL}/city", body | {"version": 7})
    assert [(one.status_code, one.json()["code"]) for one in (retyped, fewer, late)] == [
        (422, "validation_failed"),
        (422, "validation_failed"),
        (409, "version_conflict"),
    ]
    assert [one.json()["errors"][0]["pointer"] for one in (retyped, fewer)] == ["/type", "/options"]
    assert (await admin.get(f"{ALL}/city")).json() == before

    closed = await redefine(admin, "city", options=[*CHOICES[:1], CHOICES[1] | {"closed": True}, CHOICES[2]])

    assert (closed["version"], closed["used"]) == (2, True)
    assert (await phone.call("GET", "/v1/member/profile")).json()["attributes"] == {"city": "bj"}
    assert (await fill(phone, city="bj")).status_code == 200
    assert (await fill(phone, city="sh")).status_code == 200
    assert (await fill(phone, city="bj")).json()["errors"][0]["pointer"] == "/attributes/city"
    history = (await admin.get(f"{ALL}/city/changes")).json()["items"]
    assert [(one["action"], one["detail"]["version"]) for one in history[:2]] == [("changed", 2), ("created", 1)]


async def test_an_archived_attribute_is_out_of_sight_and_comes_back_with_its_values(client, chain):
    admin, phone = await log_in(client, chain, "admin"), await register(client)
    await define(admin, "size", required=True)
    await fill(phone, size="L")

    archived = (await admin.post(f"{ALL}/size/archive")).json()
    assert (await admin.post(f"{ALL}/size/archive")).json() == archived

    assert archived["archived"] is True
    assert (await phone.call("GET", "/v1/member/profile")).json()["attributes"] == {}
    assert (await phone.call("GET", "/v1/member/profile/form")).json()["attributes"] == []
    assert (await fill(phone, size="M")).json()["errors"][0]["pointer"] == "/attributes/size"
    assert (await register(client)).member["attributes"] == {}
    assert (await admin.post(ALL, {"code": "size", "name": "x", "type": "text"})).json()["code"] == "already_exists"
    await admin.post(f"{ALL}/size/restore")
    assert (await phone.call("GET", "/v1/member/profile")).json()["attributes"] == {"size": "L"}


async def test_values_from_before_definitions_are_kept_and_their_name_is_taken(client, chain):
    admin, phone = await log_in(client, chain, "admin"), await register(client)
    await db.pool().execute("UPDATE member SET attributes = '{\"was\": 1}' WHERE id = $1", phone.member_id)

    defined = await admin.post(ALL, {"code": "was", "name": "x", "type": "text"})

    assert (defined.status_code, defined.json()["code"]) == (409, "already_exists")
    assert (await phone.call("GET", "/v1/member/profile")).json()["attributes"] == {"was": 1}
    assert (await fill(phone, was=2)).json()["errors"][0]["pointer"] == "/attributes/was"
    assert (await fill(phone, was=None)).json()["attributes"] == {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"code": "Bad"}, "/code"),
        ({"code": "a" * 41}, "/code"),
        ({"name": " "}, "/name"),
        ({"type": "picture"}, "/type"),
        ({"type": "choice"}, "/options"),
        ({"type": "choice", "options": [{"code": "A", "name": "x"}]}, "/options/0/code"),
        ({"bounds": {"max_length": 0}}, "/bounds/max_length"),
        ({"bounds": {"most": 3}}, "/bounds/most"),
        ({"seen_by": []}, "/seen_by"),
        ({"seen_by": ["member"], "edited_by": ["office"]}, "/edited_by"),
        ({"see_permission": "nobody.knows"}, "/see_permission"),
        ({"position": -1}, "/position"),
        ({"version": 1}, "/version"),
    ],
)
async def test_a_bad_definition_is_refused_by_name(client, chain, body, pointer):
    admin = await log_in(client, chain, "admin")

    answer = await admin.post(ALL, {"code": "bad", "name": "x", "type": "text"} | body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await admin.get(ALL)).json()["items"] == []


async def test_a_store_defines_nothing(client, chain):
    manager = await log_in(client, chain, "manager-S1")

    assert (await manager.get(ALL)).status_code == 200
    assert (await manager.post(ALL, {"code": "x", "name": "x", "type": "text"})).status_code == 403
    assert (await manager.call("PUT", "/v1/admin/member-fields", {"version": 0, "changes": {}})).status_code == 403


async def test_a_type_does_not_change_under_a_value_that_is_being_written(client, chain, database):
    """Whichever comes first, no value is left that its definition does not know."""
    admin = await log_in(client, chain, "admin")
    phones = [await register(client) for _ in range(4)]
    made = await define(admin, "size")
    body = {key: value for key, value in made.items() if key not in ("code", "archived", "used")} | {"type": "boolean"}

    answers = await asyncio.gather(*(fill(phone, size="L") for phone in phones), admin.call("PUT", f"{ALL}/size", body))

    queries.forget_attributes()
    kind = (await admin.get(f"{ALL}/size")).json()["type"]
    written = await db.fetchval("SELECT count(*) FROM member_value WHERE attribute = 'size'")
    assert written == sum(answer.status_code == 200 for answer in answers[:-1])
    assert (kind == "text") is (answers[-1].status_code == 422)
    assert kind == "text" or written == 0


async def test_a_till_is_told_of_what_the_chain_has_it_told(client, chain):
    admin, phone = await log_in(client, chain, "admin"), await register(client)
    await define(admin, "allergy", name="过敏", at_till=True)
    await define(admin, "city", name="城市", type="choice", options=CHOICES)
    await define(admin, "risk", name="风险", at_till=True, seen_by=["office"], edited_by=["office"])
    await fill(phone, allergy="花生", city="sh")

    told = await chain.till.post(client, "/v1/pos/scan", {"code": phone.code()}, key="")
    nothing = await chain.till.post(client, "/v1/pos/scan", {"code": (await register(client)).code()}, key="")

    assert told.json()["member"]["notes"] == {"过敏": "花生"}
    assert "notes" not in nothing.json()["member"]
