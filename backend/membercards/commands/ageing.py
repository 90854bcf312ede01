"""Cards end with their last day."""

from __future__ import annotations

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.members import service as members

from .. import locks, service
from ..types import HELD, CardState, Handing, Way

AT_ONCE = 500


async def expire_cards() -> int:
    """Let cards whose last day is over be expired; returns how many. A till refuses them from the first moment."""
    today = clock.local_date(clock.now(), settings().timezone)
    done, after = 0, 0
    while True:
        rows = await db.fetch(
            "SELECT id, member_id FROM membercard WHERE state IN ('issued', 'lost') AND valid_until < $1 AND id > $2"
            " ORDER BY id LIMIT $3",
            today,
            after,
            AT_ONCE,
        )
        for row in rows:
            async with db.transaction() as tx:
                await members.lock(tx, row["member_id"])
                card = await locks.lock_card(tx, row["id"])
                if card.state in HELD and card.valid_until is not None and card.valid_until < today:
                    await service.become(tx, card, CardState.EXPIRED, Handing(Way.SYSTEM))
                    done += 1
        if len(rows) < AT_ONCE:
            return done
        after = rows[-1]["id"]
