"""The demo's registrations: a policy, three who wait, a table that came and one that is wrong, and two batches."""

from __future__ import annotations

from backend.demo import registration
from backend.demo.load import _load_chain
from backend.kernel import db
from backend.worker import load
from tests.support.messages import many_members


async def test_every_part_has_something_to_show(settings, server):
    load()
    await _load_chain()
    people = await many_members(190, "S001")
    await db.pool().execute("UPDATE member SET level_id = 'gold' WHERE id = ANY($1)", people[:101])

    await registration.load()

    counted = await db.fetch(
        "SELECT 'application', state, count(*) FROM registration_application GROUP BY 2"
        " UNION ALL SELECT 'import', state, made FROM registration_import"
        " UNION ALL SELECT 'batch', state, changed FROM registration_batch ORDER BY 1, 2"
    )
    assert [tuple(row) for row in counted] == [
        ("application", "pending", 3),
        ("batch", "done", 5),
        ("batch", "waiting", 0),
        ("import", "checked", 0),
        ("import", "done", 3),
    ]
