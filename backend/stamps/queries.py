"""Reads of campaigns and cards (public). What a card holds is read off the ledger; rows say what it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.coupons import queries as coupons
from backend.kernel import clock, db
from backend.kernel.changes import Changes
from backend.kernel.config import settings
from backend.kernel.kept import Kept
from backend.ledger import queries as ledger
from backend.ledger.plans import STAMPS, STAMPS_OWED
from backend.ledger.types import Holding
from backend.members import queries as members

from . import rules
from .types import Campaign, CampaignCard, CampaignKind, CampaignState, Card, Earning, Given, Stamps, TaskOn

KEPT_S = 1.0
"""How old the campaigns that run may be; whoever gives a stamp reads its campaign's state again, locked."""

MOST_RUNNING = 50
"""Campaigns that are active or paused: every process keeps them in mind."""

SETTLED_AFTER = timedelta(hours=1)
"""How long after its last moment a campaign still gives stamps for what happened before it."""

MOST_CARDS = 100
LAST_GIVEN = 50

CAMPAIGN = (
    "SELECT id, title, note, kind, state, goal, earning, reward, level, level_months, per_member, stores, levels,"
    " starts_at, ends_at, sort, created_at, updated_at, closed_at FROM stamp_campaign"
)
_earning = msgspec.json.Decoder(Earning)
_names = msgspec.json.Decoder(tuple[str, ...])


def campaign_of(row: db.Record) -> Campaign:
    """A row of ``CAMPAIGN``."""
    fields = dict(row) | {
        "kind": CampaignKind(row["kind"]),
        "state": CampaignState(row["state"]),
        "earning": _earning.decode(row["earning"]),
    }
    fields |= {name: _names.decode(row[name]) for name in ("reward", "stores", "levels")}
    return Campaign(**fields)


async def find_campaign(campaign_id: str) -> Campaign | None:
    """A campaign as it stands, or None."""
    row = await db.fetchrow(f"{CAMPAIGN} WHERE id = $1", campaign_id)
    return campaign_of(row) if row else None


async def list_campaigns(state: CampaignState | None, *, limit: int) -> list[Campaign]:
    """Campaigns of that state (or of any), newest first."""
    rows = await db.fetch(
        f"{CAMPAIGN} WHERE ($1::text IS NULL OR state = $1) ORDER BY created_at DESC, id DESC LIMIT $2",
        state.value if state else None,
        limit,
    )
    return [campaign_of(row) for row in rows]


Running = dict[str, Campaign]


async def _read_running() -> Running:
    rows = await db.fetch(f"{CAMPAIGN} WHERE state IN ('active', 'paused') ORDER BY sort, id LIMIT $1", MOST_RUNNING)
    return {row["id"]: campaign_of(row) for row in rows}


_running = Kept(_read_running, keep_s=KEPT_S)


async def running() -> Running:
    """Every campaign that is active or paused, by id, in the order to show them; at most ``KEPT_S`` old."""
    return await _running.get()


def forget_running() -> None:
    """Read the campaigns again at the next question: one was changed here."""
    _running.forget()


async def any_ticks(on: TaskOn) -> bool:
    """Whether a campaign that is active has a task which is ticked off by that."""
    return any(
        campaign.state is CampaignState.ACTIVE and any(task.on is on for task in campaign.earning.tasks)
        for campaign in (await running()).values()
    )


async def gives_for_sales() -> bool:
    """Whether an active campaign gives stamps for sales."""
    return any(
        campaign.state is CampaignState.ACTIVE and campaign.kind is CampaignKind.STAMPS
        for campaign in (await running()).values()
    )


CARD = (
    "SELECT c.member_id, c.campaign_id, c.rewards, c.last_on, c.waiting, c.closed_at,"
    " coalesce(h.balance, 0) AS held, coalesce(o.balance, 0) AS owed FROM stamp_card c"
    f" LEFT JOIN ledger_account h ON h.member_id = c.member_id AND h.kind = '{STAMPS}' AND h.ref = c.campaign_id"
    f" LEFT JOIN ledger_account o ON o.member_id = c.member_id AND o.kind = '{STAMPS_OWED}' AND o.ref = c.campaign_id"
)


def card_of(row: db.Record) -> Card:
    """A row of ``CARD``."""
    return Card(
        member_id=row["member_id"],
        campaign_id=row["campaign_id"],
        stamps=Stamps(row["held"], row["owed"], row["rewards"]),
        last_on=row["last_on"],
        waiting=row["waiting"],
        closed_at=row["closed_at"],
    )


async def find_card(member_id: int, campaign_id: str) -> Card:
    """A member's card in a campaign; an empty one where there is none yet."""
    row = await db.fetchrow(f"{CARD} WHERE c.member_id = $1 AND c.campaign_id = $2", member_id, campaign_id)
    return card_of(row) if row else Card(member_id=member_id, campaign_id=campaign_id, stamps=Stamps())


async def list_cards(member_id: int, campaign_ids: Iterable[str]) -> dict[str, Card]:
    """A member's cards in these campaigns, by campaign; those not begun are absent."""
    rows = await db.fetch(f"{CARD} WHERE c.member_id = $1 AND c.campaign_id = ANY($2)", member_id, list(campaign_ids))
    return {row["campaign_id"]: card_of(row) for row in rows}


async def list_shown(member_id: int, now: datetime) -> list[tuple[Campaign, Card]]:
    """What a phone shows: the campaigns of this level that run now, and those that are over with a full card."""
    campaigns = await running()
    if not campaigns:
        return []
    level = (await members.get_card(member_id)).level.code
    cards = await list_cards(member_id, campaigns)
    empty = Card(member_id=member_id, campaign_id="", stamps=Stamps())
    shown = []
    for campaign in campaigns.values():
        card = cards.get(campaign.id, empty)
        if card.closed_at is None and (card.waiting or (campaign.runs_at(now) and is_for(campaign, level))):
            shown.append((campaign, card))
    return shown


def is_for(campaign: Campaign, level: str) -> bool:
    """Whether members of that level take part."""
    return not campaign.levels or level in campaign.levels


async def list_of_member(member_id: int, on: date, holdings: Sequence[Holding] | None = None) -> list[CampaignCard]:
    """The cards on which a member has stamps on that local day, in the order to show them.

    ``holdings``: what was just read of their stamps, else it is read.
    """
    if holdings is None:
        holdings = await ledger.list_refs(member_id, STAMPS)
    held = {item.ref: item.balance for item in holdings}
    if not held:
        return []
    campaigns = await running()
    last_on = await _last_days(member_id, [id_ for id_ in held if id_ in campaigns and campaigns[id_].earning.in_a_row])
    found = []
    for campaign in campaigns.values():
        have = shown(Stamps(held.get(campaign.id, 0)), campaign, last_on.get(campaign.id), on)
        if have:
            found.append(
                CampaignCard(
                    id=campaign.id,
                    title=campaign.title,
                    have=min(have, campaign.goal),
                    goal=campaign.goal,
                    full=have >= campaign.goal,
                    ends_on=_last_day(campaign),
                )
            )
    return found[:MOST_CARDS]


def shown(stamps: Stamps, campaign: Campaign, last_on: date | None, on: date) -> int:
    """The stamps a card has on that day: what a missed day has lost is gone, also before the books say so."""
    return stamps.held - rules.lost_by(
        stamps, campaign.goal, in_a_row=campaign.earning.in_a_row, last_on=last_on, on=on
    )


def _last_day(campaign: Campaign) -> date | None:
    """The last local day on which stamps are given; one that ends at midnight ends with the day before."""
    if campaign.ends_at is None:
        return None
    return clock.local_date(campaign.ends_at - timedelta(microseconds=1), settings().timezone)


async def _last_days(member_id: int, campaign_ids: Sequence[str]) -> dict[str, date]:
    if not campaign_ids:
        return {}
    rows = await db.fetch(
        "SELECT campaign_id, last_on FROM stamp_card WHERE member_id = $1 AND campaign_id = ANY($2)"
        " AND last_on IS NOT NULL",
        member_id,
        list(campaign_ids),
    )
    return {row["campaign_id"]: row["last_on"] for row in rows}


async def list_given(member_id: int, campaign_id: str, *, limit: int = LAST_GIVEN) -> list[Given]:
    """What a card was given and for what, newest first."""
    rows = await db.fetch(
        "SELECT source, given, taken, at FROM stamp_given WHERE member_id = $1 AND campaign_id = $2"
        " ORDER BY at DESC, source LIMIT $3",
        member_id,
        campaign_id,
        limit,
    )
    return [Given(*row) for row in rows]


async def list_giving(member_id: int, source: str) -> list[Campaign]:
    """The campaigns in which a source was given stamps and that are not over for good."""
    rows = await db.fetch(
        f"{CAMPAIGN} WHERE closed_at IS NULL AND id IN"
        " (SELECT campaign_id FROM stamp_given WHERE member_id = $1 AND source = $2)",
        member_id,
        source,
    )
    return [campaign_of(row) for row in rows]


async def list_ticked(member_id: int, campaign_ids: Sequence[str]) -> dict[str, set[str]]:
    """The sources of a member's stamps in campaigns of tasks, by campaign: a few each."""
    if not campaign_ids:
        return {}
    rows = await db.fetch(
        "SELECT campaign_id, source FROM stamp_given WHERE member_id = $1 AND campaign_id = ANY($2)",
        member_id,
        list(campaign_ids),
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["campaign_id"], set()).add(row["source"])
    return found


async def reward_titles(campaigns: Sequence[Campaign]) -> Mapping[str, str]:
    """What the coupons of these campaigns' rewards are called, by template."""
    return await coupons.list_titles({template for campaign in campaigns for template in campaign.reward})


changes = Changes("stamp_change", "campaign_id")
"""What staff did to a campaign."""


class Statistics(msgspec.Struct, frozen=True):
    """A campaign in numbers: members with a card, stamps given and taken back, rewards, cards that wait for one."""

    cards: int
    given: int
    taken: int
    rewards: int
    waiting: int


async def get_statistics(campaign_id: str) -> Statistics:
    """A campaign in numbers, by its rows."""
    row = await db.fetchrow(
        "SELECT (SELECT count(*) FROM stamp_card WHERE campaign_id = $1),"
        " (SELECT coalesce(sum(given), 0)::bigint FROM stamp_given WHERE campaign_id = $1),"
        " (SELECT coalesce(sum(taken), 0)::bigint FROM stamp_given WHERE campaign_id = $1),"
        " (SELECT coalesce(sum(rewards), 0)::bigint FROM stamp_card WHERE campaign_id = $1),"
        " (SELECT count(*) FROM stamp_card WHERE campaign_id = $1 AND waiting)",
        campaign_id,
    )
    assert row is not None
    return Statistics(*row)
