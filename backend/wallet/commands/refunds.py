"""Recharges that are given back: who asks, and who decides. The books are ``refund_books``', WeChat is ``refunding``'s.

Each step locks the refund's row first.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import asyncpg
import msgspec

from backend.approvals import queries as approval_queries
from backend.approvals import service as approvals
from backend.approvals.types import Approval, ApprovalState
from backend.auth.types import MemberCaller, StaffCaller
from backend.kernel import clock, db, events, ids, jobs
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.http import Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger.errors import IdempotencyConflict
from backend.ledger.plans import own_scope
from backend.ledger.types import Document
from backend.members import queries as members

from .. import plans
from .. import refund_queries as queries
from ..errors import (
    RechargeNotRefundable,
    RefundExceedsPrincipal,
    RefundNotMovable,
    RefundNotOffered,
    RefundUnderWay,
)
from ..types import HOLDING, RechargeRefund, RefundState, RefundStep
from . import refund_books as books

PREFIX = "Y"
"""Of a refund's id, which is its number at WeChat."""

KIND = "recharge_refund"
"""Of approvals: refunds of a recharge above ``recharge_refund_approval_fen``."""


class RefundApproval(msgspec.Struct, frozen=True):
    """What a second person approves."""

    member_id: int
    refund_id: str
    amount_fen: int


def member_of(refund_id: str) -> int:
    """Whose refund has that id; ``NotFound`` for what is no such id."""
    member_id = ids.member_of(refund_id, PREFIX)
    if member_id is None:
        raise NotFound("there is no such refund")
    return member_id


async def find_recharge(recharge_id: str, caller: MemberCaller | StaffCaller) -> Document:
    """A recharge that the caller may see; ``NotFound`` for any other."""
    member_id = ids.member_of(recharge_id, "R")
    document = await ledger_queries.find_document(member_id, recharge_id) if member_id else None
    if document is None or document.kind != plans.RECHARGE:
        raise NotFound("there is no such recharge")
    if isinstance(caller, MemberCaller):
        if await members.current_id(document.member_id) != caller.member_id:
            raise NotFound("there is no such recharge")
    elif not caller.reaches(await _store_of(document.member_id)):
        raise NotFound("there is no such recharge")
    return document


async def _store_of(member_id: int) -> str | None:
    found = await members.find_member(await members.current_id(member_id))
    return found.store_id if found else None


# -- asking


async def ask_as_member(
    recharge_id: str, amount_fen: int | None, reason: str, caller: MemberCaller, idem: Idempotency
) -> tuple[RechargeRefund, bool]:
    """A member asks for money back, once per key; staff decide. True for a retry."""
    document = await find_recharge(recharge_id, caller)
    refund_id = _id(document.member_id, own_scope(document.member_id), idem)
    if known := await _known(document.member_id, refund_id, idem):
        return known, True
    if not settings().recharge_refund_by_member:
        raise RefundNotOffered
    return await _open(document, refund_id, amount_fen, reason, idem, caller=None)


async def ask_as_staff(
    recharge_id: str, amount_fen: int | None, reason: str, caller: StaffCaller, idem: Idempotency
) -> tuple[RechargeRefund, bool]:
    """Staff ask for a member, once per key: up to a limit it is frozen at once, above it somebody else must approve."""
    document = await find_recharge(recharge_id, caller)
    refund_id = _id(document.member_id, f"staff/{caller.staff_id}", idem)
    if known := await _known(document.member_id, refund_id, idem):
        return known, True
    return await _open(document, refund_id, amount_fen, reason, idem, caller=caller)


def _id(member_id: int, scope: str, idem: Idempotency) -> str:
    """The id of the refund under that key: the same for the same, so that a retry finds what it made."""
    digest = hashlib.sha256(f"{scope}\n{member_id}\n{idem.key}".encode()).digest()
    return ids.document_id(PREFIX, member_id, int.from_bytes(digest[:9], "big") >> 7)


async def _known(member_id: int, refund_id: str, idem: Idempotency) -> RechargeRefund | None:
    known = await queries.find(member_id, refund_id)
    if known is not None and known.request_hash != idem.request_hash:
        raise IdempotencyConflict
    return None if known is None else known.as_asked


async def _open(
    document: Document,
    refund_id: str,
    amount_fen: int | None,
    reason: str,
    idem: Idempotency,
    *,
    caller: StaffCaller | None,
) -> tuple[RechargeRefund, bool]:
    now, staff_id = clock.now(), caller.staff_id if caller else None
    try:
        terms = await books.terms_of(document, amount_fen)
    except (RechargeNotRefundable, RefundExceedsPrincipal):
        if await queries.is_under_way(document.member_id, document.id):
            raise RefundUnderWay from None
        raise
    asked = RechargeRefund(
        member_id=document.member_id,
        id=refund_id,
        recharge_id=document.id,
        store_id=await _store_of(document.member_id),
        state=RefundState.ASKED,
        amount_fen=terms.amount_fen,
        total_fen=plans.body_of(document).pay_fen,
        bonus_fen=0,
        withheld_fen=0,
        points=0,
        reason=reason,
        transaction_id=plans.progress_of(document).transaction_id or "",
        psp_refund_id=None,
        failure=None,
        tries=0,
        steps=(RefundStep(step="ask", at=now, staff_id=staff_id, note=reason, amount_fen=terms.amount_fen),),
        asked_by=staff_id,
        request_hash=idem.request_hash,
        approval_id=None,
        asked_at=now,
        updated_at=now,
        due_at=None,
    )
    try:
        async with db.transaction() as tx:
            await queries.insert(tx, asked)
            if caller is None:
                made = asked
                await events.publish(tx, books.moved(made))
            else:
                made = await _freeze_or_propose(tx, asked, caller, now, note="")
    except asyncpg.UniqueViolationError:
        if known := await _known(document.member_id, refund_id, idem):
            return known, True
        raise RefundUnderWay from None
    books.tell(made)
    return made, False


# -- deciding


async def approve(refund_id: str, amount_fen: int | None, note: str, caller: StaffCaller) -> RechargeRefund:
    """Freeze what was asked for, or less of it; above the limit a second person is asked to. Repeated: nothing more."""
    now = clock.now()
    async with db.transaction() as tx:
        refund = await _lock_staffs(tx, refund_id, caller)
        if refund.state in HOLDING or refund.state is RefundState.DONE:
            return refund
        if refund.state is not RefundState.ASKED:
            raise RefundNotMovable(extra={"state": str(refund.state)})
        wanted = refund.amount_fen if amount_fen is None else min(amount_fen, refund.amount_fen)
        wanted_refund = msgspec.structs.replace(refund, amount_fen=wanted)
        made = await _freeze_or_propose(tx, wanted_refund, caller, now, note=note)
    books.tell(made)
    return made


async def _freeze_or_propose(
    tx: Tx, refund: RechargeRefund, caller: StaffCaller, now: datetime, *, note: str
) -> RechargeRefund:
    """Freeze it, or above the limit ask a second person to: what they approve is frozen in their transaction.

    The limit is the recharge's: what went back of it before counts, or many small refunds would pass one by one.
    """
    before_fen = await queries.given_back(tx, refund.member_id, refund.recharge_id)
    if before_fen + refund.amount_fen <= settings().recharge_refund_approval_fen:
        return await books.freeze(tx, refund, now, staff_id=caller.staff_id, note=note)
    if await _waits(refund):
        return refund
    approval = await approvals.request(
        tx,
        KIND,
        RefundApproval(refund.member_id, refund.id, refund.amount_fen),
        caller=caller,
        reason=refund.reason,
        store_id=refund.store_id,
        summary=f"退还充值本金 {refund.amount_fen / 100:.2f} 元",
        key=f"{refund.id}:{len(refund.steps)}",
    )
    made = books.step(
        refund, refund.state, "propose", now, staff_id=caller.staff_id, note=note, approval_id=approval.id
    )
    await queries.update(tx, made)
    return made


async def _waits(refund: RechargeRefund) -> bool:
    """Whether a second person is being asked already."""
    if refund.approval_id is None:
        return False
    found = await approval_queries.get_approval(refund.approval_id)
    return found.state is ApprovalState.WAITING and found.expires_at > clock.now()


async def apply_approval(tx: Tx, body: RefundApproval, approval: Approval) -> None:
    """Freeze what a second person approved; raises what refuses it, and then it waits on."""
    refund = await queries.lock(tx, body.member_id, body.refund_id)
    if refund.state is not RefundState.ASKED:
        raise RefundNotMovable(extra={"state": str(refund.state)})
    wanted = msgspec.structs.replace(refund, amount_fen=body.amount_fen)
    await books.freeze(tx, wanted, clock.now(), staff_id=None, note=f"approval {approval.id}")


async def reject_approval(tx: Tx, body: RefundApproval, approval: Approval) -> None:
    """Refuse what a second person rejected, so that the member hears of it; what has moved since goes its way."""
    refund = await queries.lock(tx, body.member_id, body.refund_id)
    if refund.state is RefundState.ASKED and refund.approval_id == approval.id:
        await _end_asked(tx, refund, RefundState.REJECTED, approval.note, staff_id=approval.decided_by)


async def reject(refund_id: str, note: str, caller: StaffCaller) -> RechargeRefund:
    """Refuse what was asked for; nothing has moved. Repeated, it changes nothing."""
    async with db.transaction() as tx:
        refund = await _lock_staffs(tx, refund_id, caller)
        made = await _end_asked(tx, refund, RefundState.REJECTED, note, staff_id=caller.staff_id)
    books.tell(made)
    return made


async def withdraw(refund_id: str, caller: MemberCaller) -> RechargeRefund:
    """A member takes back what they asked for. Repeated, it changes nothing."""
    owner_id = member_of(refund_id)
    if await members.current_id(owner_id) != caller.member_id:
        raise NotFound("there is no such refund")
    async with db.transaction() as tx:
        refund = await queries.lock(tx, owner_id, refund_id)
        made = await _end_asked(tx, refund, RefundState.WITHDRAWN, "", staff_id=None)
    books.tell(made)
    return made


async def cancel(refund_id: str, note: str, caller: StaffCaller) -> RechargeRefund:
    """Stop a refund that is under way: thawed at once where nothing was asked of WeChat, else when that is certain.

    What WeChat has taken on by then goes its way. Repeated, it changes nothing.
    """
    now = clock.now()
    async with db.transaction() as tx:
        refund = await _lock_staffs(tx, refund_id, caller)
        if refund.state is RefundState.FROZEN:
            made = await books.thaw(tx, refund, "cancelled", now, staff_id=caller.staff_id, note=note)
        elif refund.state is RefundState.SENT:
            made = await books.stop(tx, refund, "cancelled", now, staff_id=caller.staff_id, note=note)
        elif refund.state in (RefundState.STOPPING, RefundState.FAILED):
            return refund
        else:
            raise RefundNotMovable(extra={"state": str(refund.state)})
    books.tell(made)
    return made


async def again(refund_id: str, caller: StaffCaller) -> RechargeRefund:
    """Have WeChat asked once more, as often as at first: somebody has looked after what was in the way."""
    now = clock.now()
    async with db.transaction() as tx:
        refund = await _lock_staffs(tx, refund_id, caller)
        if refund.state is not RefundState.SENT:
            raise RefundNotMovable(extra={"state": str(refund.state)})
        made = books.step(refund, refund.state, "again", now, staff_id=caller.staff_id, tries=0, due_at=now)
        await queries.update(tx, made)
        await jobs.defer(tx, books.JOB, refund_id=refund.id)
    return made


async def get_staffs(refund_id: str, caller: StaffCaller) -> RechargeRefund:
    """A refund that this person may see; ``NotFound`` for any other."""
    refund = await queries.find(member_of(refund_id), refund_id)
    if refund is None or not caller.reaches(refund.store_id):
        raise NotFound("there is no such refund")
    return refund


async def _lock_staffs(tx: Tx, refund_id: str, caller: StaffCaller) -> RechargeRefund:
    refund = await queries.lock(tx, member_of(refund_id), refund_id)
    if not caller.reaches(refund.store_id):
        raise NotFound("there is no such refund")
    return refund


async def _end_asked(
    tx: Tx, refund: RechargeRefund, state: RefundState, note: str, *, staff_id: int | None
) -> RechargeRefund:
    if refund.state is state:
        return refund
    if refund.state is not RefundState.ASKED:
        raise RefundNotMovable(extra={"state": str(refund.state)})
    name = "reject" if state is RefundState.REJECTED else "withdraw"
    made = books.step(refund, state, name, clock.now(), staff_id=staff_id, note=note, due_at=None)
    await queries.update(tx, made)
    await events.publish(tx, books.moved(made))
    return made
