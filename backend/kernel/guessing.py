"""Guessing ends: who looks members up by number and misses too often finds nobody for a while, also whom there is.

All ways to look somebody up count together, for each of the staff: numbers are few enough to be tried one by one.
"""

from __future__ import annotations

from . import clock, limits, logging, metrics
from .errors import RateLimited

MISSES = 20
WINDOW_S = 600

log = logging.get(__name__)


class Misses:
    """Misses of one sort, for each who makes them; who makes one too many is refused everything until time is over.

    Only to refuse misses would end no guessing: what is not refused would be a number that exists.
    """

    def __init__(self, name: str, most: int, window_s: int, why: str) -> None:
        self._name, self.most, self._window_s, self._why = name, most, window_s, why
        self._blocked_until: dict[str, float] = {}

    def check(self, who: str) -> None:
        """Refuse who has been guessing: also what would be found, or a refusal would tell."""
        left = self._blocked_until.get(who, 0.0) - clock.now().timestamp()
        if 0 < left <= 2 * self._window_s:  # by a clock that was set back meanwhile it would be for longer
            raise RateLimited(self._why, retry_after_s=int(left) + 1)
        self._blocked_until.pop(who, None)

    async def count(self, who: str) -> None:
        """Count a miss; ``RateLimited`` for one too many."""
        try:
            await limits.hit(f"{self._name}:{who}", self.most, self._window_s)
        except RateLimited as error:
            self._blocked_until[who] = clock.now().timestamp() + (error.retry_after_s or self._window_s)
            raise

    def forget(self) -> None:
        """Let everybody look again (tests)."""
        self._blocked_until.clear()


of_staff = Misses("contact-miss", MISSES, WINDOW_S, "too many look-ups that found nobody")


def check(staff_id: int) -> None:
    """Refuse one of the staff who has been guessing."""
    of_staff.check(str(staff_id))


async def miss(staff_id: int, by: str) -> None:
    """Count a look-up that found nobody; ``RateLimited`` for one too many. ``by`` says what it was, never which."""
    metrics.CONTACT_MISSES.labels(by).inc()
    try:
        await of_staff.count(str(staff_id))
    except RateLimited:
        log.warning("contact.guessing", staff_id=staff_id)
        raise


def forget() -> None:
    """Let everybody of the staff look again (tests)."""
    of_staff.forget()
