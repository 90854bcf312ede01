"""Whatever table has a column for a member is somebody's holding: an archive, erasure and a merge know of it."""

from __future__ import annotations

import pytest

from backend import worker
from backend.members.holding import Holding, Table, all_holdings, kept
from tests.support.books import connected

OF_A_MEMBER = ("member_id", "members", "giver_id", "receiver_id", "referrer_id", "claimed_by", "accepted_by")
"""Names of columns that hold a member's id, or several."""

NOT_OF_A_MEMBER = {
    "audience_backfill": "how far a job has come",
    "clearing_backfill": "how far a job has come",
    "lifecycle_backfill": "how far a job has come",
    "rebate_backfill": "how far a job has come",
    "rebate_figure": "how many members there were",
    "lifecycle_stage_count": "how many members there were",
}

_WITH_MEMBERS = """
SELECT DISTINCT c.table_name FROM information_schema.columns c
  JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = 'public'::regnamespace
 WHERE c.table_schema = 'public' AND c.column_name = ANY($1::text[])
   AND t.relkind IN ('r', 'p') AND NOT t.relispartition
 ORDER BY 1"""
_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"


@pytest.fixture(scope="module")
def held() -> dict[str, Table]:
    worker.load()
    return {table.name: table for holding in all_holdings() for table in holding.tables}


async def test_every_table_with_a_member_is_held_by_a_domain(settings, held):
    async with connected(settings, "huiyuan_owner") as owner:
        found = {row["table_name"] for row in await owner.fetch(_WITH_MEMBERS, list(OF_A_MEMBER))}

    assert len(found) > 70
    assert sorted(found - held.keys() - NOT_OF_A_MEMBER.keys()) == [], "say in the domain's holdings.py what it is"
    assert sorted(NOT_OF_A_MEMBER.keys() - found) == []


async def test_what_is_declared_is_in_the_schema(settings, held):
    async with connected(settings, "huiyuan_owner") as owner:
        columns: dict[str, set[str]] = {}
        for row in await owner.fetch(_COLUMNS):
            columns.setdefault(row["table_name"], set()).add(row["column_name"])

        for table in held.values():
            named = {*table.erased.strips}
            if table.shown:
                named |= {*table.shown.columns, *table.shown.key, *table.shown.sealed, *table.shown.pictures}
                assert {*table.shown.sealed, *table.shown.pictures} <= {*table.shown.columns}
            assert sorted(named - columns[table.name]) == [], table.name
            await owner.prepare(f"SELECT 1 FROM {table.name} WHERE {table.whose}")


async def test_what_identifies_or_is_sealed_does_not_outlive_its_member(settings, held):
    """A sealed or indexed column is personal: it is emptied or its row deleted, or it is not the membership's."""
    stay = {("orders_invoice", "sealed"), ("auth_staff", "totp_sealed")}  # a tax record; the login of a job
    async with connected(settings, "huiyuan_owner") as owner:
        rows = await owner.fetch(_COLUMNS)

    lasting = {
        (row["table_name"], row["column_name"])
        for row in rows
        if row["table_name"] in held
        and any(word in row["column_name"] for word in ("sealed", "openid", "phone", "contact_index", "address_index"))
        and not held[row["table_name"]].erased.deleted
        and row["column_name"] not in held[row["table_name"]].erased.strips
    }

    assert lasting == stay


def test_a_table_says_what_becomes_of_it():
    with pytest.raises(TypeError, match="why nothing"):
        Table("x", kept("why"))
    with pytest.raises(TypeError, match="why rows stay"):
        Table("x", kept(""), unshown="secret")


def test_a_table_is_held_once(held):
    from backend.members.holding import holds

    with pytest.raises(TypeError, match="member_pin is held by members and by other"):
        holds(Holding(name="other", title="其他", tables=(Table("member_pin", kept("why"), unshown="secret"),)))
    with pytest.raises(TypeError, match="two holdings are called members"):
        holds(Holding(name="members", title="其他"))


def test_a_merge_knows_what_becomes_of_every_table():
    """Each table's rows move, are joined row by row, or stay as history: nobody forgot to say it."""
    worker.load()

    for holding in all_holdings():
        said = [*{table.name for table in holding.moves}, *holding.joined, *holding.stays]
        tables = [table.name for table in holding.tables]
        assert sorted(said) == sorted(tables), f"say in {holding.name}'s holding what a merge does with each table"
        assert (
            not holding.joined
            or holding.merge
            or holding.carry
            or holding.name in ("auth", "members")
            or _follow(holding)
        )


def _follow(holding: Holding) -> bool:
    """Whether what is joined goes with rows that move: what it belongs to decides."""
    return all(table.whose != "member_id = $1" for table in holding.tables if table.name in holding.joined)


async def test_what_a_merge_moves_is_in_the_schema(settings):
    worker.load()
    async with connected(settings, "huiyuan_owner") as owner:
        for holding in all_holdings():
            for table in holding.moves:
                await owner.prepare(table.sql)
