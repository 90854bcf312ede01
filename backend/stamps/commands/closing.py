"""The end of campaigns: by their time or by staff; then of every card in them."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from backend.kernel import clock, db, logging
from backend.kernel.errors import DomainError
from backend.ledger import service as ledger

from .. import locks, plans, queries, service
from ..types import Stamps

log = logging.get(__name__)

CLOSED_AT_ONCE = 200
ROUNDS = 5000


async def end_over(now: datetime) -> int:
    """End the campaigns whose time has been over for a while; returns how many."""
    rows = await db.fetch(
        "SELECT id FROM stamp_campaign WHERE state IN ('active', 'paused') AND ends_at <= $1",
        now - queries.SETTLED_AFTER,
    )
    for row in rows:
        async with db.transaction() as tx:
            await locks.lock_campaign(tx, row["id"])
            await db.raw(tx).execute(
                "UPDATE stamp_campaign SET state = 'ended', updated_at = $2 WHERE id = $1 AND state <> 'ended'",
                row["id"],
                now,
            )
    if rows:
        queries.forget_running()
    return len(rows)


async def close_ended() -> int:
    """End the cards of campaigns that ended: what is not a reward by now expires. Returns how many cards."""
    closed = 0
    for row in await db.fetch("SELECT id FROM stamp_campaign WHERE state = 'ended' AND closed_at IS NULL ORDER BY id"):
        closed += await _close_campaign(row["id"])
    return closed


async def _close_campaign(campaign_id: str) -> int:
    closed, failed, after = 0, 0, -1
    for _ in range(ROUNDS):
        rows = await db.fetch(
            "SELECT member_id FROM stamp_card WHERE campaign_id = $1 AND closed_at IS NULL AND member_id > $2"
            " ORDER BY member_id LIMIT $3",
            campaign_id,
            after,
            CLOSED_AT_ONCE,
        )
        if not rows:
            break
        for row in rows:
            done = await _close_card(row["member_id"], campaign_id)
            closed, failed = closed + done, failed + (not done)
        after = rows[-1]["member_id"]
    else:
        failed += 1
    if not failed:
        await db.fetchval(
            "UPDATE stamp_campaign SET closed_at = $2 WHERE id = $1 AND closed_at IS NULL AND NOT EXISTS"
            " (SELECT FROM stamp_card WHERE campaign_id = $1 AND closed_at IS NULL) RETURNING 1",
            campaign_id,
            clock.now(),
        )
    return closed


async def _close_card(member_id: int, campaign_id: str) -> bool:
    """Let what is left of a card expire; False where that was not to be had now."""
    now = clock.now()
    try:
        async with db.transaction() as tx:
            campaign = (await locks.hold_campaigns(tx, [campaign_id]))[campaign_id]
            card = await locks.lock_card(tx, member_id, campaign_id)
            if card is None or card.closed_at is not None:
                return True
            plan = plans.expire(member_id, campaign_id, card.stamps, now=now, on=service.today(now))
            if plan is not None:
                await ledger.post_in(tx, plan)
            nothing = Stamps(rewards=card.stamps.rewards)
            await service.keep(tx, campaign, msgspec.structs.replace(card, stamps=nothing, closed_at=now))
    except (DomainError, asyncpg.PostgresError) as error:
        log.warning("stamps.card_not_closed", campaign_id=campaign_id, error=type(error).__name__)
        return False
    return True
