"""What the member was told, and what they told the chain."""

from __future__ import annotations

import asyncio

from backend.messages import queries as messages
from backend.suggestions import queries as suggestion_queries

from ..schemas import LetterOut, LettersOut, SuggestionOut, SuggestionsOut
from ..types import Ask

LETTERS = 5
SUGGESTIONS = 5
WORDS = 60


async def letters(ask: Ask) -> LettersOut:
    """The inbox, as the member sees it."""
    unread, found = await asyncio.gather(
        messages.count_unread(ask.member.id), messages.list_inbox(ask.member.id, before=None, limit=LETTERS)
    )
    return LettersOut(
        unread, [LetterOut(one.id, one.at, one.purpose, one.title, one.read_at is not None) for one in found]
    )


async def suggestions(ask: Ask) -> SuggestionsOut:
    """What the member wrote under their own name, in boxes that the viewer administers: nobody else reads them."""
    own, found = await asyncio.gather(
        suggestion_queries.list_boxes(ask.staff_id),
        suggestion_queries.list_of_member(ask.member.id, before=None, limit=SUGGESTIONS),
    )
    boxes = {box.id: box for box in own}
    return SuggestionsOut(
        [
            SuggestionOut(one.id, one.box_id, boxes[one.box_id].title, one.at, one.state, words[:WORDS])
            for one, words in found
            if one.box_id in boxes and one.at is not None
        ]
    )
