"""Sweeping by the clock."""

from __future__ import annotations

from datetime import timedelta

from backend.auth import jobs, nonces, queries, rules
from backend.kernel import db
from tests.auth.test_devices import ensure
from tests.support.members import register


async def test_a_session_that_ran_out_takes_its_device_along(client, database, clock):
    phone = await register(client)
    own = await ensure(phone)
    clock.shift(timedelta(days=30, minutes=1))

    await jobs.end_expired_sessions()

    assert not (await queries.find_handle(own.handle)).usable(clock.now())
    assert (await queries.find_handle(phone.device["handle"])).usable(clock.now())


async def test_a_retired_handle_resolves_for_thirty_days(client, database, clock):
    phone = await register(client)
    await phone.call("POST", f"/v1/member/devices/{phone.device['device_id']}/rotate")
    clock.shift(timedelta(days=29, hours=23))
    await jobs.sweep_old_rows()
    assert await queries.find_handle(phone.device["handle"]) is not None

    clock.shift(timedelta(hours=2))
    await jobs.sweep_old_rows()

    assert await queries.find_handle(phone.device["handle"]) is None
    assert len(await queries.list_devices(phone.member_id)) == 1


async def test_old_sessions_and_revoked_devices_go(client, database, clock):
    phone = await register(client)
    await phone.call("POST", "/v1/member/logout", {"everywhere": True})
    clock.shift(timedelta(days=61))

    await jobs.sweep_old_rows()

    assert await db.fetchval("SELECT count(*) FROM auth_device WHERE member_id = $1", phone.member_id) == 0
    kept = await db.fetchval(
        "SELECT count(*) FROM auth_session WHERE ended_at IS NOT NULL AND expires_at < $1",
        clock.now() - timedelta(days=30),
    )
    assert kept == 0


async def test_previous_secrets_are_forgotten_after_the_overlap(client, chain, database, clock):
    await db.fetchval(
        "UPDATE auth_terminal SET previous_sealed = secret_sealed, previous_until = $1 WHERE id = 'S1-T1' RETURNING 1",
        clock.now() + timedelta(minutes=5),
    )
    await jobs.forget_previous_secrets()
    assert await db.fetchval("SELECT previous_sealed IS NOT NULL FROM auth_terminal WHERE id = 'S1-T1'")

    clock.shift(timedelta(minutes=6))
    await jobs.forget_previous_secrets()

    assert await db.fetchval("SELECT previous_sealed IS NULL FROM auth_terminal WHERE id = 'S1-T1'")


async def test_nonces_are_swept_once_their_time_is_over(database, clock):
    await nonces._spend_in_table("S1-T1", "an-old-nonce")
    clock.shift(timedelta(seconds=rules.NONCE_KEPT_S + 1))
    await nonces._spend_in_table("S1-T1", "a-new-nonce")

    await jobs.sweep_nonces()

    left = await db.fetch("SELECT nonce FROM auth_nonce WHERE terminal_id = 'S1-T1'")
    assert [row["nonce"] for row in left] == ["a-new-nonce"]
