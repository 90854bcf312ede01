"""What is written down of addresses: that nobody is reached by one any more."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx

from ..types import Channel


async def mark_dead(tx: Tx, channel: Channel, address_index: str, reason: str, at: datetime) -> None:
    """Write to an address no more; it is known by its index only, whoever's it is or will be."""
    await db.raw(tx).execute(
        "INSERT INTO message_dead_address (channel, address_index, reason, at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (channel, address_index) DO NOTHING",
        channel.value,
        address_index,
        reason,
        at,
    )


async def revive(tx: Tx, channel: Channel, address_index: str) -> bool:
    """Write to an address again; False where that was so."""
    gone = await db.fetch_in(
        tx,
        "DELETE FROM message_dead_address WHERE channel = $1 AND address_index = $2 RETURNING 1",
        channel.value,
        address_index,
    )
    return bool(gone)


async def find_email_index(tx: Tx, member_id: int) -> str | None:
    """What a member's confirmed e-mail address is found by, as it stands in a transaction."""
    rows = await db.fetch_in(tx, "SELECT address_index FROM message_email WHERE member_id = $1", member_id)
    return rows[0]["address_index"] if rows else None
