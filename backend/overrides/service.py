"""What a till asks before and while it does what its cashier may not (public)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from backend.auth import service as auth
from backend.auth.types import Permission, StaffCaller
from backend.kernel import db, logging
from backend.kernel.db import Tx
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, MemberInactive
from backend.ledger.plans import CodeUse, Guard, Plan, job_hash

from . import queries, rules
from .errors import OverrideDayLimit, OverrideLimitExceeded, OverrideNotAllowed, OverrideOwn, OverrideRequired
from .types import Act, Limit, Wish

log = logging.get(__name__)

DAY = "override_day"
KIND = "override"
_KEPT = timedelta(days=3)


async def beyond(discount_fen: int, total_fen: int) -> int | None:
    """What a cashier may give of a sale where its till's own discount is more than that; None where it is not.

    No read for a sale without a discount of the till's own, and mostly none for others.
    """
    if not discount_fen:
        return None
    limit = await queries.cashier_limit()
    if limit is None:
        return None
    allowed = rules.allowed_fen(limit, total_fen)
    return allowed if discount_fen > allowed else None


async def check_alone(discount_fen: int, total_fen: int) -> None:
    """Raise ``OverrideRequired`` where a cashier may not give that alone."""
    allowed = await beyond(discount_fen, total_fen)
    if allowed is not None:
        raise OverrideRequired(discount_fen, allowed)


async def hold(tx: Tx, authoriser_id: int, wish: Wish, on: date) -> tuple[StaffCaller, Limit]:
    """Who authorises it, held as they stand now until the transaction ends; raises why they may not.

    ``authoriser_id`` is the member whose phone showed the code. Whoever is dismissed, moved or unbound at this moment
    comes before or after, never between.
    """
    if authoriser_id == wish.member_id:
        raise OverrideOwn
    person = await auth.hold_phone_owner(tx, authoriser_id)
    if person is None or not person.may(Permission.OVERRIDES_GIVE) or not person.reaches(wish.store_id):
        raise OverrideNotAllowed
    limit = await queries.find_limit_in(tx, person.role)
    if limit is None:
        raise OverrideNotAllowed
    whole = wish.act is not Act.DISCOUNT  # nothing is given away: only the amount counts
    allowed = limit.sale_fen if whole else rules.allowed_fen(limit, wish.total_fen)
    if wish.fen > allowed:
        raise OverrideLimitExceeded(allowed)
    # The day is counted on the books of the phone's member: with another phone it would begin anew.
    if await _gave_by_another_phone(tx, person.staff_id, authoriser_id, on):
        raise OverrideNotAllowed("this person authorised something today with another phone")
    return person, limit


async def _gave_by_another_phone(tx: Tx, staff_id: int, authoriser_id: int, on: date) -> bool:
    rows = await db.fetch_in(
        tx,
        "SELECT FROM override_grant WHERE staff_id = $1 AND day = $2 AND authoriser_id <> $3 LIMIT 1",
        staff_id,
        on,
        authoriser_id,
    )
    return bool(rows)


def plan(
    authoriser_id: int,
    guards: Sequence[Guard],
    limit: Limit,
    wish: Wish,
    *,
    scope: str,
    key: str,
    now: datetime,
    on: date,
) -> Plan:
    """Spend the authoriser's code and count what they gave today, on their own books; nothing else moves.

    Args:
        guards: what spends the code.
        scope, key: those of what it is for, so that both are retried together.
    """
    expires_at = now + _KEPT
    return Plan(
        member_id=authoriser_id,
        kind=KIND,
        at=now,
        on=on,
        scope=f"{KIND}/{scope}",
        key=key,
        hash=job_hash(KIND, wish.act, wish.terminal_id, wish.fen),
        active=True,
        use=CodeUse(wish.store_id),
        guards=(
            *guards,
            Guard(rules.day_fen_mark(on), "add", wish.fen, DAY, cap=limit.day_fen, expires_at=expires_at),
            Guard(rules.day_count_mark(on), "add", 1, DAY, cap=limit.day_count, expires_at=expires_at),
        ),
        about=wish.subject,
    )


async def post(tx: Tx, made: Plan) -> bool:
    """Post what ``plan`` made; whether it is new. Raises ``OverrideDayLimit``, ``OverrideNotAllowed``; or the guard's
    refusal where the code was spent."""
    try:
        return not (await ledger.post_in(tx, made)).replayed
    except GuardRefused as refused:
        if refused.refusal == DAY:
            raise OverrideDayLimit from refused
        raise
    except MemberInactive as refused:
        raise OverrideNotAllowed from refused


async def record(
    tx: Tx, grant_id: str, person: StaffCaller, authoriser_id: int, wish: Wish, *, now: datetime, on: date
) -> None:
    """Write down what was authorised."""
    await db.raw(tx).execute(
        "INSERT INTO override_grant (id, act, subject, order_no, store_id, terminal_id, cashier, staff_id, role,"
        " authoriser_id, member_id, fen, total_fen, reason, note, at, day)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        *(grant_id, wish.act.value, wish.subject, wish.order_no, wish.store_id, wish.terminal_id, wish.cashier),
        *(person.staff_id, person.role, authoriser_id, wish.member_id, wish.fen, wish.total_fen),
        *(wish.reason.value, wish.note, now, on),
    )
    log.info(
        "overrides.granted",
        grant_id=grant_id,
        act=wish.act.value,
        staff_id=person.staff_id,
        store_id=wish.store_id,
        terminal_id=wish.terminal_id,
        fen=wish.fen,
    )
