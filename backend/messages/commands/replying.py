"""Members answer a letter in the inbox; staff read it beside what came by SMS."""

from __future__ import annotations

import hashlib

from backend.kernel import clock, db, limits
from backend.kernel.errors import NotFound
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members

from .. import queries
from ..queries import replies
from ..queries.replies import Reply
from ..types import Channel

MOST_AN_HOUR = 20


async def answer(member_id: int, letter_id: str, text: str, key: str) -> Reply:
    """Keep an answer to a letter of the inbox, once for each key; ``NotFound`` for no letter of this member's.

    A key that was used under a number merged into this member's since gets its first answer: the letter stayed there.
    """
    for number in await members.ids_of(member_id):
        if (known := await replies.find_reply(_id(number, key))) is not None:
            return _same(known, letter_id, text)
    if await queries.find_letter(member_id, letter_id) is None:
        raise NotFound("there is no such letter")
    await limits.hit(f"letter-reply:{member_id}", MOST_AN_HOUR, 3600)
    now = clock.now()
    await db.fetchval(
        "INSERT INTO message_reply (id, member_id, letter_id, channel, text, stop, at, taken_at)"
        " VALUES ($1, $2, $3, $4, $5, false, $6, $6) ON CONFLICT (id) DO NOTHING RETURNING 1",
        _id(member_id, key),
        member_id,
        letter_id,
        Channel.INBOX.value,
        text,
        now,
    )
    made = await replies.find_reply(_id(member_id, key))
    assert made is not None
    return _same(made, letter_id, text)


def _id(member_id: int, key: str) -> str:
    return f"inbox-{hashlib.sha256(f'{member_id}/{key}'.encode()).hexdigest()[:40]}"


def _same(known: Reply, letter_id: str, text: str) -> Reply:
    if (known.letter_id, known.text) != (letter_id, text):
        raise IdempotencyConflict
    return known
