"""Stamps for what members did: an event notes that something is due, a job gives.

An event's handler runs among many others in one transaction, in which no card and no books may stay locked; so it only
notes. What a sale deserves is read off its document when it is looked at, so that it matters neither how often nor in
which order its events come.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg
import msgspec

from backend.kernel import clock, db, live, logging
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError
from backend.ledger import queries as ledger
from backend.ledger.types import Document
from backend.members import queries as members

from .. import locks, queries, rules, service
from ..service import ON
from ..types import Campaign, CampaignKind, CampaignState, Card, SoldBody, SoldProgress

log = logging.get(__name__)

AT_ONCE = 16
"""What is due in one transaction; their members' books are locked until it ends."""

ROUNDS = 5000
SOLD = frozenset({"completed", "paid", "partly_refunded", "refunded", "cancelled"})
"""What a till's sale or a mall's order may be once it is noted here; one that was cancelled since was given back."""

TASK = "task:"
FIRST = ""
"""The cause of what is looked at for the first time; refunds are causes by their ids."""


Due = tuple[int, str]
"""A member and a source whose stamps are to be looked at: all causes of it at once."""

_BEFORE_ALL: Due = (-1, "")


class Wish(NamedTuple):
    """What a source deserves in a campaign: ``stamps`` to be given, or to be left of it after a refund."""

    member_id: int
    campaign_id: str
    source: str
    refunded: bool
    stamps: int


async def give_due() -> list[Card]:
    """Give and take back what is due, so many at a time; returns the cards that are full now.

    What fails stays and holds nobody up.
    """
    full: dict[tuple[int, str], Card] = {}
    after = _BEFORE_ALL
    for _ in range(ROUNDS):
        rows = await db.fetch(
            "SELECT DISTINCT member_id, source FROM stamp_due WHERE (member_id, source) > ($1, $2)"
            " ORDER BY member_id, source LIMIT $3",
            *after,
            AT_ONCE,
        )
        if not rows:
            break
        chunk: list[Due] = [(row[0], row[1]) for row in rows]
        for card in await _give_chunk(chunk):
            full[card.member_id, card.campaign_id] = card
        after = chunk[-1]
    return list(full.values())


async def _give_chunk(chunk: Sequence[Due]) -> list[Card]:
    """All of it in one transaction; where something in it fails, each in its own."""
    try:
        return await _give(chunk)
    except (DomainError, asyncpg.PostgresError) as error:
        if len(chunk) == 1:
            log.warning("stamps.due_not_given", member_id=chunk[0][0], error=type(error).__name__)
            return []
    full: list[Card] = []
    for due in chunk:
        full += await _give_chunk([due])
    return full


async def _give(chunk: Sequence[Due]) -> list[Card]:
    now = clock.now()
    told: list[tuple[Card, Campaign, int]] = []
    async with db.transaction() as tx:
        wishes = [wish for due, causes in (await _claim(tx, chunk)).items() for wish in await _wishes(due, causes, now)]
        campaigns = await locks.hold_campaigns(tx, {wish.campaign_id for wish in wishes})
        wishes = [wish for wish in wishes if wish.refunded or _gives(campaigns[wish.campaign_id], wish)]
        cards = await locks.lock_cards(tx, {(wish.member_id, wish.campaign_id) for wish in wishes}, now)
        for wish in sorted(wishes):
            campaign, key = campaigns[wish.campaign_id], (wish.member_id, wish.campaign_id)
            cards[key], given = await _grant(tx, campaign, cards[key], wish, now)
            if given:
                told.append((cards[key], campaign, given))
    for card, campaign, given in told:
        tell(card, campaign, given)
    return [card for card in cards.values() if card.waiting]


_PAIRS = (
    "SELECT d.member_id, d.source, d.cause FROM stamp_due d"
    " JOIN unnest($1::bigint[], $2::text[]) AS w (m, s) ON d.member_id = w.m AND d.source = w.s"
)


async def _claim(tx: Tx, chunk: Sequence[Due]) -> dict[Due, set[str]]:
    """Take these off the list with their causes, except those that another worker is at.

    A sale's first look and its refund must not be two workers' at once: the one would not see what the other gives.
    """
    await db.raw(tx).execute(locks.WITHIN)
    columns = [list(column) for column in zip(*chunk, strict=True)]
    mine: dict[Due, set[str]] = {}
    for row in await db.fetch_in(tx, f"{_PAIRS} FOR UPDATE OF d SKIP LOCKED", *columns):
        mine.setdefault((row[0], row[1]), set()).add(row[2])
    for row in await db.fetch_in(tx, _PAIRS, *columns):
        if row[2] not in mine.get((row[0], row[1]), ()):
            mine.pop((row[0], row[1]), None)
    taken = [(*due, cause) for due, causes in mine.items() for cause in causes]
    await db.raw(tx).execute(
        "DELETE FROM stamp_due d USING unnest($1::bigint[], $2::text[], $3::text[]) AS w (m, s, c)"
        " WHERE d.member_id = w.m AND d.source = w.s AND d.cause = w.c",
        [item[0] for item in taken],
        [item[1] for item in taken],
        [item[2] for item in taken],
    )
    return mine


def _gives(campaign: Campaign, wish: Wish) -> bool:
    """Whether there is something to give, and the campaign has not ended or been paused meanwhile."""
    return wish.stamps > 0 and campaign.state is CampaignState.ACTIVE


async def _grant(tx: Tx, campaign: Campaign, card: Card, wish: Wish, now: datetime) -> tuple[Card, int]:
    on = service.today(now)
    if wish.refunded:
        after, _ = await service.take_back(tx, campaign, card, wish.stamps, source=wish.source, now=now, on=on)
        return after, 0
    return await service.give(tx, campaign, card, wish.stamps, source=wish.source, now=now, on=on)


async def _wishes(due: Due, causes: set[str], now: datetime) -> list[Wish]:
    """What is wanted for that. It is read once nobody else is at it; a later refund comes with a cause of its own."""
    member_id, source = due
    if source.startswith(ON):
        return await _for_tasks(member_id, source.removeprefix(ON), now)
    document = (await ledger.find_documents_of([source])).get(source)
    if document is None or document.state not in SOLD:
        return []
    sale = msgspec.convert(document.body, SoldBody)
    progress = msgspec.convert(document.progress, SoldProgress)
    giving = [(item, False) for item in await _giving(member_id, document)] if FIRST in causes else []
    if causes - {FIRST}:
        giving += [(item, True) for item in await queries.list_giving(member_id, source)]
    return [
        Wish(member_id, item.id, source, refunded, rules.deserved(sale, progress, item.earning))
        for item, refunded in giving
    ]


async def _giving(member_id: int, document: Document) -> list[Campaign]:
    """The campaigns that a sale is given stamps of: they ran when it was rung up, at its store, for this member."""
    return [
        campaign
        for campaign in await _of_member(member_id, document.at)
        if campaign.kind is CampaignKind.STAMPS and (not campaign.stores or document.store_id in campaign.stores)
    ]


async def _for_tasks(member_id: int, done: str, now: datetime) -> list[Wish]:
    return [
        Wish(member_id, campaign.id, f"{TASK}{task.code}", False, 1)
        for campaign in await _of_member(member_id, now)
        for task in campaign.earning.tasks
        if task.on == done
    ]


async def _of_member(member_id: int, at: datetime) -> list[Campaign]:
    """The campaigns that ran at that instant, for a member of this level."""
    found = [campaign for campaign in (await queries.running()).values() if campaign.runs_at(at)]
    if not any(campaign.levels for campaign in found):
        return found
    level = (await members.get_card(member_id)).level.code
    return [campaign for campaign in found if queries.is_for(campaign, level)]


def tell(card: Card, campaign: Campaign, given: int) -> None:
    """Tell the phone of new stamps."""
    live.push(
        card.member_id,
        "stamp_earned",
        {
            "campaign_id": campaign.id,
            "title": campaign.title,
            "given": given,
            "have": card.stamps.held,
            "goal": campaign.goal,
        },
    )
