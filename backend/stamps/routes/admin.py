"""Head office's calls about campaigns."""

from __future__ import annotations

import msgspec

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, ids
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed
from backend.kernel.http import Router
from backend.members import queries as members

from .. import queries, service, views
from ..commands import campaigns, cards
from ..errors import CampaignCardComplete, CampaignConflict, CampaignNotForLevel, CampaignNotRunning
from ..schemas import (
    CampaignCardDetail,
    CampaignIn,
    CampaignOut,
    CampaignsOut,
    CampaignsQuery,
    StatisticsOut,
    TickIn,
)

router = Router(tag="campaign cards")

_CAMPAIGNS = "/v1/admin/campaigns"
_CAMPAIGN = f"{_CAMPAIGNS}/{{campaign_id}}"
_OF_MEMBER = f"{_CAMPAIGN}/members/{{member_id}}"
LAST = 100


@router.get(_CAMPAIGNS, guard=staff(Permission.CAMPAIGNS_READ), summary="集章活动", errors=(ValidationFailed,))
async def list_campaigns(caller: StaffCaller, query: CampaignsQuery) -> CampaignsOut:
    """The last hundred campaigns, newest first."""
    return CampaignsOut([views.campaign(item) for item in await queries.list_campaigns(query.state, limit=LAST)])


@router.post(
    _CAMPAIGNS, guard=staff(Permission.CAMPAIGNS_WRITE), status=201, summary="新建集章活动", errors=(ValidationFailed,)
)
async def create_campaign(caller: StaffCaller, body: CampaignIn) -> CampaignOut:
    """Add a campaign as a draft; members see nothing of it before it is activated."""
    return views.campaign(await campaigns.create_campaign(body, caller.staff_id))


@router.get(_CAMPAIGN, guard=staff(Permission.CAMPAIGNS_READ), summary="集章活动详情", errors=(NotFound,))
async def get_campaign(caller: StaffCaller, campaign_id: str) -> CampaignOut:
    """One campaign."""
    return views.campaign(await campaigns.get_campaign(campaign_id))


@router.put(
    _CAMPAIGN,
    guard=staff(Permission.CAMPAIGNS_WRITE),
    summary="修改草稿",
    errors=(NotFound, ValidationFailed, CampaignConflict),
)
async def change_campaign(caller: StaffCaller, campaign_id: str, body: CampaignIn) -> CampaignOut:
    """Put another draft in its place; what was activated once stays as it was promised."""
    return views.campaign(await campaigns.change_campaign(campaign_id, body, caller.staff_id))


@router.post(
    f"{_CAMPAIGN}/activate",
    guard=staff(Permission.CAMPAIGNS_WRITE),
    summary="启用",
    errors=(NotFound, CampaignConflict),
)
async def activate(caller: StaffCaller, campaign_id: str) -> CampaignOut:
    """Let stamps be collected; its rewards must be coupons that can be had."""
    return views.campaign(await campaigns.move_campaign(campaign_id, "activate", caller.staff_id))


@router.post(
    f"{_CAMPAIGN}/pause", guard=staff(Permission.CAMPAIGNS_WRITE), summary="暂停", errors=(NotFound, CampaignConflict)
)
async def pause(caller: StaffCaller, campaign_id: str) -> CampaignOut:
    """Give no stamps for a while; what happens meanwhile is not made up for."""
    return views.campaign(await campaigns.move_campaign(campaign_id, "pause", caller.staff_id))


@router.post(
    f"{_CAMPAIGN}/end", guard=staff(Permission.CAMPAIGNS_WRITE), summary="结束", errors=(NotFound, CampaignConflict)
)
async def end(caller: StaffCaller, campaign_id: str) -> CampaignOut:
    """End it for good: within the hour full cards become rewards once more, and all other stamps expire."""
    return views.campaign(await campaigns.move_campaign(campaign_id, "end", caller.staff_id))


@router.get(f"{_CAMPAIGN}/changes", guard=staff(Permission.CAMPAIGNS_READ), summary="变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, campaign_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await campaigns.get_campaign(campaign_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))


@router.get(f"{_CAMPAIGN}/statistics", guard=staff(Permission.CAMPAIGNS_READ), summary="活动统计", errors=(NotFound,))
async def get_statistics(caller: StaffCaller, campaign_id: str) -> StatisticsOut:
    """How many members collect, and what they got."""
    found = await campaigns.get_campaign(campaign_id)
    return msgspec.convert(msgspec.structs.asdict(await queries.get_statistics(found.id)), StatisticsOut)


@router.get(_OF_MEMBER, guard=staff(Permission.CAMPAIGNS_SERVE), summary="会员的活动卡", errors=(NotFound,))
async def get_card(caller: StaffCaller, campaign_id: str, member_id: str) -> CampaignCardDetail:
    """A member's card; a manager sees those of the own store's members."""
    return await _card(campaign_id, await _reached(caller, member_id))


@router.post(
    f"{_OF_MEMBER}/tasks",
    guard=staff(Permission.CAMPAIGNS_SERVE),
    summary="勾选任务",
    errors=(
        NotFound,
        ValidationFailed,
        CampaignNotRunning,
        CampaignNotForLevel,
        CampaignCardComplete,
        Unavailable,
    ),
)
async def tick(caller: StaffCaller, campaign_id: str, member_id: str, body: TickIn) -> CampaignCardDetail:
    """Tick a task off for a member, once; asking again changes nothing."""
    id_ = await _reached(caller, member_id)
    card = await cards.tick(id_, campaign_id, body.task, caller.staff_id)
    if card.waiting:
        await cards.try_redeem(card)
    return await _card(campaign_id, id_)


async def _reached(caller: StaffCaller, member_id: str) -> int:
    """The member that is named, if this person may see them."""
    id_ = ids.read_bigint(member_id)
    found = await members.find_member(id_) if id_ is not None else None
    if found is None or not caller.reaches(found.store_id):
        raise NotFound("there is no such member")
    return found.id


async def _card(campaign_id: str, member_id: int) -> CampaignCardDetail:
    campaign = await campaigns.get_campaign(campaign_id)
    return views.card_detail(
        campaign,
        await queries.find_card(member_id, campaign_id),
        service.today(clock.now()),
        titles=await queries.reward_titles([campaign]),
        given=await queries.list_given(member_id, campaign_id),
    )
