"""Guessing ends: who looks members up by number and misses too often finds nobody for a while, also whom there is.

All ways to look somebody up count together, for each of the staff: numbers are few enough to be tried one by one.
"""

from __future__ import annotations

from . import clock, limits, logging, metrics
from .errors import RateLimited

MISSES = 20
WINDOW_S = 600

log = logging.get(__name__)
_blocked_until: dict[int, float] = {}


def check(staff_id: int) -> None:
    """Refuse who has been guessing: also what would be found, or a refusal would tell."""
    left = _blocked_until.get(staff_id, 0.0) - clock.now().timestamp()
    if 0 < left <= 2 * WINDOW_S:  # by a clock that was set back meanwhile it would be for longer
        raise RateLimited("too many look-ups that found nobody", retry_after_s=int(left) + 1)
    _blocked_until.pop(staff_id, None)


async def miss(staff_id: int, by: str) -> None:
    """Count a look-up that found nobody; ``RateLimited`` for one too many. ``by`` says what it was, never which."""
    metrics.CONTACT_MISSES.labels(by).inc()
    try:
        await limits.hit(f"contact-miss:{staff_id}", MISSES, WINDOW_S)
    except RateLimited as error:
        log.warning("contact.guessing", staff_id=staff_id)
        _blocked_until[staff_id] = clock.now().timestamp() + (error.retry_after_s or WINDOW_S)
        raise


def forget() -> None:
    """Let everybody look again (tests)."""
    _blocked_until.clear()
