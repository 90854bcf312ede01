"""Members answer a letter in the inbox; staff read it beside what came by SMS."""

from __future__ import annotations

import hashlib

from backend.kernel import clock, db, limits
from backend.kernel.errors import NotFound
from backend.ledger.errors import IdempotencyConflict

from .. import queries
from ..queries import replies
from ..queries.replies import Reply
from ..types import Channel

MOST_AN_HOUR = 20


async def answer(member_id: int, letter_id: str, text: str, key: str) -> Reply:
    """Keep an answer to a letter of the inbox, once for each key; ``NotFound`` for no letter of this member's."""
    if await queries.find_letter(member_id, letter_id) is None:
        raise NotFound("there is no such letter")
    reply_id = f"inbox-{hashlib.sha256(f'{member_id}/{key}'.encode()).hexdigest()[:40]}"
    known = await replies.find_reply(reply_id)
    if known is None:
        await limits.hit(f"letter-reply:{member_id}", MOST_AN_HOUR, 3600)
        now = clock.now()
        await db.fetchval(
            "INSERT INTO message_reply (id, member_id, letter_id, channel, text, stop, at, taken_at)"
            " VALUES ($1, $2, $3, $4, $5, false, $6, $6) ON CONFLICT (id) DO NOTHING RETURNING 1",
            reply_id,
            member_id,
            letter_id,
            Channel.INBOX.value,
            text,
            now,
        )
        known = await replies.find_reply(reply_id)
    assert known is not None
    if (known.letter_id, known.text) != (letter_id, text):
        raise IdempotencyConflict
    return known
