"""What happens to letters."""

from __future__ import annotations

from backend.kernel.events import Event


class LetterShown(Event, frozen=True, kw_only=True):
    """A letter stands in its member's inbox."""

    letter_id: str
