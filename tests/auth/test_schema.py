"""The tables of auth, members and mall: what the database itself refuses, and that models and migrations agree."""

from __future__ import annotations

import asyncpg
import pytest
import pytest_asyncio
from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector

from backend.kernel import db
from tests.support import wire
from tests.support.members import register

REFUSED = [
    "UPDATE auth_wechat_identity SET standing = 'other'",
    "UPDATE auth_wechat_identity SET standing = 'active', member_id = NULL",
    "UPDATE auth_handle SET handle = '12345678x'",
    "UPDATE auth_handle SET retired_at = now(), good_until = NULL",
    "UPDATE auth_session SET ended_at = now(), ended_why = NULL",
    "UPDATE auth_staff SET role = 'boss'",
    "UPDATE auth_staff SET store_id = NULL WHERE role = 'manager'",
    "UPDATE auth_terminal SET id = 'a b'",
    "UPDATE auth_terminal SET previous_until = now()",
    "DELETE FROM auth_store",
    "UPDATE member SET status = 'gone'",
    "UPDATE member SET gender = 'x'",
    "UPDATE member SET name = ''",
    "UPDATE member SET member_no = '1'",
    "UPDATE member SET level_id = 'none'",
    "UPDATE member_pin SET failures = 6",
    "UPDATE member_level SET discount_bp = 10000",
    "UPDATE member_level SET points_multiplier_bp = -1",
    "DELETE FROM member_level",
    "UPDATE mall_article SET unit_price_fen = 0",
    "UPDATE mall_category SET points_rate_bp = -1",
    "DELETE FROM mall_category",
    "DELETE FROM member",
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(server, chain):
    """Rows in every table that the statements touch."""
    async with wire.connected(server.base_url) as client:
        for _ in range(2):
            phone = await register(client)
            await phone.call("PUT", "/v1/member/pin", {"pin": "135790"})


@pytest.mark.parametrize("sql", REFUSED)
async def test_the_database_refuses(database, filled, sql):
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await db.pool().execute(sql)


async def test_one_phone_and_one_number_are_one_member(database, filled):
    with pytest.raises(asyncpg.UniqueViolationError):
        await db.pool().execute("UPDATE member SET phone_index = 'same'")
    with pytest.raises(asyncpg.UniqueViolationError):
        await db.pool().execute("UPDATE member SET member_no = '123456789015'")


async def test_foreign_keys_never_cascade(database):
    rows = await db.fetch(
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND confdeltype NOT IN ('r', 'a')"
        " AND conrelid::regclass::text ~ '^(auth|member|mall)'"
    )

    assert [row["conname"] for row in rows] == []


async def test_the_models_hold_nothing_that_no_migration_made(settings):
    config = db.tortoise_config(settings.database_url, settings)
    async with TortoiseContext() as context:
        await context.init(config=config, init_connections=False)
        assert context.apps is not None
        writers = await MigrationAutodetector(context.apps, config["apps"]).changes()

    assert [(writer.app_label, writer.operations) for writer in writers] == []
