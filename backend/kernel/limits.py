"""Rate limits: a sliding window per key, shared through Redis, kept locally when it is gone.

Far from its limit a key is counted in this process and reported to Redis in small batches, so that a hot key costs one
command in many calls; the nearer the limit, the smaller the batch, and a limit of 16 or less is always asked for
exactly. With Redis down every process counts for itself: still a limit, only looser with more processes.
"""

from __future__ import annotations

import math
from typing import Any

from . import clock, redis
from .errors import RateLimited
from .redis import RedisDown

MAX_KEYS = 50_000
"""Keys a process remembers; beyond it the oldest are forgotten."""

# Adds to this window's counter and reads the one before; both keys hash to one slot of a cluster by their {braces}.
_COUNT = (
    "local n=redis.call('INCRBY',KEYS[1],ARGV[1]) "
    "if n==tonumber(ARGV[1]) then redis.call('EXPIRE',KEYS[1],ARGV[2]) end "
    "return {n,tonumber(redis.call('GET',KEYS[2]) or '0')}"
)
_ROUNDING = 1e-6  # of the sliding part; a call at the promised second must pass
_SHARE = 16
"""A process may be ahead of Redis by one part in this many of what is left."""


class _Window:
    """What this process knows of one key: the counts of this window and the last, and what Redis was not told."""

    __slots__ = ("before", "known", "number", "unreported")

    def __init__(self, number: int, before: int = 0) -> None:
        self.number = number
        self.before = before
        self.known = 0
        self.unreported = 0


_windows: dict[tuple[str, int], _Window] = {}


async def hit(key: str, limit: int, window_s: int = 60) -> None:
    """Count one use of ``key``; ``RateLimited`` with the seconds to wait when ``limit`` in ``window_s`` is exceeded.

    What is refused here is not counted, so that waiting always helps.
    """
    at = clock.now().timestamp()
    number = int(at // window_s)
    window = _windows.get((key, window_s))
    fresh = window is None or window.number != number
    if window is None or window.number != number:
        window = _remember(key, window_s, number, window)
    elapsed = at / window_s - number
    used = window.before * (1.0 - elapsed) + window.known + window.unreported
    if used + 1 > limit + _ROUNDING:
        raise _limited(window, limit, window_s, elapsed)
    window.unreported += 1
    if not fresh and window.unreported <= (limit - used) / _SHARE:
        return
    await _report(key, window_s, window)
    # Others may have used it up meanwhile; what this call added is in the count.
    if window.before * (1.0 - elapsed) + window.known > limit + _ROUNDING:
        raise _limited(window, limit, window_s, elapsed)


def _remember(key: str, window_s: int, number: int, last: _Window | None) -> _Window:
    before = last.known + last.unreported if last is not None and last.number == number - 1 else 0
    _windows.pop((key, window_s), None)
    while len(_windows) >= MAX_KEYS:
        del _windows[next(iter(_windows))]
    window = _windows[(key, window_s)] = _Window(number, before)
    return window


async def _report(key: str, window_s: int, window: _Window) -> None:
    """Tell Redis what was counted here and learn the whole; without Redis the local count is the whole."""
    count, window.unreported = window.unreported, 0
    window.known += count
    name = f"rate:{{{key}:{window_s}}}"
    try:
        reply: Any = await redis.call(
            "EVAL", _COUNT, 2, f"{name}:{window.number}", f"{name}:{window.number - 1}", count, 2 * window_s
        )
    except RedisDown:
        return
    window.known = max(window.known, int(reply[0]))
    window.before = max(window.before, int(reply[1]))


def _limited(window: _Window, limit: int, window_s: int, elapsed: float) -> RateLimited:
    """The refusal, with the time until the sliding count is below the limit again."""
    now_counts = window.known + window.unreported
    if now_counts >= limit:
        wait = 1.0 - elapsed + max(0.0, 1.0 - (limit - 1) / now_counts)
    else:
        wait = 1.0 - (limit - 1 - now_counts) / window.before - elapsed if window.before else 0.0
    return RateLimited(retry_after_s=max(1, math.ceil(wait * window_s)))


def forget() -> None:
    """Tests only: forget every count of this process."""
    _windows.clear()
