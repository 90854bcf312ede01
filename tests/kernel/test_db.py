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
    hindered: Exception | None = None
    try:
        await write("e")  # here, not in a task of its own: it is this task that must go on
    except Exception as error:
        hindered = error

    assert hindered is None
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


PID = "SELECT pg_backend_pid()"


@pytest.fixture
async def at_hand(database):
    """The connection that the last read left at hand."""
    await db.fetchval(PID)
    return db._at_hand[-1]


async def test_a_connection_for_reads_stays_at_hand(at_hand):
    pid = at_hand.get_server_pid()

    assert [await db.fetchval(PID) for _ in range(3)] == [pid] * 3


async def test_many_reads_at_once_leave_few_connections_at_hand(at_hand):
    pids = await asyncio.gather(*(db.fetchval(PID) for _ in range(50)))

    assert 1 < len(set(pids)) <= db.pool().get_max_size()
    assert len(db._at_hand) <= min(db.MOST_AT_HAND, db.pool().get_max_size() // 2)


async def test_a_connection_that_ended_meanwhile_is_not_used(at_hand):
    pid = at_hand.get_server_pid()
    at_hand.terminate()

    assert await db.fetchval(PID) != pid


async def test_a_connection_that_failed_goes_back_to_the_pool(at_hand):
    with pytest.raises(asyncpg.DivisionByZeroError):
        await db.fetchval("SELECT 1 / 0")

    assert at_hand not in db._at_hand
    assert await db.fetchval(PID) > 0


async def test_a_connection_whose_read_is_cancelled_goes_back_to_the_pool(at_hand):
    reading = asyncio.create_task(db.fetchval("SELECT pg_sleep(30)"))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert at_hand not in db._at_hand
    assert await db.fetchval(PID) > 0


async def test_what_is_read_while_the_pool_is_being_closed_goes_back_to_it(at_hand, monkeypatch):
    readers = db.pool()
    reading = asyncio.create_task(db.fetchval(PID))
    await asyncio.sleep(0)
    monkeypatch.setattr(db, "_pool", None)  # as closing begins
    await reading

    assert at_hand not in db._at_hand
    assert readers.get_idle_size() > 0


PLANS = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1"


async def test_a_read_by_a_list_of_keys_is_planned_once(database):
    """PostgreSQL tries five plans for the very arguments, then judges whether one for any list is as good."""
    sql = f"SELECT id FROM member WHERE id = ANY({db.given(1, 'bigint')})"
    connection = await asyncpg.connect(**db.connect_args(database.database_url))

    for _ in range(8):
        await connection.fetch(sql, [-1])
    plans = await connection.fetchrow(PLANS, sql)
    await connection.close()

    assert tuple(plans) == (3, 5)
