"""Forged, stolen and stale tokens, over HTTP and over the WebSocket's subprotocol; and refresh tokens used twice."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from backend.auth import tokens
from backend.kernel import clock as kernel_clock
from backend.kernel import db
from tests.security.conftest import forged
from tests.security.test_authorization import close_code
from tests.support.books import fingerprint
from tests.support.members import Phone, register
from tests.support.races import at_once
from tests.support.staff import StaffSession, log_in

pytestmark = pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")

WALLET = "/v1/member/wallet"
ME = "/v1/admin/me"


def part(value: object) -> str:
    """One part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def sealed(head: dict[str, Any], claims: object, key: bytes | None = None) -> str:
    """A token put together by hand, with any header, under our own key unless another is given."""
    text = f"{part(head)}.{part(claims)}"
    signature = hmac.digest(tokens._key() if key is None else key, text.encode(), hashlib.sha256)
    return f"{text}.{part(signature)}"


def session_of(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sid"])


async def forgeries(victim: Phone, boss: StaffSession) -> dict[str, str]:
    """Tokens that would act for the victim if one check were missing; by what is wrong with them."""
    good = victim.access_token
    head, body, signature = good.split(".")
    claims = forged(session_of(good))
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    hs256 = {"alg": "HS256", "typ": "JWT"}
    now = kernel_clock.unix()
    other_body = part(claims | {"sid": session_of((await register(victim.client)).access_token)})
    return {
        "alg none": f"{part({'alg': 'none'})}.{body}.",
        "alg None": f"{part({'alg': 'None'})}.{body}.",
        "alg nOnE with the signature": f"{part({'alg': 'nOnE'})}.{body}.{signature}",
        "no alg": f"{part({'typ': 'JWT'})}.{body}.{signature}",
        "an alg that is a list": sealed(hs256 | {"alg": ["HS256"]}, claims),
        "HS384 under our key": jwt.encode(claims, tokens._key(), "HS384"),
        "HS512 under our key": jwt.encode(claims, tokens._key(), "HS512"),
        "RS256 under a key of theirs": jwt.encode(claims, private, "RS256"),
        "RS256 in the header, HMAC with the public key": sealed({"alg": "RS256"}, claims, pem),
        "HS256 with their public key as the secret": sealed(hs256, claims, pem),
        "HS256 with an empty secret": sealed(hs256, claims, b""),
        "HS256 with another purpose's key": sealed(hs256, claims, tokens._refresh_key("member")),
        "a key in the header": sealed(hs256 | {"jwk": {"kty": "oct", "k": part(b"k" * 32)}}, claims, b"k" * 32),
        "a key by address": sealed(hs256 | {"jku": "http://127.0.0.1:9/keys", "kid": "1"}, claims, b"k" * 32),
        "a certificate by address": sealed(hs256 | {"x5u": "http://127.0.0.1:9/c"}, claims, b"k" * 32),
        "kid: a path to an empty file": sealed(hs256 | {"kid": "../../../../dev/null"}, claims, b""),
        "kid: SQL": sealed(hs256 | {"kid": "x' UNION SELECT 'k' --"}, claims, b"k"),
        "kid: nobody's": sealed(hs256 | {"kid": "k999"}, claims, b"k999"),
        "kid: a number": sealed(hs256 | {"kid": 1}, claims, b"1"),
        "a critical header that nobody knows": sealed(hs256 | {"crit": ["x"], "x": 1}, claims),
        "unencoded content": sealed(hs256 | {"crit": ["b64"], "b64": False}, claims),
        "another audience": sealed(hs256, claims | {"aud": "other"}),
        "staff's audience": sealed(hs256, claims | {"aud": "staff"}),
        "no audience": sealed(hs256, {name: value for name, value in claims.items() if name != "aud"}),
        "another issuer": sealed(hs256, claims | {"iss": "other"}),
        "no issuer": sealed(hs256, {name: value for name, value in claims.items() if name != "iss"}),
        "expired a second ago": sealed(hs256, claims | {"exp": now - 1}),
        "expired now": sealed(hs256, claims | {"exp": now}),
        "no expiry": sealed(hs256, {name: value for name, value in claims.items() if name != "exp"}),
        "an expiry that is text": sealed(hs256, claims | {"exp": "never"}),
        "an expiry that is endless": sealed(hs256, claims | {"exp": float("inf")}),
        "good from tomorrow on": sealed(hs256, claims | {"nbf": now + 86_400}),
        "a staff session as a member's": sealed(hs256, claims | {"sid": session_of(boss.access_token)}),
        "staff's own token": boss.access_token,
        "no session": sealed(hs256, {name: value for name, value in claims.items() if name != "sid"}),
        "a session that is a number": sealed(hs256, claims | {"sid": 1}),
        "a session that is none": sealed(hs256, claims | {"sid": "1"}),
        "a session that is SQL": sealed(hs256, claims | {"sid": f"{session_of(good)} OR 1=1"}),
        "a session that is an object": sealed(hs256, claims | {"sid": {"$ne": ""}}),
        "another session edited in": f"{head}.{other_body}.{signature}",
        "a role edited in": f"{head}.{part(claims | {'role': 'admin', 'aud': ['member', 'staff']})}.{signature}",
        "claims that are a list": sealed(hs256, [claims]),
        "claims that are no JSON": sealed(hs256, b"\xff"),
        "cut by a byte": good[:-1],
        "cut in half": good[: len(good) // 2],
        "without its signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{signature}",
        "with padding": f"{good}=",
        "a byte of the signature changed": good[:-10] + ("A" if good[-10] != "A" else "B") + good[-9:],
        "larger than any token": sealed(hs256, claims | {"x": "x" * 3_000}),
        "the refresh token": victim.refresh_token,
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def boss(browser, chain) -> StaffSession:
    return await log_in(browser, chain, "admin")


async def ask(client: httpx.AsyncClient, path: str, token: str) -> httpx.Response:
    return await client.get(path, headers={"Authorization": f"Bearer {token}"})


def refused(answer: httpx.Response, what: str) -> None:
    found = (answer.status_code, answer.json()["code"], answer.headers["www-authenticate"])
    assert found == (401, "unauthenticated", "Bearer"), what


async def test_a_forged_token_opens_nothing_and_moves_nothing(client, phone, boss, settings):
    made = await forgeries(phone, boss)
    before = await fingerprint(settings)

    for what, token in made.items():
        refused(await ask(client, WALLET, token), what)
        if what not in ("staff's own token", "a staff session as a member's", "staff's audience"):
            refused(await ask(client, ME, token), what)

    assert await fingerprint(settings) == before
    assert (await ask(client, WALLET, phone.access_token)).status_code == 200


async def test_a_forged_token_opens_no_socket(server, phone, boss):
    made = await forgeries(phone, boss)
    # A subprotocol is an HTTP token: what has other characters in it is no handshake at all.
    sent = {what: token for what, token in made.items() if token.isascii() and "=" not in token}

    codes = await asyncio.gather(*(close_code(server, "huiyuan.v1", f"bearer.{token}") for token in sent.values()))

    assert dict(zip(sent, codes, strict=True)) == dict.fromkeys(sent, (4401, "huiyuan.v1"))


async def test_a_member_s_token_is_none_for_staff_and_staff_s_none_for_a_member(client, phone, boss):
    refused(await ask(client, ME, phone.access_token), "member as staff")
    refused(await ask(client, WALLET, boss.access_token), "staff as member")
    as_staff = sealed({"alg": "HS256"}, forged(session_of(phone.access_token), aud="staff"))
    as_member = sealed({"alg": "HS256"}, forged(session_of(boss.access_token), aud="member"))
    refused(await ask(client, ME, as_staff), "a member's session signed for staff")
    refused(await ask(client, WALLET, as_member), "a staff session signed for members")


async def test_a_token_says_nothing_that_its_session_does_not_say(client, phone):
    """Not even under our own key: role, member and store come from the row."""
    claims = forged(session_of(phone.access_token), role="admin", member_id="1", sub="1", store_id="S1")

    answer = await ask(client, "/v1/member/profile", sealed({"alg": "HS256"}, claims))

    assert answer.json()["id"] == phone.member["id"]


async def test_a_token_of_an_ended_session_is_dead_at_once(client, phone, settings):
    kept = phone.access_token
    assert (await phone.call("POST", "/v1/member/logout")).status_code == 204

    refused(await ask(client, WALLET, kept), "after logout")
    assert (await client.post("/v1/member/token", json={"refresh_token": phone.refresh_token})).status_code == 401


# ------------------------------------------------------------------------------------------- refresh tokens


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/member/token", json={"refresh_token": token})


@pytest.mark.parametrize("rivals", [2, 16])
async def test_of_many_refreshes_at_once_one_wins_and_then_the_family_has_ended(client, phone, rivals):
    answers = await at_once(refresh(client, phone.refresh_token) for _ in range(rivals))

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * (rivals - 1)
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (await refresh(client, won["refresh_token"])).status_code == 401
    refused(await ask(client, WALLET, won["access_token"]), "the winner's token")
    refused(await ask(client, WALLET, phone.access_token), "the token of before")
    ended = await db.fetch("SELECT ended_why FROM auth_session WHERE id = $1", int(session_of(phone.access_token)))
    assert [row["ended_why"] for row in ended] == ["reuse"]


async def test_a_thief_who_refreshes_first_loses_with_the_victim_s_next_refresh(client, phone):
    thief = (await refresh(client, phone.refresh_token)).json()
    stolen_again = (await refresh(client, thief["refresh_token"])).json()

    victim = await refresh(client, phone.refresh_token)

    assert (victim.status_code, victim.json()["code"]) == (401, "unauthenticated")
    assert (await refresh(client, stolen_again["refresh_token"])).status_code == 401
    refused(await ask(client, WALLET, stolen_again["access_token"]), "the thief")


async def test_reuse_ends_one_session_and_not_the_member_s_others(client, phone):
    who = phone.openid.removeprefix("openid-")
    other = (await client.post("/v1/member/login", json={"js_code": f"demo-{who}"})).json()

    await refresh(client, phone.refresh_token)
    await refresh(client, phone.refresh_token)

    assert (await ask(client, WALLET, other["access_token"])).status_code == 200


async def test_staff_refresh_races_have_the_same_end(client, chain, clock):
    session = await log_in(client, chain, "admin")

    answers = await at_once(
        client.post("/v1/admin/token", json={"refresh_token": session.refresh_token}) for _ in range(8)
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    refused(await ask(client, ME, won["access_token"]), "the winner")
    clock.shift(timedelta(seconds=1))
    assert (await client.post("/v1/admin/token", json={"refresh_token": won["refresh_token"]})).status_code == 401


async def test_a_member_s_refresh_token_is_none_for_staff(client, phone, boss, settings):
    before = await fingerprint(settings)

    crossed = [
        await client.post("/v1/admin/token", json={"refresh_token": phone.refresh_token}),
        await refresh(client, boss.refresh_token),
    ]

    assert [answer.status_code for answer in crossed] == [401, 401]
    assert await fingerprint(settings) == before
