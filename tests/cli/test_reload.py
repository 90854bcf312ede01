"""What is done to a system while it serves: a reload by SIGHUP, a migration. No request fails, and none is cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from backend.cli import maintenance
from backend.cli.migrate import migrate
from backend.engines import datadir
from backend.engines.errors import EngineError
from backend.kernel import config, db
from backend.kernel.config import Settings
from tests.support.members import Phone, make_code, register
from tests.support.pos import Till
from tests.support.seed import seed_chain
from tests.support.value import findings, give

SERVE = [sys.executable, "-m", "backend.cli.main", "serve", "--workers", "2"]
DEVICES = 40

_NOTES = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'note' AND table_name = 'ledger_head'"


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """Nobody is limited: one address stands for a whole chain here."""
    made = msgspec.structs.replace(
        settings, rate_anonymous_per_minute=100_000, rate_member_per_minute=100_000, log_level="warning", drain_s=1
    )
    config.use(made)
    return made


@dataclass
class Serving:
    """A running ``huiyuan serve --workers 2``."""

    process: subprocess.Popen[str]
    url: str

    def workers(self) -> set[int]:
        """The processes that the supervisor has now, starting and retiring ones too."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in found.split()}

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def said(self) -> str:
        """The next line it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def serving(settings: Settings) -> Iterator[Serving]:
    port = settings.base_url.rpartition(":")[2]
    process = subprocess.Popen(
        [*SERVE, "--port", port], env=datadir.environment(settings), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    made = Serving(process, process.stdout.readline().split()[-1])
    try:
        until_ready(made)
        yield made
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def until_ready(serving: Serving) -> None:
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{serving.url}/readyz", timeout=60, trust_env=False).status_code == 200:
                return
        assert serving.process.poll() is None
        assert time.monotonic() < deadline


@dataclass
class Load:
    """What clients do until they are told to stop, and how it went."""

    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    last_answers: int = 0
    closed: list[int] = field(default_factory=list)

    def count(self, answer: httpx.Response) -> None:
        self.answers[answer.status_code] += 1
        self.last_answers += answer.headers.get("connection") == "close"
        if answer.status_code >= 400:
            self.failures.append(answer.text)

    @asynccontextmanager
    async def running(self, url: str, phone: Phone, till: Till, devices: list[dict[str, str]]) -> AsyncIterator[None]:
        """Quick readers and slow ones, two tills, and a phone that listens, for as long as the block lasts."""
        left = iter(devices)
        tasks = [
            *(asyncio.create_task(self.read(url, phone, pause_s=0.02)) for _ in range(4)),
            *(asyncio.create_task(self.read(url, phone, pause_s=0.4)) for _ in range(2)),
            *(asyncio.create_task(self.sell(url, till, left)) for _ in range(2)),
            asyncio.create_task(self.listen(url, phone)),
        ]
        await self.goes_on()
        yield
        self.stopping.set()
        await asyncio.gather(*tasks)

    async def goes_on(self) -> None:
        """Wait for some more answers."""
        enough = self.answers[200] + 50
        async with asyncio.timeout(60):
            while self.answers[200] < enough:
                await asyncio.sleep(0.02)

    async def read(self, url: str, phone: Phone, *, pause_s: float) -> None:
        """One connection, kept alive, that asks for the wallet again and again; nothing is tried twice."""
        headers = {"Authorization": f"Bearer {phone.access_token}"}
        async with one_connection(url) as client:
            while not self.stopping.is_set():
                await self.attempt(client.get("/v1/member/wallet", headers=headers))
                await asyncio.sleep(pause_s)

    async def sell(self, url: str, till: Till, devices: Iterator[dict[str, str]]) -> None:
        """A till that settles one sale after the other, each once."""
        async with one_connection(url) as client:
            for device in devices:
                code = make_code(device["handle"], device["secret"], int(time.time()) // 15)
                await self.attempt(till.sell(client, code, fen=100))
                await asyncio.sleep(0.6)
                if self.stopping.is_set():
                    return

    async def attempt(self, asking: Awaitable[httpx.Response]) -> None:
        try:
            self.count(await asking)
        except httpx.TransportError as error:
            self.failures.append(repr(error))

    async def listen(self, url: str, phone: Phone) -> None:
        """A phone's live channel, opened again whenever it was closed."""
        protocols = [Subprotocol("huiyuan.v1"), Subprotocol(f"bearer.{phone.access_token}")]
        while not self.stopping.is_set():
            async with connect(
                f"{url.replace('http', 'ws')}/v1/member/live", subprotocols=protocols, proxy=None
            ) as channel:
                heard = asyncio.create_task(hear(channel))
                stopped = asyncio.create_task(self.stopping.wait())
                await asyncio.wait({heard, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if heard.done():
                    self.closed.append(channel.close_code or 0)
                stopped.cancel()


async def hear(channel: ClientConnection) -> None:
    """Read until it is closed."""
    async for _ in channel:
        pass


def one_connection(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=60)
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(database: Settings, serving: Serving) -> tuple[Phone, list[dict[str, str]], Till]:
    """A member with value and a device for every sale, and a till."""
    chain = await seed_chain(serving.url)
    async with httpx.AsyncClient(base_url=serving.url, timeout=60, trust_env=False) as client:
        phone = await register(client)
        await give(phone.member_id, principal=1_000_000)
        made = [phone.call("POST", "/v1/member/devices", {"name": f"{n}"}) for n in range(DEVICES)]
        devices = [answer.json() for answer in await asyncio.gather(*made)]
    return phone, devices, chain.till


async def reloaded(serving: Serving) -> None:
    """Ask for a reload and wait until no process of before is left."""
    before = serving.workers()
    serving.reload()
    async with asyncio.timeout(60):
        while (now := serving.workers()) & before or len(now) != 2:
            await asyncio.sleep(0.05)


async def test_two_reloads_under_load_fail_no_request(serving, shop, settings):
    phone, devices, till = shop
    load = Load()
    before = serving.workers()

    async with load.running(serving.url, phone, till, devices[:20]):
        for _ in range(2):
            await reloaded(serving)
        await load.goes_on()

    assert load.failures == []
    assert set(load.answers) == {200, 201}
    assert load.answers[200] > 200
    assert load.last_answers >= 4  # connections moved because they were told to
    assert load.closed
    assert set(load.closed) == {1012}
    assert not serving.workers() & before
    sales = await db.fetchval("SELECT count(*) FROM ledger_document WHERE kind = 'sale' AND state = 'completed'")
    assert sales == load.answers[201] > 0
    assert await findings(settings) == []
    assert [serving.said().split(": ")[1] for _ in range(4)] == [
        f"server {number} replaced ({number} of 2)" for number in (1, 2, 1, 2)
    ]


async def test_a_migration_waits_for_no_one_long_and_fails_no_request(serving, shop, settings, monkeypatch):
    phone, devices, till = shop
    monkeypatch.setitem(db.APPS, "live", "tests.cli.live")
    monkeypatch.setattr(db, "WITHOUT_MODELS", {*db.WITHOUT_MODELS, "live"})
    load = Load()
    async with load.running(serving.url, phone, till, devices[20:]):
        # Somebody's report holds the table: the migration gives up, and what queued behind it goes on.
        reader = await asyncpg.connect(**db.connect_args(settings.database_url))
        async with reader.transaction():
            await reader.fetch("SELECT 1 FROM ledger_account LIMIT 1")
            with pytest.raises(EngineError, match="held a table for too long"):
                await asyncio.to_thread(maintenance.migrate, None, None)
        await reader.close()
        assert await db.fetchval(_NOTES) == 0

        done = await migrate(settings)
        await load.goes_on()

    assert "apply live.0001_notes" in done
    assert await db.fetchval(_NOTES) == 1
    assert load.failures == []
    assert set(load.answers) == {200, 201}
    assert await findings(settings) == []


async def test_a_release_without_its_migrations_does_not_take_over(serving, settings, engines):
    database = urlsplit(settings.database_url).path.strip("/")
    before = serving.workers()
    forget = "DELETE FROM tortoise_migrations WHERE name = '0002_used_elsewhere' RETURNING 1"
    assert engines.postgres.sql(forget, database) == "1"

    serving.reload()

    said = await asyncio.to_thread(serving.said)
    assert said == (
        "huiyuan: reload given up: the new server 1 ended while starting (exit 2); the processes that run go on"
    )
    assert serving.workers() == before
    assert httpx.get(f"{serving.url}/healthz", trust_env=False).status_code == 200
    for pid in before:
        os.kill(pid, 0)
