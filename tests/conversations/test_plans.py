"""A store's lists cost what the store has, however many conversations the chain has."""

from __future__ import annotations

import asyncpg
import pytest

from backend.conversations import queries
from backend.kernel import db

FILL = """
INSERT INTO conversation (id, openid_digest, openid_sealed, member_id, store_id, state, last_at, created_at,
                          waiting_since)
SELECT n, 'plan-' || n, '', n, 'P' || n % 5, state, now() - n * interval '1 min', now(),
       CASE WHEN state = 'waiting' THEN now() END
  FROM (SELECT n, CASE WHEN n % 2 = 0 THEN 'waiting' ELSE 'closed' END AS state
          FROM generate_series(1, 20000) n) AS c"""
NOBODY = "P-none"


@pytest.mark.parametrize(
    ("sql", "values", "index"),
    [
        (queries._QUEUE[queries._of(NOBODY)], (NOBODY, None, 0, 31), "conversation_queue_of_store"),
        (queries._LISTED[queries._of(NOBODY)], (NOBODY, None, 0, 31, "closed", None), "conversation_of_store"),
        (queries._COUNTS[queries._of(NOBODY)], (NOBODY, 1), "conversation_queue_of_store"),
    ],
)
async def test_a_store_s_list_is_read_by_the_store_s_own_index(chain, settings, sql, values, index):
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        filled = owner.transaction()
        await filled.start()
        await owner.execute(FILL)
        await owner.execute("ANALYZE conversation")
        await owner.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        prepared = await owner.prepare(sql)
        plan = str(await prepared.explain(*values))
        await filled.rollback()
    finally:
        await owner.close()

    assert index in plan
    assert "Seq Scan on conversation" not in plan
