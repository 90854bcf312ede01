"""`kill -9` of `huiyuan migrate` at every step, and two releases side by side on one schema."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from importlib.resources import files
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from backend.cli.migrate import _DOORS, migrate
from backend.engines import datadir
from backend.kernel import db, migrations
from backend.kernel.config import Settings
from backend.ledger import plans, service
from tests.cli.test_migrations import catalog
from tests.support.books import open_books, plan, stored
from tests.support.members import register
from tests.support.seed import seed_chain
from tests.support.value import findings, give

# Migrates again and again in processes of its own, each of which kills itself: once as each migration is done and not
# yet said to be (where the next one begins nothing is other than there), and once as each function's file begins, in
# the middle of their transaction; or, if asked, so many times in the middle of whatever it is doing.
KILLER = """
import asyncio, gc, os, random, signal, sys, threading
from importlib import import_module
from pathlib import Path
from tortoise.migrations.executor import MigrationExecutor
import backend.app
from backend.cli.migrate import migrate
from backend.kernel import config, db, migrations

for app, _, name in (label.partition(".") for label in migrations.on_disk()):  # read once, not by every copy
    import_module(f"{db.APPS[app]}.migrations.{name}")

seen, MIDDLE = Path(sys.argv[1]), int(sys.argv[2])
dice = random.Random(20261126)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def once(what):
    if what not in seen.read_text().splitlines():
        with seen.open("a") as file:
            file.write(what + "\\n")
        die()

def run(attempt):
    emit = MigrationExecutor._emit
    def heard(progress, event, key):
        emit(progress, event, key)
        if not MIDDLE and event == "apply_done":
            once(f"done {key.app_label}.{key.name}")
    MigrationExecutor._emit = staticmethod(heard)
    if attempt < MIDDLE:
        threading.Timer(0.6 * (attempt + dice.random()) / MIDDLE, die).start()
        asyncio.run(migrate(config.load()))
        die()
    def begins(what):
        if what.endswith(".sql"):
            once(what)
    asyncio.run(migrate(config.load(), begins) if not MIDDLE else migrate(config.load()))
    os._exit(0)

gc.freeze()  # no copy looks through what all have

for attempt in range(200):
    pid = os.fork()
    if pid == 0:
        try:
            run(attempt)
        finally:
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status):
        sys.exit(os.WEXITSTATUS(status))
"""


@pytest.fixture
def empty(engines) -> Iterator[Settings]:
    """The settings of a database in which nothing is."""
    name = f"killed_{uuid.uuid4().hex[:12]}"
    engines.postgres.sql(f"CREATE DATABASE {name} OWNER huiyuan_owner")
    yield datadir.demo_settings(engines.data, engines.urls(name), "http://127.0.0.1:1")
    engines.postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(loop_scope="session")
async def owner(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to this module's database as the owner of its schema."""
    connection = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    yield connection
    await connection.close()


def steps() -> set[str]:
    """Everything that a run does on an empty database."""
    functions = {path.name for door in _DOORS for path in (files(door) / "sql").iterdir() if path.name.endswith(".sql")}
    return {f"done {name}" for name in migrations.on_disk()} | {f"apply {name}" for name in functions}


@pytest.mark.parametrize("in_the_middle", [0, 12])
async def test_killed_at_every_step_and_run_again_it_makes_the_same_schema(empty, owner, tmp_path, in_the_middle):
    seen = tmp_path / "seen"
    seen.touch()
    command = [sys.executable, "-c", KILLER, str(seen), str(in_the_middle)]

    killed = await asyncio.to_thread(
        subprocess.run, command, env=datadir.environment(empty), capture_output=True, text=True, check=False
    )

    assert killed.returncode == 0, killed.stderr[-3_000:]
    if not in_the_middle:
        assert set(seen.read_text().splitlines()) == steps()
    assert await migrate(empty) == []
    made = await asyncpg.connect(**db.connect_args(empty.migrate_database_url))
    try:
        found, clean = await catalog(made), await catalog(owner)
    finally:
        await made.close()
    for part in clean:
        assert found[part] == clean[part], part


# ----------------------------------------------------------------------------------------------- side by side

# What a release to come may do, by our own rule: it adds, with defaults that the release before need not know.
LATER = """
SET lock_timeout = '4s';
ALTER TABLE member ADD COLUMN IF NOT EXISTS later_note text NOT NULL DEFAULT '';
ALTER TABLE auth_session ADD COLUMN IF NOT EXISTS later_kind int NOT NULL DEFAULT 0;
ALTER TABLE ledger_document ADD COLUMN IF NOT EXISTS later_tag text;
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS later_tag text;
CREATE TABLE IF NOT EXISTS later_thing (id bigint PRIMARY KEY, member_id bigint NOT NULL);
CREATE INDEX IF NOT EXISTS later_member ON member (later_note);
"""


async def test_this_release_works_on_while_the_next_one_s_migration_is_applied(client, server, owner):
    chain = await seed_chain(server.base_url)
    phones = [await register(client) for _ in range(6)]
    for phone in phones:
        await give(phone.member_id, principal=10_000)
    statements = [line for line in LATER.strip().split("\n") if line]

    async def shop() -> list[int]:
        seen = []
        for phone in phones:
            sale = await chain.till.sell(client, phone.code(), fen=1_000)
            refund = {"amount_fen": 400, "reason": "x"}
            back = await chain.till.post(client, f"/v1/pos/sales/{sale.json()['id']}/refunds", refund)
            seen += [sale.status_code, back.status_code, (await phone.call("GET", "/v1/member/profile")).status_code]
        return seen

    async def migrate_on() -> None:
        for statement in statements:
            await owner.execute(statement)
            await asyncio.sleep(0.02)

    seen, _ = await asyncio.gather(shop(), migrate_on())
    afterwards = await register(client)

    assert seen == [201, 201, 200] * len(phones)
    assert [(await phone.wallet())["stored"]["total_fen"] for phone in phones] == [9_400] * len(phones)
    assert afterwards.member["status"] == "active"
    assert (await client.get("/readyz")).status_code == 200
    assert await findings(server.settings) == []


def without_defaults(value: Any) -> Any:
    """A plan as a release would write it that knows none of the fields which are empty here."""
    if isinstance(value, dict):
        return {name: without_defaults(item) for name, item in value.items() if item not in (None, [], {}, "", False)}
    if isinstance(value, list):
        return [without_defaults(item) for item in value]
    return value


@pytest.mark.parametrize("door", ["ledger_post", "ledger_post_batch"])
async def test_the_door_takes_plans_that_lack_every_field_that_could_be_newer(server, door):
    """And a batch may hold plans of both releases, as when their servers run side by side."""
    member_id = await open_books()
    await service.post(plan(member_id, *stored(1_000), key=f"{door}-new"))
    older = without_defaults(json.loads(plans.encode(plan(member_id, *stored(500), key=f"{door}-old"))))
    newer = json.loads(plans.encode(plan(member_id, *stored(-200), key=f"{door}-newer")))
    written = [json.dumps(older), json.dumps(newer | {"field_of_a_later_release": {"x": 1}})]
    connection = await asyncpg.connect(**db.connect_args(server.settings.database_url))

    try:
        if door == "ledger_post":
            for text in written:
                await connection.fetchval("SELECT ledger_post($1, $2::text::jsonb)", member_id, text)
        else:
            answers = await connection.fetchval(
                "SELECT ledger_post_batch($1::bigint[], $2::text[]::jsonb[])", [member_id] * 2, written
            )
            assert not any("refused" in answer or "broken" in answer for answer in map(json.loads, answers))
    finally:
        await connection.close()

    balance = await db.fetchval(
        "SELECT balance FROM ledger_account WHERE member_id = $1 AND kind = 'stored'", member_id
    )
    assert balance == 1_300
    assert await findings(server.settings) == []
