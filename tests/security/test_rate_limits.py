"""Ways round a limit: other spellings of an address, of the sender and of the call, and many at once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import Counter

import httpx
import msgspec
import pytest

from backend.engines import datadir
from backend.kernel import config, limits, redis
from backend.kernel.config import Settings
from backend.kernel.http.request import client_address

LIMIT = 12
LOGIN = "/v1/member/login"
BODY = {"js_code": "x"}


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """A small limit, and one proxy of ours: the machine itself."""
    made = msgspec.structs.replace(settings, rate_anonymous_per_minute=LIMIT, trusted_proxies="127.0.0.1, fd00::/8")
    config.use(made)
    return made


@pytest.fixture(autouse=True)
def nobody_was_here(clock) -> None:
    """No counts of other tests, and no minute that ends meanwhile."""
    limits.forget()
    clock.freeze(clock.now().replace(second=1))


async def passed(client: httpx.AsyncClient, *requests: httpx.Request) -> int:
    """How many were not refused for their number; each refusal says when to come back."""
    count = 0
    for request in requests:
        answer = await client.send(request)
        if answer.status_code == 429:
            assert answer.json()["code"] == "rate_limited"
            assert int(answer.headers["retry-after"]) >= 1
        else:
            count += 1
    return count


def request(client: httpx.AsyncClient, target: str, sender: str, **more: object) -> httpx.Request:
    headers = [("X-Forwarded-For", sender), *more.pop("headers", [])]
    return client.build_request("POST", "/", json=BODY, headers=headers, extensions={"target": target.encode()})


async def test_a_client_s_own_forwarded_addresses_count_for_nothing(client):
    """What the proxy added stands to the right of whatever the client sent itself."""
    spoofed = [f"10.{n}.0.1, 192.0.2.{n}, 203.0.113.7" for n in range(LIMIT * 2)]

    assert await passed(client, *(request(client, LOGIN, sender) for sender in spoofed)) == LIMIT
    assert await passed(client, request(client, LOGIN, "203.0.113.8")) == 1


async def test_nor_do_several_headers_of_that_name(client):
    several = [
        request(client, LOGIN, f"192.0.2.{n}", headers=[("X-Forwarded-For", "203.0.113.9")]) for n in range(LIMIT * 2)
    ]

    assert await passed(client, *several) == LIMIT


async def test_nor_do_other_headers(client):
    names = ("X-Real-IP", "Forwarded", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Original-Forwarded-For")
    others = [
        request(client, LOGIN, "203.0.113.10", headers=[(name, f"192.0.2.{n}") for name in names])
        for n in range(LIMIT * 2)
    ]

    assert await passed(client, *others) == LIMIT


async def test_addresses_of_one_ipv6_network_count_as_one(client):
    senders = [f"2001:db8:1:2:{n:x}::{n:x}" for n in range(1, LIMIT * 2)]

    assert await passed(client, *(request(client, LOGIN, sender) for sender in senders)) == LIMIT
    assert await passed(client, request(client, LOGIN, "2001:db8:1:3::1")) == 1


async def test_an_address_counts_as_one_however_it_is_written(client):
    forms = ["203.0.113.11", "::ffff:203.0.113.11", "::FFFF:cb00:710b", "0:0:0:0:0:ffff:cb00:710b"] * LIMIT

    assert await passed(client, *(request(client, LOGIN, sender) for sender in forms)) == LIMIT


SPELLINGS = [
    "/v1/member/login?",
    "/v1/member/login?x=1",
    "/v1/member/login#x",
    "/v1/member/login;x=1",
    "/v1/member/login/",
    "/v1//member/login",
    "//v1/member/login",
    "/V1/Member/Login",
    "/v1/member/%6cogin",
    "/v1/member/login%20",
    "/v1/member/login%00",
    "/v1/member/./login",
    "/v1/x/../member/login",
    "/v1/member%2flogin",
]


async def test_another_spelling_of_the_address_is_the_same_call_or_none(client):
    """What counts is who asks: the limit is the address's, whatever it asks for."""
    seen = Counter[int]()
    for spelling in SPELLINGS * 4:
        answer = await client.send(request(client, spelling, "203.0.113.12"))
        seen[answer.status_code] += 1
        assert answer.status_code in (404, 405, 422, 429), (spelling, answer.text)

    assert seen[422] <= LIMIT
    plain = await client.send(request(client, LOGIN, "203.0.113.12"))
    assert plain.status_code in (422, 429)


async def test_another_method_named_in_a_header_is_not_that_method(client):
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = await client.get(LOGIN, headers={name: "POST"})
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_failed_log_ins_of_every_sort_share_one_count(client):
    answers = [
        await client.get(path, headers={"Authorization": f"Bearer {n}", "X-Forwarded-For": "203.0.113.13"})
        for n, path in enumerate(["/v1/member/wallet", "/v1/admin/me", "/v1/pos/context"] * LIMIT)
    ]

    counts = Counter(answer.status_code for answer in answers)
    assert counts == {401: LIMIT, 429: 2 * LIMIT}


async def test_many_at_once_are_as_many_as_one_after_the_other(client):
    answers = await asyncio.gather(*(client.send(request(client, LOGIN, "203.0.113.14")) for _ in range(LIMIT * 3)))

    assert Counter(answer.status_code for answer in answers) == {422: LIMIT, 429: 2 * LIMIT}


async def test_several_processes_are_no_way_round(client, server, settings, monkeypatch):
    """Counts are shared through Redis; small limits exactly. Nobody goes on without it because a machine is busy."""
    monkeypatch.setattr(redis, "TIMEOUT_S", 60.0)
    program = f"""
import asyncio
from backend.kernel import clock, config, limits, redis
from backend.kernel.errors import RateLimited
from datetime import datetime
async def main():
    settings = config.load()
    redis.TIMEOUT_S = 60.0
    clock.freeze(datetime.fromisoformat("{_now()}"))
    await redis.open_client(settings)
    passed = 0
    async def one():
        nonlocal passed
        try:
            await limits.hit("address:203.0.113.15", {LIMIT})
            passed += 1
        except RateLimited:
            pass
    await asyncio.gather(*(one() for _ in range({LIMIT * 2})))
    print(passed)
    await redis.close_client()
asyncio.run(main())
"""
    environ = datadir.environment(settings) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    here = asyncio.gather(*(client.send(request(client, LOGIN, "203.0.113.15")) for _ in range(LIMIT * 2)))
    others = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environ, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    elsewhere = [int((await other.communicate())[0]) for other in others]

    let_in = sum(answer.status_code == 422 for answer in await here) + sum(elsewhere)
    assert let_in == LIMIT


def _now() -> str:
    from backend.kernel import clock

    return clock.now().isoformat()


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "counted"),
    [
        ("198.51.100.1", "203.0.113.1", "", "198.51.100.1"),
        ("198.51.100.1", "203.0.113.1", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.1", "10.0.0.0/8", "203.0.113.1"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.1, 10.0.0.2", "10.0.0.0/8", "203.0.113.1"),
        ("10.0.0.1", "", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2,10.0.0.3", "10.0.0.0/8", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.1, unknown", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1,", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", "x" * 60_000 + ", 203.0.113.1", "10.0.0.0/8", "203.0.113.1"),
        ("10.0.0.1", "1.1.1.1, " * 60 + "203.0.113.1", "10.0.0.0/8", "203.0.113.1"),
        ("::ffff:10.0.0.1", "203.0.113.1", "10.0.0.0/8", "203.0.113.1"),
        ("::ffff:198.51.100.1", "203.0.113.1", "10.0.0.0/8", "198.51.100.1"),
        ("fd00::1", "2001:db8::1:2:3:4", "fd00::/8", "2001:db8::/64"),
        ("2001:db8:0:1::5", "", "", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "", "", "fe80::/64"),
        ("", "", "", "local"),
    ],
)
def test_who_is_counted(peer, forwarded, trusted, counted):
    assert client_address(peer, forwarded, trusted) == counted


def test_what_clients_say_of_themselves_is_not_kept():
    from backend.kernel.http.request import _client_address

    _client_address.cache_clear()

    for n in range(1_000):
        client_address("198.51.100.1", f"{n}" + "x" * 50_000, "")

    assert _client_address.cache_info().currsize == 1
