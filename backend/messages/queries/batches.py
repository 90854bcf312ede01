"""Reads of batches: what was asked for, and how far it is."""

from __future__ import annotations

import msgspec

from backend.audience.types import Audience
from backend.kernel import db
from backend.kernel.changes import Changes
from backend.kernel.paging import Place

from ..types import Batch, BatchState, Channel, Count, Purpose, State

BATCH = (
    "SELECT id, title, template, purpose, given, audience, link, store_id, state, problem, expected, written, after,"
    " send_at, staff_id, created_at, started_at, written_at, ended_at, version FROM message_batch"
)
_audience = msgspec.json.Decoder(Audience)
_given = msgspec.json.Decoder(dict[str, str])


def batch_of(row: db.Record) -> Batch:
    """A row of ``BATCH``."""
    return Batch(
        **dict(row)
        | {
            "purpose": Purpose(row["purpose"]),
            "state": BatchState(row["state"]),
            "given": _given.decode(row["given"]),
            "audience": _audience.decode(row["audience"]),
        }
    )


async def find_batch(batch_id: str) -> Batch | None:
    """A batch as it stands, or None."""
    row = await db.fetchrow(f"{BATCH} WHERE id = $1", batch_id)
    return batch_of(row) if row else None


async def list_batches(*, store_id: str | None, before: Place | None, limit: int) -> list[Batch]:
    """Batches of a store (None: of all, and head office's), newest first, from below ``before``."""
    rows = await db.fetch(
        f"{BATCH} WHERE ($1::text IS NULL OR store_id = $1)"
        " AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::text))"
        " ORDER BY created_at DESC, id DESC LIMIT $4",
        store_id,
        *(before or (None, None)),
        limit,
    )
    return [batch_of(row) for row in rows]


async def count_deliveries(batch_id: str) -> list[Count]:
    """A batch's deliveries by channel, state and reason."""
    rows = await db.fetch(
        "SELECT channel, state, reason, count(*) AS n FROM message_delivery WHERE batch_id = $1"
        " GROUP BY channel, state, reason ORDER BY channel, state, reason NULLS FIRST",
        batch_id,
    )
    return [Count(Channel(row["channel"]), State(row["state"]), row["reason"], row["n"]) for row in rows]


batch_changes = Changes("message_batch_change", "batch_id")
"""What staff did to a batch."""
