"""Head office keeps campaigns: every change is written down with who made it; what runs is not changed any more."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.coupons import queries as coupons
from backend.kernel import clock, db, ids, logging, windows
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members

from .. import locks, queries
from ..errors import CampaignConflict
from ..schemas import CampaignIn
from ..types import Campaign, CampaignKind, CampaignState, Per

log = logging.get(__name__)

_MOVES: dict[str, tuple[frozenset[CampaignState], CampaignState]] = {
    "activate": (frozenset({CampaignState.DRAFT, CampaignState.PAUSED}), CampaignState.ACTIVE),
    "pause": (frozenset({CampaignState.ACTIVE}), CampaignState.PAUSED),
    "end": (frozenset({CampaignState.DRAFT, CampaignState.ACTIVE, CampaignState.PAUSED}), CampaignState.ENDED),
}


async def get_campaign(campaign_id: str) -> Campaign:
    """A campaign; ``NotFound`` for none."""
    found = await queries.find_campaign(campaign_id)
    if found is None:
        raise NotFound("there is no such campaign")
    return found


async def create_campaign(body: CampaignIn, staff_id: int) -> Campaign:
    """Add a campaign as a draft."""
    await _check(body)
    campaign_id, now = ids.new_short("P"), clock.now()
    async with db.transaction() as tx:
        await write(tx, campaign_id, body, now)
        await queries.changes.note(tx, campaign_id, staff_id, "create", msgspec.to_builtins(body), now)
    return await get_campaign(campaign_id)


async def write(tx: Tx, campaign_id: str, body: CampaignIn, now: datetime) -> None:
    """Add a campaign as a draft, or put a draft in its place."""
    await db.raw(tx).execute(
        "INSERT INTO stamp_campaign AS c (id, state, created_at, updated_at, title, note, kind, goal, earning, reward,"
        " per_member, stores, levels, starts_at, ends_at, sort, level, level_months)"
        " VALUES ($1, 'draft', $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        " ON CONFLICT (id) DO UPDATE SET updated_at = EXCLUDED.updated_at, title = EXCLUDED.title,"
        " note = EXCLUDED.note, kind = EXCLUDED.kind, goal = EXCLUDED.goal, earning = EXCLUDED.earning,"
        " reward = EXCLUDED.reward, per_member = EXCLUDED.per_member, stores = EXCLUDED.stores,"
        " levels = EXCLUDED.levels, starts_at = EXCLUDED.starts_at, ends_at = EXCLUDED.ends_at, sort = EXCLUDED.sort,"
        " level = EXCLUDED.level, level_months = EXCLUDED.level_months"
        " WHERE c.state = 'draft'",
        campaign_id,
        now,
        body.title,
        body.note,
        body.kind.value,
        body.goal,
        msgspec.json.encode(body.earning).decode(),
        msgspec.json.encode(body.reward).decode(),
        body.per_member,
        msgspec.json.encode(body.stores).decode(),
        msgspec.json.encode(body.levels).decode(),
        body.starts_at,
        body.ends_at,
        body.sort,
        body.level,
        body.level_months,
    )


async def change_campaign(campaign_id: str, body: CampaignIn, staff_id: int) -> Campaign:
    """Put a draft in place of another; what members were promised is not changed."""
    await _check(body)
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_campaign(tx, campaign_id)
        if found.state is not CampaignState.DRAFT:
            raise CampaignConflict(f"the campaign is {found.state.value}; only a draft is changed")
        await write(tx, campaign_id, body, now)
        await queries.changes.note(tx, campaign_id, staff_id, "change", msgspec.to_builtins(body), now)
    return await get_campaign(campaign_id)


async def move_campaign(campaign_id: str, move: str, staff_id: int) -> Campaign:
    """Activate, pause or end a campaign; repeated, it changes nothing. The cards of an ended one are ended by a job."""
    sources, target = _MOVES[move]
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_campaign(tx, campaign_id)
        if found.state in sources:
            if target is CampaignState.ACTIVE:
                await _check_activated(tx, found, now)
            await db.raw(tx).execute(
                "UPDATE stamp_campaign SET state = $2, updated_at = $3 WHERE id = $1", campaign_id, target.value, now
            )
            await queries.changes.note(tx, campaign_id, staff_id, move, {}, now)
        elif found.state is not target:
            raise CampaignConflict(f"the campaign is {found.state.value}")
    queries.forget_running()
    log.info("stamps.campaign_moved", campaign_id=campaign_id, staff_id=staff_id, move=move)
    return await get_campaign(campaign_id)


async def _check_activated(tx: Tx, found: Campaign, now: datetime) -> None:
    """There is room among those that run, its time is not over, and the rewards that it promises can be had."""
    (row,) = await db.fetch_in(tx, "SELECT count(*) FROM stamp_campaign WHERE state IN ('active', 'paused')")
    if found.state is CampaignState.DRAFT and row[0] >= queries.MOST_RUNNING:
        raise CampaignConflict(f"{queries.MOST_RUNNING} campaigns run already; end one")
    if found.ends_at is not None and found.ends_at <= now:
        raise CampaignConflict("the campaign's time is over")
    for template_id in found.reward:
        template = await coupons.find_template(template_id)
        if template is None or template.state != "active":
            raise CampaignConflict(f"the coupon template {template_id} is not active")
        least = found.per_member
        if template.per_member is not None and (least is None or template.per_member < least):
            raise CampaignConflict(f"a member may have only {template.per_member} of the coupon template {template_id}")


async def _check(body: CampaignIn) -> None:
    """What the shapes alone cannot say."""
    windows.check(body.starts_at, body.ends_at)
    await auth.check_stores(body.stores, "/stores")
    if len(set(body.reward)) < len(body.reward):
        raise invalid("/reward", "each template at most once")
    known = await coupons.list_titles(body.reward)
    for index, template_id in enumerate(body.reward):
        if template_id not in known:
            raise invalid(f"/reward/{index}", "there is no such template")
    if (body.level is None) is not (body.level_months is None):
        raise invalid("/level_months", "for how many months?") if body.level else invalid("/level", "which level?")
    if body.level is not None and body.level not in await members.levels():
        raise invalid("/level", "there is no such level")
    _check_earning(body)


def _check_earning(body: CampaignIn) -> None:
    """Nothing is said that the kind does not mean."""
    earning, buying = body.earning, body.kind is CampaignKind.STAMPS
    if body.stores and not buying:
        raise invalid("/stores", "is for stamps of sales")
    if not buying and (earning.min_fen or earning.skus or earning.categories or earning.most_a_sale):
        raise invalid("/earning", "articles and amounts are for stamps of sales")
    if buying and earning.per is Per.SALE and (earning.skus or earning.categories or earning.most_a_sale):
        raise invalid("/earning", "articles are for stamps per piece")
    if buying and earning.per is Per.PIECE and earning.min_fen:
        raise invalid("/earning/min_fen", "is for stamps per sale")
    if earning.in_a_row and body.kind is not CampaignKind.ATTENDANCE:
        raise invalid("/earning/in_a_row", "is for attendances")
    if bool(earning.tasks) is not (body.kind is CampaignKind.TASKS):
        raise invalid("/earning/tasks", "are what a campaign of tasks is made of, and only that")
    if body.kind is CampaignKind.TASKS:
        if len({task.code for task in earning.tasks}) < len(earning.tasks):
            raise invalid("/earning/tasks", "each code at most once")
        if body.goal > len(earning.tasks):
            raise invalid("/goal", "is more than there are tasks")
        if body.per_member != 1:
            raise invalid("/per_member", "is 1: each task is done once")
