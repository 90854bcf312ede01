"""Statements are read through an index by time, however many years of sales there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from backend.coupons import statements
from tests.support.books import connected

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=30)
MONTH = (BEGIN, END)


def walk(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Every node of a plan."""
    return [plan, *(node for child in plan.get("Plans", ()) for node in walk(child))]


@pytest.mark.parametrize("store_id", [None, "S1"])
async def test_a_month_of_coupons_is_found_by_an_index_of_times(settings, store_id):
    async with connected(settings, "postgres") as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")  # tables of a test are too small to need one
        await connection.execute("SELECT ledger_make_partitions('2026-05-01'::date, 3)")

        text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statements.READ}", *MONTH, store_id)

    nodes = walk(msgspec.json.decode(text)[0]["Plan"])
    entries = [node for node in nodes if str(node.get("Relation Name", "")).startswith("ledger_entry")]
    names = [node.get("Index Name", "") for node in nodes if "Index" in node["Node Type"]]
    assert any(name.endswith("_at_idx") for name in names), names
    assert all(node["Node Type"] != "Seq Scan" for node in entries)
