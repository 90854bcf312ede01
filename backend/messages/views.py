"""What callers are shown of letters."""

from __future__ import annotations

from .schemas import LetterOut
from .types import InboxLetter


def letter(found: InboxLetter) -> LetterOut:
    """A letter as its member sees it."""
    return LetterOut(
        id=found.id,
        template=found.template,
        purpose=found.purpose,
        title=found.title,
        body=found.body,
        link=found.link,
        at=found.at,
        read_at=found.read_at,
    )
