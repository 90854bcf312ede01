"""Plans: written, started, stopped. What runs is not changed; every change is written down with who made it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import date, datetime, timedelta

import msgspec

from backend.audience import service as audiences
from backend.auth import queries as auth
from backend.auth.types import Permission, StaffCaller
from backend.coupons import queries as coupons
from backend.kernel import clock, db, ids, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.kernel.http import Idempotency
from backend.ledger.errors import IdempotencyConflict
from backend.members import queries as members
from backend.messages import queries as messages
from backend.messages.types import Purpose

from .. import events, locks, queries
from ..errors import BirthdayGiftExists, CarePlanChanged, CarePlanConflict
from ..schemas import CarePlanChangeIn, CarePlanIn
from ..types import How, On, Plan, PlanState

log = logging.get(__name__)

_KNOWN = frozenset(variable.name for variable in events.VARIABLES)
_FROM: dict[PlanState, frozenset[PlanState]] = {
    PlanState.ACTIVE: frozenset({PlanState.DRAFT, PlanState.PAUSED}),
    PlanState.PAUSED: frozenset({PlanState.ACTIVE}),
    PlanState.ENDED: frozenset({PlanState.DRAFT, PlanState.ACTIVE, PlanState.PAUSED}),
}


async def get_plan(plan_id: str) -> Plan:
    """A plan; ``NotFound`` for none."""
    found = await queries.find_plan(plan_id)
    if found is None:
        raise NotFound("there is no such plan")
    return found


async def create(caller: StaffCaller, body: CarePlanIn, idem: Idempotency) -> tuple[Plan, bool]:
    """Add a plan as a draft, once per key; whether it was there already."""
    await _check(body)
    plan_id, now = ids.short_of("P", "care", caller.staff_id, idem.key), clock.now()
    async with db.transaction() as tx:
        made = await db.fetch_in(
            tx,
            "INSERT INTO care_plan (id, title, note, state, audience, trigger, how, template, seed, version, hour,"
            " due_days, holdout_bp, window_days, created_at, updated_at, request_hash)"
            " VALUES ($1, '', '', 'draft', '{}', '{}', 'call', NULL, $2, 0, 0, 0, 0, 1, $3, $3, $4)"
            " ON CONFLICT (id) DO NOTHING RETURNING 1",
            plan_id,
            secrets.token_bytes(16),
            now,
            idem.request_hash,
        )
        if made:
            await _write(tx, plan_id, body, now)
            await queries.changes.note(tx, plan_id, caller.staff_id, "create", {"title": body.title}, now)
    if not made:
        known = await db.fetchval("SELECT request_hash FROM care_plan WHERE id = $1", plan_id)
        if known != idem.request_hash:
            raise IdempotencyConflict
    return await get_plan(plan_id), not made


async def change(caller: StaffCaller, plan_id: str, body: CarePlanChangeIn) -> Plan:
    """Put a draft in place of the one that was read."""
    await _check(body)
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_plan(tx, plan_id)
        if found.state is not PlanState.DRAFT:
            raise CarePlanConflict(f"the plan is {found.state.value}; only a draft is changed")
        if found.version != body.version:
            raise CarePlanChanged
        await _write(tx, plan_id, body, now)
        await queries.changes.note(tx, plan_id, caller.staff_id, "change", {"title": body.title}, now)
    return await get_plan(plan_id)


async def start(caller: StaffCaller, plan_id: str, *, beside_other_gifts: bool) -> Plan:
    """Run a plan from today on; days on which it was stopped are not made up for. Repeated, it changes nothing."""
    plan = await get_plan(plan_id)
    others = await other_birthday_gifts(plan)
    if others and plan.state is not PlanState.ACTIVE and not beside_other_gifts:
        raise BirthdayGiftExists(extra={"others": others})
    return await _move(caller, plan_id, PlanState.ACTIVE)


async def stop(caller: StaffCaller, plan_id: str, *, for_good: bool) -> Plan:
    """Run it no longer, for a while or for good; its open to-dos stay. Repeated, it changes nothing."""
    return await _move(caller, plan_id, PlanState.ENDED if for_good else PlanState.PAUSED)


async def other_birthday_gifts(plan: Plan) -> list[str]:
    """What birthdays are given already, in words: coupons that issue themselves, and gifts of other plans.

    Of the plans' gifts a member gets one a year, whichever comes first; coupons that issue themselves come beside it.
    """
    if plan.trigger.on is not On.BIRTHDAY or plan.gift is None:
        return []
    issued = [f"优惠券「{title}」（生日自动发放）" for title in await coupons.list_birthday_titles()]
    plans = [
        f"关怀计划「{other.title}」"
        for other in await queries.list_running()
        if other.id != plan.id and other.trigger.on is On.BIRTHDAY and other.gift is not None
    ]
    return issued + plans


async def _move(caller: StaffCaller, plan_id: str, target: PlanState) -> Plan:
    async with db.transaction() as tx:
        now = clock.now()
        found = await locks.lock_plan(tx, plan_id)
        if found.state is not target:
            if found.state not in _FROM[target]:
                raise CarePlanConflict(f"the plan is {found.state.value}")
            await _set_state(tx, found, target, now)
            await queries.changes.note(tx, plan_id, caller.staff_id, target.value, {}, now)
    log.info("care.plan_moved", plan_id=plan_id, staff_id=caller.staff_id, state=target.value)
    return await get_plan(plan_id)


async def _set_state(tx: Tx, found: Plan, target: PlanState, now: datetime) -> None:
    """A plan that begins to run has done every day before today."""
    today = clock.local_date(now, settings().timezone)
    if target is PlanState.ACTIVE:
        if found.ends_on is not None and found.ends_on < today:
            raise CarePlanConflict("the plan's time is over")
        (row,) = await db.fetch_in(tx, "SELECT count(*) FROM care_plan WHERE state = 'active'")
        if row[0] >= queries.plans.MOST_RUNNING:
            raise CarePlanConflict(f"{queries.plans.MOST_RUNNING} plans run already; end one")
    await db.raw(tx).execute(
        "UPDATE care_plan SET state = $2::text, updated_at = $3,"
        " done_on = CASE WHEN $2::text = 'active' THEN greatest(done_on, $4::date) ELSE done_on END WHERE id = $1",
        found.id,
        target.value,
        now,
        today - timedelta(days=1),
    )


async def _check(body: CarePlanIn) -> None:
    """What the shapes alone cannot say."""
    await audiences.check(body.audience, None)
    _check_trigger(body, await members.levels())
    if (body.how is How.LETTER) is not (body.template is not None):
        raise invalid("/template", "is what a letter is written from, and only that")
    if body.template is not None:
        await _check_template(body.template)
    if body.gift is not None:
        await _check_gift(body)
    if body.owner_id is not None:
        if body.how is How.LETTER:
            raise invalid("/owner_id", "is for to-dos")
        await _check_owner(body.owner_id)
    _check_window(body.starts_on, body.ends_on)


def _check_trigger(body: CarePlanIn, known: Collection[str]) -> None:
    trigger = body.trigger
    if trigger.skus and trigger.on is not On.BOUGHT:
        raise invalid("/trigger/skus", "is for purchases")
    if trigger.level is not None and trigger.on is not On.LEVEL:
        raise invalid("/trigger/level", "is for levels")
    if trigger.days and trigger.on in (On.DAY, On.COUPON_EXPIRING):
        raise invalid("/trigger/days", "means nothing here")
    if not trigger.days and trigger.on in (On.NOT_BOUGHT, On.BOUGHT):
        raise invalid("/trigger/days", "is at least 1: purchases are counted in the night")
    if trigger.level is not None and trigger.level not in known:
        raise invalid("/trigger/level", "there is no such level")
    if trigger.on is On.BIRTHDAY and trigger.days > 60:
        raise invalid("/trigger/days", "is 60 at most")
    if trigger.on is On.DAY and body.starts_on is None:
        raise invalid("/starts_on", "is the day on which it is done")


async def _check_template(code: str) -> None:
    found = await messages.find_template(code)
    if found is None or found.purpose not in (Purpose.CARE, Purpose.MARKETING):
        raise invalid("/template", "there is no such template of care or marketing")
    unknown = {variable.name for variable in found.variables} - _KNOWN
    if unknown:
        raise invalid("/template", f"has variables that care does not fill: {', '.join(sorted(unknown))}")


async def _check_gift(body: CarePlanIn) -> None:
    gift = body.gift
    assert gift is not None
    if gift.points is None and gift.template_id is None:
        raise invalid("/gift", "is points, a coupon, or both")
    if gift.template_id is not None and await coupons.find_template(gift.template_id) is None:
        raise invalid("/gift/template_id", "there is no such template")


async def _check_owner(owner_id: str) -> None:
    if owner_id not in {person.id for person in await auth.list_who_may(Permission.CARE_HANDLE)}:
        raise invalid("/owner_id", "there is nobody of that id who sees to care")


def _check_window(starts_on: date | None, ends_on: date | None) -> None:
    for name, on in (("starts_on", starts_on), ("ends_on", ends_on)):
        if on is not None and on.year not in clock.YEARS:
            raise invalid(f"/{name}", "is out of range")
    if starts_on and ends_on and starts_on > ends_on:
        raise invalid("/ends_on", "is before starts_on")


async def _write(tx: Tx, plan_id: str, body: CarePlanIn, now: datetime) -> None:
    await db.raw(tx).execute(
        "UPDATE care_plan SET title = $2, note = $3, audience = $4::text::jsonb, trigger = $5::text::jsonb, how = $6,"
        " template = $7, gift = $8::text::jsonb, owner_id = $9, hour = $10, due_days = $11, holdout_bp = $12,"
        " window_days = $13, starts_on = $14, ends_on = $15, updated_at = $16, version = version + 1 WHERE id = $1",
        plan_id,
        body.title,
        body.note,
        msgspec.json.encode(body.audience).decode(),
        msgspec.json.encode(body.trigger).decode(),
        body.how.value,
        body.template,
        None if body.gift is None else msgspec.json.encode(body.gift).decode(),
        None if body.owner_id is None else int(body.owner_id),
        body.hour,
        body.due_days,
        body.holdout_bp,
        body.window_days,
        body.starts_on,
        body.ends_on,
        now,
    )
