"""Boxes, and who administers them."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import db
from backend.kernel.changes import Changes

from ..types import Box, BoxState

BOX = (
    "SELECT b.id, b.title, b.topic, b.store_id, b.state, b.anonymous, b.version, b.created_at, b.updated_at,"
    " ARRAY(SELECT a.staff_id FROM suggestion_box_admin a WHERE a.box_id = b.id ORDER BY a.staff_id) AS administrators"
    " FROM suggestion_box b"
)
MOST_BOXES = 1_000
"""As many as there may be: one for each store, and some more."""

changes = Changes("suggestion_change", "box_id")
"""What staff did to a box and to what is in it."""


def box_of(row: db.Record) -> Box:
    """A row of ``BOX``."""
    return Box(**dict(row) | {"state": BoxState(row["state"]), "administrators": tuple(row["administrators"])})


async def find_box(box_id: str) -> Box | None:
    """A box as it stands, or None."""
    row = await db.fetchrow(f"{BOX} WHERE b.id = $1", box_id)
    return box_of(row) if row else None


async def list_boxes(staff_id: int | None = None) -> list[Box]:
    """All boxes, open ones first, or those that somebody administers."""
    rows = await db.fetch(
        f"{BOX} WHERE $1::bigint IS NULL OR EXISTS"
        " (SELECT FROM suggestion_box_admin a WHERE a.box_id = b.id AND a.staff_id = $1)"
        " ORDER BY b.state = 'closed', b.created_at DESC, b.id LIMIT $2",
        staff_id,
        MOST_BOXES,
    )
    return [box_of(row) for row in rows]


async def list_open_boxes() -> list[Box]:
    """The boxes that take suggestions, the chain's before the stores'."""
    rows = await db.fetch(
        f"{BOX} WHERE b.state = 'open' ORDER BY b.store_id IS NOT NULL, b.created_at, b.id LIMIT $1", MOST_BOXES
    )
    return [box_of(row) for row in rows]


async def waiting_in(box_ids: Sequence[str]) -> dict[str, int]:
    """How many suggestions wait for an answer, by box."""
    rows = await db.fetch(
        "SELECT box_id, count(*) AS waiting FROM suggestion WHERE box_id = ANY($1) AND state = 'open' GROUP BY box_id",
        list(box_ids),
    )
    return {row["box_id"]: row["waiting"] for row in rows}
