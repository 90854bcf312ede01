"""How long, how often, and what a number looks like. No I/O."""

from __future__ import annotations

import re
from datetime import timedelta

CONFIRM_WITHIN = timedelta(seconds=120)
PIN_TRIES = 5
TERMINAL_ASKS = 30
TERMINAL_WINDOW_S = 600
MEMBER_ASKS = 6
MEMBER_WINDOW_S = 600

_DOCUMENT = re.compile(r"[0-9A-Z]{6,24}\Z")


def normal_document(number: str) -> str | None:
    """A document's number as it is kept: upper case, without spaces and dashes; None for what is none."""
    found = re.sub(r"[\s-]", "", number).upper()
    return found if _DOCUMENT.match(found) else None
