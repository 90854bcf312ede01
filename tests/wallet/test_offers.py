"""Head office keeps the offers; phones see those that hold now."""

from __future__ import annotations

from datetime import timedelta

import pytest
import pytest_asyncio

from backend.kernel import db
from tests.support import recharge

OFFERS = "/v1/admin/recharge-offers"
TEN = {"pay_fen": 1_000, "bonus_fen": 100}


@pytest.fixture(scope="module")
def tokens() -> dict[str, str]:
    """Access tokens by username, as they were got."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def call(client, chain, tokens):
    """A call as that person."""

    async def send(who: str, method: str, path: str, body: object = None):
        if who not in tokens:
            login = next(item for item in chain.staff if item.username == who)
            got = await client.post("/v1/admin/login", json={"username": login.username, "password": login.password})
            assert got.status_code == 200, got.text
            tokens[who] = got.json()["access_token"]
        headers = {"Authorization": f"Bearer {tokens[who]}"}
        return await client.request(method, path, json=body, headers=headers)

    return send


async def shown(phone) -> list[str]:
    answer = await phone.call("GET", "/v1/member/recharge-offers")
    return [item["id"] for item in answer.json()["items"]]


async def test_an_offer_is_made_changed_and_ended(call, phone, client):
    made = await call("admin", "POST", OFFERS, TEN | {"points": 7})
    assert made.status_code == 201, made.text
    offer = made.json()
    assert (offer["pay_fen"], offer["bonus_fen"], offer["points"], offer["active"]) == (1_000, 100, 7, True)
    begun = await recharge.begin(phone, offer_id=offer["id"])
    changed = await call("admin", "PUT", f"{OFFERS}/{offer['id']}", TEN | {"bonus_fen": 900, "active": False})
    assert (changed.status_code, changed.json()["bonus_fen"]) == (200, 900)

    assert offer["id"] not in await shown(phone)
    listed = (await call("admin", "GET", OFFERS)).json()["items"]
    assert changed.json() in listed

    # What was begun keeps what was agreed.
    await recharge.pay(client, begun["id"])
    await recharge.in_state(phone, begun["id"], "paid")
    assert (await phone.wallet())["stored"]["bonus_fen"] == 100


async def test_an_offer_holds_from_its_start_to_its_end(call, phone, clock):
    now = clock.now()
    times = {"starts_at": (now + timedelta(minutes=2)).isoformat(), "ends_at": (now + timedelta(minutes=5)).isoformat()}
    offer = (await call("admin", "POST", OFFERS, TEN | times)).json()

    seen = []
    for _ in range(3):
        seen.append(offer["id"] in await shown(phone))
        clock.shift(timedelta(minutes=3))

    assert seen == [False, True, False]


async def test_a_stores_offer_is_for_its_members(call, phone):
    offer = (await call("admin", "POST", OFFERS, TEN | {"store_id": "S1"})).json()
    before = await shown(phone)
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE member SET store_id = 'S1' WHERE id = $1", phone.member_id)

    assert offer["id"] not in before
    assert offer["id"] in await shown(phone)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (TEN | {"pay_fen": 0}, "/pay_fen"),
        (TEN | {"bonus_fen": -1}, "/bonus_fen"),
        (TEN | {"bonus_valid_days": 0}, "/bonus_valid_days"),
        ({"pay_fen": 100, "bonus_valid_days": 3}, "/bonus_valid_days"),
        (TEN | {"store_id": "S9"}, "/store_id"),
        (TEN | {"starts_at": "2026-01-02T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z"}, "/ends_at"),
        (TEN | {"starts_at": "2026-01-02T00:00:00"}, "/starts_at"),
        (TEN | {"starts_at": "0001-01-01T00:00:00+14:00"}, "/starts_at"),
        (TEN | {"id": "O1"}, "/id"),
    ],
)
async def test_refuses_an_offer_that_makes_no_sense(call, body, pointer):
    refused = await call("admin", "POST", OFFERS, body)

    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_only_head_office_keeps_offers(call):
    for method, path, body in (
        ("GET", OFFERS, None),
        ("POST", OFFERS, TEN),
        ("PUT", f"{OFFERS}/O1", TEN),
    ):
        assert (await call("manager-S1", method, path, body)).status_code == 403
    assert (await call("admin", "PUT", f"{OFFERS}/O-NOBODY", TEN)).status_code == 404
