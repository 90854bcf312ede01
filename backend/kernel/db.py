"""PostgreSQL: Tortoise for the tables it owns, a pool of plain asyncpg connections for the hot reads, one transaction.

The transaction belongs to a command. It never spans a network call, and one inside another is a mistake that raises.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from tortoise import Tortoise
from tortoise import models as tortoise_models
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connections
from tortoise.exceptions import DBConnectionError
from tortoise.transactions import in_transaction

from . import metrics, trail
from .config import Settings

# Tortoise reads the source of every model for comments that begin with `#:`, a tenth of a start; ours have none.
tortoise_models._get_comments = lambda cls: {}

Tx: TypeAlias = BaseDBAsyncClient
"""An open transaction: pass it to ORM calls as ``using_db=tx``, to SQL through ``fetch_in``."""

Record: TypeAlias = asyncpg.Record

# Every app with tables: label -> (models module or None, migrations package). Order is dependency order.
APPS: dict[str, str] = {
    "ledger": "backend.ledger",
    "jobs": "backend.kernel.jobs",
    "auth": "backend.auth",
    "approvals": "backend.approvals",
    "members": "backend.members",
    "merging": "backend.merging",
    "audience": "backend.audience",
    "feeds": "backend.feeds",
    "membercards": "backend.membercards",
    "privacy": "backend.privacy",
    "registration": "backend.registration",
    "messages": "backend.messages",
    "lifecycle": "backend.lifecycle",
    "groups": "backend.groups",
    "wallet": "backend.wallet",
    "coupons": "backend.coupons",
    "giftcards": "backend.giftcards",
    "passes": "backend.passes",
    "points": "backend.points",
    "rebates": "backend.rebates",
    "stamps": "backend.stamps",
    "mall": "backend.mall",
    "stock": "backend.stock",
    "overrides": "backend.overrides",
    "discounts": "backend.discounts",
    "identities": "backend.identities",
    "orders": "backend.orders",
    "gifts": "backend.gifts",
    "reconciliation": "backend.reconciliation",
    "shifts": "backend.shifts",
    "surveys": "backend.surveys",
    "notices": "backend.notices",
    "suggestions": "backend.suggestions",
    "cases": "backend.cases",
    "conversations": "backend.conversations",
    "care": "backend.care",
    "contact": "backend.contact",
}
WITHOUT_MODELS = frozenset(
    {
        "ledger",
        "jobs",
        "overrides",
        "discounts",
        "identities",
        "merging",
        "audience",
        "feeds",
        "registration",
        "membercards",
        "messages",
        "privacy",
        "orders",
        "gifts",
        "conversations",
        "contact",
        "reconciliation",
        "shifts",
        "lifecycle",
        "groups",
        "rebates",
    }
)

UNREACHABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was ended between two messages
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,  # no connection, memory or room on the disk
    asyncpg.PostgresSystemError,  # its files cannot be read or written
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    DBConnectionError,
)
"""What is raised when the database is down, restarting, full or too slow, or had to end one of two that were in each
other's way: try again, nothing is wrong."""

WAIT_S = 5.0
"""What a request waits for a free connection of a pool, before it is told to come back."""

READ_S = 10.0
"""What a read may take, waiting for locks included; it holds one of the pool's connections all the while."""

MOST_AT_HAND = 4
"""Connections for reads that are not given back to the pool between two of them: giving one back and taking it again
costs more than most reads do."""

_pool: asyncpg.Pool | None = None
_at_hand: list[asyncpg.pool.PoolConnectionProxy] = []
_waiting = 0
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
        "connection_class": PlainConnection,
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
        server_settings={"application_name": "huiyuan-read"},
    )


async def close_pools() -> None:
    """Give every connection back and close it."""
    global _pool
    if _pool is not None:
        closing, _pool = _pool, None  # what is being read goes back to it
        while _at_hand:
            await closing.release(_at_hand.pop())
        await closing.close()
    await Tortoise.close_connections()


@metrics.probe
def _measure() -> None:
    if _pool is not None:
        metrics.POOL_IN_USE.labels("read").set(_pool.get_size() - _pool.get_idle_size() - len(_at_hand))


def given(number: int, kind: str) -> str:
    """The array ``$number`` for a statement that is planned once, whatever the array's length.

    PostgreSQL plans a prepared statement anew at each call where a plan for these very arguments looks cheaper, and one
    for a short array does: for any array it counts with ten. Such planning takes several times as long as a read by
    keys. A sub-select hides the length until the plan runs.
    """
    return f"(SELECT ${number}::{kind}[])::{kind}[]"


def pool() -> asyncpg.Pool:
    """The pool for reads outside a transaction."""
    if _pool is None:
        raise RuntimeError("the database pool is not open")
    return _pool


async def fetch(sql: str, *args: Any) -> list[Record]:
    """All rows of a read."""
    return list(await _read("fetch", sql, args))


async def fetchrow(sql: str, *args: Any) -> Record | None:
    """The first row of a read, or None."""
    row: Record | None = await _read("fetchrow", sql, args)
    return row


async def fetchval(sql: str, *args: Any) -> Any:
    """The first column of the first row of a read, or None."""
    return await _read("fetchval", sql, args)


async def _read(method: str, sql: str, args: tuple[Any, ...]) -> Any:
    """One statement on a connection of the pool for reads; ``TimeoutError`` where none becomes free in time."""
    readers = pool()
    connection = await _take(readers)
    try:
        answer = await getattr(connection, method)(sql, *args, timeout=READ_S)
    except BaseException:
        await readers.release(connection)  # the pool sees to what is broken, or is being cancelled
        raise
    if _may_keep(readers):
        _at_hand.append(connection)
    else:
        await readers.release(connection)
    return answer


def _may_keep(readers: asyncpg.Pool) -> bool:
    """Whether nobody waits for the connection, this pool stays open, and enough of it is left for others."""
    room = min(MOST_AT_HAND, readers.get_max_size() // 2) - len(_at_hand)
    return room > 0 and not _waiting and readers is _pool


async def _take(readers: asyncpg.Pool) -> asyncpg.pool.PoolConnectionProxy:
    global _waiting
    while _at_hand:
        connection = _at_hand.pop()
        with suppress(asyncpg.InterfaceError):  # one that ended has gone back to the pool by itself
            if not connection.is_closed():
                return connection
    _waiting += 1
    try:
        async with asyncio.timeout(WAIT_S):
            return await readers.acquire()
    finally:
        _waiting -= 1


@asynccontextmanager
async def transaction() -> AsyncIterator[Tx]:
    """One database transaction: commits at the end, rolls back on any exception. Nested in itself it raises.

    Whoever keeps a log of the call writes it down before the commit (``kernel.trail``).
    """
    if _in_transaction.get():
        raise RuntimeError("a transaction is already open: commands never call commands")
    context = in_transaction("default")
    token = _in_transaction.set(True)
    try:
        tx = await _begin(context)
        try:
            yield tx
            kept = await trail.before_commit(tx)
        except BaseException as error:
            await context.__aexit__(type(error), error, error.__traceback__)
            raise
        await context.__aexit__(None, None, None)
        if kept is not None:
            kept()
    finally:
        _in_transaction.reset(token)
        _disown(context)


async def _begin(context: Any) -> Tx:
    """Enter Tortoise's transaction; ``TimeoutError`` where no connection becomes free in time.

    Tortoise forgets the connection it has taken when the transaction does not begin on it, and the pool would miss it.
    It also leaves that connection as this task's own: every later transaction of the task would be inside a dead one.
    """
    try:
        async with asyncio.timeout(WAIT_S):
            tx: Tx = await context.__aenter__()
            return tx
    except BaseException:
        _disown(context)
        taken = context.client._connection
        if isinstance(taken, PoolConnectionProxy):
            await context.client._parent._pool.release(taken)
        raise


def _disown(context: Any) -> None:
    """Let the connection be this task's own no longer; Tortoise leaves it so where giving it back raises."""
    token = getattr(context, "token", None)
    if token is not None and not token._used:
        get_connections().reset(token)


def raw(tx: Tx) -> asyncpg.Connection:
    """The asyncpg connection of an open transaction, for SQL the ORM cannot say."""
    connection: asyncpg.Connection = tx._connection
    return connection


async def fetch_in(tx: Tx, sql: str, *args: Any) -> list[Record]:
    """All rows of a statement on an open transaction."""
    return list(await raw(tx).fetch(sql, *args))
