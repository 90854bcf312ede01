"""The lock of a conversation: everything that is said or done in one goes through it, one after the other."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from .queries import BY_DIGEST, BY_ID, conversation_of
from .types import Conversation

WITHIN = "SET LOCAL lock_timeout = '3s'"
"""What a transaction waits for the lock; WeChat waits for five seconds."""


async def lock_conversation(tx: Tx, conversation_id: int) -> Conversation:
    """A conversation; ``NotFound`` for none."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{BY_ID} FOR UPDATE", conversation_id)
    if not rows:
        raise NotFound("there is no such conversation")
    return conversation_of(rows[0])


async def lock_by_digest(tx: Tx, digest: str) -> Conversation | None:
    """The conversation of the customer with that digest, or None."""
    await db.raw(tx).execute(WITHIN)
    rows = await db.fetch_in(tx, f"{BY_DIGEST} FOR UPDATE", digest)
    return conversation_of(rows[0]) if rows else None
