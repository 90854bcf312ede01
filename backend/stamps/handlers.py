"""What members do that is given stamps: it is noted, and looked at by a job."""

from __future__ import annotations

from backend.kernel import events
from backend.kernel.db import Tx
from backend.ledger.events import Recharged, SaleCompleted, SaleRefunded
from backend.lifecycle import service as lifecycle
from backend.lifecycle.types import Source
from backend.members import service as members
from backend.members.events import ProfileCompleted

from . import queries, service
from .events import RewardEarned
from .types import TaskOn


@events.on(SaleCompleted)
async def note_sale(event: SaleCompleted, tx: Tx) -> None:
    """A sale may be given stamps, and ticks off what asks for one."""
    if await queries.gives_for_sales():
        await service.note_due(tx, event.member_id, event.sale_id, "")
    await service.note_done(tx, event.member_id, TaskOn.SALE)


@events.on(SaleRefunded)
async def note_refund(event: SaleRefunded, tx: Tx) -> None:
    """What a sale does not deserve any more is taken back."""
    if await queries.running():
        await service.note_due(tx, event.member_id, event.sale_id, event.refund_id)


@events.on(Recharged)
async def note_recharge(event: Recharged, tx: Tx) -> None:
    """A recharge ticks off what asks for one."""
    await service.note_done(tx, event.member_id, TaskOn.RECHARGE)


@events.on(RewardEarned)
async def give_level(event: RewardEarned, tx: Tx) -> None:
    """A full card gives its member the campaign's level too, once for each reward."""
    campaign = await queries.find_campaign(event.campaign_id)
    if campaign is not None and campaign.level and campaign.level_months:
        await lifecycle.grant_months(
            tx,
            await members.hold_current(tx, event.member_id),
            campaign.level,
            campaign.level_months,
            source=Source.CAMPAIGN,
            reason=campaign.title,
            key=f"stamps:{event.coupon_ids[0]}",
        )


@events.on(ProfileCompleted)
async def note_profile(event: ProfileCompleted, tx: Tx) -> None:
    """A whole profile ticks off what asks for it."""
    await service.note_done(tx, event.member_id, TaskOn.PROFILE)
