"""What staff did to something: written down in the transaction that does it, only ever added to, read newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from . import db, ids, trail
from .db import Tx


class Change(msgspec.Struct, frozen=True):
    """What somebody of the staff did, why, and what it was after it."""

    at: datetime
    staff_id: int
    action: str
    detail: dict[str, Any]


class ChangeOut(msgspec.Struct):
    """What somebody of the staff did, and what it was after it."""

    at: datetime
    staff_id: str
    action: str
    detail: dict[str, Any]


class ChangesOut(msgspec.Struct):
    """The last hundred changes, newest first."""

    items: list[ChangeOut]


class Changes:
    """The changes in one domain's table; ``subject`` is its column that says to what.

    The database lets nobody rewrite them. They are kept for good, so no names in the details.
    """

    def __init__(self, table: str, subject: str) -> None:
        self._insert = (
            f"INSERT INTO {table} (id, {subject}, staff_id, action, detail, at) VALUES ($1, $2, $3, $4, $5, $6)"  # noqa: S608
        )
        self._list = (
            f"SELECT at, staff_id, action, detail FROM {table} WHERE {subject} = $1"  # noqa: S608
            " AND ($3::text IS NULL OR detail->>$3 = $4) ORDER BY at DESC, id LIMIT $2"
        )

    async def note(self, tx: Tx, subject: str, staff_id: int, action: str, detail: dict[str, Any], at: datetime) -> int:
        """Write down who did what to it; the id of what was written."""
        change_id = ids.new_bigint()
        trail.named(subject)
        trail.changed(action, *detail)
        await db.raw(tx).execute(
            self._insert, change_id, subject, staff_id, action, msgspec.json.encode(detail).decode(), at
        )
        return change_id

    async def list_of(self, subject: str, limit: int, *, where: tuple[str, str] | None = None) -> list[Change]:
        """What was done to it, newest first; ``where``: only what has that value under that name in its detail."""
        rows = await db.fetch(self._list, subject, limit, *(where or (None, None)))
        return [Change(row[0], row[1], row[2], msgspec.json.decode(row[3])) for row in rows]


def change_out(change: Change) -> ChangeOut:
    """A change as staff see it."""
    return ChangeOut(change.at, str(change.staff_id), change.action, change.detail)


def changes_out(changes: Sequence[Change]) -> ChangesOut:
    """Changes as staff see them."""
    return ChangesOut([change_out(change) for change in changes])
