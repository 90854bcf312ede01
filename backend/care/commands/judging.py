"""What members did after their task: whether they bought within the plan's window, and for how much."""

from __future__ import annotations

from datetime import datetime

from backend.audience import queries as audiences
from backend.kernel import db

AT_ONCE = 200
ROUNDS = 500


async def judge_due(now: datetime) -> int:
    """Judge the tasks whose window is over, those of members who were held out too; returns how many."""
    judged = 0
    for _ in range(ROUNDS):
        rows = await db.fetch(
            "SELECT id, member_id, made_at, judge_at FROM care_task WHERE judged_at IS NULL AND judge_at <= $1"
            " ORDER BY judge_at, id LIMIT $2",
            now,
            AT_ONCE,
        )
        spent = [await audiences.get_spent(row["member_id"], row["made_at"], row["judge_at"]) for row in rows]
        async with db.transaction() as tx:
            await db.raw(tx).execute(
                "UPDATE care_task t SET judged_at = $4, bought = w.times > 0, spent_fen = w.fen"
                " FROM unnest($1::text[], $2::int[], $3::bigint[]) AS w (id, times, fen)"
                " WHERE t.id = w.id AND t.judged_at IS NULL",
                [row["id"] for row in rows],
                [times for times, _ in spent],
                [fen for _, fen in spent],
                now,
            )
        judged += len(rows)
        if len(rows) < AT_ONCE:
            break
    return judged


async def forget_facts(before: object) -> None:
    """Drop what events noted and no trigger looks back at any more."""
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM care_fact WHERE on_date < $1", before)
