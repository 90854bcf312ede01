"""With many members what runs and phones ask for is found by an index."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest_asyncio

from backend.kernel import db
from backend.rebates.commands import building
from backend.rebates.queries import facts, statements
from tests.support.books import connected

MANY = 20_000
FILL = (
    f"""
INSERT INTO rebate_purchase (member_id, sale_id, store_id, at, day, level, key_account, paid, lines)
SELECT m, m || '-' || n, 'S1', '2026-01-05T00:00:00Z', date '2026-01-05' + 30 * n, 'basic', false, '{{}}', '[]'
  FROM generate_series(1, {MANY}) m, generate_series(0, 3) n""",
    f"""
INSERT INTO rebate_run (id, kind, period, first_on, last_on, state, schemes, total, to_pay, payout_fen, created_at)
SELECT 'PLAN' || n, 'statements', 'month', date '2010-01-01' + 31 * n, date '2010-01-31' + 31 * n, 'paying', '[]', 1,
       {MANY}, 1, now() FROM generate_series(0, 3) n""",
    f"""
INSERT INTO rebate_statement (member_id, run_id, id, holder_id, period, first_on, last_on, amount_fen, corrected_fen,
                              brought_fen, payout_fen, carried_fen, body, at, paid_at)
SELECT m, 'PLAN' || n, 'P' || m || '-' || n, m, 'month', date '2010-01-01' + 31 * n, date '2010-01-31' + 31 * n, 1, 0,
       0, 1, 0, '{{}}', now(), CASE WHEN n < 3 THEN now() END
  FROM generate_series(1, {MANY}) m, generate_series(0, 3) n""",
)


@pytest_asyncio.fixture(loop_scope="session")
async def many(database, settings):
    """Purchases and statements of many members."""
    for sql in FILL:
        await db.pool().execute(sql)
    async with connected(settings, "huiyuan_owner") as owner:
        await owner.execute("ANALYZE rebate_purchase, rebate_statement, rebate_run, rebate_late")
    yield
    for table in ("rebate_statement", "rebate_run", "rebate_purchase"):
        await db.pool().execute(f"DELETE FROM {table}")


async def plan_of(sql: str, *args: object) -> str:
    rows = await db.fetch(f"EXPLAIN {sql}", *args)
    return "\n".join(row[0] for row in rows)


async def test_no_query_of_a_run_or_a_phone_reads_a_whole_table(many):
    some = list(range(100, 300))
    first, last = date(2026, 2, 1), date(2026, 2, 28)
    start = datetime(2026, 2, 1, tzinfo=UTC)
    list_of_member = f"{statements._STATEMENT} WHERE s.holder_id = $1 ORDER BY s.at DESC, s.id LIMIT 50"
    unpaid = (
        f"{statements._STATEMENT} WHERE s.run_id = $1 AND s.payout_fen > 0 AND s.paid_at IS NULL AND s.refusal IS NULL"
        " ORDER BY s.member_id LIMIT 100"
    )

    plans = [
        await plan_of(building._MEANT, some, "month", first, last),
        *[
            await plan_of(sql, some, [first] * 200, [start] * 200, [""] * 200, last, facts.PAGE)
            for sql in (facts.OWN, facts.BOTH)
        ],
        await plan_of(facts._RETURNS, some, ["x"] * 200),
        await plan_of(statements._CARRIED, some, "x"),
        await plan_of(list_of_member, 4711),
        await plan_of(unpaid, "PLAN3"),
    ]

    for plan in plans:
        assert "Seq Scan on rebate_purchase" not in plan, plan
        assert "Seq Scan on rebate_statement" not in plan, plan
        assert "Seq Scan on rebate_return" not in plan, plan
    assert "rebate_statement_unpaid" in plans[6]
