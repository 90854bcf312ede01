"""Draw what was sent anew: it takes a processor and up to 200 MB, so two at a time, and few wait for their turn."""

from __future__ import annotations

import asyncio

from . import pictures
from .errors import Unavailable, invalid

AT_ONCE = 2
MOST_WAITING = 16
"""Each of them holds a whole body in memory."""

_turn = asyncio.Semaphore(AT_ONCE)
_waiting = 0


async def draw(data: bytes) -> pictures.Picture:
    """The picture that was sent, drawn anew; ``ValidationFailed`` for what is none, ``Unavailable`` in a crowd."""
    try:
        return await redraw(data)
    except pictures.NotAPicture as error:
        raise invalid("", str(error)) from error


async def redraw(data: bytes) -> pictures.Picture:
    """The same, with ``NotAPicture`` for what is none: for callers with a refusal of their own."""
    global _waiting
    if _waiting >= MOST_WAITING:
        raise Unavailable("too many pictures are being read; try again", retry_after_s=2)
    _waiting += 1
    try:
        async with _turn:
            return await asyncio.to_thread(pictures.draw_anew, data)
    finally:
        _waiting -= 1
