"""No room on the database's disk: who asks hears 503 and when to come back; with room again all goes on, once each.

The database of these tests lives on a small file system of its own, which takes the right to mount one (root).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from backend.cli.migrate import migrate
from backend.engines import datadir
from backend.engines.embedded import Engines
from backend.engines.errors import EngineError
from tests.conftest import TEMPLATE
from tests.support.members import Phone, register
from tests.support.seed import Chain
from tests.support.value import findings, give

SIZE = "400m"


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    """Engines whose data directory is a file system of 400 MB in memory."""
    data = Path(tempfile.mkdtemp(prefix="huiyuan-disk-", dir="/tmp"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(data)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        data.rmdir()
        pytest.skip(
            f"a full disk takes a file system of its own, and mounting one is refused: {mounted.stderr.strip()}"
        )
    data.chmod(0o755)
    running = Engines(data)
    try:
        running.start()
        assert running.postgres is not None
        running.postgres.sql(f"CREATE DATABASE {TEMPLATE} OWNER huiyuan_owner")
        settings = datadir.demo_settings(data, running.urls(TEMPLATE), "http://127.0.0.1:1")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, migrate(settings)).result()
        yield running
    finally:
        running.stop()
        subprocess.run(["umount", "-l", str(data)], check=False)
        shutil.rmtree(data, ignore_errors=True)


@contextmanager
def full(data: Path) -> Iterator[None]:
    """Not a byte is free on that disk."""
    filler = data / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        size = 0
        with suppress(OSError):
            while free := os.statvfs(data).f_bavail * os.statvfs(data).f_frsize:
                os.posix_fallocate(descriptor, size, free)
                size += free
        yield
    finally:
        os.close(descriptor)
        filler.unlink()


async def new_member(client: httpx.AsyncClient) -> Phone:
    """A member with 10,000 fen, whose phone shows one code for the whole test."""
    phone = await register(client)
    await give(phone.member_id, principal=10_000)
    return phone


async def sell(client: httpx.AsyncClient, chain: Chain, phone: Phone) -> httpx.Response:
    """The member's one sale, with the same key and order number each time."""
    name = f"disk-{phone.member_id}"
    code = phone.device.setdefault("code", phone.code())
    return await chain.till.sell(client, code, key=name, order_no=name)


async def until_sold(client: httpx.AsyncClient, chain: Chain, phone: Phone, engines: Engines) -> httpx.Response:
    """The same again as a till does it; an engine that has ended is started as a service manager would."""
    async with asyncio.timeout(60):
        while True:
            engines.revive()
            answer = await sell(client, chain, phone)
            if answer.json().get("code") == "code_expired":
                del phone.device["code"]
            elif answer.status_code != 503:
                return answer
            await asyncio.sleep(0.05)


async def test_with_a_full_disk_answers_are_503_and_every_sale_happens_once_when_there_is_room(
    client, chain, engines, settings
):
    phones = [await new_member(client) for _ in range(24)]

    with full(engines.data):
        answers = [await sell(client, chain, phone) for phone in phones]
        refused = [answer for answer in answers if answer.status_code != 201]
        assert refused, "the disk was not full"
        for answer in refused:
            assert answer.status_code == 503, answer.text
            assert answer.json()["code"] in ("unavailable", "outcome_unknown")
            assert int(answer.headers["retry-after"]) >= 1
        assert (await client.get("/healthz")).status_code == 200

    again = [await until_sold(client, chain, phone, engines) for phone in phones]

    assert {answer.status_code for answer in again} == {201}
    for before, after in zip(answers, again, strict=True):
        assert before.status_code != 201 or before.json() == after.json()
    assert [(await phone.wallet())["stored"]["total_fen"] for phone in phones] == [9_000] * len(phones)
    assert await findings(settings) == []


async def test_when_the_log_finds_no_room_the_database_starts_again_and_nothing_acknowledged_is_missing(
    client, chain, engines, settings
):
    phones = [await new_member(client) for _ in range(4)]
    sold = await sell(client, chain, phones[0])
    assert sold.status_code == 201

    with full(engines.data):
        with pytest.raises(EngineError):
            # More than is left in the segment of the log: PostgreSQL panics, whatever it was doing.
            engines.postgres.sql(
                "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)) FROM generate_series(1, 100);"
            )
        held = [await sell(client, chain, phone) for phone in phones[1:]]
        assert all(answer.status_code in (201, 503) for answer in held), [answer.text for answer in held]
        assert any(answer.status_code == 503 for answer in held)

    again = [await until_sold(client, chain, phone, engines) for phone in phones]

    assert [answer.status_code for answer in again] == [201] * 4
    assert again[0].json() == sold.json()
    assert [(await phone.wallet())["stored"]["total_fen"] for phone in phones] == [9_000] * 4
    assert await findings(settings) == []
