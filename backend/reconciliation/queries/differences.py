"""Differences and their steps."""

from __future__ import annotations

from datetime import date

import msgspec

from backend.kernel import db
from backend.kernel.known import known
from backend.kernel.paging import Place
from backend.wechat.types import BillKind

from ..types import Action, Difference, Resolution, State, Step, What

DIFFERENCE = (
    "SELECT id, kind, number, what, day, store_id, theirs_fen, ours_fen, state, staff_id, resolution, found_at,"
    " ended_at, version FROM reconciliation_difference"
)


def difference_of(row: db.Record) -> Difference:
    """A row of ``DIFFERENCE``."""
    return Difference(
        **dict(row)
        | {
            "kind": BillKind(row["kind"]),
            "what": known(What, row["what"], What.OTHER),
            "state": known(State, row["state"], State.OTHER),
            "resolution": known(Resolution, row["resolution"], Resolution.OTHER) if row["resolution"] else None,
        }
    )


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which differences; None does not limit. ``waiting``: those that nobody has resolved."""

    waiting: bool = False
    state: State | None = None
    what: What | None = None
    day: date | None = None
    store_id: str | None = None


async def find_difference(difference_id: str) -> Difference | None:
    """A difference as it stands, or None."""
    row = await db.fetchrow(f"{DIFFERENCE} WHERE id = $1", difference_id)
    return difference_of(row) if row else None


async def list_differences(wanted: Filter, *, before: Place | None, limit: int) -> list[Difference]:
    """Differences, the last found first, from behind that place."""
    waiting = " AND state IN ('open', 'working')" if wanted.waiting else ""
    rows = await db.fetch(
        f"{DIFFERENCE} WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR what = $2)"
        " AND ($3::date IS NULL OR day = $3) AND ($4::text IS NULL OR store_id = $4)"
        f" AND ($5::timestamptz IS NULL OR (found_at, id) < ($5, $6)){waiting}"
        " ORDER BY found_at DESC, id DESC LIMIT $7",
        wanted.state.value if wanted.state else None,
        wanted.what.value if wanted.what else None,
        wanted.day,
        wanted.store_id,
        *(before or (None, None)),
        limit,
    )
    return [difference_of(row) for row in rows]


async def list_steps(difference_id: str) -> list[Step]:
    """What happened to a difference, oldest first."""
    rows = await db.fetch(
        "SELECT version, action, staff_id, note, at FROM reconciliation_step WHERE difference_id = $1 ORDER BY version",
        difference_id,
    )
    return [
        Step(row["version"], known(Action, row["action"], Action.OTHER), row["staff_id"], row["note"], row["at"])
        for row in rows
    ]
