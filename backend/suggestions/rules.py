"""What may be said, and when. Pure."""

from __future__ import annotations

from backend.kernel.errors import invalid

from .errors import SuggestionConflict, WaitForAnswer
from .types import Suggestion, SuggestionState

MOST_UNANSWERED = 5
"""Messages that a writer may add before somebody answers."""

MOST_MESSAGES = 100
EXCERPT = 60
ANSWERED = (SuggestionState.ANSWERED, SuggestionState.CLOSED)


def check_text(text: str) -> str:
    """The text without blanks around it; refused where nothing is left."""
    if not (kept := text.strip()):
        raise invalid("/text", "is blank")
    return kept


def may_add(found: Suggestion) -> int:
    """How many messages the writer may add now."""
    return max(0, min(MOST_UNANSWERED - found.unanswered, MOST_MESSAGES - found.messages))


def check_adding(found: Suggestion) -> None:
    """Refuse more than may be added before an answer."""
    if not may_add(found):
        raise WaitForAnswer


def check_rating(found: Suggestion) -> None:
    """Refuse a word about an answer that nobody gave."""
    if found.answered_at is None:
        raise SuggestionConflict("nobody has answered it yet")


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1]}…"
