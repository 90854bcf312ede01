"""The phone's campaign cards: what there is to collect, checking in, and a full card's reward."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.coupons.errors import CouponLimitReached, CouponNotClaimable, CouponSoldOut
from backend.kernel import clock
from backend.kernel.errors import NotFound, Unavailable
from backend.kernel.http import Router

from .. import queries, service, views
from ..commands import campaigns, cards
from ..errors import CampaignCardComplete, CampaignCardNotFull, CampaignNotForLevel, CampaignNotRunning
from ..schemas import CampaignCardDetail, CampaignCardOut, CampaignCardsOut, CheckInOut, RedeemOut
from ..types import CampaignKind, CampaignState, Card

router = Router(tag="campaign cards")

_CARDS = "/v1/member/campaign-cards"
_CARD = f"{_CARDS}/{{campaign_id}}"


@router.get(_CARDS, guard=member, summary="活动卡")
async def list_cards(caller: MemberCaller) -> CampaignCardsOut:
    """The campaigns this member can take part in, with what was collected, and full cards of those that are over."""
    now = clock.now()
    shown = await queries.list_shown(caller.member_id, now)
    titles = await queries.reward_titles([campaign for campaign, _ in shown])
    lists = [campaign.id for campaign, _ in shown if campaign.kind is CampaignKind.TASKS]
    ticked = await queries.list_ticked(caller.member_id, lists)
    on = service.today(now)
    return CampaignCardsOut(
        [
            views.card(campaign, card, on, titles=titles, ticked=ticked.get(campaign.id, set()))
            for campaign, card in shown
        ]
    )


@router.get(_CARD, guard=member, summary="活动卡详情", errors=(NotFound,))
async def get_card(caller: MemberCaller, campaign_id: str) -> CampaignCardDetail:
    """One card, with what it was given stamps for."""
    campaign = await campaigns.get_campaign(campaign_id)
    if campaign.state is CampaignState.DRAFT:
        raise NotFound("there is no such campaign")
    card = await queries.find_card(caller.member_id, campaign_id)
    return views.card_detail(
        campaign,
        card,
        service.today(clock.now()),
        titles=await queries.reward_titles([campaign]),
        given=await queries.list_given(caller.member_id, campaign_id),
    )


@router.post(
    f"{_CARD}/check-in",
    guard=member,
    summary="签到",
    errors=(NotFound, CampaignNotRunning, CampaignNotForLevel, CampaignCardComplete, Unavailable),
)
async def check_in(caller: MemberCaller, campaign_id: str) -> CheckInOut:
    """Collect today's stamp, once a local day: asking again changes nothing. A full card becomes its reward at once."""
    card, stamped = await cards.check_in(caller.member_id, campaign_id)
    coupon_ids: tuple[str, ...] = ()
    if card.waiting:
        card, coupon_ids = await cards.try_redeem(card)
    return CheckInOut(await _view(campaign_id, card), stamped, list(coupon_ids))


@router.post(
    f"{_CARD}/redeem",
    guard=member,
    summary="集满兑奖",
    errors=(NotFound, CampaignCardNotFull, CouponSoldOut, CouponLimitReached, CouponNotClaimable, Unavailable),
)
async def redeem(caller: MemberCaller, campaign_id: str) -> RedeemOut:
    """Turn a full card into its reward, where that did not happen by itself because the reward had run out."""
    card, coupon_ids = await cards.redeem(caller.member_id, campaign_id)
    return RedeemOut(await _view(campaign_id, card), list(coupon_ids))


async def _view(campaign_id: str, card: Card) -> CampaignCardOut:
    campaign = await campaigns.get_campaign(campaign_id)
    titles = await queries.reward_titles([campaign])
    return views.card(campaign, card, service.today(clock.now()), titles=titles, ticked=frozenset())
