"""Sales invite to the surveys that ask their buyers."""

from __future__ import annotations

from datetime import timedelta

from backend.audience import queries as audience
from backend.kernel import clock, events
from backend.kernel.db import Tx
from backend.ledger.events import SaleCompleted
from backend.members import service as members

from . import locks, queries, service
from .types import SurveyState


@events.on(SaleCompleted)
async def invite_buyer(event: SaleCompleted, tx: Tx) -> None:
    """Invite the buyer to each survey that is open and asks after such sales, as often as it says."""
    now = clock.now()
    member_id = await members.hold_current(tx, event.member_id)
    for survey in (await queries.running()).values():
        after = survey.terms.after_sale
        if after is None or survey.state is not SurveyState.OPEN or not survey.takes_answers(now):
            continue
        if event.payable_fen < after.min_fen or (after.store_ids and event.store_id not in after.store_ids):
            continue
        if await service.is_full(tx, survey.id):
            continue
        invited = await service.invite(
            tx,
            await locks.lock_participation(tx, survey.id, member_id),
            store_id=event.store_id,
            now=now,
            until=now + timedelta(days=after.within_days),
            not_since=now - timedelta(days=after.every_days),
        )
        if invited and await audience.includes(survey.terms.audience, member_id):
            await service.write_letters(tx, survey, [member_id], f"{survey.id}:{event.sale_id}")
