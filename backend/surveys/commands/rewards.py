"""What answers are given: decided when they are stored, paid right after; what cannot be paid then is tried again."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import msgspec

from backend.coupons import service as coupons
from backend.kernel import clock, db, live, logging
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError
from backend.ledger import service as ledger
from backend.members import service as members
from backend.wallet import service as wallet

from .. import locks, service
from ..types import Outcome

log = logging.get(__name__)

SOURCE = "survey:"
"""What a coupon that is a reward has for its source, with the survey."""

REWARD = "survey"
"""The kind of the transfer, and the scope of its key: one for a member and a survey, whatever is tried how often."""

DUE_AT_ONCE, ROUNDS = 100, 100
LATELY = timedelta(days=2)


async def try_pay(survey_id: str, member_id: int) -> None:
    """Pay what an answer is given, if it can be had now; what failed is left to the job."""
    try:
        await pay(survey_id, member_id)
    except (DomainError, asyncpg.PostgresError) as error:
        log.warning("surveys.reward_waits", survey_id=survey_id, error=type(error).__name__)
        await _note_try(survey_id, member_id)


async def pay(survey_id: str, member_id: int) -> Outcome | None:
    """Pay what an answer is given, once; None where nothing is due.

    Raises what stops a coupon (``CouponSoldOut`` and the like), ``MemberInactive``, or ``Stale``.
    """
    outcome = await ledger.with_fresh_books(lambda tx: _pay(tx, survey_id, member_id))
    if outcome is not None:
        told = {"survey_id": survey_id, "points": outcome.points, "coupon_ids": list(outcome.coupon_ids)}
        live.push(member_id, "survey_rewarded", told)
    return outcome


async def _pay(tx: Tx, survey_id: str, member_id: int) -> Outcome | None:
    """The member first, whoever they are now, and gets it; then the coupon: its template is locked before any books."""
    await db.raw(tx).execute(locks.WITHIN)
    payee_id = await members.hold_current(tx, member_id)
    participation = await locks.lock_rewarded(tx, survey_id, member_id)
    outcome = participation.outcome if participation else None
    if participation is None or outcome is None or participation.paid:
        return None
    key = f"{member_id}:{survey_id}"
    if outcome.template_id is not None:
        coupon_ids = await coupons.issue_each(
            tx,
            payee_id,
            [outcome.template_id],
            source=f"{SOURCE}{survey_id}",
            scope=REWARD,
            key=key,
        )
        outcome = msgspec.structs.replace(outcome, coupon_ids=coupon_ids)
    if outcome.points is not None:
        await wallet.give_points(
            tx, payee_id, outcome.points, kind=REWARD, scope=REWARD, key=key, about=survey_id, now=clock.now()
        )
    await db.raw(tx).execute(
        "UPDATE survey_participation SET paid = true, outcome = $3"
        " WHERE survey_id = $1 AND member_id = $2 AND round = 1",
        survey_id,
        member_id,
        msgspec.json.encode(outcome).decode(),
    )
    return outcome


async def _note_try(survey_id: str, member_id: int) -> None:
    await db.fetchval(
        "UPDATE survey_participation SET tried_at = $3 WHERE survey_id = $1 AND member_id = $2 AND round = 1"
        " AND NOT paid RETURNING 1",
        survey_id,
        member_id,
        clock.now(),
    )


async def pay_due() -> int:
    """Pay what could not be paid at once; returns how many were tried.

    Each is tried again after ten minutes, in the third day and later every six hours: of a coupon that has run out for
    good there may be thousands.
    """
    now, tried = clock.now(), 0
    lately = service.today(now) - LATELY
    for _ in range(ROUNDS):
        rows = await db.fetch(
            "SELECT survey_id, member_id FROM survey_participation WHERE outcome IS NOT NULL AND NOT paid"
            " AND (tried_at IS NULL OR tried_at < CASE WHEN done_on < $4 THEN $2::timestamptz ELSE $1 END)"
            " ORDER BY tried_at NULLS FIRST, survey_id, member_id LIMIT $3",
            now - locks.AGAIN_AFTER,
            now - locks.LATER_AFTER,
            DUE_AT_ONCE,
            lately,
        )
        for row in rows:
            await _note_try(row["survey_id"], row["member_id"])
            await try_pay(row["survey_id"], row["member_id"])
        tried += len(rows)
        if len(rows) < DUE_AT_ONCE:
            break
    return tried
