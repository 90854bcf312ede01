"""Head office keeps templates: every change is written down with who made it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET

from backend.auth import queries as auth
from backend.kernel import clock, db, ids, jobs, logging, windows
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, NotFound, ValidationFailed, invalid

from .. import locks, queries, service
from ..errors import TemplateConflict
from ..records import Occurrence, Offer, Template, TemplateState, Trigger, Version
from ..rules.terms import check_terms
from ..schemas import OfferBody, TemplateIn, VersionIn
from ..types import Terms

log = logging.get(__name__)

HAND_OUT = "coupons.hand_out"
"""The job that works through a handout."""

_ROOM_LOCK = 0x636F75706F6E
"""PostgreSQL's advisory lock behind which one template at a time begins to run."""

_MOVES: dict[str, tuple[frozenset[TemplateState], TemplateState]] = {
    "activate": (frozenset({TemplateState.DRAFT, TemplateState.PAUSED}), TemplateState.ACTIVE),
    "pause": (frozenset({TemplateState.ACTIVE}), TemplateState.PAUSED),
    "end": (frozenset({TemplateState.DRAFT, TemplateState.ACTIVE, TemplateState.PAUSED}), TemplateState.ENDED),
}


async def get_template(template_id: str) -> tuple[Template, Version]:
    """A template with what it promises now; ``NotFound`` for none."""
    found = await queries.find_template(template_id)
    if found is None:
        raise NotFound("there is no such template")
    return found, await queries.get_version(found.id, found.version)


async def create_template(body: TemplateIn, staff_id: int) -> tuple[Template, Version]:
    """Add a template as a draft, version 1."""
    terms = body.terms.terms()
    await _check_terms(terms)
    offer = _checked(body)
    template_id, now = ids.new_short("T"), clock.now()
    async with db.transaction() as tx:
        await service.create_template(
            tx, template_id, body.title, terms, offer, note=body.note, staff_id=staff_id, now=now
        )
        await queries.changes.note(tx, template_id, staff_id, "create", msgspec.to_builtins(body), now)
    return await get_template(template_id)


async def add_version(template_id: str, body: VersionIn, staff_id: int) -> tuple[Template, Version]:
    """Change what is promised from now on; what was issued keeps its terms."""
    terms = body.terms.terms()
    await _check_terms(terms)
    async with db.transaction() as tx:
        now = clock.now()
        template = await _changeable(tx, template_id)
        before = await queries.get_version(template.id, template.version)
        title = before.title if body.title is UNSET else body.title
        usage = before.note if body.note is UNSET else body.note
        version = template.version + 1
        await service.write_version(tx, template_id, version, title, terms, note=usage, staff_id=staff_id, now=now)
        await db.raw(tx).execute(
            "UPDATE coupon_template SET version = $2, title = $3, updated_at = $4 WHERE id = $1",
            template_id,
            version,
            title,
            now,
        )
        await queries.changes.note(tx, template_id, staff_id, "version", {"version": version}, now)
    queries.forget_offered()
    return await get_template(template_id)


async def change_offer(template_id: str, body: OfferBody, staff_id: int) -> tuple[Template, Version]:
    """Change when, by which way and how many are offered; the total may not fall below what was issued and kept."""
    offer = _checked(body)
    async with db.transaction() as tx:
        now = clock.now()
        template = await _changeable(tx, template_id)
        if body.total is not None and body.total < template.issued + template.reserved:
            raise invalid("/total", f"{template.issued + template.reserved} are issued or kept for codes already")
        if template.state is TemplateState.ACTIVE and _is_over(template, now) and not _is_over(offer, now):
            await _check_room(tx)
        goes_on = any(trigger.on is Occurrence.BIRTHDAY for trigger in template.triggers)
        await db.raw(tx).execute(
            "UPDATE coupon_template SET claim_by = $2, starts_at = $3, ends_at = $4, total = $5, per_member = $6,"
            " triggers = $7, sort = $8, birthdays_on = $9, updated_at = $10 WHERE id = $1",
            template_id,
            offer.claim_by.value,
            offer.starts_at,
            offer.ends_at,
            offer.total,
            offer.per_member,
            msgspec.json.encode(offer.triggers).decode(),
            offer.sort,
            template.birthdays_on if goes_on else None,
            now,
        )
        await queries.changes.note(tx, template_id, staff_id, "offer", msgspec.to_builtins(body), now)
    queries.forget_offered()
    return await get_template(template_id)


async def move_template(template_id: str, move: str, staff_id: int) -> tuple[Template, Version]:
    """Activate, pause or end a template; repeated, it changes nothing. What was issued stays good.

    Handouts that a pause interrupted go on after it.
    """
    sources, target = _MOVES[move]
    async with db.transaction() as tx:
        now = clock.now()
        template = await locks.lock_template(tx, template_id)
        if template.state in sources:
            if target is TemplateState.ACTIVE:
                await _check_time(template, now)
                await _check_room(tx)
            await db.raw(tx).execute(
                "UPDATE coupon_template SET state = $2, updated_at = $3 WHERE id = $1", template_id, target.value, now
            )
            await queries.changes.note(tx, template_id, staff_id, move, {}, now)
            if target is not TemplateState.PAUSED:
                await _resume_handouts(tx, template_id)
        elif template.state is not target:
            raise TemplateConflict(f"the template is {template.state.value}")
    queries.forget_offered()
    log.info("coupons.template_moved", template_id=template_id, staff_id=staff_id, move=move)
    return await get_template(template_id)


async def _changeable(tx: Tx, template_id: str) -> Template:
    template = await locks.lock_template(tx, template_id)
    if template.state is TemplateState.ENDED:
        raise TemplateConflict("the template has ended")
    return template


def _is_over(offer: Template | Offer, now: datetime) -> bool:
    return offer.ends_at is not None and offer.ends_at <= now


async def _check_time(template: Template, now: datetime) -> None:
    """Refuse a template that nobody could be given a coupon of: its time, or what it promises, is over."""
    promised = (await queries.get_version(template.id, template.version)).terms.validity
    today = clock.local_date(now, settings().timezone)
    if _is_over(template, now) or (promised.until_on is not None and promised.until_on < today):
        raise TemplateConflict("its time, or what it promises, is over; change that first")


async def _resume_handouts(tx: Tx, template_id: str) -> None:
    rows = await db.fetch_in(
        tx, "SELECT id FROM coupon_handout WHERE template_id = $1 AND finished_at IS NULL ORDER BY id", template_id
    )
    for row in rows:
        await jobs.defer(tx, HAND_OUT, handout_id=row["id"])


async def _check_room(tx: Tx) -> None:
    """Refuse one template more than may run; who asks waits for whoever asked before, until their transaction ends."""
    await db.raw(tx).execute("SELECT pg_advisory_xact_lock($1)", _ROOM_LOCK)
    (row,) = await db.fetch_in(tx, f"SELECT count(*) FROM coupon_template WHERE {queries.RUNNING}", clock.now())  # noqa: S608
    if row[0] >= queries.MOST_OFFERED:
        raise TemplateConflict(f"{queries.MOST_OFFERED} templates are active already; end or pause one")


async def _check_terms(terms: Terms) -> None:
    """``check_terms`` as the call's body has it; and stores that are none, in which no coupon is good."""
    try:
        check_terms(terms)
    except ValidationFailed as refused:
        errors = tuple(FieldError(f"/terms{error.pointer}", error.message) for error in refused.errors)
        raise ValidationFailed(f"/terms{refused.detail}", errors=errors) from None
    await auth.check_stores(terms.scope.stores, "/terms/scope/stores")


def _checked(body: OfferBody) -> Offer:
    windows.check(body.starts_at, body.ends_at)
    if len({item.on for item in body.triggers}) < len(body.triggers):
        raise invalid("/triggers", "each occurrence at most once")
    for index, item in enumerate(body.triggers):
        if item.min_fen and item.on not in (Occurrence.RECHARGE, Occurrence.SALE):
            raise invalid(f"/triggers/{index}/min_fen", "is for recharges and sales")
        if item.level and item.on is not Occurrence.LEVEL:
            raise invalid(f"/triggers/{index}/level", "is for levels that are reached")
    return Offer(
        claim_by=body.claim_by,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        total=body.total,
        per_member=body.per_member,
        triggers=tuple(Trigger(item.on, item.min_fen, item.level) for item in body.triggers),
        sort=body.sort,
    )
