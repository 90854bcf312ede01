"""Care in numbers."""

from __future__ import annotations

from datetime import date

import msgspec

from backend.kernel import db

from ..types import Group, How, On


class KindCount(msgspec.Struct, frozen=True):
    """Tasks that were made in a period, by what they were for and how they are done."""

    on: On
    how: How
    made: int
    sent: int
    failed: int
    open: int
    overdue: int
    done: int
    skipped: int
    held_out: int


_PERIOD = "made_on BETWEEN $1 AND $2 AND ($3::text IS NULL OR store_id = $3)"


async def count_by_kind(first: date, last: date, store_id: str | None, *, today: date) -> list[KindCount]:
    """How the tasks of a period stand; ``made`` are all but those held out."""
    rows = await db.fetch(
        "SELECT \"on\", how, count(*) FILTER (WHERE state <> 'held_out'),"
        " count(*) FILTER (WHERE state IN ('sent', 'due')), count(*) FILTER (WHERE state = 'failed'),"
        " count(*) FILTER (WHERE state = 'open'),"
        " count(*) FILTER (WHERE state = 'open' AND due_on < $4), count(*) FILTER (WHERE state = 'done'),"
        " count(*) FILTER (WHERE state = 'skipped'), count(*) FILTER (WHERE state = 'held_out')"
        f" FROM care_task WHERE {_PERIOD} GROUP BY 1, 2 ORDER BY 1, 2",
        first,
        last,
        store_id,
        today,
    )
    return [KindCount(On(row[0]), How(row[1]), *row[2:]) for row in rows]


async def count_overdue(store_id: str | None, *, today: date) -> int:
    """To-dos whose day is over, whenever they were made."""
    return int(
        await db.fetchval(
            "SELECT count(*) FROM care_task WHERE state = 'open' AND due_on < $1"
            " AND ($2::text IS NULL OR store_id = $2)",
            today,
            store_id,
        )
    )


async def list_most_cared_for(first: date, last: date, store_id: str | None, *, limit: int) -> list[tuple[int, int]]:
    """The members for whom most was done in a period (letters sent, to-dos done), and how often."""
    rows = await db.fetch(
        "SELECT member_id, count(*) FROM care_task"
        f" WHERE {_PERIOD} AND state IN ('sent', 'done') GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $4",
        first,
        last,
        store_id,
        limit,
    )
    return [(row[0], row[1]) for row in rows]


async def get_groups(plan_id: str) -> tuple[Group, Group, int]:
    """Those of a plan who were cared for, those held out, and how many are not judged yet.

    Whether a task was done does not matter: who was to be cared for is compared with who was not.
    """
    rows = await db.fetch(
        "SELECT state = 'held_out' AS held, count(judged_at), count(*) FILTER (WHERE bought),"
        " coalesce(sum(spent_fen), 0)::bigint, coalesce(sum(spent_fen::numeric * spent_fen), 0)::text,"
        " count(*) FILTER (WHERE judged_at IS NULL)"
        " FROM care_task WHERE plan_id = $1 GROUP BY 1",
        plan_id,
    )
    found = {row["held"]: Group(row[1], row[2], row[3], int(row[4])) for row in rows}
    nobody = Group(0, 0, 0, 0)
    return found.get(False, nobody), found.get(True, nobody), sum(row[5] for row in rows)
