"""`kill -9` while selling: what was acknowledged is there, what was not is settled by sending it again, once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from backend.app import resources
from backend.engines import datadir
from backend.engines.embedded import running_urls
from backend.kernel import db
from backend.kernel.config import Settings
from tests.support.logs import watch
from tests.support.members import Phone, make_code, register
from tests.support.pos import Till
from tests.support.seed import Chain, seed_chain
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give

MEMBERS = 8
DEVICES = 24
FUNDS = 1_000_000
PATIENCE_S = 60
"""Until a killed server is there again: seconds, on however busy a machine."""

pytestmark = pytest.mark.slow


def children(pid: int) -> list[int]:
    """The processes whose parent is ``pid``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z" and int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@dataclass
class Demo:
    """A running demo without data, with two server processes."""

    process: subprocess.Popen[bytes]
    settings: Settings
    base_url: str

    def pids(self, word: str) -> list[int]:
        """Its children whose command names ``word``."""
        return [pid for pid in children(self.process.pid) if word in command_of(pid)]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    data = Path(tempfile.mkdtemp(prefix="huiyuan-kill-", dir="/tmp"))
    command = [sys.executable, "-m", "backend.cli.main", "demo", "--empty", "--port", "0", "--workers", "2"]
    environ = os.environ | {"HUIYUAN_RATE_ANONYMOUS_PER_MINUTE": "100000", "HUIYUAN_LOG_LEVEL": "warning"}
    with (data.parent / f"{data.name}.log").open("wb") as log:
        process = subprocess.Popen([*command, "--data", str(data)], stdout=log, stderr=log, env=environ)
    try:
        deadline = time.monotonic() + 60
        while not (data / "demo.json").exists():
            assert process.poll() is None, Path(log.name).read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        base_url = json.loads((data / "demo.json").read_text())["base_url"]
        urls = running_urls(data)
        assert urls is not None
        yield Demo(process, datadir.demo_settings(data, urls, base_url), base_url)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        watch.printed_in(data)
        watch.printed(Path(log.name).read_text())
        shutil.rmtree(data, ignore_errors=True)
        Path(log.name).unlink()


@dataclass
class Shop:
    """Tills, members with many phones each, and what came of their sales."""

    tills: list[Till]
    phones: list[Phone]
    devices: list[tuple[Phone, dict[str, Any]]]
    sold: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    replayed: int = 0


@pytest_asyncio.fixture(loop_scope="session")
async def client(demo: Demo) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=demo.base_url, timeout=60, trust_env=False) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(demo: Demo) -> Chain:
    async with resources(demo.settings):
        return await seed_chain(demo.base_url)


@pytest.fixture(scope="module")
def tills(chain: Chain) -> list[Till]:
    """The tills of one store of the demo."""
    return chain.tills["S1"]


@pytest_asyncio.fixture(loop_scope="session")
async def shop(demo: Demo, client: httpx.AsyncClient, tills: list[Till]) -> Shop:
    """Members with value, and a device for every sale to come (each shows one code in 15 seconds)."""
    phones = list(await asyncio.gather(*(register(client) for _ in range(MEMBERS))))
    async with resources(demo.settings):
        await asyncio.gather(*(give(phone.member_id, principal=FUNDS) for phone in phones))
    devices = []
    for phone in phones:
        made = [phone.call("POST", "/v1/member/devices", {"name": f"{n}"}) for n in range(DEVICES)]
        devices += [(phone, answer.json()) for answer in await asyncio.gather(*made)]
    random.Random(7).shuffle(devices)
    return Shop(tills, phones, devices)


async def sell(client: httpx.AsyncClient, shop: Shop, number: int) -> None:
    """One sale as a till does it: without an answer the same is sent again, with the same key."""
    phone, device = shop.devices[number]
    till = shop.tills[number % len(shop.tills)]
    code = make_code(device["handle"], device["secret"], int(time.time()) // 15)
    lines = [{"sku": "X-1", "qty": 1 + number % 3, "unit_price_fen": 100 + number}]
    body = {"code": code, "order_no": f"K-{number}-{uuid.uuid4().hex[:8]}", "lines": lines}
    key = uuid.uuid4().hex
    answer, deadline = None, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            answer = await till.post(client, "/v1/pos/sales", body, key=key)
        except httpx.TransportError:
            shop.unanswered += 1
        if answer is not None and answer.status_code != 503:
            break
        await asyncio.sleep(0.03)
    assert answer is not None
    if answer.status_code == 201:
        shop.sold[body["order_no"]] = answer.json() | {"member_id": phone.member_id}
        shop.replayed += "idempotency-replayed" in answer.headers
    else:
        shop.refused[answer.json()["code"]] += 1


async def sell_all(client: httpx.AsyncClient, shop: Shop, numbers: range, *, clients: int = 10) -> None:
    """So many tills at once, each one sale after the other."""
    left = iter(numbers)

    async def till() -> None:
        for number in left:
            await sell(client, shop, number)

    await asyncio.gather(*(till() for _ in range(clients)))


async def check_books(client: httpx.AsyncClient, demo: Demo, shop: Shop) -> None:
    """Every acknowledged sale is there as it was acknowledged, no other is, and each member paid exactly theirs."""
    connection = await asyncpg.connect(**db.connect_args(demo.settings.database_url))
    try:
        rows = await connection.fetch(
            "SELECT id, member_id, state, body->>'order_no' AS order_no, (body->>'payable_fen')::bigint AS payable"
            " FROM ledger_document WHERE kind = 'sale' AND member_id = ANY($1)",
            [phone.member_id for phone in shop.phones],
        )
        balances = await connection.fetch("SELECT member_id, balance FROM ledger_account WHERE kind = 'stored'")
    finally:
        await connection.close()
    stored = {row["order_no"]: (row["id"], row["member_id"], row["state"], row["payable"]) for row in rows}
    assert len(stored) == len(rows)
    assert stored == {
        order_no: (sale["id"], sale["member_id"], "completed", sale["payable_fen"])
        for order_no, sale in shop.sold.items()
    }
    spent: Counter[int] = Counter()
    for sale in shop.sold.values():
        spent[sale["member_id"]] += sale["payable_fen"]
    held = {row["member_id"]: row["balance"] for row in balances}
    assert {phone.member_id: held[phone.member_id] for phone in shop.phones} == {
        phone.member_id: FUNDS - spent[phone.member_id] for phone in shop.phones
    }
    order_no, sale = next(iter(shop.sold.items()))
    shown = await shop.tills[0].get(client, f"/v1/pos/sales?order_no={order_no}")
    assert (shown.status_code, shown.json()["id"]) == (200, sale["id"])
    assert await findings(demo.settings) == []


async def test_a_server_process_killed_at_any_moment_loses_no_sale_and_doubles_none(demo, client, shop):
    dice = random.Random(20261123)
    killed = []

    async def kill_now_and_then() -> None:
        for nth in range(1, 5):
            # By what is sold, not by time: on a fast machine all would be over before.
            while len(shop.sold) < nth * len(shop.devices) // 6:
                await asyncio.sleep(dice.uniform(0.001, 0.01))
            victims = demo.pids(" serve ")
            if victims:
                killed.append(dice.choice(victims))
                os.kill(killed[-1], signal.SIGKILL)

    selling = sell_all(client, shop, range(len(shop.devices)))
    await asyncio.gather(selling, kill_now_and_then())

    assert len(killed) >= 2
    assert shop.unanswered > 0
    assert len(shop.sold) + sum(shop.refused.values()) == len(shop.devices)
    assert set(shop.refused) <= {"code_expired"}, shop.refused  # a restart may outlive a code, not a sale
    assert len(shop.sold) > len(shop.devices) // 2
    await check_books(client, demo, shop)


async def test_sales_go_on_while_redis_is_killed_again_and_again(demo, client, shop):
    await until_two_serve(demo)
    killed = []

    async def kill_redis() -> None:
        for _ in range(6):
            for pid in demo.pids("valkey"):
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.12)

    await asyncio.gather(sell_all(client, shop, range(len(shop.devices))), kill_redis())

    assert len(killed) >= 2
    assert (shop.unanswered, shop.refused) == (0, Counter())
    assert len(shop.sold) == len(shop.devices)
    await check_books(client, demo, shop)


DOCUMENTS = "/v1/admin/stock/documents"
PAPERS, PAPER_LINES = 10, 300


async def again(call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Asked until somebody answers."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            answer = await call()
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code != 503:
            return answer
        await asyncio.sleep(0.03)
    raise AssertionError("no server answers")


async def post_paper(admin: StaffSession, paper: dict[str, Any], replies: Counter[str]) -> None:
    """Submitted, approved, posted, each at the version that is read; what was done but not answered is ``stale``."""
    path = f"{DOCUMENTS}/{paper['id']}"
    for action, done in (("submit", "submitted"), ("approve", "approved"), ("post", "posted")):
        state = ""
        while state != done:
            now = (await again(lambda: admin.get(path))).json()
            if (state := now["state"]) == done:
                break
            body = {"action": action, "version": now["version"]}
            answer = await again(lambda body=body: admin.post(f"{path}/actions", body))
            replies[answer.json().get("code", "done")] += 1


async def test_documents_of_many_lines_that_were_being_posted_moved_once(demo, client, chain):
    await until_two_serve(demo)
    skus = [f"K-{n:03d}" for n in range(PAPER_LINES)]
    async with resources(demo.settings):
        await db.pool().execute(
            "INSERT INTO mall_article (sku, name, category_id, unit_price_fen, active)"
            " SELECT sku, sku, (SELECT min(code) FROM mall_category), 100, true FROM unnest($1::text[]) AS sku",
            skus,
        )
    admin = await log_in(client, chain, "admin")
    lines = [{"sku": sku, "qty": 2, "unit_fen": 7} for sku in skus]
    body = {"kind": "receipt", "place_id": "S1", "lines": lines}
    papers = [
        (await again(lambda key=f"paper-{n}": admin.post(DOCUMENTS, body, key=key))).json() for n in range(PAPERS)
    ]
    dice, killed, replies = random.Random(20261128), [], Counter[str]()

    posting = [asyncio.ensure_future(post_paper(admin, paper, replies)) for paper in papers]
    while not all(task.done() for task in posting):
        await asyncio.sleep(dice.uniform(0.03, 0.15))
        if len(killed) < 4 and (victims := demo.pids(" serve ")):
            killed.append(dice.choice(victims))
            os.kill(killed[-1], signal.SIGKILL)
    await asyncio.gather(*posting)

    assert len(killed) >= 2
    assert set(replies) <= {"done", "stale", "stock_document_conflict"}
    async with resources(demo.settings):
        levels = await db.fetch("SELECT sku, on_hand, value_fen, version FROM stock_level WHERE place_id = 'S1'")
    assert sorted(map(tuple, levels)) == [(sku, 2 * PAPERS, 14 * PAPERS, PAPERS) for sku in skus]
    assert await findings(demo.settings) == []


async def until_two_serve(demo: Demo) -> None:
    """The supervisor has put back what was killed."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if len(demo.pids(" serve ")) == 2:
            return
        await asyncio.sleep(0.025)
    raise AssertionError("a server process was not started again")
