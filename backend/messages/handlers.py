"""Letters that were written in a transaction, told to open phones after it."""

from __future__ import annotations

from backend.kernel import events, live
from backend.kernel.db import Tx

from .events import LetterShown


@events.on(LetterShown)
async def tell_phones(event: LetterShown, tx: Tx) -> None:
    """Let open phones look at their inbox."""
    live.push(event.member_id, "message", {"id": event.letter_id})
