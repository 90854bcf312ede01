"""Row locks. Members come first in the lock order; ids ascending."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

_COLUMNS = (
    "SELECT id, name, birthday, gender, store_id, referrer_id, level_id, status, growth_fen, attributes FROM member"
)


async def lock_member(tx: Tx, member_id: int) -> db.Record:
    """A member's row, locked until the transaction ends; ``NotFound`` for none."""
    rows = await db.fetch_in(tx, f"{_COLUMNS} WHERE id = $1 FOR UPDATE", member_id)
    if not rows:
        raise NotFound("there is no such member")
    return rows[0]


_BY_PHONE = "id = (SELECT coalesce(merged_into, id) FROM member WHERE phone_index = $1)"


async def lock_by_phone(tx: Tx, phone_index: str) -> db.Record | None:
    """The row of the member with that phone, or of whom they were merged into, locked; None where there is none."""
    rows = await db.fetch_in(tx, f"{_COLUMNS} WHERE {_BY_PHONE} FOR UPDATE", phone_index)
    return rows[0] if rows else None
