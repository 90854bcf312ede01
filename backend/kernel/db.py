"""PostgreSQL: Tortoise for the tables it owns, a pool of plain asyncpg connections for the hot reads, one transaction.

The transaction belongs to a command. It never spans a network call, and one inside another is a mistake that raises.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import DBConnectionError
from tortoise.transactions import in_transaction

from . import metrics
from .config import Settings

Tx: TypeAlias = BaseDBAsyncClient
"""An open transaction: pass it to ORM calls as ``using_db=tx``, to SQL through ``fetch_in``."""

Record: TypeAlias = asyncpg.Record

# Every app with tables: label -> (models module or None, migrations package). Order is dependency order.
APPS: dict[str, str] = {
    "ledger": "backend.ledger",
    "jobs": "backend.kernel.jobs",
    "auth": "backend.auth",
    "members": "backend.members",
    "wallet": "backend.wallet",
    "mall": "backend.mall",
}
WITHOUT_MODELS = frozenset({"ledger", "jobs"})

UNREACHABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was ended between two messages
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    DBConnectionError,
)
"""What is raised when the database is down, restarting, full or too slow: try again, nothing is wrong."""

_pool: asyncpg.Pool | None = None
_in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)


class PlainConnection(asyncpg.Connection):
    """A connection without the pool's reset query: that costs half a hot request, and we leave no session state."""

    def get_reset_query(self) -> str:
        """Nothing to reset."""
        return ""


def connect_args(url: str) -> dict[str, Any]:
    """asyncpg's arguments from a ``postgresql://user:pass@host:port/name?host=/socket/dir&sslmode=require`` address."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    args: dict[str, Any] = {
        "host": query["host"][0] if "host" in query else parts.hostname,
        "port": parts.port or 5432,
        "user": unquote(parts.username or "") or None,
        "password": unquote(parts.password or "") or None,
        "database": parts.path.lstrip("/") or None,
    }
    return args | {"ssl": query["sslmode"][0]} if "sslmode" in query else args


def direct_url(settings: Settings) -> str:
    """The database past a pooler in transaction mode, which drops what belongs to a session (LISTEN above all)."""
    return settings.direct_database_url or settings.database_url


def tortoise_config(url: str, settings: Settings) -> dict[str, Any]:
    """Tortoise's configuration for one database address; also what ``huiyuan migrate`` runs on."""
    credentials = connect_args(url) | {
        "minsize": 1,
        "maxsize": settings.orm_pool_size,
        "statement_cache_size": settings.statement_cache_size,
        "command_timeout": 30,
    }
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}},
        "apps": {
            label: {
                "models": [f"{package}.models"],
                "migrations": f"{package}.migrations",
                "default_connection": "default",
            }
            for label, package in APPS.items()
            if label not in WITHOUT_MODELS
        },
        "use_tz": True,
        "timezone": "UTC",
    }


async def open_pools(settings: Settings) -> None:
    """Connect; raises what asyncpg raises when the database is not there."""
    global _pool
    await Tortoise.init(config=tortoise_config(settings.database_url, settings), _enable_global_fallback=True)
    _pool = await asyncpg.create_pool(
        **connect_args(settings.database_url),
        min_size=1,
        max_size=settings.db_pool_size,
        connection_class=PlainConnection,
        statement_cache_size=settings.statement_cache_size,
        command_timeout=30,
        server_settings={"application_name": "huiyuan-read"},
    )


async def close_pools() -> None:
    """Give every connection back and close it."""
    global _pool
    if _pool is not None:
        await _pool.close()
        _pool = None
    await Tortoise.close_connections()


@metrics.probe
def _measure() -> None:
    if _pool is not None:
        metrics.POOL_IN_USE.labels("read").set(_pool.get_size() - _pool.get_idle_size())


def pool() -> asyncpg.Pool:
    """The pool for reads outside a transaction."""
    if _pool is None:
        raise RuntimeError("the database pool is not open")
    return _pool


async def fetch(sql: str, *args: Any) -> list[Record]:
    """All rows of a read."""
    return list(await pool().fetch(sql, *args))


async def fetchrow(sql: str, *args: Any) -> Record | None:
    """The first row of a read, or None."""
    return await pool().fetchrow(sql, *args)


async def fetchval(sql: str, *args: Any) -> Any:
    """The first column of the first row of a read, or None."""
    return await pool().fetchval(sql, *args)


@asynccontextmanager
async def transaction() -> AsyncIterator[Tx]:
    """One database transaction: commits at the end, rolls back on any exception. Nested in itself it raises."""
    if _in_transaction.get():
        raise RuntimeError("a transaction is already open: commands never call commands")
    token = _in_transaction.set(True)
    try:
        async with in_transaction("default") as tx:
            yield tx
    finally:
        _in_transaction.reset(token)


def raw(tx: Tx) -> asyncpg.Connection:
    """The asyncpg connection of an open transaction, for SQL the ORM cannot say."""
    connection: asyncpg.Connection = tx._connection
    return connection


async def fetch_in(tx: Tx, sql: str, *args: Any) -> list[Record]:
    """All rows of a statement on an open transaction."""
    return list(await raw(tx).fetch(sql, *args))
