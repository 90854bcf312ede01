"""Transactions: one at a time, and whole or not at all."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from backend.kernel import db


async def write_two(names: tuple[str, str], *, inner: bool) -> None:
    """Write two rows, the second one in a transaction inside the first one's, or in the same."""
    sql = "INSERT INTO auth_login_failure (subject, failures, last_at) VALUES ($1, 1, '2026-01-01')"
    async with db.transaction() as tx:
        await db.raw(tx).execute(sql, names[0])
        if inner:
            async with db.transaction() as other:
                await db.raw(other).execute(sql, names[1])
        else:
            await db.raw(tx).execute(sql, names[1])
            raise KeyError(names[1])


async def written(*names: str) -> int:
    return await db.fetchval("SELECT count(*) FROM auth_login_failure WHERE subject = ANY($1)", list(names))


async def test_a_transaction_inside_a_transaction_is_refused(database):
    """It would commit half of what the outer one may still roll back."""
    with pytest.raises(RuntimeError, match="already open"):
        await write_two(("a", "b"), inner=True)

    assert await written("a", "b") == 0


async def test_what_raises_takes_everything_back(database):
    with pytest.raises(KeyError):
        await write_two(("c", "d"), inner=False)

    assert await written("c", "d") == 0


async def write(subject: str) -> None:
    async with db.transaction() as tx:
        sql = "INSERT INTO auth_login_failure (subject, failures, last_at) VALUES ($1, 1, '2026-01-01')"
        await db.raw(tx).execute(sql, subject)


async def test_a_transaction_that_could_not_begin_is_not_in_the_way_of_the_next(database, engines):
    """The relay begins all of its transactions in one task: one lost connection must not end it."""
    name = db.connect_args(database.database_url)["database"]
    await write("d")  # so that there is a connection to lose
    engines.postgres.sql(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")

    with pytest.raises(db.UNREACHABLE):
        await write("e")
    await write("e")

    assert await written("e") == 1


async def test_a_transaction_whose_connection_was_not_given_back_is_not_in_the_way_of_the_next(database, monkeypatch):
    release = asyncpg.Pool.release

    async def release_and_raise(pool, connection, **options) -> None:
        await release(pool, connection, **options)
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Pool, "release", release_and_raise)
        with pytest.raises(asyncio.CancelledError):
            await write("f")
    await write("g")

    assert await written("f", "g") == 2
