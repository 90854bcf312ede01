"""What goes by the clock: sessions that ran out, handles and devices past their time, spent nonces, old tries."""

from __future__ import annotations

from datetime import timedelta

from backend.kernel import clock, db, jobs
from backend.kernel.config import settings

from . import nonces, rules, service

BATCH = 500
AT_ONCE, ROUNDS = 5_000, 200

# Each: a delete of at most $2 rows that were over before $1.
_SWEEPS = {
    "sessions": "DELETE FROM auth_session WHERE id IN (SELECT id FROM auth_session"
    " WHERE expires_at < $1 AND ended_at IS NOT NULL ORDER BY expires_at LIMIT $2) RETURNING 1",
    "staff sessions": "DELETE FROM auth_staff_session WHERE id IN (SELECT id FROM auth_staff_session"
    " WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) RETURNING 1",
    "handles": "DELETE FROM auth_handle WHERE handle IN (SELECT handle FROM auth_handle"
    " WHERE retired_at < $1 ORDER BY retired_at LIMIT $2) RETURNING 1",
    "devices": "DELETE FROM auth_device WHERE id IN (SELECT id FROM auth_device"
    " WHERE revoked_at < $1 ORDER BY revoked_at LIMIT $2) RETURNING 1",
    "login tries": "DELETE FROM auth_login_failure WHERE subject IN (SELECT subject FROM auth_login_failure"
    " WHERE last_at < $1 ORDER BY last_at LIMIT $2) RETURNING 1",
}


@jobs.every("*/10 * * * *")
async def sweep_nonces() -> None:
    """Delete the nonces that were kept while Redis was gone."""
    await nonces.sweep()


@jobs.every("23 * * * *")
async def end_expired_sessions() -> None:
    """End sessions that were not refreshed in time, so that the devices kept for them are revoked too."""
    while True:
        async with db.transaction() as tx:
            rows = await db.fetch_in(
                tx,
                "SELECT id FROM auth_session WHERE expires_at < $1 AND ended_at IS NULL ORDER BY expires_at LIMIT $2",
                clock.now(),
                BATCH,
            )
            await service.end_sessions(tx, [row["id"] for row in rows], why="expired")
        if len(rows) < BATCH:
            return


@jobs.every("41 3 * * *")
async def sweep_old_rows() -> None:
    """Delete what ended more than 30 days ago: retired handles resolve until then."""
    before = clock.now() - rules.KEPT_AFTER_END
    for sql in _SWEEPS.values():
        while len(await db.fetch(sql, before, BATCH)) == BATCH:
            pass


@jobs.every("52 19 * * *")
async def forget_audit() -> None:
    """Delete what stands in the audit log for longer than the setting says."""
    before = clock.now() - timedelta(days=settings().audit_kept_days)
    for _ in range(ROUNDS):
        if await db.fetchval("SELECT auth_audit_forget($1, $2)", before, AT_ONCE) < AT_ONCE:
            return


@jobs.every("11 * * * *")
async def forget_previous_secrets() -> None:
    """Delete terminals' secrets of before a rotation whose overlap is over."""
    await db.fetchval(
        "UPDATE auth_terminal SET previous_sealed = NULL, previous_until = NULL WHERE previous_until < $1", clock.now()
    )
