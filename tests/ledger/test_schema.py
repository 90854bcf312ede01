"""What growing past one machine asks of the tables from day one. Source: the design, section 6, points 1, 2 and 4."""

from __future__ import annotations

import re
from pathlib import Path

import pytest_asyncio

import backend
from backend.kernel import db

NOT_BY_MEMBER = "ledger_key_home"
"""Finds reuse of a key by another member: the one table that is not by member, its one statement leaves the shard."""

_TABLES = """
SELECT c.oid, c.relname FROM pg_class c
 WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
   AND c.relname <> 'ledger_rollup'  -- sums over members, counted afterwards
   AND (c.relname LIKE 'ledger\\_%' OR c.relname = 'outbox' OR c.relname LIKE 'outbox\\_%')
"""


@pytest_asyncio.fixture(loop_scope="session")
async def tables(database) -> dict[str, int]:
    """Every table that a plan touches, its partitions too, with its oid."""
    return {row["relname"]: row["oid"] for row in await db.fetch(_TABLES)}


async def columns_of_unique_indexes(oid: int) -> list[list[str]]:
    rows = await db.fetch(
        "SELECT array_agg(a.attname ORDER BY k.position) AS columns FROM pg_index i"
        " CROSS JOIN unnest(i.indkey::int[]) WITH ORDINALITY AS k (number, position)"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number"
        " WHERE i.indrelid = $1::oid AND (i.indisunique OR i.indisexclusion) GROUP BY i.indexrelid",
        oid,
    )
    return [[str(name) for name in row["columns"]] for row in rows]


async def test_every_unique_key_of_what_a_plan_touches_begins_with_the_member(tables):
    for name, oid in tables.items():
        keys = await columns_of_unique_indexes(oid)
        assert keys, f"{name} has no primary key"
        if name == NOT_BY_MEMBER:
            assert keys == [["scope", "key"]]
        else:
            assert all(key[0] == "member_id" for key in keys), (name, keys)

    assert {"ledger_head", "ledger_account", "ledger_lot", "ledger_transfer", "ledger_entry", "ledger_lot_move"} < {
        *tables
    }
    assert {"ledger_document", "ledger_guard", "ledger_key", "ledger_key_home", "outbox", "outbox_default"} < {*tables}


async def test_every_row_of_what_a_plan_touches_has_its_member(tables):
    rows = await db.fetch(
        "SELECT attrelid::regclass::text AS name, format_type(atttypid, NULL) AS type, attnotnull FROM pg_attribute"
        " WHERE attrelid = ANY($1::oid[]) AND attname = 'member_id'",
        list(tables.values()),
    )

    assert {row["name"] for row in rows} == {*tables}
    assert {(row["type"], row["attnotnull"]) for row in rows} == {("bigint", True)}


async def test_no_foreign_key_leads_out_of_what_a_plan_touches_or_into_it(tables):
    rows = await db.fetch(
        "SELECT conname FROM pg_constraint WHERE contype = 'f'"
        " AND (conrelid = ANY($1::oid[]) OR confrelid = ANY($1::oid[]))",
        list(tables.values()),
    )

    assert [row["conname"] for row in rows] == []


async def test_only_the_outbox_has_an_identity_and_entries_have_their_account_s_own_number(tables):
    numbered = await db.fetch(
        "SELECT DISTINCT split_part(attrelid::regclass::text, '_', 1) AS name, attname FROM pg_attribute"
        " WHERE attrelid = ANY($1::oid[]) AND (attidentity <> '' OR attrelid IN ("
        "   SELECT adrelid FROM pg_attrdef WHERE pg_get_expr(adbin, adrelid) LIKE '%nextval%'))",
        list(tables.values()),
    )
    columns = await db.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'ledger_entry'::regclass AND attnum > 0"
    )

    assert {(row["name"], row["attname"]) for row in numbered} == {("outbox", "id")}
    assert {"seq", "version", "balance_after"} < {row["attname"] for row in columns}


def test_nothing_puts_what_a_plan_touched_in_the_order_of_an_identity():
    """The relay takes a member's events by their number, which the member's lock gives out; nobody else asks for it."""
    pattern = re.compile(r"FROM\s+(?:ledger_\w+|outbox)\b[^\"';]*?ORDER BY\s+([\w.]+)")
    orders = {
        (path.name, first)
        for path in Path(backend.__file__).parent.rglob("*")
        if path.suffix in (".py", ".sql")
        for first in pattern.findall(path.read_text("utf-8"))
    }

    assert ("outbox.py", "member_id") in orders
    assert [found for found in orders if found[1].rpartition(".")[2] == "id"] == []


async def test_exactly_once_is_by_member_and_the_home_of_keys_is_the_one_exception(tables):
    assert await columns_of_unique_indexes(tables["ledger_key"]) == [["member_id", "scope", "key"]]
    others = [
        name
        for name, oid in tables.items()
        if ["member_id"] not in [k[:1] for k in await columns_of_unique_indexes(oid)]
    ]

    assert others == [NOT_BY_MEMBER]


async def test_the_door_is_called_alone_with_the_member_first(tables):
    rows = await db.fetch(
        "SELECT proname, pg_get_function_arguments(oid) AS arguments FROM pg_proc"
        " WHERE proname IN ('ledger_post', 'ledger_open_member', 'ledger_set_active', 'ledger_raise_guard')"
    )

    assert len(rows) == 4
    assert all(row["arguments"].startswith("p_member bigint") for row in rows)


async def test_every_statement_inside_the_door_that_names_a_table_names_the_member(tables):
    source = await db.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'ledger_post'")
    statements = re.split(r";\s*\n", re.sub(r"--[^\n]*", "", source.partition("BEGIN")[2]))
    touching = [text for text in statements if re.search(r"(FROM|INTO|UPDATE)\s+(ledger_\w+|outbox)", text)]
    outside = [text for text in touching if "p_member" not in text]

    assert len(touching) > 10
    assert len(outside) == 1, outside
    assert NOT_BY_MEMBER in outside[0]  # who holds this order number already?


async def test_the_months_of_entries_and_outbox_are_partitions_with_a_default_one(tables):
    rows = await db.fetch(
        "SELECT inhparent::regclass::text AS parent, count(*) AS months,"
        " count(*) FILTER (WHERE pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT') AS defaults"
        " FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'r' GROUP BY 1"
    )

    assert {row["parent"] for row in rows} == {"ledger_entry", "outbox"}
    assert all(row["months"] >= 4 and row["defaults"] == 1 for row in rows)
