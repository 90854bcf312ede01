"""A till's signature where money is at stake: what it covers, what a recorded request is worth, and for how long.

The header's own grammar is tested with the guard, in ``tests/auth``.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
import pytest_asyncio

from backend.engines import datadir
from backend.kernel import clock, db, redis
from tests.support.books import fingerprint
from tests.support.pos import Till
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings

SALES = "/v1/pos/sales"


@dataclass(frozen=True)
class Signed:
    """A signed sale as it goes over the wire, to be changed on the way."""

    till: Till
    body: bytes
    key: str
    headers: dict[str, str]
    method: str = "POST"
    target: str = SALES

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(self.method, self.target, content=self.body, headers=self.headers)

    def with_header(self, name: str, value: str | None) -> Signed:
        headers = {key: old for key, old in self.headers.items() if key != name}
        return replace(self, headers=headers if value is None else headers | {name: value})

    def part(self, name: str, value: str) -> Signed:
        """Another value for one part of the Authorization header."""
        scheme, _, parts = self.headers["Authorization"].partition(" ")
        changed = [f"{name}={value}" if item.startswith(f"{name}=") else item for item in parts.split(",")]
        assert ",".join(changed) != parts
        return self.with_header("Authorization", f"{scheme} {','.join(changed)}")


def sign(till: Till, code: str, *, fen: int = 1_000, at: int | None = None, nonce: str | None = None) -> Signed:
    lines = [{"sku": "X-1", "qty": 1, "unit_price_fen": fen}]
    body = json.dumps({"code": code, "order_no": uuid.uuid4().hex[:16], "lines": lines}).encode()
    key = uuid.uuid4().hex
    headers = {
        "Authorization": till.authorization("POST", SALES, body, key, at=at, nonce=nonce),
        "Idempotency-Key": key,
        "Content-Type": "application/json",
    }
    return Signed(till, body, key, headers)


def refused(answer: httpx.Response, what: str = "") -> None:
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), f"{what}: {answer.text}"
    assert answer.headers["www-authenticate"]


@pytest_asyncio.fixture(loop_scope="session")
async def without_redis(settings) -> AsyncIterator[None]:
    """Redis cannot be reached: nothing listens there."""
    await redis.open_client(msgspec.structs.replace(settings, redis_url="redis://127.0.0.1:1/0"))
    yield
    await redis.open_client(settings)


TAMPERING = {
    "the amount": lambda s: replace(s, body=s.body.replace(b"1000", b"9000")),
    "a space more": lambda s: replace(s, body=s.body + b" "),
    "no body": lambda s: replace(s, body=b""),
    "another method": lambda s: replace(s, method="PUT"),
    "a query added": lambda s: replace(s, target=SALES + "?order_no=x"),
    "a slash more": lambda s: replace(s, target=SALES + "/"),
    "another call": lambda s: replace(s, target="/v1/pos/quotes"),
    "the path written otherwise": lambda s: replace(s, target="/v1/pos/sale%73"),
    "another key": lambda s: s.with_header("Idempotency-Key", uuid.uuid4().hex),
    "no key": lambda s: s.with_header("Idempotency-Key", None),
    "a key twice": lambda s: s.with_header("Idempotency-Key", f"{s.key}, {s.key}"),
    "another nonce": lambda s: s.part("nonce", secrets.token_hex(12)),
    "another time": lambda s: s.part("timestamp", str(clock.unix() - 100)),
    "the time with a zero before it": lambda s: s.part("timestamp", f"0{clock.unix()}"),
    "a time far away": lambda s: s.part("timestamp", "9" * 12),
    "a time before the world": lambda s: s.part("timestamp", "-1"),
    "another terminal of the store": lambda s: s.part("terminal", "S1-T2"),
    "a terminal of another store": lambda s: s.part("terminal", "S2-T1"),
    "a terminal that is none": lambda s: s.part("terminal", "S9-T9"),
    "another signature": lambda s: s.part("signature", secrets.token_hex(32)),
    "no signature": lambda s: s.part("signature", ""),
    "a shorter signature": lambda s: s.part("signature", s.headers["Authorization"][-64:-1]),
    "a longer signature": lambda s: s.part("signature", s.headers["Authorization"][-64:] + "0"),
    "capitals in the signature": lambda s: s.part("signature", s.headers["Authorization"][-64:].upper()),
    "no header": lambda s: s.with_header("Authorization", None),
    "the header twice": lambda s: s.with_header("Authorization", f"{s.headers['Authorization']}, x"),
    "another scheme": lambda s: s.with_header("Authorization", f"Bearer {s.headers['Authorization']}"),
}


async def test_a_sale_that_was_changed_on_its_way_is_refused_and_moves_nothing(client, chain, rich, settings):
    signed = sign(chain.till, rich.code())
    before = await fingerprint(settings)

    for what, change in TAMPERING.items():
        answer = await change(signed).send(client)
        if what in ("another method", "a slash more"):
            assert answer.status_code in (401, 404, 405), what
        else:
            refused(answer, what)

    assert await fingerprint(settings) == before
    assert (await signed.send(client)).status_code == 201  # what was refused spent neither nonce nor code


async def test_each_part_of_another_request_s_signature_is_of_no_use(client, chain, rich, settings):
    """Signatures do not mix: the parts of two good requests make no third."""
    one, other = sign(chain.till, rich.code()), sign(chain.till, rich.code(), fen=1)
    before = await fingerprint(settings)

    refused(await replace(one, headers=one.headers | {"Authorization": other.headers["Authorization"]}).send(client))
    refused(await replace(one, body=other.body).send(client))
    refused(await replace(one, body=other.body, headers=other.headers | {"Idempotency-Key": one.key}).send(client))

    assert await fingerprint(settings) == before


@pytest.mark.parametrize("target", [f"{SALES}?order_no=A-1", f"{SALES}?order_no=A%2D1", f"{SALES}?order_no=%41-1"])
async def test_the_signature_covers_the_query_as_it_was_sent(client, chain, target):
    other = f"{SALES}?order_no=A-2" if target.endswith("A-1") else f"{SALES}?order_no=A-1"
    header = {"Authorization": chain.till.authorization("GET", target, b"")}

    refused(await client.get(other, headers=header))
    refused(await client.get(SALES, headers=header))
    assert (await client.get(target, headers=header)).status_code == 404


async def test_the_signature_covers_the_order_of_the_query_s_fields(client, chain):
    signed, other = "/v1/pos/articles?query=a&limit=5", "/v1/pos/articles?limit=5&query=a"
    header = {"Authorization": chain.till.authorization("GET", signed, b"")}

    refused(await client.get(other, headers=header))
    assert (await client.get(signed, headers=header)).status_code == 200


# ------------------------------------------------------------------------------------------ recorded requests


async def test_a_recorded_sale_sent_again_is_refused(client, chain, rich, settings):
    signed = sign(chain.till, rich.code())
    sold = await signed.send(client)
    before = await fingerprint(settings)

    refused(await signed.send(client))

    assert sold.status_code == 201
    assert await fingerprint(settings) == before


async def test_a_recorded_sale_sent_again_after_redis_forgot_moves_nothing(client, chain, rich, settings):
    signed = sign(chain.till, rich.code())
    sold = await signed.send(client)
    before = await fingerprint(settings)
    await redis.call("FLUSHALL")

    again = await signed.send(client)

    assert (sold.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == sold.json()
    assert await fingerprint(settings) == before


async def test_a_recorded_refund_sent_again_after_redis_forgot_moves_nothing(client, chain, rich, settings):
    sale = (await chain.till.sell(client, rich.code())).json()
    body, key = b'{"amount_fen":300,"reason":"x"}', uuid.uuid4().hex
    target = f"{SALES}/{sale['id']}/refunds"
    headers = {
        "Authorization": chain.till.authorization("POST", target, body, key),
        "Idempotency-Key": key,
        "Content-Type": "application/json",
    }
    refund = await client.post(target, content=body, headers=headers)
    before = await fingerprint(settings)
    await redis.call("FLUSHALL")

    again = await client.post(target, content=body, headers=headers)

    assert again.json() == refund.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert await fingerprint(settings) == before


async def test_a_recorded_sale_sent_again_while_redis_is_gone_is_refused(client, chain, rich, settings, without_redis):
    signed = sign(chain.till, rich.code())
    sold = await signed.send(client)
    before = await fingerprint(settings)

    refused(await signed.send(client))

    assert sold.status_code == 201
    assert await db.fetchval("SELECT count(*) FROM auth_nonce WHERE terminal_id = $1", chain.till.terminal_id) >= 1
    assert await fingerprint(settings) == before
    assert await findings(settings) == []


async def test_the_table_of_nonces_is_unlogged(database):
    assert await db.fetchval("SELECT relpersistence::text FROM pg_class WHERE relname = 'auth_nonce'") == "u"


@pytest.mark.parametrize("redis_is", ["up", "gone"])
async def test_of_many_requests_with_one_nonce_at_once_one_gets_in(client, chain, settings, redis_is):
    address = "redis://127.0.0.1:1/0" if redis_is == "gone" else settings.redis_url
    await redis.open_client(msgspec.structs.replace(settings, redis_url=address))
    target, nonce = f"{SALES}?order_no=none", secrets.token_hex(8)
    headers = {"Authorization": chain.till.authorization("GET", target, b"", nonce=nonce)}

    answers = await asyncio.gather(*(client.get(target, headers=headers) for _ in range(12)))
    await redis.open_client(settings)

    assert sorted(answer.status_code for answer in answers) == [401] * 11 + [404]


# --------------------------------------------------------------------------------------------------- the clock


@pytest.mark.parametrize(
    ("seconds_off", "gets_in"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
async def test_the_clock_may_be_300_seconds_off_and_not_one_more(
    client, chain, rich, settings, clock, seconds_off, gets_in
):
    clock.freeze(datetime.fromtimestamp(clock.unix(), UTC))
    signed = sign(chain.till, rich.code(), at=clock.unix() + seconds_off)
    before = await fingerprint(settings)

    answer = await signed.send(client)

    if gets_in:
        assert answer.status_code == 201, answer.text
    else:
        refused(answer)
        assert "clock" in answer.json()["detail"]
        assert await fingerprint(settings) == before


async def test_a_wrong_signature_hears_nothing_of_the_clock(client, chain, rich):
    """Who does not know the secret learns only that it was refused."""
    signed = sign(chain.till, rich.code(), at=clock.unix() - 10_000)

    known = await signed.part("signature", "0" * 64).send(client)
    unknown = await sign(Till("", "S9-T9", "secret", "S9"), rich.code()).send(client)

    refused(known)
    assert {**known.json(), "instance": ""} == {**unknown.json(), "instance": ""}


async def test_a_nonce_spent_in_one_process_is_spent_in_every_other(client, chain, settings):
    """Nothing of it is kept in the process: with Redis it is there, without it in the table."""
    target, nonce = f"{SALES}?order_no=none", secrets.token_hex(8)
    program = (
        "import asyncio, sys\nfrom backend.app import resources\nfrom backend.auth import nonces\n"
        "from backend.kernel import config\n"
        "async def main():\n async with resources(config.load()):\n"
        f"  print(await nonces.spend({chain.till.terminal_id!r}, {nonce!r}))\nasyncio.run(main())"
    )
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=datadir.environment(settings), stdout=subprocess.PIPE
    )
    spent = (await other.communicate())[0]

    answer = await client.get(
        target, headers={"Authorization": chain.till.authorization("GET", target, b"", nonce=nonce)}
    )

    assert spent.split()[-1] == b"True"
    refused(answer)


# ------------------------------------------------------------------------------------- rotation and revocation


async def new_till(client, chain) -> tuple[Till, StaffSession]:
    admin = await log_in(client, chain, "admin")
    made = (await admin.post("/v1/admin/terminals", {"store_id": "S1", "name": "临时"})).json()
    return Till(chain.till.base_url, made["id"], made["secret"], "S1"), admin


async def rotate(admin: StaffSession, till: Till, overlap_s: int) -> Till:
    answer = await admin.post(f"/v1/admin/terminals/{till.terminal_id}/rotate-secret", {"overlap_s": overlap_s})
    assert answer.status_code == 200, answer.text
    return replace(till, secret=answer.json()["secret"])


async def test_both_secrets_sell_until_the_overlap_is_over(client, chain, rich, settings, clock):
    old, admin = await new_till(client, chain)
    new = await rotate(admin, old, 60)

    during = [(await sign(till, rich.code()).send(client)).status_code for till in (new,)]
    clock.shift(timedelta(seconds=45))
    during.append((await sign(old, rich.code()).send(client)).status_code)
    clock.shift(timedelta(seconds=16))
    before = await fingerprint(settings)
    after_old = await sign(old, rich.code()).send(client)
    unchanged = await fingerprint(settings) == before
    after_new = await sign(new, rich.code()).send(client)

    assert during == [201, 201]
    refused(after_old)
    assert unchanged
    assert after_new.status_code == 201


async def test_a_retry_with_the_new_secret_gets_the_answer_of_the_old_one_s_request(client, chain, rich):
    old, admin = await new_till(client, chain)
    first = sign(old, rich.code())
    sold = await first.send(client)
    new = await rotate(admin, old, 0)

    header = new.authorization("POST", SALES, first.body, first.key)
    again = await first.with_header("Authorization", header).send(client)

    refused(
        await first.with_header("Authorization", old.authorization("POST", SALES, first.body, first.key)).send(client)
    )
    assert again.json() == sold.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_of_two_rotations_the_first_secret_is_dead_at_once(client, chain, rich):
    first, admin = await new_till(client, chain)
    second = await rotate(admin, first, 3_600)
    third = await rotate(admin, second, 3_600)

    refused(await sign(first, rich.code()).send(client))
    assert (await sign(second, rich.code()).send(client)).status_code == 201
    clock.shift(timedelta(seconds=15))
    try:
        assert (await sign(third, rich.code()).send(client)).status_code == 201
    finally:
        clock.reset()


async def test_a_revoked_terminal_sells_nothing_and_its_sales_stay_with_the_store(client, chain, rich, settings):
    till, admin = await new_till(client, chain)
    sale = (await sign(till, rich.code()).send(client)).json()
    assert (await admin.post(f"/v1/admin/terminals/{till.terminal_id}/revoke")).status_code == 204
    before = await fingerprint(settings)

    refused(await sign(till, rich.code()).send(client))
    refused(await till.send(client, "POST", f"{SALES}/{sale['id']}/refunds", {"amount_fen": 1, "reason": "x"}))
    refused(await till.get(client, f"{SALES}/{sale['id']}"))
    assert await fingerprint(settings) == before

    refund = {"amount_fen": 1_000, "reason": "x"}
    by_colleague = await chain.tills["S1"][1].post(client, f"{SALES}/{sale['id']}/refunds", refund)
    assert by_colleague.status_code == 201
