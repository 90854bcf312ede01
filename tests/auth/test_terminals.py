"""Tills: what the signature covers, skew, nonces, rotation, revocation; also while Redis is gone."""

from __future__ import annotations

import pytest

from backend.auth import nonces, tills
from backend.kernel import db, redis
from backend.kernel.redis import RedisDown
from tests.support.pos import Till
from tests.support.staff import log_in

TARGET = "/v1/pos/sales?order_no=none"


async def send(client, authorization: str | None, target: str = TARGET, key: str | None = None) -> int:
    headers = {} if authorization is None else {"Authorization": authorization}
    if key:
        headers["Idempotency-Key"] = key
    answer = await client.get(target, headers=headers)
    if answer.status_code == 401:
        assert answer.json()["code"] == "unauthenticated"
    return answer.status_code


async def test_a_signed_request_gets_in(client, chain):
    assert await send(client, chain.till.authorization("GET", TARGET, b"")) == 404


async def test_nothing_gets_in_without_a_header(client, chain):
    assert await send(client, None) == 401


@pytest.mark.parametrize(
    "change",
    [
        ("HUIYUAN-HMAC-SHA256", "HUIYUAN-HMAC-SHA1"),
        ("terminal=", "terminal=X"),
        ("signature=", "signature=0"),
        ("nonce=", "nonce=x"),
        ("timestamp=1", "timestamp=2"),
        (",nonce", ";nonce"),
    ],
)
async def test_a_changed_header_is_refused(client, chain, change):
    header = chain.till.authorization("GET", TARGET, b"")

    assert await send(client, header.replace(*change)) == 401


async def test_the_signature_covers_target_key_and_body(client, chain):
    till = chain.till

    assert await send(client, till.authorization("GET", "/v1/pos/sales?order_no=other", b"")) == 401
    assert await send(client, till.authorization("POST", TARGET, b"")) == 401
    assert await send(client, till.authorization("GET", TARGET, b"{}")) == 401
    assert await send(client, till.authorization("GET", TARGET, b"", "key-1"), key="key-2") == 401
    assert await send(client, till.authorization("GET", TARGET, b"", "key-1"), key="key-1") == 404


async def test_the_clock_may_be_300_seconds_off(client, chain, clock):
    clock.freeze(clock.now())
    now = clock.unix()

    assert await send(client, chain.till.authorization("GET", TARGET, b"", at=now - 300)) == 404
    assert await send(client, chain.till.authorization("GET", TARGET, b"", at=now + 300)) == 404
    assert await send(client, chain.till.authorization("GET", TARGET, b"", at=now - 301)) == 401
    assert await send(client, chain.till.authorization("GET", TARGET, b"", at=now + 301)) == 401


@pytest.mark.parametrize("nonce", ["x" * 8, "x" * 64, "!,=~;:[]\"'"])
async def test_a_nonce_has_8_to_64_visible_characters(client, chain, nonce):
    assert await send(client, chain.till.authorization("GET", TARGET, b"", nonce=nonce)) == 404


@pytest.mark.parametrize("nonce", ["x" * 7, "x" * 65, "with space", "tab\tinside"])
async def test_other_nonces_are_refused(client, chain, nonce):
    assert await send(client, chain.till.authorization("GET", TARGET, b"", nonce=nonce)) == 401


async def test_a_nonce_is_good_once_for_a_terminal(client, chain):
    one, other = chain.tills["S1"]

    assert await send(client, one.authorization("GET", TARGET, b"", nonce="once-only-1")) == 404
    assert await send(client, one.authorization("GET", TARGET, b"", nonce="once-only-1")) == 401
    assert await send(client, other.authorization("GET", TARGET, b"", nonce="once-only-1")) == 404


async def test_a_refused_request_spends_no_nonce(client, chain):
    wrong = chain.till.authorization("GET", TARGET, b"other", nonce="not-spent-1")

    assert await send(client, wrong) == 401
    assert await send(client, chain.till.authorization("GET", TARGET, b"", nonce="not-spent-1")) == 404


async def test_nonces_are_good_once_without_redis(client, chain, monkeypatch):
    async def down(*_: object) -> None:
        raise RedisDown

    monkeypatch.setattr(redis, "call", down)
    header = chain.till.authorization("GET", TARGET, b"", nonce="without-redis")

    assert await send(client, header) == 404
    assert await send(client, header) == 401


async def test_nonces_in_the_table_are_swept_when_their_time_is_over(database, chain, clock, monkeypatch):
    from datetime import timedelta

    async def down(*_: object) -> None:
        raise RedisDown

    monkeypatch.setattr(redis, "call", down)
    assert await nonces.spend("S1-T1", "swept-nonce")
    assert await nonces.sweep() == 0

    clock.shift(timedelta(seconds=601))

    assert await nonces.sweep() >= 1
    assert await nonces.spend("S1-T1", "swept-nonce")


async def test_rotation_lets_the_old_secret_in_until_its_time(client, chain, clock):
    from datetime import timedelta

    admin = await log_in(client, chain, "admin")
    made = (await admin.post("/v1/admin/terminals", {"store_id": "S1", "name": "换钥"})).json()
    old = Till("", made["id"], made["secret"], "S1")
    assert await send(client, old.authorization("GET", TARGET, b"")) == 404

    answer = await admin.post(f"/v1/admin/terminals/{old.terminal_id}/rotate-secret", {"overlap_s": 60})
    new = Till("", old.terminal_id, answer.json()["secret"], "S1")

    assert answer.status_code == 200
    assert answer.json()["previous_until"] is not None
    assert await send(client, new.authorization("GET", TARGET, b"")) == 404
    assert await send(client, old.authorization("GET", TARGET, b"")) == 404
    clock.shift(timedelta(seconds=61))
    later = clock.unix()
    assert await send(client, old.authorization("GET", TARGET, b"", at=later)) == 401
    assert await send(client, new.authorization("GET", TARGET, b"", at=later)) == 404


async def test_rotation_without_overlap_ends_the_old_secret_at_once(client, chain):
    admin = await log_in(client, chain, "admin")
    made = (await admin.post("/v1/admin/terminals", {"store_id": "S1", "name": "急换"})).json()
    old = Till("", made["id"], made["secret"], "S1")
    assert await send(client, old.authorization("GET", TARGET, b"")) == 404

    answer = await admin.post(f"/v1/admin/terminals/{made['id']}/rotate-secret", {"overlap_s": 0})

    assert answer.json()["previous_until"] is None
    assert await send(client, old.authorization("GET", TARGET, b"")) == 401


async def test_a_revoked_terminal_is_out(client, chain):
    admin = await log_in(client, chain, "admin")
    made = (await admin.post("/v1/admin/terminals", {"store_id": "S1", "name": "停用"})).json()
    till = Till("", made["id"], made["secret"], "S1")
    assert await send(client, till.authorization("GET", TARGET, b"")) == 404

    revoked = await admin.post(f"/v1/admin/terminals/{made['id']}/revoke")

    assert revoked.status_code == 204
    assert await send(client, till.authorization("GET", TARGET, b"")) == 401
    assert (await admin.post(f"/v1/admin/terminals/{made['id']}/rotate-secret")).status_code == 404


async def test_another_process_sees_a_revocation_when_the_epoch_moves(database, chain, monkeypatch):
    assert await tills.find_keys("S2-T2") is not None
    await db.fetchval("UPDATE auth_terminal SET revoked_at = now() WHERE id = 'S2-T2' RETURNING 1")
    await db.fetchval("UPDATE auth_epoch SET value = value + 1 RETURNING 1")

    monkeypatch.setattr(tills, "LOOK_S", 0.0)

    assert await tills.find_keys("S2-T2") is None


async def test_secrets_are_sealed_at_rest(database, chain):
    rows = await db.fetch("SELECT secret_sealed FROM auth_terminal")

    stored = {row["secret_sealed"] for row in rows}

    assert stored
    assert all(till.secret not in text for till in chain.tills["S1"] for text in stored)
