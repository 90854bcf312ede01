"""What a member or somebody of the staff does to a card: a day's check-in, a task that is ticked off, the reward."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import asyncpg
import msgspec

from backend.coupons import service as coupons
from backend.coupons.errors import CouponNotClaimable, CouponSoldOut
from backend.kernel import clock, db, live, logging
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound
from backend.ledger import service as ledger
from backend.members import queries as members

from .. import locks, plans, queries, rules, service
from ..errors import CampaignCardComplete, CampaignCardNotFull, CampaignNotForLevel, CampaignNotRunning
from ..types import Campaign, CampaignKind, CampaignState, Card
from .giving import TASK, tell

log = logging.get(__name__)

DAY = "day:"
REWARD = "stamps:"
"""What a coupon that is a reward has for its source, with the campaign and the number of the reward."""

MOST_REWARDS = 50
"""Of one card in one go; the job takes up the rest."""

WAITING_AT_ONCE = 200
MOST_WAITING = 100_000


async def check_in(member_id: int, campaign_id: str) -> tuple[Card, bool]:
    """Give the stamp of this local day; returns the card, and whether this was the day's first time.

    Raises ``CampaignNotRunning``, ``CampaignNotForLevel``, ``CampaignCardComplete``, ``NotFound``.
    """
    now = clock.now()
    on = service.today(now)
    level = (await members.get_card(member_id)).level.code
    async with db.transaction() as tx:
        campaign = await _hold(tx, campaign_id, CampaignKind.ATTENDANCE)
        card = (await locks.lock_cards(tx, [(member_id, campaign_id)], now))[member_id, campaign_id]
        if card.last_on == on:
            return card, False
        _check_open(campaign, card, level, now)
        card, given = await service.give(tx, campaign, card, 1, source=f"{DAY}{on}", now=now, on=on, day=on)
        if not given:
            raise CampaignCardComplete
    tell(card, campaign, given)
    return card, True


async def tick(member_id: int, campaign_id: str, code: str, staff_id: int) -> Card:
    """Tick a task off for a member, once, and write down who did; repeated, it changes nothing.

    Raises as ``check_in`` does.
    """
    now = clock.now()
    level = (await members.get_card(member_id)).level.code
    async with db.transaction() as tx:
        campaign = await _hold(tx, campaign_id, CampaignKind.TASKS)
        if all(task.code != code for task in campaign.earning.tasks):
            raise NotFound("there is no such task")
        card = (await locks.lock_cards(tx, [(member_id, campaign_id)], now))[member_id, campaign_id]
        source = f"{TASK}{code}"
        if await db.fetch_in(
            tx,
            "SELECT FROM stamp_given WHERE member_id = $1 AND campaign_id = $2 AND source = $3",
            member_id,
            campaign_id,
            source,
        ):
            return card
        _check_open(campaign, card, level, now)
        card, given = await service.give(tx, campaign, card, 1, source=source, now=now, on=service.today(now))
        if not given:
            raise CampaignCardComplete
        await queries.changes.note(tx, campaign_id, staff_id, "tick", {"member_id": str(member_id), "task": code}, now)
    tell(card, campaign, given)
    return card


async def _hold(tx: Tx, campaign_id: str, kind: CampaignKind) -> Campaign:
    """A campaign of that kind that members know of; it is not changed before the transaction ends."""
    campaign = (await locks.hold_campaigns(tx, [campaign_id])).get(campaign_id)
    if campaign is None or campaign.kind is not kind or campaign.state is CampaignState.DRAFT:
        raise NotFound("there is no such campaign")
    return campaign


def _check_open(campaign: Campaign, card: Card, level: str, now: datetime) -> None:
    if not campaign.runs_at(now):
        raise CampaignNotRunning
    if not queries.is_for(campaign, level):
        raise CampaignNotForLevel
    if rules.room(card.stamps, campaign.goal, campaign.per_member) == 0:
        raise CampaignCardComplete


async def redeem(member_id: int, campaign_id: str) -> tuple[Card, tuple[str, ...]]:
    """Turn a full card into its reward; returns what is left of the card, and the coupons.

    Raises ``CampaignCardNotFull``, and what stops a coupon: the card stays full then.
    """
    async with db.transaction() as tx:
        campaign = (await locks.hold_campaigns(tx, [campaign_id])).get(campaign_id)
        card = await locks.lock_card(tx, member_id, campaign_id) if campaign else None
        if campaign is None or card is None:
            raise NotFound("there is no such card")
        if card.closed_at is not None or not rules.is_full(card.stamps, campaign.goal, campaign.per_member):
            raise CampaignCardNotFull
        card, coupon_ids = await _reward(tx, campaign, card)
    live.push(
        member_id,
        "reward_earned",
        {"campaign_id": campaign.id, "title": campaign.title, "coupon_ids": list(coupon_ids)},
    )
    return card, coupon_ids


async def _reward(tx: Tx, campaign: Campaign, card: Card) -> tuple[Card, tuple[str, ...]]:
    """The coupons first: their templates are locked before any books."""
    now, number = clock.now(), card.stamps.rewards + 1
    coupon_ids = await coupons.issue_each(
        tx,
        card.member_id,
        campaign.reward,
        source=f"{REWARD}{campaign.id}:{number}",
        scope="stamps_reward",
        key=f"{card.member_id}:{campaign.id}:{number}",
    )
    plan = plans.redeem(
        card.member_id,
        campaign.id,
        campaign.goal,
        number=number,
        coupon_ids=coupon_ids,
        now=now,
        on=service.today(now),
    )
    await ledger.post_in(tx, plan)
    stamps = msgspec.structs.replace(card.stamps, held=card.stamps.held - campaign.goal, rewards=number)
    return await service.keep(tx, campaign, msgspec.structs.replace(card, stamps=stamps)), coupon_ids


async def try_redeem(card: Card) -> tuple[Card, tuple[str, ...]]:
    """Turn a card that is full into its reward if there is one; else it stays as it is and waits."""
    try:
        return await redeem(card.member_id, card.campaign_id)
    except (DomainError, asyncpg.PostgresError) as error:
        log.info("stamps.reward_waits", campaign_id=card.campaign_id, error=type(error).__name__)
        return card, ()


async def redeem_all(cards: Iterable[Card]) -> int:
    """Turn what is full on these cards into rewards, as far as there are any; returns how many that were."""
    return sum([(await _redeem_one(card.member_id, card.campaign_id))[0] for card in cards])


async def _redeem_one(member_id: int, campaign_id: str) -> tuple[int, Exception | None]:
    """As many rewards as a card is full for, and what stopped it; what is refused waits on the card."""
    rewards = 0
    try:
        while rewards < MOST_REWARDS:
            card, _ = await redeem(member_id, campaign_id)
            rewards += 1
            if not card.waiting:
                break
    except CampaignCardNotFull:
        pass  # somebody else was quicker
    except (DomainError, asyncpg.PostgresError) as error:
        log.info("stamps.reward_waits", campaign_id=campaign_id, error=type(error).__name__)
        return rewards, error
    return rewards, None


async def redeem_waiting() -> int:
    """Turn full cards that wait into rewards; returns how many. What is sold out is not asked for again in one run."""
    rewards = 0
    gone: set[str] = set()
    after = ("", 0)
    for _ in range(MOST_WAITING // WAITING_AT_ONCE):
        rows = await db.fetch(
            "SELECT campaign_id, member_id FROM stamp_card WHERE waiting AND (campaign_id, member_id) > ($1, $2)"
            " AND campaign_id <> ALL($3) ORDER BY campaign_id, member_id LIMIT $4",
            *after,
            sorted(gone),
            WAITING_AT_ONCE,
        )
        for row in rows:
            if row["campaign_id"] in gone:
                continue
            done, error = await _redeem_one(row["member_id"], row["campaign_id"])
            rewards += done
            if isinstance(error, (CouponSoldOut, CouponNotClaimable)):
                gone.add(row["campaign_id"])
        if len(rows) < WAITING_AT_ONCE:
            break
        after = (rows[-1]["campaign_id"], rows[-1]["member_id"])
    return rewards
