"""Coupons that are issued by themselves: an event notes who is due one, a job issues what is due.

An event's handler runs among many others in one transaction, in which no template may stay locked; so it only notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import asyncpg

from backend.kernel import clock, db, jobs, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError
from backend.ledger import queries as ledger
from backend.ledger.plans import job_hash
from backend.members import queries as members
from backend.members import service as member_service

from .. import queries, service
from ..plans import Wish
from ..records import Occurrence, Template
from . import telling

log = logging.get(__name__)

JOB = "coupons.issue_due"
ROUNDS = 2000
BIRTHDAYS_AT_ONCE = 500
BIRTHDAYS_BACK = 7
"""Days that a birthday is made up for when nobody worked then."""


async def note_due(
    tx: Tx, member_id: int, occurrence: Occurrence, source: str, *, fen: int = 0, level: str = ""
) -> None:
    """Note what the member is due on this occurrence, once per source (a sale's id, for example)."""
    templates = [
        template.id for template in await queries.offered_on(occurrence) if _meets(template, occurrence, fen, level)
    ]
    if not templates:
        return
    due_id = await member_service.hold_current(tx, member_id)
    await _note(tx, templates, [due_id], queries.reason_of(occurrence, source))
    await jobs.defer(tx, JOB, unique=JOB)


def _meets(template: Template, occurrence: Occurrence, fen: int, level: str) -> bool:
    return any(
        trigger.on is occurrence and fen >= trigger.min_fen and trigger.level in ("", level)
        for trigger in template.triggers
    )


async def _note(tx: Tx, templates: Sequence[str], member_ids: Sequence[int], reason: str) -> None:
    await db.raw(tx).execute(
        "INSERT INTO coupon_due (template_id, member_id, reason, at)"
        " SELECT t, m, $3, $4 FROM unnest($1::text[]) AS t, unnest($2::bigint[]) AS m ON CONFLICT DO NOTHING",
        list(templates),
        list(member_ids),
        reason,
        clock.now(),
    )


async def issue_due() -> int:
    """Issue what is due, a template and so many members at a time; returns how many coupons that were.

    What is refused (sold out, as many as one may have) is dropped: nobody was promised it. What failed stays.
    """
    issued, after = 0, ""
    for _ in range(ROUNDS):
        template_id = await db.fetchval(
            "SELECT template_id FROM coupon_due WHERE template_id > $1 ORDER BY template_id LIMIT 1", after
        )
        if template_id is None:
            break
        try:
            more, count = await _issue_chunk(template_id)
        except (DomainError, asyncpg.PostgresError) as error:
            log.warning("coupons.due_not_issued", template_id=template_id, error=type(error).__name__)
            more, count = False, 0
        issued += count
        if not more:
            after = template_id
    return issued


async def _issue_chunk(template_id: str) -> tuple[bool, int]:
    """Issue to the next members who are due this template; whether there may be more, and how many it were."""
    async with db.transaction() as tx:
        rows = await db.fetch_in(
            tx,
            "SELECT member_id, reason FROM coupon_due WHERE template_id = $1 ORDER BY member_id, reason LIMIT $2"
            " FOR UPDATE SKIP LOCKED",
            template_id,
            service.AT_ONCE,
        )
        if not rows:
            return False, 0
        merged = await members.merged_of({row[0] for row in rows})
        wishes = [
            _wish(template_id, member_id, reason)
            for member_id, reason in rows
            if not await _had(template_id, merged.get(member_id, ()), reason)
        ]
        outcomes = await service.issue(tx, template_id, wishes)
        service.raise_if_unavailable(outcomes)
        await db.raw(tx).execute(
            "DELETE FROM coupon_due USING unnest($2::bigint[], $3::text[]) AS d (member_id, reason)"
            " WHERE template_id = $1 AND coupon_due.member_id = d.member_id AND coupon_due.reason = d.reason",
            template_id,
            [row[0] for row in rows],
            [row[1] for row in rows],
        )
    await telling.issued_to(template_id, wishes, outcomes)
    refused = [outcome.code for outcome in outcomes if isinstance(outcome, DomainError)]
    if refused:
        log.info("coupons.due_refused", template_id=template_id, count=len(refused), code=refused[0])
    return len(rows) == service.AT_ONCE, len(outcomes) - len(refused)


async def _had(template_id: str, merged: Iterable[int], reason: str) -> bool:
    """Whether any of these, who were merged into somebody, was given it for the same: a level, a year's birthday."""
    found = [await ledger.find_own_key(one, _scope(template_id), _key(one, reason)) for one in merged]
    return any(found)


def _scope(template_id: str) -> str:
    return f"coupon_auto/{template_id}"


def _key(member_id: int, reason: str) -> str:
    return f"{member_id}:{reason}"


def _wish(template_id: str, member_id: int, reason: str) -> Wish:
    return Wish(
        member_id=member_id,
        coupon_id=service.new_coupon_id(member_id),
        source=queries.AUTO + reason,
        scope=_scope(template_id),
        key=_key(member_id, reason),
        hash=job_hash("auto", template_id, member_id, reason),
    )


async def note_birthdays(now: datetime) -> int:
    """Note who has their birthday today, and on days that nobody worked; returns how many members that were.

    Each template goes on from the day it was done for last, so that running again changes nothing.
    """
    today = clock.local_date(now, settings().timezone)
    noted = 0
    for template in await queries.offered_on(Occurrence.BIRTHDAY):
        done = template.birthdays_on
        first = today if done is None else max(done + timedelta(days=1), today - timedelta(days=BIRTHDAYS_BACK))
        while first <= today:
            noted += await _note_birthdays_of(template.id, first)
            first += timedelta(days=1)
    return noted


async def _note_birthdays_of(template_id: str, on: date) -> int:
    """Note everybody who was born on that day, then that the day is done."""
    noted, after = 0, 0
    while found := await members.list_birthdays(on, after=after, limit=BIRTHDAYS_AT_ONCE):
        async with db.transaction() as tx:
            await _note(tx, [template_id], found, queries.reason_of(Occurrence.BIRTHDAY, str(on.year)))
            await jobs.defer(tx, JOB, unique=JOB)
        noted, after = noted + len(found), found[-1]
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE coupon_template SET birthdays_on = $2 WHERE id = $1", template_id, on)
    queries.forget_offered()
    return noted
