"""Other systems of the demo's chain: one that is called, one that asks; and what both have to tell."""

from __future__ import annotations

from backend.app import MIS_PATH, mis_config
from backend.auth import queries as auth
from backend.feeds.commands import subscribers
from backend.kernel import clock, db, ids
from backend.kernel.config import Settings
from miniapp_mock import simulator

FIELDS = ("status", "level", "store_id", "birthday", "gender")
ASKS = ("status", "level", "stage", "store_id", "registered_at")
TOLD = 200


async def load(settings: Settings) -> None:
    """Make the two; the one that is called knows its secret, and hears of the last members who registered."""
    admin_id = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'")
    head_office = await auth.get_caller(admin_id)
    await _tell_of_the_last()
    hook = f"{settings.base_url}{MIS_PATH}/hook"
    called = await subscribers.create("企业资源系统（演示）", FIELDS, hook, head_office)
    await subscribers.create("数据仓库（演示）", ASKS, None, head_office)
    mis = simulator.build_mis(mis_config(settings))
    try:
        await mis.use_secret(called.secret)
    finally:
        await mis.aclose()


async def _tell_of_the_last() -> None:
    """The demo's members were loaded past the outbox, so the last of them are told of here."""
    rows = await db.fetch("SELECT id FROM member ORDER BY created_at DESC, id LIMIT $1", TOLD)
    await db.fetch(
        "INSERT INTO feed_entry (id, kind, member_id, body, at)"
        " SELECT i, 'member.registered', m, '{}', $3 FROM unnest($1::bigint[], $2::bigint[]) AS e (i, m)",
        [ids.new_bigint() for _ in rows],
        [row["id"] for row in rows],
        clock.now(),
    )
