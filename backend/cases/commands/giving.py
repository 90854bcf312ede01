"""What a customer is given for a case: points, a coupon, or both, once, within what the giver may give."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from backend.auth import queries as auth
from backend.auth.types import Permission, StaffCaller
from backend.coupons import queries as coupons
from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.ledger import service as ledger

from .. import events, locks, queries, rules, service
from ..errors import CaseConflict, CaseGiftGiven, CaseOwn, CaseWithoutMember
from ..schemas import GiveIn
from ..types import Action, Allowance, Case, Gift
from .moving import actor_of, lock_for, took

log = logging.get(__name__)

A_DAY = timedelta(days=1)


async def left_for(caller: StaffCaller, tx: Tx | None = None) -> Allowance:
    """How much this person may still give, by the chain's settings for the role."""
    points = rules.read_role(settings().case_gift_points, caller.role)
    gifts = rules.read_role(settings().case_gifts_a_day, caller.role)
    given = await queries.count_given(caller.staff_id, clock.now() - A_DAY, tx)
    return Allowance(points, max(0, gifts - given))


async def give(case_id: str, body: GiveIn, caller: StaffCaller) -> None:
    """Give a case's member points, a coupon, or both, once; the member is told.

    Refused with what the case, the giver's allowance, the coupon or the member stands against it; then nothing moves.
    """
    gift, reason = Gift(points=body.points, template_id=body.template_id), rules.check_text(body.reason)
    detail = {"points": str(gift.points or 0), "template_id": gift.template_id or ""}

    async def work(tx: Tx) -> bool:
        found = await lock_for(tx, case_id, caller)
        if found.version == body.version + 1 and await took(tx, found, Action.GIVE, actor_of(caller), reason, detail):
            return False
        if found.given is not None:
            raise CaseGiftGiven
        if found.version != body.version:
            raise CaseConflict("it has changed meanwhile; read it again", extra={"state": found.state.value})
        await _check(tx, found, gift, caller)
        now = clock.now()
        given = await service.give(tx, found, gift, now)
        await service.step(
            tx,
            found,
            Action.GIVE,
            actor_of(caller),
            text=reason,
            detail=detail,
            changes={"given": msgspec.to_builtins(given)},
            at=now,
        )
        await service.tell(tx, found, events.GIVEN, gift=rules.gift_words(given))
        return True

    if await ledger.with_fresh_books(work):
        log.info("cases.gave", case_id=case_id, staff_id=caller.staff_id, points=gift.points or 0)


async def _check(tx: Tx, found: Case, gift: Gift, caller: StaffCaller) -> None:
    """Refuse what may not be given with this case, by this person, today."""
    rules.move(found.state, Action.GIVE)
    rules.check_room(found, Action.GIVE)
    if found.member_id is None:
        raise CaseWithoutMember
    if (await auth.get_staff(caller.staff_id)).member_id == str(found.member_id):
        raise CaseOwn
    # Two gifts of one person at once are counted one after the other.
    await locks.lock_key(tx, f"case gifts of {caller.staff_id}")
    rules.check_gift(gift, await left_for(caller, tx))
    if gift.template_id is not None and not await _may_give(tx, gift.template_id, caller):
        raise invalid("/template_id", "is no coupon that is given with a case")


async def _may_give(tx: Tx, template_id: str, caller: StaffCaller) -> bool:
    """Who issues coupons gives one of any template, the others of those that are offered them."""
    if caller.may(Permission.COUPONS_ISSUE):
        return await coupons.find_template(template_id) is not None
    return await queries.is_offered(tx, template_id)


async def offer(template_id: str, caller: StaffCaller) -> None:
    """Let stores give coupons of this template with a case; repeated, it changes nothing."""
    if await coupons.find_template(template_id) is None:
        raise invalid("/template_id", "there is no such template")
    async with db.transaction() as tx:
        await locks.lock_key(tx, "case gifts")
        offered = await queries.list_coupons()
        if len(offered) >= queries.MOST_COUPONS and template_id not in offered:
            raise CaseConflict(f"stores are offered {queries.MOST_COUPONS} already; take one back")
        await db.raw(tx).execute(
            "INSERT INTO feedback_gift (template_id, staff_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            template_id,
            caller.staff_id,
            clock.now(),
        )


async def take_back(template_id: str) -> None:
    """Let stores give no more coupons of this template; ``NotFound`` where they do not."""
    async with db.transaction() as tx:
        if not await db.fetch_in(tx, "DELETE FROM feedback_gift WHERE template_id = $1 RETURNING 1", template_id):
            raise NotFound("stores give no coupons of this template")
