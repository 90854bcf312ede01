"""What growing past one machine asks of the tables from day one. Source: the design, section 6, points 1, 2 and 4."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

import backend
from tests.support.books import connected

NOT_BY_MEMBER = "ledger_key_home"
"""Finds reuse of a key by another member: the one table that is not by member, its one statement leaves the shard."""

# What a function of the ledger that is about one member names, whatever it is called, or the half of the door that
# writes what plans leave, and the partitions of it: a table that a plan begins to touch is found by itself.
_TOUCHED = """
SELECT c.oid, c.relname FROM pg_class c, coalesce(pg_partition_root(c.oid), c.oid) AS root, pg_class r
 WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND r.oid = root AND EXISTS (
       SELECT FROM pg_proc p WHERE p.pronamespace = c.relnamespace AND p.proname LIKE 'ledger\\_%'
          AND pg_get_function_arguments(p.oid) ~ '^(p_member bigint|p_postings ledger_posting)'
          AND p.prosrc ~ ('(FROM|INTO|UPDATE|JOIN|TABLE)\\s+(public\\.)?' || r.relname || '\\M'))"""
# A key of an expression has no column there.
_UNIQUE = """
SELECT ARRAY(SELECT coalesce(a.attname::text, '') FROM unnest(i.indkey::int[]) WITH ORDINALITY AS k (number, place)
               LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
              WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
  FROM pg_index i WHERE i.indrelid = $1::oid AND (i.indisunique OR i.indisexclusion)"""
_MEMBER = """
SELECT format_type(atttypid, NULL) AS type, attnotnull, attgenerated, attidentity FROM pg_attribute
 WHERE attrelid = $1::oid AND attname = 'member_id' AND NOT attisdropped"""
_FOREIGN = """
SELECT conname, conrelid::regclass::text AS source, confrelid::regclass::text AS target FROM pg_constraint
 WHERE contype = 'f' AND (conrelid = ANY($1::oid[]) OR confrelid = ANY($1::oid[]))"""
_NUMBERED = """
SELECT attrelid::regclass::text AS name, attname FROM pg_attribute WHERE attrelid = ANY($1::oid[])
   AND (attidentity <> '' OR (attrelid, attnum) IN (
        SELECT adrelid, adnum FROM pg_attrdef WHERE pg_get_expr(adbin, adrelid) LIKE '%nextval%'))"""


async def touched(connection: asyncpg.Connection) -> dict[str, int]:
    """Every table that a plan touches, its partitions too, with its oid."""
    return {row["relname"]: row["oid"] for row in await connection.fetch(_TOUCHED)}


async def unique_keys(connection: asyncpg.Connection, oid: int) -> list[list[str]]:
    """The columns of every primary key, unique and exclusion constraint, and unique index."""
    return [list(row["columns"]) for row in await connection.fetch(_UNIQUE, oid)]


async def violations(connection: asyncpg.Connection) -> list[str]:
    """What keeps the tables that a plan touches from being laid out by member; an empty list when nothing does."""
    tables = await touched(connection)
    wrong = []
    for name, oid in sorted(tables.items()):
        member = [tuple(row) for row in await connection.fetch(_MEMBER, oid)]
        if [(kind, required) for kind, required, *_ in member] != [("bigint", True)]:
            wrong.append(f"{name}: member_id is missing, not a bigint or may be null")
        keys = await unique_keys(connection, oid)
        if not keys:
            wrong.append(f"{name}: no primary key")
        wrong += [
            f"{name}: unique ({', '.join(key)})" for key in keys if name != NOT_BY_MEMBER and key[0] != "member_id"
        ]
    for row in await connection.fetch(_FOREIGN, list(tables.values())):
        wrong.append(f"{row['source']}: refers to {row['target']}")
    for row in await connection.fetch(_NUMBERED, list(tables.values())):
        if not (row["name"].startswith("outbox") and row["attname"] == "id"):
            wrong.append(f"{row['name']}: {row['attname']} is numbered by the database")
    return wrong


@pytest_asyncio.fixture(loop_scope="session")
async def owner(database) -> AsyncIterator[asyncpg.Connection]:
    """The owner of the schema, in a transaction that is taken back."""
    async with connected(database, "huiyuan_owner") as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield connection
        await transaction.rollback()


@pytest_asyncio.fixture(loop_scope="session")
async def tables(owner) -> dict[str, int]:
    return await touched(owner)


async def test_what_a_plan_touches_can_be_laid_out_by_member(owner, tables):
    assert await violations(owner) == []
    assert {"ledger_head", "ledger_account", "ledger_lot", "ledger_transfer", "ledger_entry", "ledger_lot_move"} < {
        *tables
    }
    assert {"ledger_document", "ledger_guard", "ledger_key", "ledger_key_home", "outbox", "outbox_default"} < {*tables}
    assert await unique_keys(owner, tables[NOT_BY_MEMBER]) == [["scope", "key"]]


NAMES_BONUS = """
CREATE FUNCTION ledger_give_bonus(p_member bigint) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN UPDATE bonus SET note = '' WHERE member_id = p_member; END $$"""


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        # a new table, which the door or another function about one member names
        (f"CREATE TABLE bonus (id int PRIMARY KEY, member_id bigint NOT NULL); {NAMES_BONUS}", "bonus: unique (id)"),
        (f"CREATE TABLE bonus (member_id bigint NOT NULL, note text); {NAMES_BONUS}", "bonus: no primary key"),
        (
            f"CREATE TABLE bonus (member_id text PRIMARY KEY); {NAMES_BONUS}",
            "bonus: member_id is missing, not a bigint or may be null",
        ),
        # old tables
        ("CREATE UNIQUE INDEX ON ledger_document (id)", "ledger_document: unique (id)"),
        ("CREATE UNIQUE INDEX ON ledger_guard (lower(name))", "ledger_guard: unique ()"),
        ("ALTER TABLE ledger_lot ADD UNIQUE (source, member_id)", "ledger_lot: unique (source, member_id)"),
        ("CREATE UNIQUE INDEX ON ledger_entry_default (seq)", "ledger_entry_default: unique (seq)"),
        ("CREATE UNIQUE INDEX ON outbox_default (id)", "outbox_default: unique (id)"),
        (
            "ALTER TABLE ledger_head ADD FOREIGN KEY (member_id) REFERENCES member (id)",
            "ledger_head: refers to member",
        ),
        (
            "ALTER TABLE member_pin ADD FOREIGN KEY (member_id) REFERENCES ledger_head (member_id)",
            "member_pin: refers to ledger_head",
        ),
        (
            "ALTER TABLE ledger_transfer ADD number bigint GENERATED ALWAYS AS IDENTITY",
            "ledger_transfer: number is numbered by the database",
        ),
        ("ALTER TABLE ledger_lot ADD number bigserial", "ledger_lot: number is numbered by the database"),
    ],
)
async def test_what_could_not_be_laid_out_by_member_is_found(owner, sql, found):
    await owner.execute(sql)

    assert found in await violations(owner)


async def test_device_handles_are_found_by_handle_alone(owner):
    oid = await owner.fetchval("SELECT 'auth_handle'::regclass::oid")

    assert ["handle"] in await unique_keys(owner, oid)


async def test_no_foreign_key_leads_from_one_domain_into_another(owner):
    rows = await owner.fetch(
        "SELECT split_part(conrelid::regclass::text, '_', 1) AS source, split_part(confrelid::regclass::text, '_', 1)"
        " AS target FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
    )

    assert rows
    assert {(row["source"], row["target"]) for row in rows if row["source"] != row["target"]} == set()


async def test_entries_have_their_account_s_own_number(owner):
    columns = await owner.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'ledger_entry'::regclass AND attnum > 0"
    )

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


async def test_exactly_once_is_by_member(owner, tables):
    assert await unique_keys(owner, tables["ledger_key"]) == [["member_id", "scope", "key"]]


async def test_the_door_is_called_alone_with_the_member_first(owner):
    rows = await owner.fetch(
        "SELECT proname, pg_get_function_arguments(oid) AS arguments FROM pg_proc WHERE proname IN"
        " ('ledger_post', 'ledger_open_member', 'ledger_set_active', 'ledger_hold', 'ledger_raise_guard')"
    )

    assert len(rows) == 5
    assert all(row["arguments"].startswith("p_member bigint") for row in rows)


_TABLE = r"(?:FROM|JOIN|INTO|UPDATE)\s+(ledger_\w+|outbox)\b"
# A row is the member's where a condition says so, or where the member is the first value of a new one; the home of
# keys has the key first. What plans leave is each plan's member's.
_OF_THE_MEMBER = "|".join((
    r"\bmember_id\s*=\s*p_member\b",
    r"INSERT INTO \w+(?: AS \w+)?\s*\(member_id\b[^)]*\)\s*(?:VALUES\s*\(|SELECT\s+)p_member\b",
    r"INSERT INTO \w+ \(member_id\b[^)]*\)\s*SELECT member_id\b.*\sFROM unnest\(p_postings\)",
    rf"INSERT INTO {NOT_BY_MEMBER} \(scope, key, member_id, \w+\)\s*VALUES \([^,]+, [^,]+, p_member\b",
))  # fmt: skip


def pieces(source: str) -> list[str]:
    """The statements of a PL/pgSQL body that name a table, without comments; a loop's head is one too."""
    body = re.sub(r"--[^\n]*", "", source)
    return [text for text in re.split(r";\s*\n|\bLOOP\b|\bTHEN\s*\n", body) if re.search(_TABLE, text)]


def unfiltered(source: str) -> list[str]:
    """The statements in which the member is named less often than a table."""
    return [
        " ".join(text.split())
        for text in pieces(source)
        if len(re.findall(_OF_THE_MEMBER, text, re.DOTALL)) < len(re.findall(_TABLE, text))
    ]


async def door(owner: asyncpg.Connection) -> str:
    """The statements of both halves of the door."""
    bodies = [
        await owner.fetchval("SELECT prosrc FROM pg_proc WHERE proname = $1", name)
        for name in ("ledger_apply", "ledger_write")
    ]
    return "".join(body.partition("BEGIN")[2] for body in bodies)


async def test_every_statement_inside_the_door_is_of_the_member(owner):
    source = await door(owner)

    assert len(pieces(source)) > 15
    (outside,) = unfiltered(source)
    assert f"FROM {NOT_BY_MEMBER}" in outside  # who holds this order number already?


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("WHERE member_id = p_member AND id = v_update->>'id'", "WHERE id = v_update->>'id'"),
        ("ON k.member_id = p_member AND k.scope", "ON k.member_id = h.member_id AND k.scope"),
        ("VALUES (p_member, v_item->>'name', v_n)", "VALUES (v_other, v_item->>'name', v_n)"),
        ("SELECT member_id, event->>'name', event->'body'", "SELECT 1, event->>'name', event->'body'"),
        ("AND member_id = p_member;", ";"),
    ],
)
async def test_a_statement_that_forgets_the_member_is_found(owner, good, bad):
    source = await door(owner)
    assert good in source

    assert len(unfiltered(source.replace(good, bad, 1))) == 2


async def test_the_months_of_entries_and_outbox_are_partitions_with_a_default_one(owner):
    rows = await owner.fetch(
        "SELECT inhparent::regclass::text AS parent, count(*) AS months,"
        " count(*) FILTER (WHERE pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT') AS defaults"
        " FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'r' GROUP BY 1"
    )

    assert {row["parent"] for row in rows} == {"ledger_entry", "outbox"}
    assert all(row["months"] >= 4 and row["defaults"] == 1 for row in rows)
