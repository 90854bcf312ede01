"""Reads of how coupons are issued: batches of codes, lists of members, and who of the staff did what."""

from __future__ import annotations

from typing import Any

import msgspec

from backend.kernel import db
from backend.kernel.changes import Changes

from ..records import Batch, Handout

_BATCH = "SELECT id, template_id, note, total, made, claimed, state, exported_at, created_at FROM coupon_batch"


async def find_batch(batch_id: str) -> Batch | None:
    """A batch of codes, or None."""
    row = await db.fetchrow(f"{_BATCH} WHERE id = $1", batch_id)
    return Batch(**dict(row)) if row else None


async def list_batches(template_id: str, limit: int) -> list[Batch]:
    """A template's batches, newest first."""
    rows = await db.fetch(f"{_BATCH} WHERE template_id = $1 ORDER BY created_at DESC, id LIMIT $2", template_id, limit)
    return [Batch(**dict(row)) for row in rows]


_HANDOUT = "SELECT id, template_id, total, done, issued, refused, created_at, finished_at FROM coupon_handout"


def _handout(row: db.Record) -> Handout:
    fields: dict[str, Any] = dict(row)
    return Handout(**fields | {"refused": msgspec.json.decode(fields["refused"])})


async def find_handout(handout_id: str) -> Handout | None:
    """How far a handout has got, or None."""
    row = await db.fetchrow(f"{_HANDOUT} WHERE id = $1", handout_id)
    return _handout(row) if row else None


async def list_handouts(template_id: str, limit: int) -> list[Handout]:
    """A template's handouts, newest first."""
    rows = await db.fetch(
        f"{_HANDOUT} WHERE template_id = $1 ORDER BY created_at DESC, id LIMIT $2", template_id, limit
    )
    return [_handout(row) for row in rows]


changes = Changes("coupon_change", "template_id")
"""What staff did to a template and to its coupons."""
