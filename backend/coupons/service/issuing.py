"""Templates and what is issued from them, whoever asks for it; everything takes an open transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.kernel import clock, db, ids
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, Kind
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused
from backend.ledger.plans import job_hash
from backend.ledger.types import Posted

from .. import locks, plans, queries
from ..errors import CouponLimitReached, CouponNotClaimable, CouponSoldOut
from ..plans import Wish
from ..records import Coupon, Offer, Template, TemplateState, Version
from ..rules.terms import valid_dates
from ..types import Terms

AT_ONCE = 64
"""Members whose books one transaction holds, besides the template's row."""


class Issued(msgspec.Struct, frozen=True):
    """The coupon a wish was given; ``replayed``: it was given before."""

    coupon_id: str
    replayed: bool


Outcome = Issued | DomainError


async def create_template(
    tx: Tx, template_id: str, title: str, terms: Terms, offer: Offer, *, note: str = "", staff_id: int, now: datetime
) -> None:
    """Add a template as a draft with its first version; ``check_terms`` was asked before."""
    await db.raw(tx).execute(
        "INSERT INTO coupon_template (id, title, state, share_token, created_at, updated_at, version, issued, reserved,"
        " claim_by, starts_at, ends_at, total, per_member, triggers, sort)"
        " VALUES ($1, $2, 'draft', $3, $4, $4, 1, 0, 0, $5, $6, $7, $8, $9, $10, $11)",
        template_id,
        title,
        ids.new_token(16),
        now,
        offer.claim_by.value,
        offer.starts_at,
        offer.ends_at,
        offer.total,
        offer.per_member,
        msgspec.json.encode(offer.triggers).decode(),
        offer.sort,
    )
    await write_version(tx, template_id, 1, title, terms, note=note, staff_id=staff_id, now=now)


async def write_version(
    tx: Tx, template_id: str, version: int, title: str, terms: Terms, *, note: str = "", staff_id: int, now: datetime
) -> None:
    """Add what a template promises from now on; ``check_terms`` was asked before. ``note`` is shown below the terms."""
    await db.raw(tx).execute(
        "INSERT INTO coupon_template_version (template_id, version, title, note, terms, staff_id, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        template_id,
        version,
        title,
        note,
        msgspec.json.encode(terms).decode(),
        staff_id,
        now,
    )


def new_coupon_id(member_id: int) -> str:
    """An id for a coupon of that member."""
    return ids.new_document_id(plans.PREFIX, member_id)


def is_open(template: Template, now: datetime) -> bool:
    """Whether the template issues now: it is active, and this is within its time."""
    return (
        template.state is TemplateState.ACTIVE
        and (template.starts_at is None or template.starts_at <= now)
        and (template.ends_at is None or now < template.ends_at)
    )


async def issue(tx: Tx, template_id: str, wishes: Sequence[Wish], *, by_code: bool = False) -> list[Outcome]:
    """Issue one coupon of a template for each wish, in their order, as long as there are any; an outcome each.

    The template's row is locked, so that its count is exact; a wish that is refused costs the others nothing. With
    ``by_code`` each takes one of those that were kept for codes. Raises for what stops all of them (a lock that could
    not be had); then the transaction is lost.
    """
    template = await locks.lock_template(tx, template_id)
    now = clock.now()
    if not is_open(template, now):
        return [CouponNotClaimable() for _ in wishes]
    version = await queries.get_version(template.id, template.version)
    on = clock.local_date(now, settings().timezone)
    valid_from, expires_on = valid_dates(version.terms.validity, on)
    if expires_on is not None and expires_on < on:
        return [CouponNotClaimable("what this coupon was for is over") for _ in wishes]
    outcomes: dict[int, Outcome] = {}
    left = template.reserved if by_code else template.left
    waiting = list(range(len(wishes)))
    made: list[int] = []
    while waiting and (left is None or left > 0):
        taken, waiting = waiting[:left], waiting[left:] if left is not None else []
        for index, outcome in zip(
            taken,
            await _post(tx, template, version, [wishes[i] for i in taken], expires_on=expires_on, now=now, on=on),
            strict=True,
        ):
            outcomes[index] = outcome
            if isinstance(outcome, Issued) and not outcome.replayed:
                made.append(index)
                left = left - 1 if left is not None else None
    await _write(tx, template, [wishes[i] for i in made], valid_from=valid_from, expires_on=expires_on, now=now)
    await _count(tx, template_id, len(made), by_code=by_code)
    return [outcomes.get(index) or CouponSoldOut() for index in range(len(wishes))]


async def issue_each(
    tx: Tx, member_id: int, template_ids: Sequence[str], *, source: str, scope: str, key: str
) -> tuple[str, ...]:
    """Issue a member one coupon of each of these templates, once per scope and key; returns their ids.

    All or none: what is refused is raised, and the transaction must not commit then. Templates are locked in their
    order, before any books.
    """
    for template_id in sorted(set(template_ids)):
        await locks.lock_template(tx, template_id)
    coupon_ids = []
    for template_id in template_ids:
        outcome = await issue_one(tx, member_id, template_id, source=source, scope=scope, key=key)
        if not isinstance(outcome, Issued):
            raise outcome
        coupon_ids.append(outcome.coupon_id)
    return tuple(coupon_ids)


async def issue_one(tx: Tx, member_id: int, template_id: str, *, source: str, scope: str, key: str) -> Outcome:
    """Issue a member one coupon of a template, once per scope and key; what refuses it, the transaction outlives."""
    wish = Wish(
        member_id=member_id,
        coupon_id=new_coupon_id(member_id),
        source=source,
        scope=f"{scope}/{template_id}",
        key=key,
        hash=job_hash(scope, template_id, member_id, key),
    )
    (outcome,) = await issue(tx, template_id, [wish])
    return outcome


def raise_if_unavailable(outcomes: Sequence[Outcome]) -> None:
    """Raise what is no refusal but a failure of the moment: whoever works through a list tries again."""
    for outcome in outcomes:
        if isinstance(outcome, DomainError) and outcome.kind is Kind.UNAVAILABLE:
            raise outcome


async def _post(
    tx: Tx,
    template: Template,
    version: Version,
    wishes: list[Wish],
    *,
    expires_on: date | None,
    now: datetime,
    on: date,
) -> list[Outcome]:
    answers = await ledger.post_many_in(
        tx,
        [
            plans.issue(
                wish,
                template.id,
                version.terms,
                per_member=template.per_member,
                expires_on=expires_on,
                now=now,
                on=on,
            )
            for wish in wishes
        ],
    )
    return [_outcome(answer, wish) for answer, wish in zip(answers, wishes, strict=True)]


def _outcome(answer: Posted | DomainError, wish: Wish) -> Outcome:
    if isinstance(answer, Posted):
        return Issued(answer.document_id or wish.coupon_id, answer.replayed)
    if isinstance(answer, GuardRefused) and answer.refusal == CouponLimitReached.code:
        return CouponLimitReached()
    return answer


async def _write(
    tx: Tx, template: Template, wishes: list[Wish], *, valid_from: date, expires_on: date | None, now: datetime
) -> None:
    if not wishes:
        return
    await db.raw(tx).execute(
        "INSERT INTO coupon (member_id, id, template_id, version, source, issued_at, valid_from, expires_on)"
        " SELECT w.member_id, w.id, $4, $5, w.source, $6, $7, $8"
        "   FROM unnest($1::bigint[], $2::text[], $3::text[]) AS w (member_id, id, source)",
        [wish.member_id for wish in wishes],
        [wish.coupon_id for wish in wishes],
        [wish.source for wish in wishes],
        template.id,
        template.version,
        now,
        valid_from,
        expires_on,
    )


async def write_coupon(tx: Tx, coupon: Coupon) -> None:
    """Add the row of a coupon that was posted on this transaction and counts for no template: one that was received."""
    await db.raw(tx).execute(
        "INSERT INTO coupon (member_id, id, template_id, version, source, issued_at, valid_from, expires_on)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        coupon.member_id,
        coupon.id,
        coupon.template_id,
        coupon.version,
        coupon.source,
        coupon.issued_at,
        coupon.valid_from,
        coupon.expires_on,
    )


async def _count(tx: Tx, template_id: str, made: int, *, by_code: bool) -> None:
    if made:
        await db.raw(tx).execute(
            "UPDATE coupon_template SET issued = issued + $2, reserved = reserved - $3 WHERE id = $1",
            template_id,
            made,
            made if by_code else 0,
        )
