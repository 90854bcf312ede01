"""Letters that were written, told to open phones afterwards."""

from __future__ import annotations

from backend.kernel import events, live
from backend.kernel.db import Tx

from . import cards_and_pins, memberships, privacy_letters, queries, staff_links
from .events import LetterShown

__all__ = ["cards_and_pins", "memberships", "privacy_letters", "staff_links", "tell_phones"]


@events.on(LetterShown)
async def tell_phones(event: LetterShown, tx: Tx) -> None:
    """Let open phones look at their inbox."""
    found = await queries.find_letter(event.member_id, event.letter_id)
    if found is not None:
        live.push(event.member_id, "message", {"id": found.id, "kind": found.template, "title": found.title})
