"""``huiyuan doctor``: a good system has no finding; each misconfiguration is made for real, and named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from redis import Redis

from backend.cli import doctor
from backend.cli.doctor.findings import Level, Report
from backend.engines import datadir
from backend.kernel import clock
from backend.kernel.config import Settings
from tests.support.huiyuan import huiyuan
from tests.support.members import register
from tests.support.seed import seed_chain
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("durable")

MAKE_KEY = "k1:" + "A" * 43


@pytest.fixture(scope="module")
def sql(settings: Settings, engines) -> Callable[[str], str]:
    """Run a statement as superuser in this module's database."""
    name = urlsplit(settings.database_url).path.strip("/")
    return lambda script: engines.postgres.sql(script, name)


@contextmanager
def done_and_undone(sql: Callable[[str], str], do: str, undo: str) -> Iterator[None]:
    sql(do)
    try:
        yield
    finally:
        sql(undo)


async def codes(settings: Settings, **changes: object) -> set[str]:
    """The codes of what is found with these settings changed."""
    found = await examined(settings, **changes)
    return {
        finding.code if finding.code != "check_failed" else finding.what
        for report in found
        for finding in report.findings
    }


async def examined(settings: Settings, **changes: object) -> list[Report]:
    return [report for _, report in await doctor.examine(msgspec.structs.replace(settings, **changes), {})]


async def test_a_good_system_has_no_finding(settings):
    assert await codes(settings) == set()


async def test_a_system_that_has_worked_has_none_either(settings, client):
    chain = await seed_chain(settings.base_url)
    phone = await register(client)
    await give(phone.member_id, principal=1000)
    assert (await chain.till.sell(client, phone.code())).status_code == 201

    with Redis.from_url(settings.redis_url) as redis:
        assert redis.dbsize() > 0  # so that the doctor has seen our own keys
    assert await codes(settings) == set()


def test_a_demo_is_fit_and_no_secret_is_shown(settings: Settings):
    environ = datadir.environment(settings) | {"COLUMNS": "200"}

    done = huiyuan("doctor", env=environ)

    assert done.returncode == 0, done.stdout
    assert "HUIYUAN_DATABASE_URL" in done.stdout
    assert "huiyuan_app reads the books, posts through their doors" in done.stdout
    assert "Nothing is wrong." in done.stdout
    for secret in (settings.master_keys, settings.wechat_api_v3_key, settings.wechat_app_secret):
        assert secret not in done.stdout


def test_a_finding_says_what_is_wrong_what_it_causes_and_what_to_do(settings: Settings):
    environ = datadir.environment(settings) | {"COLUMNS": "200", "HUIYUAN_DATABASE_URL": settings.migrate_database_url}

    done = huiyuan("doctor", env=environ)

    assert done.returncode == 1
    printed = " ".join(done.stdout.split())
    assert (
        "✗ Application role: HUIYUAN_DATABASE_URL and HUIYUAN_MIGRATE_DATABASE_URL both name huiyuan_owner" in printed
    )
    assert "(role_writes_ledger) causes: a defect or an intruder" in printed
    assert "do: run `huiyuan migrate`" in printed
    assert "2 errors, 0 warnings" in printed


async def test_the_owner_or_a_superuser_must_not_serve(settings, engines):
    owner = settings.migrate_database_url
    superuser = owner.replace("huiyuan_owner@", "postgres@")

    assert await codes(settings, database_url=owner) == {"one_role", "role_writes_ledger"}
    assert await codes(settings, database_url=superuser) == {"role_is_superuser"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"base_url": "https://member.example.com"}, "demo_in_production"),
        ({"trusted_proxies": "0.0.0.0/0"}, "proxies_open"),
        ({"trusted_proxies": "::/0, 10.0.0.1"}, "proxies_open"),
        ({"master_keys": MAKE_KEY}, "master_key_weak"),
        ({"wechat_api_v3_key": "short"}, "wechat_api_v3_key"),
        ({"wechat_encoding_aes_key": "A" * 42}, "wechat_aes_key"),
        ({"wechat_mch_id": ""}, "wechat_incomplete"),
        ({"redis_url": "redis://127.0.0.1:1/0"}, "redis_unreachable"),
        ({"database_url": "postgresql://app@127.0.0.1:1/none"}, "database_unreachable"),
        ({"db_pool_size": 100}, "too_few_connections"),
        ({"clock_file": "/run/moved"}, "clock_moved"),
    ],
)
async def test_a_setting_that_does_harm_is_named(settings, changes, code):
    assert await codes(settings, **changes) == {code}


async def test_what_needs_no_database_is_said_without_one_too(settings):
    found = await codes(settings, database_url="postgresql://app@127.0.0.1:1/none", trusted_proxies="0.0.0.0/0")

    assert found == {"database_unreachable", "proxies_open"}


async def test_two_master_keys_with_the_same_bytes_are_named(settings):
    key = settings.master_keys.partition(":")[2]

    assert await codes(settings, master_keys=f"a:{key},b:{key}") == {"master_key_twice"}


async def test_what_a_demo_may_and_production_may_not(settings):
    found = await examined(settings, demo=False)

    levels = {finding.code: finding.level for report in found for finding in report.findings}
    assert levels == {
        "base_url_not_public": Level.ERROR,
        "master_key_of_demo": Level.ERROR,
        "no_archiving": Level.WARNING,
    }
    public = await codes(settings, demo=False, base_url="https://member.example.com")
    assert public == {"proxies_missing", "master_key_of_demo", "no_archiving"}
    own_key = f"k1:{settings.master_keys.partition(':')[2]}"
    fit = {"base_url": "https://member.example.com", "trusted_proxies": "127.0.0.1", "master_keys": own_key}
    assert await codes(settings, demo=False, **fit) == {"no_archiving"}  # the embedded engine keeps no archive


@pytest.mark.parametrize(
    ("do", "undo", "code"),
    [
        (
            "ALTER ROLE huiyuan_app IN DATABASE {} SET synchronous_commit = off",
            "ALTER ROLE huiyuan_app IN DATABASE {} RESET synchronous_commit",
            "database_not_durable",
        ),
        (
            "ALTER DATABASE {} SET default_transaction_isolation = 'serializable'",
            "ALTER DATABASE {} RESET default_transaction_isolation",
            "database_isolation",
        ),
        ("ALTER DATABASE {} CONNECTION LIMIT 20", "ALTER DATABASE {} CONNECTION LIMIT -1", "too_few_connections"),
        (
            "DELETE FROM tortoise_migrations WHERE app = 'ledger' AND name = '0002_used_elsewhere'",
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('ledger', '0002_used_elsewhere', now())",
            "migrations_missing",
        ),
        ("GRANT UPDATE ON ledger_account TO huiyuan_app", "REVOKE UPDATE ON ledger_account FROM huiyuan_app",
         "role_writes_ledger"),
        ("REVOKE SELECT ON ledger_entry FROM huiyuan_app", "GRANT SELECT ON ledger_entry TO huiyuan_app",
         "role_lacks_rights"),
        (
            "INSERT INTO outbox (member_id, name, body, at, not_before) VALUES (7, 'X', '{{}}', now(), 'infinity')",
            "DELETE FROM outbox",
            "outbox_parked",
        ),
        (
            "INSERT INTO outbox (member_id, name, body, at) VALUES (7, 'X', '{{}}', now() - interval '1 hour')",
            "DELETE FROM outbox",
            "outbox_stuck",
        ),
        (
            """INSERT INTO procrastinate_periodic_defers (task_name, defer_timestamp)
            VALUES ('wallet.advance_recharges', extract(epoch FROM now() - interval '1 hour'))""",
            "DELETE FROM procrastinate_periodic_defers",
            "no_worker",
        ),
        (
            """INSERT INTO procrastinate_jobs (id, queue_name, task_name) VALUES (1, 'q', 't');
            UPDATE procrastinate_events SET at = at - interval '1 hour'""",
            "DELETE FROM procrastinate_jobs",
            "no_worker",
        ),
    ],
)  # fmt: skip
async def test_a_database_that_is_not_as_it_must_be_is_named(settings, sql, do, undo, code):
    name = urlsplit(settings.database_url).path.strip("/")

    with done_and_undone(sql, do.format(name), undo.format(name)):
        assert await codes(settings) == {code}

    assert await codes(settings) == set()


async def test_a_missing_partition_is_named(settings, sql):
    month = (clock.now().date().replace(day=1) + timedelta(days=32)).replace(day=1)
    make = f"SELECT ledger_make_partitions('{month}', 1)"

    with done_and_undone(sql, f"DROP TABLE outbox_{month:%Y%m}", make):
        assert await codes(settings) == {"partitions_missing"}


async def test_a_clock_that_is_wrong_is_named(settings, clock):
    clock.shift(timedelta(seconds=5))

    assert await codes(settings) == {"clock_skew"}


async def test_a_redis_that_refuses_or_grows_or_is_shared_is_named(settings):
    with Redis.from_url(settings.redis_url) as redis:
        before = redis.config_get("maxmemory*")
        try:
            redis.config_set("maxmemory-policy", "noeviction")
            assert await codes(settings) == {"redis_no_eviction"}
            redis.config_set("maxmemory", "0")
            redis.set("session:somebody", "1")
            assert await codes(settings) == {"redis_unbounded", "redis_shared"}
        finally:
            redis.delete("session:somebody")
            for name in ("maxmemory", "maxmemory-policy"):
                redis.config_set(name, before[name])


async def test_keys_and_certificates_of_wechat_are_looked_at(settings, tmp_path):
    key, (platform,) = Path(settings.wechat_mch_key_file), Path(settings.wechat_platform_keys_dir).glob("*.pem")
    readable = tmp_path / "key.pem"
    readable.write_bytes(key.read_bytes())
    readable.chmod(0o644)
    misnamed = tmp_path / "platform"
    misnamed.mkdir()
    (misnamed / "1234.pem").write_bytes(platform.read_bytes())
    (tmp_path / "empty").mkdir()

    assert await codes(settings, wechat_mch_key_file=str(readable)) == {"key_file_readable"}
    assert await codes(settings, wechat_mch_key_file=str(platform)) == {"wechat_merchant_key"}
    assert await codes(settings, wechat_platform_keys_dir=str(misnamed)) == {"wechat_platform_name"}
    assert await codes(settings, wechat_platform_keys_dir=str(tmp_path / "empty")) == {"wechat_platform_keys"}


async def test_a_certificate_that_ends_is_named_before_and_after(settings, clock):
    clock.shift(timedelta(days=3650 - 10))
    assert "certificate_expires" in await codes(settings)

    clock.shift(timedelta(days=11))
    assert "certificate_expired" in await codes(settings)


async def test_a_metrics_directory_that_is_not_there_is_named(settings, tmp_path):
    reports = await doctor.examine(settings, {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "none")})

    assert [finding.code for _, report in reports for finding in report.findings] == ["metrics_directory"]


def test_every_mistake_in_the_environment_is_listed():
    environ = {key: value for key, value in os.environ.items() if not key.startswith("HUIYUAN_")}
    environ |= {"HUIYUAN_DB_POOL_SIZE": "many", "HUIYUAN_DATABSE_URL": "x"}

    done = huiyuan("doctor", env=environ)

    assert done.returncode == 2
    for name in ("HUIYUAN_DATABSE_URL: no such setting", "HUIYUAN_DB_POOL_SIZE", "HUIYUAN_DATABASE_URL: is required"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("value", "secret", "shown"),
    [
        ("postgresql://app:pa55@db/huiyuan", False, "postgresql://app:••••••••@db/huiyuan"),
        ("redis://:pa55@cache:6379/0", False, "redis://:••••••••@cache:6379/0"),
        ("anything", True, "••••••••"),
        ("", True, "—"),
        (True, False, "true"),
    ],
)
def test_values_are_shown_without_their_secrets(value, secret, shown):
    assert doctor.shown(value, secret=secret) == shown
