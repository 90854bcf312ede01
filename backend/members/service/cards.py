"""What the member's own row says of their card, for filters: the card itself is ``membercards``'."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.db import Tx


async def set_card_type(tx: Tx, member_id: int, card_type: str | None) -> None:
    """Say of which type the card is that a member holds, None for none. Holds the member."""
    await db.raw(tx).execute(
        "UPDATE member SET card_type = $2 WHERE id = $1 AND card_type IS DISTINCT FROM $2", member_id, card_type
    )
