"""Rows of anonymous suggestions are mixed when their day is over.

A row keeps the number of the transaction that wrote it, and its place in the table: beside rows of other tables, which
have times, both say nearly when it came. So all that was written on days that are over is taken out and put back,
table by table, each in one transaction and a random order; what then can be read off the database is the day.
"""

from __future__ import annotations

from backend.kernel import db

from .. import locks
from ..queries.keys import today

_TABLES = {
    "suggestion_picture": ("id", "suggestion_id", "large", "small"),
    "suggestion_message": (
        *("id", "suggestion_id", "seq", "author", "staff_id", "text", "pictures", "day", "at", "request"),
    ),
    "suggestion": (
        *("id", "box_id", "member_id", "receipt", "state", "day", "at", "assigned_to", "answered_at", "closed_at"),
        *("rating", "rating_text", "messages", "unanswered", "version"),
    ),
    "suggestion_spent": ("digest", "key_id", "request", "suggestion_id"),
}
"""Every column but the day that is forgotten here."""


MOST_S = 600
"""For one table: a day's pictures may be many, and nobody waits for them."""


async def mix() -> int:
    """Mix what was written anonymously on days that are over, table by table; how many rows it was."""
    return sum([await _mix(table) for table in _TABLES])


async def _mix(table: str) -> int:
    names = ", ".join(_TABLES[table])
    sql = (
        f"WITH taken AS (DELETE FROM {table} WHERE fresh_on < $1 RETURNING {names})"  # noqa: S608 - ours
        f" INSERT INTO {table} ({names}) SELECT {names} FROM taken ORDER BY random() RETURNING 1"
    )
    async with db.transaction() as tx:
        if table == "suggestion":  # who adds to one would not find it; pictures and messages nobody looks for
            await locks.lock_all(tx)
        return len(await db.raw(tx).fetch(sql, today(), timeout=MOST_S))
