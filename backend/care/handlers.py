"""What happens to members that a plan may wait for: it is noted, and looked at when the day is run."""

from __future__ import annotations

from backend.coupons.events import CouponExpiring
from backend.kernel import clock, events
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.members.events import LevelReached

from . import service


@events.on(LevelReached)
async def note_level(event: LevelReached, tx: Tx) -> None:
    """A level was reached today."""
    today = clock.local_date(clock.now(), settings().timezone)
    await service.note_fact(tx, "level", event.member_id, event.level, today)


@events.on(CouponExpiring)
async def note_coupon(event: CouponExpiring, tx: Tx) -> None:
    """The warning of a coupon is due today; several that end on one day are one occasion."""
    today = clock.local_date(clock.now(), settings().timezone)
    await service.note_fact(tx, "coupon", event.member_id, event.expires_on.isoformat(), today)
