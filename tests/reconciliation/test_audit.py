"""Each lie about bills and settlements is told by the audit."""

from __future__ import annotations

import pytest

from backend.reconciliation import audit
from tests.support import kept
from tests.support.reconciliation import make_difference

DAY = "2026-01-02"

LIES = {
    "agrees, and is 100 there and 90 here": (
        "INSERT INTO reconciliation_item (kind, number, day, theirs_fen, ours_fen)"
        f" VALUES ('payment', 'A', '{DAY}', 100, 90)"
    ),
    "differs, and nobody is told": (
        "INSERT INTO reconciliation_item (kind, number, day, theirs_fen, difference)"
        f" VALUES ('payment', 'B', '{DAY}', 100, 'only_there')"
    ),
    "has 5 fen paid": (
        "INSERT INTO reconciliation_bill (day, state, paid_fen, taken_at) VALUES ('2025-12-01', 'taken', 5, now())"
    ),
    "took 7 fen of lot 1": (
        "INSERT INTO clearing_line (member_id, document_id, lot_id, day, part, fen)"
        f" VALUES (4711, 'S', 1, '{DAY}', 'principal', 7)"
    ),
    "says 9 fen of principal": (
        "INSERT INTO clearing_settlement (id, from_on, to_on, with_bonus, flows, asked_by, approved_by, at)"
        f" VALUES ('Z1', '{DAY}', '{DAY}', false, '[{{\"principal_fen\": 9}}]', 1, 2, now())"
    ),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_told(database, settings, lie):
    await make_difference(f"N-{list(LIES).index(lie)}")
    connection = await kept.connection(settings, "huiyuan_owner")
    assert await audit.prove(connection) == []
    lying = connection.transaction()
    await lying.start()
    await connection.execute(LIES[lie])
    (finding,) = await audit.prove(connection)
    await lying.rollback()

    assert lie in finding.what
