"""Members' sessions: log in, refresh, reuse, log out, bounds, and what the tokens stand for."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import jwt
import pytest

from backend.auth import queries, rules, tokens
from backend.kernel import db
from backend.kernel.vault import vault
from tests.support.members import register


async def log_in(client, who: str | None = None):
    answer = await client.post("/v1/member/login", json={"js_code": f"demo-{who or uuid.uuid4().hex[:12]}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def profile(client, access_token: str):
    return await client.get("/v1/member/profile", headers={"Authorization": f"Bearer {access_token}"})


async def refresh(client, refresh_token: str):
    return await client.post("/v1/member/token", json={"refresh_token": refresh_token})


async def test_a_first_login_is_registered_as_nobody(client):
    login = await log_in(client)

    assert login["registration"] == "none"
    assert login["member"] is None
    assert login["expires_in"] == 900


async def test_the_token_of_before_registering_acts_for_the_new_member(client):
    phone = await register(client)

    answer = await profile(client, phone.access_token)

    assert answer.json()["id"] == phone.member["id"]


async def test_a_later_login_brings_the_member(client):
    phone = await register(client)

    login = await log_in(client, phone.openid.removeprefix("openid-"))

    assert login["registration"] == "active"
    assert login["member"] == phone.member


async def test_a_token_holds_for_fifteen_minutes(client, clock):
    phone = await register(client)
    clock.shift(timedelta(minutes=14, seconds=55))
    assert (await profile(client, phone.access_token)).status_code == 200

    clock.shift(timedelta(seconds=10))

    assert (await profile(client, phone.access_token)).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "staff"},
        {"aud": None},
        {"iss": "other"},
        {"sid": "1"},
        {"sid": "x"},
        {"sid": None},
        {"exp": None},
        {"exp": 1},
        {"sid": "9" * 30},
    ],
)
async def test_a_token_with_other_claims_is_refused(client, change):
    login = await log_in(client)
    key = vault().derive("access-token")
    claims = jwt.decode(login["access_token"], key, algorithms=["HS256"], audience="member")
    changed = {name: value for name, value in {**claims, **change}.items() if value is not None}

    assert (await profile(client, jwt.encode(changed, key, algorithm="HS256"))).status_code == 401
    assert (await profile(client, jwt.encode(claims, b"another key" * 4, algorithm="HS256"))).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic eA==", "Bearer a.b.c", "bearer x y"])
async def test_what_is_no_token_is_refused(client, header):
    answer = await client.get("/v1/member/profile", headers={"Authorization": header})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_refresh_gives_a_new_pair_that_works(client):
    phone = await register(client)

    answer = await refresh(client, phone.refresh_token)

    assert answer.status_code == 200
    pair = answer.json()
    assert pair.keys() == {"access_token", "refresh_token", "expires_in"}
    assert (await profile(client, pair["access_token"])).status_code == 200
    assert (await refresh(client, pair["refresh_token"])).status_code == 200


async def test_reuse_of_a_dead_token_ends_the_whole_family(client):
    phone = await register(client)
    first = (await refresh(client, phone.refresh_token)).json()
    second = (await refresh(client, first["refresh_token"])).json()

    reused = await refresh(client, phone.refresh_token)

    assert (reused.status_code, reused.json()["code"]) == (401, "unauthenticated")
    assert (await refresh(client, second["refresh_token"])).status_code == 401
    assert (await profile(client, second["access_token"])).status_code == 401
    assert (await profile(client, phone.access_token)).status_code == 401


async def test_one_token_many_refreshes_at_once_leave_no_living_session(client):
    login = await log_in(client)

    answers = await asyncio.gather(*(refresh(client, login["refresh_token"]) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    winner = next(answer for answer in answers if answer.status_code == 200).json()
    assert (await refresh(client, winner["refresh_token"])).status_code == 401


async def test_a_made_up_token_ends_nothing(client, database):
    login = await log_in(client)
    claims = jwt.decode(login["access_token"], options={"verify_signature": False})
    forged, _ = rules.make_refresh_token(b"not our key", int(claims["sid"]), b"0" * 24)

    assert (await refresh(client, forged)).status_code == 401
    assert (await refresh(client, "A" * len(login["refresh_token"]))).status_code == 401
    assert (await refresh(client, "漢字")).status_code == 401
    assert (await refresh(client, login["refresh_token"])).status_code == 200


async def test_refresh_tokens_are_stored_hashed(client, database):
    login = await log_in(client)
    claims = jwt.decode(login["access_token"], options={"verify_signature": False})

    stored = await db.fetchval("SELECT refresh_hash FROM auth_session WHERE id = $1", int(claims["sid"]))

    assert len(stored) == 32
    assert stored not in login["refresh_token"].encode()


async def test_a_session_not_refreshed_for_thirty_days_is_over(client, clock):
    login = await log_in(client)

    clock.shift(timedelta(days=30, seconds=1))

    assert (await refresh(client, login["refresh_token"])).status_code == 401


async def test_logout_ends_this_session_only(client):
    phone = await register(client)
    other = await log_in(client, phone.openid.removeprefix("openid-"))

    assert (await phone.call("POST", "/v1/member/logout")).status_code == 204

    assert (await profile(client, phone.access_token)).status_code == 401
    assert (await refresh(client, phone.refresh_token)).status_code == 401
    assert (await profile(client, other["access_token"])).status_code == 200


async def test_logout_everywhere_ends_all_sessions_and_devices(client, database):
    phone = await register(client)
    other = await log_in(client, phone.openid.removeprefix("openid-"))

    assert (await phone.call("POST", "/v1/member/logout", {"everywhere": True})).status_code == 204

    assert (await profile(client, other["access_token"])).status_code == 401
    assert (await refresh(client, other["refresh_token"])).status_code == 401
    assert await queries.list_devices(phone.member_id) == []
    # the ledger's guard is what makes the codes dead
    guard = await db.fetchval(
        "SELECT value FROM ledger_guard WHERE member_id = $1 AND name = $2",
        phone.member_id,
        f"device:{phone.device['device_id']}",
    )
    assert guard == 1 << 62


async def test_the_eleventh_session_ends_the_one_longest_unused(client):
    who = uuid.uuid4().hex[:12]
    logins = [await log_in(client, who) for _ in range(rules.MAX_SESSIONS)]
    kept = (await refresh(client, logins[0]["refresh_token"])).json()

    await log_in(client, who)

    assert (await refresh(client, kept["refresh_token"])).status_code == 200
    assert (await refresh(client, logins[1]["refresh_token"])).status_code == 401
    assert (await refresh(client, logins[2]["refresh_token"])).status_code == 200


async def test_one_code_logs_in_once(client):
    first = await client.post("/v1/member/login", json={"js_code": "unknown-code"})

    assert (first.status_code, first.json()["code"]) == (422, "js_code_invalid")


async def test_many_first_logins_at_once_make_one_identity(client, database):
    who = uuid.uuid4().hex[:12]

    await asyncio.gather(*(log_in(client, who) for _ in range(6)))

    assert await db.fetchval("SELECT count(*) FROM auth_wechat_identity WHERE openid = $1", f"openid-{who}") == 1


def test_a_dead_token_can_be_told_from_a_made_up_one():
    token, digest = rules.make_refresh_token(b"key", 12345, b"r" * 24)

    read = rules.read_refresh_token(b"key", token)

    assert read is not None
    assert (read.session_id, read.digest) == (12345, digest)
    assert rules.read_refresh_token(b"other", token) is None
    assert rules.read_refresh_token(b"key", token + "A") is None
    assert rules.read_refresh_token(b"key", "B" + token[1:]) is None
    assert rules.read_refresh_token(b"key", "") is None


def test_an_access_token_says_nothing_but_its_session(settings):
    claims = jwt.decode(tokens.make_access_token(7, "member"), options={"verify_signature": False})

    assert claims.keys() == {"iss", "aud", "sid", "iat", "exp"}
