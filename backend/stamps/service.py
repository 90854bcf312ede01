"""Writes that take an open transaction: giving stamps and taking them back, on cards that are locked."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from backend.kernel import clock, db, jobs
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.members import service as members

from . import plans, queries, rules
from .types import Campaign, Card, TaskOn

JOB = "stamps.give_due"

ON = "on:"
"""What ticks a task off is due under this and its name."""


async def note_done(tx: Tx, member_id: int, on: TaskOn) -> None:
    """A member did something that may tick tasks off: note it, if a campaign asks for it (public)."""
    if await queries.any_ticks(on):
        await note_due(tx, member_id, f"{ON}{on.value}", "")


async def note_due(tx: Tx, member_id: int, source: str, cause: str) -> None:
    """Note that the stamps of a source are to be looked at, once for each cause; a job does it."""
    await db.raw(tx).execute(
        "INSERT INTO stamp_due (member_id, source, cause, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        await members.hold_current(tx, member_id),
        source,
        cause,
        clock.now(),
    )
    await jobs.defer(tx, JOB, unique=JOB)


async def give(
    tx: Tx,
    campaign: Campaign,
    card: Card,
    wanted: int,
    *,
    source: str,
    now: datetime,
    on: date,
    day: date | None = None,
) -> tuple[Card, int]:
    """Give a locked card so many stamps for a source, as many as it has room for; returns it, and how many it were.

    ``day`` is that of an attendance: with a day missed before it, what is not full is lost first.
    """
    lost = rules.lost_by(
        card.stamps, campaign.goal, in_a_row=campaign.earning.in_a_row and day is not None, last_on=card.last_on, on=on
    )
    before = msgspec.structs.replace(card.stamps, held=card.stamps.held - lost)
    space = rules.room(before, campaign.goal, campaign.per_member)
    amount = wanted if space is None else min(wanted, space)
    if card.closed_at is not None or amount <= 0:
        return card, 0
    given = await db.fetch_in(
        tx,
        "INSERT INTO stamp_given (member_id, campaign_id, source, given, at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        card.member_id,
        campaign.id,
        source,
        amount,
        now,
    )
    if not given:
        return card, 0
    plan = plans.give(card.member_id, campaign.id, before, amount, source=source, lost=lost, now=now, on=on)
    await ledger.post_in(tx, plan)
    after = msgspec.structs.replace(card, stamps=rules.after_giving(before, amount), last_on=day or card.last_on)
    return await keep(tx, campaign, after), amount


async def take_back(
    tx: Tx, campaign: Campaign, card: Card, kept: int, *, source: str, now: datetime, on: date
) -> tuple[Card, int]:
    """Leave a locked card no more stamps for a source than ``kept``; returns it, and how many were taken back."""
    if card.closed_at is not None:
        return card, 0
    rows = await db.fetch_in(
        tx,
        "UPDATE stamp_given g SET taken = g.given - $4 FROM stamp_given b"
        " WHERE g.member_id = $1 AND g.campaign_id = $2 AND g.source = $3 AND g.given - g.taken > $4"
        " AND b.member_id = g.member_id AND b.campaign_id = g.campaign_id AND b.source = g.source"
        " RETURNING g.taken, g.taken - b.taken",
        card.member_id,
        campaign.id,
        source,
        kept,
    )
    if not rows:
        return card, 0
    taken, amount = rows[0]
    plan = plans.take(card.member_id, campaign.id, card.stamps, amount, source=source, taken=taken, now=now, on=on)
    await ledger.post_in(tx, plan)
    after = msgspec.structs.replace(card, stamps=rules.after_taking(card.stamps, amount))
    return await keep(tx, campaign, after), amount


async def keep(tx: Tx, campaign: Campaign, card: Card) -> Card:
    """Write down what a card's row says besides its stamps; whether it waits follows from these."""
    full = card.closed_at is None and rules.is_full(card.stamps, campaign.goal, campaign.per_member)
    kept = msgspec.structs.replace(card, waiting=full)
    await db.raw(tx).execute(
        "UPDATE stamp_card SET rewards = $3, last_on = $4, waiting = $5, closed_at = $6"
        " WHERE member_id = $1 AND campaign_id = $2",
        kept.member_id,
        kept.campaign_id,
        kept.stamps.rewards,
        kept.last_on,
        kept.waiting,
        kept.closed_at,
    )
    return kept


def today(now: datetime) -> date:
    """The chain's local day."""
    return clock.local_date(now, settings().timezone)
