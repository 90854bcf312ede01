"""Members read their letters."""

from __future__ import annotations

from backend.kernel import clock, db
from backend.kernel.errors import NotFound

from .. import queries
from ..types import InboxLetter


async def read_letter(member_id: int, letter_id: str) -> InboxLetter:
    """Mark a letter of the inbox as read; ``NotFound`` for none. Reading it again changes nothing."""
    await db.fetchval(
        "UPDATE message_letter SET read_at = $3"
        " WHERE member_id = $1 AND id = $2 AND shown_at IS NOT NULL AND read_at IS NULL RETURNING 1",
        member_id,
        letter_id,
        clock.now(),
    )
    found = await queries.find_letter(member_id, letter_id)
    if found is None:
        raise NotFound("there is no such letter")
    return found


async def read_all(member_id: int) -> None:
    """Mark every letter that stands in the inbox now as read."""
    await db.fetchval(
        "WITH read AS (UPDATE message_letter SET read_at = $2"
        " WHERE member_id = $1 AND shown_at <= $2 AND read_at IS NULL RETURNING 1) SELECT count(*) FROM read",
        member_id,
        clock.now(),
    )
