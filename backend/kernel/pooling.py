"""What stands between us and PostgreSQL: nothing, a pooler that keeps sessions, or one that keeps transactions only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum

import asyncpg

from . import db
from .ids import new_token

TRIES = 5
TIMEOUT_S = 5


class Pooling(StrEnum):
    """How connections to an address relate to PostgreSQL's own."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


@asynccontextmanager
async def _two(url: str) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            # No prepared statement of ours may stay behind on a connection that is somebody else's next.
            connection = await asyncpg.connect(**db.connect_args(url), timeout=TIMEOUT_S, statement_cache_size=0)
            stack.push_async_callback(connection.close, timeout=TIMEOUT_S)
            made.append(connection)
        yield made[0], made[1]


async def _backend(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT pg_backend_pid()", timeout=TIMEOUT_S))


async def look(url: str) -> Pooling:
    """Find out with two connections; in a pooler that is very busy TRANSACTION may be taken for SESSION.

    PostgreSQL names its process at login; a pooler invents a number. In transaction mode a second connection is given
    the process that the first has just used.
    """
    async with _two(url) as (one, other):
        if await _backend(one) == one.get_server_pid():
            return Pooling.NONE
        for _ in range(TRIES):
            if await _backend(one) == await _backend(other):
                return Pooling.TRANSACTION
    return Pooling.SESSION


async def carries_prepared_statements(url: str) -> bool:
    """Whether a statement prepared on one server connection works on the next (PgBouncer 1.21 and later, if told so).

    False too where that cannot be tried, because the pooler has only one connection to give.
    """
    async with _two(url) as (one, other):
        try:
            for _ in range(TRIES):
                async with one.transaction():
                    home = await _backend(one)
                    statement = await one.prepare("SELECT 1", name=new_token(9), timeout=TIMEOUT_S)
                async with other.transaction():
                    if await _backend(other) == home:  # so that the first must be served by another one
                        return bool(await statement.fetchval(timeout=TIMEOUT_S) == 1)
        except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError, TimeoutError):
            return False
    return False
