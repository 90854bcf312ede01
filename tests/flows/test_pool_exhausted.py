"""No connection is free: who asks hears 503 and when to come back; it heals by itself, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
import pytest_asyncio

from backend.kernel import config, db
from backend.kernel.config import Settings
from tests.support import wire
from tests.support.books import connected
from tests.support.members import Phone
from tests.support.value import findings, give

READERS, WRITERS = 3, 2


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """The module's settings, with small pools."""
    made = msgspec.structs.replace(
        settings, db_pool_size=READERS, orm_pool_size=WRITERS, rate_anonymous_per_minute=100_000, log_level="warning"
    )
    config.use(made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def client(server) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a connection for each of many requests at once."""
    async with wire.connected(server.base_url, timeout=60, connections=64) as made:
        yield made


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "WAIT_S", 0.2)


@asynccontextmanager
async def locked(settings: Settings, table: str) -> AsyncIterator[None]:
    """Somebody holds a table, as a migration or a report may: every connection that comes to it waits."""
    async with connected(settings, "huiyuan_owner") as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        try:
            yield
        finally:
            await transaction.rollback()


Asked = asyncio.Task[httpx.Response]


async def all_but(count: int, asked: list[Asked]) -> tuple[set[Asked], set[Asked]]:
    """Wait until so many are left without an answer; the answered, and those."""
    waiting = set(asked)
    async with asyncio.timeout(60):
        while len(waiting) > count:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    return set(asked) - waiting, waiting


def unavailable(answer: httpx.Response) -> bool:
    if answer.status_code != 503:
        return False
    assert answer.json()["code"] in ("unavailable", "outcome_unknown")
    assert int(answer.headers["retry-after"]) >= 1
    return True


async def test_reads_without_a_connection_are_503_until_one_is_free(client, phone):
    taken = [await db._take(db.pool()) for _ in range(READERS)]
    try:
        refused = await asyncio.gather(*(phone.call("GET", "/v1/member/wallet") for _ in range(20)))
        assert (await client.get("/healthz")).status_code == 200
    finally:
        for connection in taken:
            await db.pool().release(connection)
    answered = await phone.call("GET", "/v1/member/wallet")

    assert all(unavailable(answer) for answer in refused)
    assert answered.status_code == 200


async def test_reads_that_wait_for_a_lock_are_503_and_leave_their_connections(phone, settings, monkeypatch):
    monkeypatch.setattr(db, "READ_S", 0.3)
    async with locked(settings, "auth_session"):
        refused = await asyncio.gather(*(phone.call("GET", "/v1/member/wallet") for _ in range(20)))
    monkeypatch.undo()
    answers = await asyncio.gather(*(phone.call("GET", "/v1/member/wallet") for _ in range(20)))

    assert all(unavailable(answer) for answer in refused)
    assert Counter(answer.status_code for answer in answers) == {200: 20}


async def test_transactions_without_a_connection_are_503_and_nothing_of_them_is_done(client, phone: Phone, settings):
    async with locked(settings, "auth_device"):
        asked = [
            asyncio.create_task(phone.call("POST", "/v1/member/devices", {"name": f"{number}"})) for number in range(12)
        ]
        done, waiting = await all_but(WRITERS, asked)

    answers = await asyncio.gather(*waiting)

    assert len(done) == 12 - WRITERS
    assert all(unavailable(task.result()) for task in done)
    assert [answer.status_code for answer in answers] == [201] * WRITERS
    devices = (await phone.call("GET", "/v1/member/devices")).json()["items"]
    assert len(devices) == WRITERS + 1  # and the one of before


async def test_sales_that_find_the_books_held_are_503_and_happen_once_afterwards(
    client, chain, phone, settings, monkeypatch
):
    monkeypatch.setattr(db, "READ_S", 0.3)
    await give(phone.member_id, principal=10_000)
    code = phone.code()
    async with locked(settings, "ledger_account"):
        held = await chain.till.sell(client, code, fen=700, key="held", order_no="H-1")

    again = await chain.till.sell(client, code, fen=700, key="held", order_no="H-1")
    once_more = await chain.till.sell(client, code, fen=700, key="held", order_no="H-1")

    assert unavailable(held), held.text
    assert (again.status_code, once_more.json()) == (201, again.json())
    assert (await phone.wallet())["stored"]["total_fen"] == 9_300
    assert await findings(settings) == []


async def test_connections_that_die_again_and_again_are_not_missing_afterwards(client, settings, engines, monkeypatch):
    monkeypatch.setattr(db, "WAIT_S", 10)
    name = db.connect_args(settings.database_url)["database"]
    for _ in range(WRITERS + READERS + 1):
        engines.postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        answers = await asyncio.gather(*(client.post("/v1/member/login", json={"js_code": "demo-x"}) for _ in range(6)))
        assert all(answer.status_code == 200 or unavailable(answer) for answer in answers)

    async with asyncio.timeout(60):  # a dead connection is found out by its first use
        while True:
            logins = (client.post("/v1/member/login", json={"js_code": "demo-x"}) for _ in range(20))
            answers = await asyncio.gather(*logins)
            if Counter(answer.status_code for answer in answers) == {200: 20}:
                break
