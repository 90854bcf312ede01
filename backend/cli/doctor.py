"""``huiyuan doctor``: every setting, and whether what they name is there and fit for use."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from rich.markup import escape
from rich.table import Table

from backend.kernel import clock, config, db, migrations, pooling
from backend.kernel.config import PREFIX, Settings, SettingsError
from backend.kernel.pooling import Pooling

from .console import out
from .maintenance import settings_for

if TYPE_CHECKING:
    import asyncpg

Result = tuple[bool, str]
_MOST_CLOCK_SKEW_S = 2.0
_LEAST_POSTGRES = 150000


def run(data: Path | None) -> int:
    """Print settings and checks; 0 when everything is fit, 1 when something is not, 2 when settings are wrong."""
    try:
        with settings_for(data) as settings:
            _print_settings(settings)
            config.use(settings)
            results = asyncio.run(_check(settings))
    except SettingsError as error:
        out.print("[red]✗[/red] The environment does not make a configuration:")
        for line in str(error).splitlines():
            out.print(f"    {escape(line)}")
        return 2
    out.print()
    for name, (good, what) in results:
        out.print(f"{'[green]✓[/green]' if good else '[red]✗[/red]'} {name}: {escape(what)}")
    return 0 if all(good for _, (good, _) in results) else 1


def _print_settings(settings: Settings) -> None:
    docs = config.field_docs()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("setting", "value", "", "meaning"):
        table.add_column(title, overflow="fold", no_wrap=title == "setting")
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        secret = docs[field.name].startswith("secret:")
        source = "default" if not field.required and value == field.default else "set"
        table.add_row(
            f"{PREFIX}{field.name.upper()}",
            escape(shown(value, secret=secret)),
            f"[dim]{source}[/dim]" if source == "default" else source,
            f"[dim]{escape(docs[field.name].removeprefix('secret:').strip())}[/dim]",
        )
    out.print(table)


def shown(value: Any, *, secret: bool) -> str:
    """A setting's value as it may be printed: secrets are masked, also a password inside an address."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if not text:
        return "—"
    if secret:
        return "••••••••"
    if "://" in text:
        parts = urlsplit(text)
        if parts.password:
            host = parts.netloc.rpartition("@")[2]
            return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:••••••••@{host}"))
    return text


async def _check(settings: Settings) -> list[tuple[str, Result]]:
    checks: list[tuple[str, Callable[[Settings], Awaitable[Result]]]] = [
        ("Python", _python),
        ("Database", _database),
        ("Pooler", _pooler),
        ("Application role", _application_role),
        ("Migrations", _migrations),
        ("Clock", _clock),
        ("Redis", _redis),
        ("Master keys", _master_keys),
        ("WeChat", _wechat),
    ]
    results = []
    for name, check in checks:
        try:
            results.append((name, await check(settings)))
        except Exception as error:  # a check that cannot run is a finding, not a crash
            results.append((name, (False, f"{type(error).__name__}: {error}")))
    return results


async def _python(_: Settings) -> Result:
    version = ".".join(map(str, sys.version_info[:3]))
    return sys.version_info >= (3, 11), f"{version} ({sys.executable})"


async def _database(settings: Settings) -> Result:
    connection = await _connect(settings.database_url)
    try:
        number = int(await connection.fetchval("SHOW server_version_num"))
        encoding = await connection.fetchval("SHOW server_encoding")
        durable = await connection.fetchval("SHOW fsync") == "on"
        limit = int(await connection.fetchval("SHOW max_connections"))
    finally:
        await connection.close()
    needed = settings.db_pool_size + settings.orm_pool_size + settings.ledger_lanes
    what = f"PostgreSQL {number // 10000}.{number % 10000}, {encoding}, max_connections {limit}"
    what += f" ({needed} for each server process)"
    if not durable:
        what += "; fsync is OFF: acknowledged sales can be lost"
    return number >= _LEAST_POSTGRES and encoding == "UTF8" and durable and needed < limit, what


async def _pooler(settings: Settings) -> Result:
    """A pooler in transaction mode carries the servers; the worker and the migrations need a way past it."""
    found = await pooling.look(settings.database_url)
    for name in ("direct_database_url", "migrate_database_url"):
        url = getattr(settings, name)
        if url and await pooling.look(url) is Pooling.TRANSACTION:
            return False, f"{PREFIX}{name.upper()} leads through a pooler in transaction mode: name PostgreSQL itself"
    if found is not Pooling.TRANSACTION:
        return True, "none" if found is Pooling.NONE else "one that keeps sessions"
    if settings.statement_cache_size and not await pooling.carries_prepared_statements(settings.database_url):
        return False, (
            f"transaction mode without prepared statements: set {PREFIX}STATEMENT_CACHE_SIZE=0, "
            "or max_prepared_statements in a PgBouncer of 1.21 or later"
        )
    if not settings.direct_database_url:
        return True, f"transaction mode; without {PREFIX}DIRECT_DATABASE_URL the worker polls and is not woken"
    return True, "transaction mode; the worker goes past it"


async def _application_role(settings: Settings) -> Result:
    """The role that serves must read the ledger and call its door, but not write its tables, nor own them."""
    connection = await _connect(settings.database_url)
    try:
        role = await connection.fetchval("SELECT current_user")
        if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            return False, f"{role} is a superuser: nothing would stop it from rewriting history"
        rows = await connection.fetch(
            """SELECT c.relname, has_table_privilege(c.oid, 'SELECT') AS reads,
                      has_table_privilege(c.oid, 'INSERT') OR has_table_privilege(c.oid, 'UPDATE')
                      OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE')
                      OR pg_has_role(c.relowner, 'MEMBER') AS writes
                 FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                  AND c.relname LIKE 'ledger\\_%' AND c.relnamespace = 'public'::regnamespace"""
        )
        calls = await connection.fetchval(
            "SELECT bool_or(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc WHERE proname = 'ledger_post'"
        )
    finally:
        await connection.close()
    if not rows or calls is None:
        return False, "there is no ledger yet: run `huiyuan migrate`"
    writable = sorted(row["relname"] for row in rows if row["writes"])
    if writable:
        return (
            False,
            f"{role} can write {', '.join(writable)}: run `huiyuan migrate`, and let another role own the tables",
        )
    if not calls or not all(row["reads"] for row in rows):
        return False, f"{role} may not read the ledger or call ledger_post: run `huiyuan migrate`"
    return True, f"{role} reads the ledger, posts through ledger_post, writes none of its {len(rows)} tables"


async def _migrations(settings: Settings) -> Result:
    connection = await _connect(settings.database_url)
    try:
        lacking = await migrations.missing(connection.fetch)
    finally:
        await connection.close()
    if lacking:
        return False, f"{len(lacking)} not applied ({', '.join(lacking[:5])}…): run `huiyuan migrate`"
    return True, f"all {len(migrations.on_disk())} applied"


async def _clock(settings: Settings) -> Result:
    if settings.clock_file:
        return False, f"HUIYUAN_CLOCK_FILE moves it ({settings.clock_file}): for tests only, unset it"
    connection = await _connect(settings.database_url)
    try:
        before = clock.now()
        theirs = await connection.fetchval("SELECT clock_timestamp()")
        after = clock.now()
    finally:
        await connection.close()
    skew = (theirs - before - (after - before) / 2).total_seconds()
    what = f"{abs(skew):.3f} s {'behind' if skew > 0 else 'ahead of'} the database's"
    if abs(skew) > _MOST_CLOCK_SKEW_S:
        what += ": codes live 30 s and signatures 300 s, so set the time on both machines"
    clock.zone(settings.timezone)
    return abs(skew) <= _MOST_CLOCK_SKEW_S, what


async def _redis(settings: Settings) -> Result:
    if not settings.redis_url:
        return True, "not configured: works without, only slower, and live pushes stay within one process"
    import redis.asyncio

    client = redis.asyncio.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    try:
        info = await client.info("server")
    finally:
        await client.aclose()
    name = "Valkey" if "valkey_version" in info else "Redis"
    return True, f"{name} {info.get('valkey_version') or info.get('redis_version')}"


async def _master_keys(settings: Settings) -> Result:
    from backend.kernel.vault import Vault

    made = Vault(settings.master_keys)
    good = made.open(made.seal(b"probe", context="doctor"), context="doctor") == b"probe"
    return good, f"{settings.master_keys.count(',') + 1} key(s), {made.current_key_id!r} encrypts"


async def _wechat(settings: Settings) -> Result:
    wanted = (
        *("wechat_app_id", "wechat_app_secret", "wechat_push_token", "wechat_encoding_aes_key", "wechat_mch_id"),
        *("wechat_mch_serial", "wechat_mch_key_file", "wechat_api_v3_key", "wechat_platform_keys_dir"),
    )
    lacking = [f"{PREFIX}{name.upper()}" for name in wanted if not getattr(settings, name)]
    if lacking:
        return False, f"login and recharges need {', '.join(lacking)}"
    if len(settings.wechat_encoding_aes_key) != 43 or len(settings.wechat_api_v3_key.encode()) != 32:
        return False, "the EncodingAESKey has 43 characters and the APIv3 key 32: one of them does not"
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    load_pem_private_key(_read(settings.wechat_mch_key_file), password=None)
    keys = _pem_files(settings.wechat_platform_keys_dir)
    if not keys:
        return False, f"{settings.wechat_platform_keys_dir} holds no <serial>.pem: notifications cannot be verified"
    return True, f"merchant key readable, {len(keys)} platform key(s)" + (", simulated" if settings.demo else "")


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _pem_files(directory: str) -> list[str]:
    return sorted(path.stem for path in Path(directory).glob("*.pem"))


async def _connect(url: str) -> asyncpg.Connection:
    import asyncpg

    # Behind a pooler a prepared statement would stay on a connection that is somebody else's next.
    return await asyncpg.connect(**db.connect_args(url), timeout=5, statement_cache_size=0)
