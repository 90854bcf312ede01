"""``huiyuan distribute``: every table and function has its class, and the statements fit the schema as it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from backend.cli import distribute, distribution
from backend.cli.distribution import PLACES, Call, Catalogue, Place
from backend.engines import datadir
from backend.kernel.config import Settings
from tests.support.books import connected
from tests.support.huiyuan import huiyuan

# Citus' own functions, by their documented names and arguments: each notes what it was called with. Arguments that
# name a table or a function are resolved by PostgreSQL, as Citus does.
CITUS = """
CREATE TABLE citus_calls (place serial, what text);
CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS
$$ INSERT INTO citus_calls (what) VALUES ('reference ' || table_name) $$;
CREATE FUNCTION create_distributed_table(table_name regclass, distribution_column text,
    distribution_type text DEFAULT 'hash', colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL)
RETURNS void LANGUAGE sql AS
$$ INSERT INTO citus_calls (what) VALUES
    (concat_ws(' ', 'table', table_name, distribution_column, colocate_with, shard_count)) $$;
CREATE FUNCTION create_distributed_function(function_name regprocedure, distribution_arg_name text DEFAULT NULL,
    colocate_with text DEFAULT 'default', force_delegation bool DEFAULT NULL) RETURNS void LANGUAGE sql AS
$$ INSERT INTO citus_calls (what) VALUES
    (concat_ws(' ', 'function', function_name, distribution_arg_name, colocate_with)) $$;
"""


@asynccontextmanager
async def planted(settings: Settings, sql: str) -> AsyncIterator[Catalogue]:
    """The catalogue with something more in the schema, which is taken back."""
    async with connected(settings, "huiyuan_owner") as owner:
        transaction = owner.transaction()
        await transaction.start()
        try:
            await owner.execute(sql)
            yield await distribute.read(owner)
        finally:
            await transaction.rollback()


@pytest_asyncio.fixture(loop_scope="session")
async def found(settings: Settings) -> Catalogue:
    async with connected(settings, "huiyuan_owner") as owner:
        return await distribute.read(owner)


def test_every_table_is_in_one_class_and_every_function_runs_where_its_rows_are(found):
    assert distribution.mistakes(found) == []
    assert {table.name for table in found.tables} == set(PLACES)
    delegated = {function.name for function in found.functions if function.place is Call.DELEGATED}
    assert delegated >= {"ledger_post", "ledger_open_member", "ledger_set_active", "ledger_raise_guard"}
    calls = {function.name: {*function.calls} for function in found.functions}
    assert calls["ledger_post"] >= {"ledger_apply", "ledger_write"}
    assert calls["ledger_apply"] >= {"ledger_refuse", "ledger_hash"}


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("CREATE TABLE bonus_budget (id bigint PRIMARY KEY)", "table bonus_budget: is in no class"),
        ("DROP TABLE auth_nonce", "table auth_nonce: is declared but not there"),
        (
            "CREATE UNIQUE INDEX ON ledger_transfer (document_id)",
            "table ledger_transfer: the unique key (document_id) does not hold member_id",
        ),
        (
            "CREATE UNIQUE INDEX ON ledger_entry_default (seq, leg)",
            "table ledger_entry: the unique key (seq, leg) does not hold member_id",
        ),
        (
            "CREATE UNIQUE INDEX ON ledger_guard (lower(name))",
            "table ledger_guard: the unique key (an expression) does not hold member_id",
        ),
        (
            "ALTER TABLE ledger_document ADD FOREIGN KEY (member_id) REFERENCES member (id)",
            "table ledger_document: refers to member, whose rows lie elsewhere",
        ),
        (
            "ALTER TABLE member_pin ADD FOREIGN KEY (member_id) REFERENCES ledger_head (member_id)",
            "table member_pin: refers to ledger_head, whose rows lie elsewhere",
        ),
        (
            "ALTER TABLE wallet_offer ADD author bigint REFERENCES auth_staff (id)",
            "table wallet_offer: refers to auth_staff, whose rows lie elsewhere",
        ),
        ("ALTER TABLE ledger_guard RENAME member_id TO whose", "table ledger_guard: has no column member_id"),
        (
            "DROP FUNCTION ledger_post_batch(bigint[], jsonb[])",
            "function ledger_post_batch: is declared but not there",
        ),
        (
            "CREATE FUNCTION ledger_a(p_member bigint) RETURNS bigint LANGUAGE sql AS 'SELECT ledger_load(NULL, NULL)'",
            "function ledger_a: runs at its member's node, where ledger_load is not known",
        ),
    ],
)
async def test_what_cannot_go_to_citus_is_found(settings, sql, what):
    async with planted(settings, sql) as found:
        assert [line for line in distribution.mistakes(found) if line.startswith(what)], distribution.mistakes(found)


def test_the_script_is_printed_and_nothing_is_changed(settings):
    done = huiyuan("distribute", "--dry-run", "--shards", "8", env=datadir.environment(settings))

    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "-- before: the database has no Citus: CREATE EXTENSION citus, here and on every worker" in lines
    assert [line for line in lines if line.startswith("SELECT create_distributed_table")][:2] == [
        "SELECT create_distributed_table('ledger_head', 'member_id', colocate_with => 'none', shard_count => 8);",
        "SELECT create_distributed_table('ledger_account', 'member_id', colocate_with => 'ledger_head');",
    ]
    assert (
        "SELECT create_distributed_function('ledger_post(bigint,jsonb)', 'p_member', colocate_with => 'ledger_head');"
        in lines
    )
    assert "SELECT create_distributed_function('ledger_post_batch(bigint[],jsonb[])');" in lines
    assert not [line for line in lines if "ledger_load(" in line]
    assert [line for line in lines if "outbox.id is an identity" in line]
    assert all(line.startswith(("--", "SET ", "SELECT ", "ALTER ", "ANALYZE ")) or not line for line in lines)


def test_without_citus_nothing_is_run(settings):
    done = huiyuan("distribute", env=datadir.environment(settings))

    assert done.returncode == 2
    assert "nothing was distributed" in done.stderr
    assert "CREATE EXTENSION citus" in done.stderr


async def test_the_statements_run_in_this_order_on_functions_of_citus_names(settings, found, capsys):
    """Not Citus, which is not to be had everywhere: that its functions are called with what is there, and in order."""
    async with connected(settings, "postgres") as superuser:
        transaction = superuser.transaction()
        await transaction.start()
        await superuser.execute(CITUS)

        await distribute.apply(superuser, distribution.steps(found, shards=16))

        calls = [row["what"] for row in await superuser.fetch("SELECT what FROM citus_calls ORDER BY place")]
        await transaction.rollback()
    kinds = [call.partition(" ")[0] for call in calls]
    assert kinds == sorted(kinds, key=["reference", "table", "function"].index)
    assert [call.split()[1] for call in calls if call.startswith("reference")] == [
        name for name, place in PLACES.items() if place is Place.REFERENCE
    ]
    tables = [call for call in calls if call.startswith("table")]
    assert tables[0] == "table ledger_head member_id none 16"
    assert tables[-1] == "table ledger_key_home key none 16"
    assert all(call.endswith(" member_id ledger_head") for call in tables[1:-1])
    assert len(tables) == sum(place in (Place.MEMBER, Place.KEY) for place in PLACES.values())
    delegated = [call for call in calls if call.endswith(" p_member ledger_head")]
    assert len(delegated) == sum(function.place is Call.DELEGATED for function in found.functions)
    assert "function ledger_post(bigint,jsonb) p_member ledger_head" in delegated


def test_what_refers_to_another_reference_table_comes_after_it(found):
    order = [name for name, place in PLACES.items() if place is Place.REFERENCE]
    for table in found.tables:
        if table.name in order:
            assert all(order.index(other) < order.index(table.name) for other in table.refers_to)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, []),
        ({"citus": None}, ["the database has no Citus"]),
        ({"citus": "11.3-1"}, ["Citus 11.3-1: 12 or newer is needed"]),
        ({"workers": 0, "coordinator_known": False}, ["the coordinator is not in pg_dist_node", "no worker is active"]),
        ({"prepared_transactions": 0}, ["max_prepared_transactions is 0"]),
    ],
)
def test_what_the_cluster_lacks_is_said(changes, what):
    good = {"citus": "15.0-1", "workers": 2, "coordinator_known": True, "prepared_transactions": 100}
    found = Catalogue(database="x", tables=(), functions=(), **(good | changes))

    lacking = distribution.lacking(found)

    assert [line.startswith(start) for line, start in zip(lacking, what, strict=True)] == [True] * len(what)


async def test_reading_asks_nothing_of_a_database_without_citus(found):
    assert (found.citus, found.workers, found.coordinator_known) == (None, 0, False)
