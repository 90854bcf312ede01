"""Everybody who became one member: what is held under the numbers of before is theirs, too."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx


async def everybody(tx: Tx, member_id: int) -> list[int]:
    """A member, and those who were merged into them, by id."""
    rows = await db.fetch_in(tx, "SELECT id FROM member WHERE merged_into = $1 ORDER BY id", member_id)
    return [member_id, *(row["id"] for row in rows)]
