"""However much a member bought, all of it counts: it is read page by page."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from backend.kernel import db
from backend.rebates.queries import facts
from tests.support.rebates import applied, plant_purchase

FIRST, LAST = date(2031, 3, 1), date(2031, 3, 31)


@pytest.mark.parametrize("page", [1, 2, 3, 1_000])
async def test_all_purchases_count_once_whatever_a_page_holds(database, monkeypatch, page):
    """Several of one instant, of several members, with returns, up to the period's edges."""
    monkeypatch.setattr(facts, "PAGE", page)
    for member_id, bought in ((71, 6), (72, 1), (73, 3)):
        for number in range(bought):
            await plant_purchase(member_id, FIRST + timedelta(days=number // 3 * 30), 1_000 + number)
        await plant_purchase(member_id, FIRST - timedelta(days=1), 7)
        await plant_purchase(member_id, LAST + timedelta(days=1), 7)
    await db.pool().execute(
        "INSERT INTO rebate_return (member_id, refund_id, sale_id, at, lines)"
        " SELECT member_id, n || sale_id, sale_id, at, '[[1, 100]]' FROM rebate_purchase, generate_series(1, 2) n"
        " WHERE member_id = 71 AND day BETWEEN $1 AND $2",
        *(FIRST, LAST),
    )

    sizes = []

    async def fetch(sql, *args):
        rows = await db.fetch(sql, *args)
        if sql == facts.OWN:
            sizes.append(len(rows))
        return rows

    schemes = [applied(first=FIRST, last=LAST)]
    found = await facts.accrue(fetch, schemes, [71, 72, 73, 74], FIRST, LAST, most_lines=500)
    some = await facts.accrue_first(db.fetch, schemes, 71, FIRST, LAST, most_pages=2)
    exactly = await facts.accrue_first(db.fetch, schemes, 71, FIRST, LAST, most_pages=6)

    for table in ("rebate_return", "rebate_purchase"):
        await db.pool().execute(f"DELETE FROM {table} WHERE member_id BETWEEN 71 AND 74")
    assert {who: (part.base_fen, part.purchases) for who, (part,) in found.items()} == {
        71: (6_015 - 6 * 200, 6),
        72: (1_000, 1),
        73: (3_003, 3),
        74: (0, 0),
    }
    assert max(sizes) <= max(4, page)  # one purchase of each at least
    counted = min(6, 2 * page)
    assert (some[0][0].purchases, some[1]) == (counted, (LAST if counted > 3 else FIRST) if counted < 6 else None)
    assert exactly == ((msgspec.structs.replace(found[71][0], lines=()),), None)
    assert len({line.sale_id for line in found[71][0].lines}) == 6
