"""One phone number, one refresh token, one PIN: many at once share one outcome, or a bounded number of tries."""

from __future__ import annotations

import uuid

import pytest

from backend.kernel import db
from tests.support.members import random_phone
from tests.support.races import at_once, outcomes
from tests.support.value import findings, give


async def log_in(client, who: str | None = None) -> dict[str, str]:
    answer = await client.post("/v1/member/login", json={"js_code": f"demo-{who or uuid.uuid4().hex[:12]}"})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def registration(phone: str) -> dict[str, object]:
    return {"phone_code": f"phone-{phone}", "name": "王小明", "consents": ["terms", "privacy"]}


async def test_one_phone_number_registered_by_many_becomes_one_member(client, chain):
    phone = random_phone()
    sessions = [await log_in(client) for _ in range(6)]
    before = await db.fetchval("SELECT count(*) FROM member")

    answers = await at_once(
        client.post("/v1/member/register", json=registration(phone), headers=headers) for headers in sessions
    )
    profiles = await at_once(client.get("/v1/member/profile", headers=headers) for headers in sessions)

    assert outcomes(answers) == {201: 1, "phone_taken": 5}
    assert sorted(answer.status_code for answer in profiles) == [200] + [403] * 5
    assert await db.fetchval("SELECT count(*) FROM member") == before + 1


async def test_one_user_who_registers_many_times_at_once_is_registered_once(client, chain):
    headers = await log_in(client)
    before = await db.fetchval("SELECT count(*) FROM member")

    answers = await at_once(
        client.post("/v1/member/register", json=registration(random_phone()), headers=headers) for _ in range(6)
    )

    assert outcomes(answers) == {201: 1, "already_registered": 5}
    assert await db.fetchval("SELECT count(*) FROM member") == before + 1
    assert (
        await db.fetchval(
            "SELECT count(*) FROM member m WHERE NOT EXISTS (SELECT FROM ledger_head h WHERE h.member_id = m.id)"
        )
        == 0
    )


async def test_logging_in_many_times_at_once_makes_one_identity(client, chain):
    who = uuid.uuid4().hex[:12]

    answers = await at_once(client.post("/v1/member/login", json={"js_code": f"demo-{who}"}) for _ in range(8))

    assert outcomes(answers) == {200: 8}
    assert await db.fetchval("SELECT count(*) FROM auth_wechat_identity WHERE openid = $1", f"openid-{who}") == 1


@pytest.mark.parametrize("round_", range(3))
async def test_a_refresh_token_used_twice_at_once_ends_its_family(client, phone, round_):
    body = {"refresh_token": phone.refresh_token}

    answers = await at_once(client.post("/v1/member/token", json=body) for _ in range(4))

    counted = outcomes(answers)
    assert counted == {200: 1, "unauthenticated": 3}
    (pair,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert (await client.post("/v1/member/token", json={"refresh_token": pair["refresh_token"]})).status_code == 401
    for token in (phone.access_token, pair["access_token"]):
        answer = await client.get("/v1/member/wallet", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


async def test_a_staff_refresh_token_used_twice_at_once_ends_its_session(client, chain):
    from tests.support.staff import log_in as staff_log_in

    admin = await staff_log_in(client, chain, "admin")

    answers = await at_once(
        client.post("/v1/admin/token", json={"refresh_token": admin.refresh_token}) for _ in range(4)
    )

    assert outcomes(answers) == {200: 1, "unauthenticated": 3}
    assert (await admin.get("/v1/admin/me")).status_code == 401


async def test_at_most_five_pins_are_judged_however_many_come_at_once(client, chain, phone, settings):
    await give(phone.member_id, principal=100_000)
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": "271828"})).status_code == 204
    sale = (await chain.till.sell(client, phone.code(), fen=30_000)).json()
    path = f"/v1/member/confirmations/{sale['id']}"
    tries = [{"decision": "approve", "pin": f"{n:06d}"} for n in range(14)]

    answers = await at_once(phone.call("POST", path, body) for body in tries)
    right = await phone.call("POST", path, {"decision": "approve", "pin": "271828"})
    elsewhere = await phone.call("PUT", "/v1/member/pin", {"pin": "000000", "current_pin": "271828"})

    assert outcomes(answers) == {"pin_invalid": 5, "pin_locked": 9}
    assert outcomes([right, elsewhere]) == {"pin_locked": 2}
    assert (await phone.wallet())["stored"]["total_fen"] == 100_000
    assert await findings(settings) == []


async def test_at_most_eight_passwords_are_judged_however_many_come_at_once(client, chain):
    answers = await at_once(
        client.post("/v1/admin/login", json={"username": "manager-S2", "password": f"guess {n}"}) for n in range(14)
    )
    right = await client.post("/v1/admin/login", json={"username": "manager-S2", "password": "correct horse"})

    assert outcomes(answers) == {"unauthenticated": 8, "login_locked": 6}
    assert outcomes([right]) == {"login_locked": 1}


async def test_devices_enrolled_at_once_stay_within_their_bound(client, phone):
    answers = []
    # Few at a time: a busy machine makes those at the end of a long queue give up.
    for some in (12,) * 8 + (14,):
        answers += await at_once(phone.call("POST", "/v1/member/devices", {"name": f"{n}"}) for n in range(some))

    counted = outcomes(answers)
    devices = (await phone.call("GET", "/v1/member/devices")).json()["items"]
    assert counted[201] == 99  # one was there
    assert counted[201] + counted["too_many_devices"] == 110
    assert len(devices) == 100
    assert len({device["handle"] for device in devices}) == 100
