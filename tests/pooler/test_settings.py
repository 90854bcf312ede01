"""What a pooler asks of the settings is found before anything goes wrong."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from backend.cli import doctor
from backend.cli.doctor.findings import Report
from backend.cli.migrate import migrate
from backend.engines import datadir
from backend.kernel import db, pooling
from backend.kernel.config import Settings, SettingsError
from backend.kernel.errors import Unavailable
from backend.kernel.pooling import Pooling
from backend.ledger import service
from tests.support import pgbouncer
from tests.support.books import connected, open_books, plan, stored
from tests.support.huiyuan import huiyuan


async def test_a_pooler_in_transaction_mode_is_told_from_none(settings):
    assert await pooling.look(settings.direct_database_url) is Pooling.NONE
    assert await pooling.look(settings.database_url) is Pooling.TRANSACTION


async def test_prepared_statements_are_found_to_be_carried_or_not(settings):
    carried = await pooling.carries_prepared_statements(settings.database_url)

    assert carried is pgbouncer.carries_prepared_statements()


@pytest.mark.usefixtures("durable")
def test_the_doctor_finds_the_server_fit_behind_it(settings):
    done = huiyuan("doctor", env=datadir.environment(settings) | {"COLUMNS": "200"})

    assert done.returncode == 0, done.stdout
    assert "✓ Pooler: transaction mode; the worker goes past it" in done.stdout


async def pooler_report(settings: Settings) -> Report:
    """What the doctor says of the pooler."""
    return dict(await doctor.examine(settings, {}))["Pooler"]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"direct_database_url": "database_url"}, "HUIYUAN_DIRECT_DATABASE_URL leads through a pooler"),
        ({"migrate_database_url": "database_url"}, "HUIYUAN_MIGRATE_DATABASE_URL leads through a pooler"),
    ],
)
async def test_the_doctor_finds_what_must_go_past_it(settings, wrong, what):
    changes = {name: getattr(settings, source) for name, source in wrong.items()}

    (finding,) = (await pooler_report(msgspec.structs.replace(settings, **changes))).findings

    assert finding.code == "pooler_in_the_way"
    assert finding.what.startswith(what)


async def test_the_doctor_finds_prepared_statements_where_they_are_not_carried(settings):
    report = await pooler_report(msgspec.structs.replace(settings, statement_cache_size=100))

    found = [finding.code for finding in report.findings]
    assert found == ([] if pgbouncer.carries_prepared_statements() else ["pooler_prepared_statements"])


async def test_nobody_migrates_through_it(settings):
    through = msgspec.structs.replace(settings, migrate_database_url=settings.database_url)

    with pytest.raises(SettingsError, match="name PostgreSQL itself"):
        await migrate(through)


async def test_a_held_lock_is_given_up_although_the_pooler_keeps_no_setting_of_a_session(database):
    member_id = await open_books()
    direct = msgspec.structs.replace(database, database_url=database.direct_database_url)
    async with connected(direct, "huiyuan_owner") as owner, owner.transaction():
        await owner.execute("ALTER FUNCTION ledger_post(bigint, jsonb) SET lock_timeout = '100ms'")  # 3 s are long here
    async with connected(direct, "postgres") as holder, holder.transaction():
        await holder.execute("SELECT FROM ledger_head WHERE member_id = $1 FOR UPDATE", member_id)

        async with asyncio.timeout(60):
            with pytest.raises(Unavailable):
                await service.post(plan(member_id, *stored(10)))
            with pytest.raises(Unavailable):
                async with db.transaction() as tx:
                    await service.post_in(tx, plan(member_id, *stored(10)))

    await service.post(plan(member_id, *stored(10)))
