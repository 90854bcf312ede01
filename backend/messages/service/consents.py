"""What members agree to: the word that counts, and every word before it with when and by whom."""

from __future__ import annotations

from backend.kernel import clock, db, ids
from backend.kernel.db import Tx

from ..types import Channel, Purpose


async def set_consent(tx: Tx, member_id: int, channel: Channel, purpose: Purpose, *, granted: bool, by: str) -> bool:
    """Write down whether a member wants letters of a purpose on a channel; False where that was so already.

    ``by`` says who said it: ``member``, ``staff:<id>`` or ``link`` (of a letter).
    """
    now = clock.now()
    changed = await db.fetch_in(
        tx,
        "INSERT INTO message_consent AS c (member_id, channel, purpose, granted, at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (member_id, channel, purpose) DO UPDATE SET granted = $4, at = $5 WHERE c.granted <> $4"
        " RETURNING 1",
        member_id,
        channel.value,
        purpose.value,
        granted,
        now,
    )
    if not changed:
        return False
    await db.raw(tx).execute(
        "INSERT INTO message_consent_change (member_id, id, channel, purpose, granted, by, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        member_id,
        ids.new_bigint(),
        channel.value,
        purpose.value,
        granted,
        by,
        now,
    )
    return True
