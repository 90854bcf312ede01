"""Deciding: each opens the one transaction, and what is approved is applied in it."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from backend.auth import queries as auth
from backend.auth import service as auth_service
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, logging, trail
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from . import hands, kinds, locks, queries, rules
from .errors import ApprovalAskerGone, ApprovalSameHands
from .types import Approval, ApprovalState, Kind

log = logging.get(__name__)

BATCH = 500


async def approve(approval_id: str, note: str, caller: StaffCaller) -> Approval:
    """Say yes, and do it; what cannot be done is the answer, and the request waits on."""
    async with db.transaction() as tx:
        approval, kind = await _to_decide(tx, approval_id, caller)
        if not await auth_service.stays_active(tx, approval.asked_by):
            raise ApprovalAskerGone
        await _check_hands(tx, approval, caller)
        await _move(tx, approval, ApprovalState.APPROVED, note, caller)
        approved = msgspec.structs.replace(approval, state=ApprovalState.APPROVED, decided_by=caller.staff_id)
        await kind.apply(tx, msgspec.json.decode(approval.body, type=kind.body), approved)
    log.info("approvals.approved", approval_id=approval_id, kind=kind.code, staff_id=caller.staff_id)
    return await queries.get_approval(approval_id)


async def reject(approval_id: str, note: str, caller: StaffCaller) -> Approval:
    """Say no; nothing happens, but what the kind lets follow from it."""
    async with db.transaction() as tx:
        approval, kind = await _to_decide(tx, approval_id, caller)
        await _move(tx, approval, ApprovalState.REJECTED, note, caller)
        if kind.reject is not None:
            said = {"state": ApprovalState.REJECTED, "decided_by": caller.staff_id, "note": note}
            rejected = msgspec.structs.replace(approval, **said)
            await kind.reject(tx, msgspec.json.decode(approval.body, type=kind.body), rejected)
    log.info("approvals.rejected", approval_id=approval_id, kind=kind.code, staff_id=caller.staff_id)
    return await queries.get_approval(approval_id)


async def withdraw(approval_id: str, caller: StaffCaller) -> Approval:
    """Take one's own request back."""
    async with db.transaction() as tx:
        approval = await locks.lock_approval(tx, approval_id)
        if approval.asked_by != caller.staff_id and not rules.decides(kinds.find(approval.kind), approval, caller):
            raise NotFound("there is no such approval")
        rules.check_first(approval, caller.staff_id)
        rules.check_waiting(approval)
        await _move(tx, approval, ApprovalState.WITHDRAWN, "", caller)
    return await queries.get_approval(approval_id)


COUNTED_FOR_DAYS = 7


async def forget_counts() -> None:
    """Forget what people decided alone on days that are long over."""
    first = clock.days_after(clock.local_date(clock.now(), settings().timezone), -COUNTED_FOR_DAYS)
    await db.fetch("DELETE FROM approval_alone WHERE on_day < $1", first)


async def expire() -> int:
    """Close what nobody decided in time; returns how many there were."""
    closed = 0
    while True:
        rows = await db.fetch(
            "UPDATE approval SET state = 'expired' WHERE id IN (SELECT id FROM approval WHERE state = 'waiting'"
            " AND expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING 1",
            clock.now(),
            BATCH,
        )
        closed += len(rows)
        if len(rows) < BATCH:
            return closed


async def _to_decide(tx: Tx, approval_id: str, caller: StaffCaller) -> tuple[Approval, Kind]:
    """The request under its lock, if it waits for this person: not their own, of their kinds, at their stores."""
    approval = await locks.lock_approval(tx, approval_id)
    kind = kinds.find(approval.kind)
    trail.named(str(approval.asked_by))
    trail.said(kind=approval.kind, asked_by=str(approval.asked_by))
    if approval.asked_by == caller.staff_id:
        rules.check_second(approval, caller.staff_id)
    if kind is None or not rules.decides(kind, approval, caller):
        raise NotFound("there is no such approval")
    rules.check_waiting(approval)
    return approval, kind


async def _check_hands(tx: Tx, approval: Approval, caller: StaffCaller) -> None:
    """Refuse where both logins may be in one person's hands; rejecting harms nobody, and is free to all."""
    new = timedelta(days=settings().approval_login_days)
    if not new:
        return
    ties = hands.by_login(await auth.list_ties_in(tx, approval.asked_at - new))
    asked = approval.asked_by, approval.asked_at
    if hands.of_both(*asked, caller.staff_id, clock.now(), ties, new):
        raise ApprovalSameHands


async def _move(tx: Tx, approval: Approval, state: ApprovalState, note: str, caller: StaffCaller) -> None:
    await db.raw(tx).execute(
        "UPDATE approval SET state = $2, decided_by = $3, decided_at = $4, note = $5 WHERE id = $1",
        approval.id,
        state.value,
        caller.staff_id,
        clock.now(),
        note,
    )
