"""The lists of points are read through indexes, however much there is."""

from __future__ import annotations

import pytest

from backend.points import queries
from tests.support import kept

MANY = 40_000


@pytest.fixture
async def many(settings, chain):
    """Transfers among a thousand members, and two batches of many rows, almost all of them posted."""
    owner = await kept.connection(settings, "huiyuan_owner")
    await owner.execute(
        "INSERT INTO points_transfer (id, giver_id, receiver_id, points, state, at)"
        " SELECT 'T' || n, n % 1000, 1000 + n % 999, 1, 'done', now() - n * interval '1 minute'"
        f" FROM generate_series(1, {MANY}) AS n"
    )
    await owner.execute(
        "INSERT INTO points_batch (id, key, digest, title, state, rows, skipped, given, taken, staff_id, store_id,"
        " created_at, updated_at, ended_at)"
        " SELECT 'B' || n, 'k' || n, '', 'x', 'done', 1, 0, 1, 0, 1, 'S1', now(), now(), now()"
        " FROM generate_series(1, 500) AS n"
    )
    await owner.execute(
        "INSERT INTO points_batch_row (batch_id, row_no, member_id, points, reason, note, state, refusal)"
        " SELECT 'B' || 1 + n % 2, n, n, 1, 'goodwill', 'x', CASE WHEN n < 50 THEN 'refused' ELSE 'posted' END,"
        f" CASE WHEN n < 50 THEN 'member_inactive' END FROM generate_series(1, {MANY}) AS n"
    )
    for table in ("points_transfer", "points_batch", "points_batch_row"):
        await owner.execute(f"ANALYZE {table}")
    return owner


async def test_each_list_goes_by_an_index(many):
    lists = {
        queries.OF_MEMBER: (7, None, "", 21),
        queries.WAITING_ROWS: ("B1", 100),
        queries.REFUSED_ROWS: ("B1", 100),
        queries.COUNTS: (["B1", "B2"],),
    }
    for sql, args in lists.items():
        plan = "\n".join(row[0] for row in await many.fetch(f"EXPLAIN {sql}", *args))

        assert "Seq Scan" not in plan, plan
        assert "Index" in plan, plan
    counted = await many.fetch(queries.COUNTS, ["B1", "B2"])
    assert sorted((row[0], row[1], row[2]) for row in counted) == [("B1", "refused", 24), ("B2", "refused", 25)]
