"""What becomes of a delivery after it was handed over: told by its channel, a link, or the member."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db, ids
from backend.kernel.db import Tx

from .. import rules
from ..types import Channel, State

LETTER_PREFIX = "L"
_CHANNELS = frozenset(channel.value for channel in Channel)


def read_delivery_id(delivery_id: str) -> tuple[int, str, Channel] | None:
    """The member, letter and channel that such a name says, or None for what is none."""
    letter_id, _, channel = delivery_id.rpartition("-")
    member_id = ids.member_of(letter_id, LETTER_PREFIX)
    if member_id is None or channel not in _CHANNELS:
        return None
    return member_id, letter_id, Channel(channel)


async def record(tx: Tx, delivery_id: str, state: State, *, at: datetime, reason: str | None = None) -> bool:
    """Write down how far a delivery is; False where it is further already, or there is none.

    Of ``sent``, ``delivered``, ``opened``, ``clicked``, ``bounced`` and ``failed``; the last two say why.
    """
    named = read_delivery_id(delivery_id)
    if named is None:
        return False
    member_id, letter_id, channel = named
    moved = await db.fetch_in(
        tx,
        "UPDATE message_delivery SET state = $4::text, reason = $5, next_at = NULL, updated_at = $6,"
        " sent_at = coalesce(sent_at, $6),"
        " opened_at = CASE WHEN $4::text IN ('opened', 'clicked') THEN coalesce(opened_at, $6) ELSE opened_at END,"
        " clicked_at = CASE WHEN $4::text = 'clicked' THEN $6 ELSE clicked_at END"
        " WHERE member_id = $1 AND letter_id = $2 AND channel = $3 AND state = ANY($7) RETURNING 1",
        member_id,
        letter_id,
        channel.value,
        state.value,
        reason,
        at,
        [before.value for before in rules.may_become(state)],
    )
    return bool(moved)
