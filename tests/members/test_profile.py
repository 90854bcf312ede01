"""The profile: reading and changing one's own."""

from __future__ import annotations

import pytest

from tests.support.attributes import define
from tests.support.members import register
from tests.support.staff import log_in


@pytest.mark.parametrize("method", ["PATCH", "POST"])
async def test_only_what_is_sent_changes(client, method, chain):
    await define(await log_in(client, chain, "admin"), "size")
    phone = await register(client, name="旧名")

    answer = await phone.call(method, "/v1/member/profile", {"birthday": "1980-01-02", "attributes": {"size": "L"}})

    assert answer.status_code == 200
    assert answer.json() == phone.member | {"birthday": "1980-01-02", "attributes": {"size": "L"}}
    assert (await phone.call("GET", "/v1/member/profile")).json() == answer.json()


async def test_null_clears(client, chain):
    admin = await log_in(client, chain, "admin")
    await define(admin, "a", type="number")
    await define(admin, "b", type="boolean")
    phone = await register(client)
    body = {"birthday": "1980-01-02", "store_id": "S1", "attributes": {"a": 1, "b": True}}
    await phone.call("POST", "/v1/member/profile", body)

    answer = await phone.call(
        "POST", "/v1/member/profile", {"birthday": None, "store_id": None, "attributes": {"a": None}}
    )

    assert answer.json() == phone.member | {"attributes": {"b": True}}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "x" * 1_000_0}, "/name"),
        ({"birthday": "1850-01-01"}, "/birthday"),
        ({"gender": "x"}, "/gender"),
        ({"store_id": "nowhere"}, "/store_id"),
        ({"attributes": {"Bad Key": 1}}, "/attributes"),
        ({"attributes": {"a": [1]}}, "/attributes"),
        ({"attributes": {"a": "x" * 201}}, "/attributes"),
        ({"attributes": {"a": 1.5}}, "/attributes"),
        ({"attributes": {f"a{i}": 1 for i in range(51)}}, "/attributes"),
        ({"status": "active"}, "/status"),
        ({"level": "gold"}, "/level"),
        ({"phone": "13800000000"}, "/phone"),
    ],
)
async def test_bad_changes_are_refused_and_change_nothing(client, chain, body, pointer):
    phone = await register(client)

    answer = await phone.call("POST", "/v1/member/profile", body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert (await phone.call("GET", "/v1/member/profile")).json() == phone.member


async def test_an_unregistered_login_has_no_profile(client, chain):
    login = (await client.post("/v1/member/login", json={"js_code": "demo-no-profile"})).json()

    answer = await client.get("/v1/member/profile", headers={"Authorization": f"Bearer {login['access_token']}"})

    assert (answer.status_code, answer.json()["code"]) == (403, "registration_required")
