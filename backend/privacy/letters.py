"""Words about letters are kept by ``messages``, which stands above: it says here how they are read and set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from backend.kernel.db import Tx

Way = tuple[str, str]
"""A channel, and what the letters are for."""


class LetterWord(msgspec.Struct, frozen=True):
    """One word that was said about letters; ``by`` is ``member``, ``staff:<id>``, ``till``, ``import`` or ``link``."""

    id: int
    way: Way
    granted: bool
    by: str
    at: datetime


class Say(Protocol):
    """Writes a word down."""

    async def __call__(self, tx: Tx, member_id: int, way: Way, *, granted: bool, by: str) -> bool:
        """Whether that is new."""


class Letters(msgspec.Struct, frozen=True):
    """How words about letters are read and set: as they hold, as they were said (newest first), and a new one."""

    words: Callable[[int], Awaitable[Mapping[Way, tuple[bool, datetime | None]]]]
    changes: Callable[[int, tuple[datetime, int] | None, int], Awaitable[list[LetterWord]]]
    say: Say


_kept: Letters | None = None


def keep(letters: Letters) -> None:
    """Say who keeps words about letters; once."""
    global _kept
    _kept = letters


def kept() -> Letters:
    """Who keeps them."""
    if _kept is None:
        raise RuntimeError("nobody keeps what members say about letters")
    return _kept
