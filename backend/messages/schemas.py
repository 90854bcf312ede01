"""Bodies and answers of the calls about letters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import Purpose


class InboxQuery(Body):
    """Which page of the inbox."""

    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 20
    unread: bool = False


class LetterOut(msgspec.Struct):
    """A letter of the inbox; ``link`` is an address of the phone page."""

    id: str
    template: str
    purpose: Purpose
    title: str
    body: str
    link: str | None
    at: datetime
    read_at: datetime | None


class InboxOut(msgspec.Struct):
    """Letters, newest first; ``unread`` counts all of the inbox."""

    items: list[LetterOut]
    unread: int
    next_cursor: str | None = None


class UnreadOut(msgspec.Struct):
    """How many letters were not read."""

    unread: int
