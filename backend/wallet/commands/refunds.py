"""Recharges that are given back: asked for, decided, frozen, and what ends a refund here. WeChat is ``refunding``'s.

Each step locks the refund's row, then holds the member's books: what it reads of them is still so when it posts. A sale
comes before or after, and a lot is never promised twice.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from backend.approvals import queries as approval_queries
from backend.approvals import service as approvals
from backend.approvals.types import Approval, ApprovalState
from backend.auth.types import MemberCaller, StaffCaller
from backend.kernel import clock, db, events, ids, jobs, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound
from backend.kernel.http import Idempotency
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import IdempotencyConflict
from backend.ledger.types import Document, Lot
from backend.members import queries as members
from backend.merging import service as merging

from .. import plans, refund_plans, rules
from .. import refund_queries as queries
from ..errors import (
    RechargeNotRefundable,
    RefundExceedsPrincipal,
    RefundNotMovable,
    RefundNotOffered,
    RefundUnderWay,
)
from ..events import RechargeRefundMoved
from ..rules import RefundTerms
from ..types import HOLDING, RechargeRefund, RechargeStatus, RefundState, RefundStep
from . import refund_lots

log = logging.get(__name__)

PREFIX = "Y"
"""Of a refund's id, which is its number at WeChat."""

JOB = "wallet.pay_back"
KIND = "recharge_refund"
"""Of approvals: a refund above ``recharge_refund_approval_fen``."""

NOT_SPENT = (plans.EXPIRY, refund_plans.FROZEN, refund_plans.THAWED, refund_plans.FORFEITED, merging.KIND)
"""Transfers that take from a lot of bonus, or give back to it, without its having bought anything."""


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


async def terms_of(document: Document, amount_fen: int | None = None) -> RefundTerms:
    """What giving back so much of a recharge comes to now, or all that can be; raises what refuses it."""
    progress = plans.progress_of(document)
    if document.state != RechargeStatus.PAID or progress.transaction_id is None:
        raise RechargeNotRefundable
    parts = await refund_lots.parts_of(document)
    spent = 0
    for owner_id, bonus in parts.get("bonus", ()):
        unspent = bonus.remaining - await queries.moved(owner_id, bonus.lot_id, NOT_SPENT)
        spent += bonus.issued - unspent
    return rules.refund_terms(
        amount_fen,
        principal_fen=sum(lot.remaining for _, lot in parts.get("principal", ())),
        bonus_fen=sum(lot.remaining for _, lot in parts.get("bonus", ())),
        bonus_spent_fen=spent,
        withheld_fen=progress.withheld_fen,
        withholds=settings().recharge_refund_withholds_bonus,
    )


async def _lots(member_id: int, recharge_id: str) -> dict[str, Lot]:
    lots = await ledger_queries.list_lots_of(member_id, recharge_id)
    return {lot.part: lot for lot in lots if lot.kind == ledger_plans.STORED}


# -- asking


async def ask_as_member(
    recharge_id: str, amount_fen: int | None, reason: str, caller: MemberCaller, idem: Idempotency
) -> tuple[RechargeRefund, bool]:
    """A member asks for money back, once per key; staff decide. True for a retry."""
    document = await find_recharge(recharge_id, caller)
    refund_id = _id(document.member_id, f"member/{caller.member_id}", idem)
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
        terms = await terms_of(document, amount_fen)
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
                await events.publish(tx, _moved(made))
            else:
                made = await _freeze_or_propose(tx, asked, caller, now, note="")
    except asyncpg.UniqueViolationError:
        if known := await _known(document.member_id, refund_id, idem):
            return known, True
        raise RefundUnderWay from None
    tell(made)
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
    tell(made)
    return made


async def _freeze_or_propose(
    tx: Tx, refund: RechargeRefund, caller: StaffCaller, now: datetime, *, note: str
) -> RechargeRefund:
    """Freeze it, or above the limit ask a second person to: what they approve is frozen in their transaction."""
    if refund.amount_fen <= settings().recharge_refund_approval_fen:
        return await freeze(tx, refund, now, staff_id=caller.staff_id, note=note)
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
    made = step(refund, refund.state, "propose", now, staff_id=caller.staff_id, note=note, approval_id=approval.id)
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
    await freeze(tx, wanted, clock.now(), staff_id=None, note=f"approval {approval.id}")


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
    tell(made)
    return made


async def withdraw(refund_id: str, caller: MemberCaller) -> RechargeRefund:
    """A member takes back what they asked for. Repeated, it changes nothing."""
    owner_id = member_of(refund_id)
    if await members.current_id(owner_id) != caller.member_id:
        raise NotFound("there is no such refund")
    async with db.transaction() as tx:
        refund = await queries.lock(tx, owner_id, refund_id)
        made = await _end_asked(tx, refund, RefundState.WITHDRAWN, "", staff_id=None)
    tell(made)
    return made


async def cancel(refund_id: str, note: str, caller: StaffCaller) -> RechargeRefund:
    """Stop a refund that is under way: thawed at once where nothing was asked of WeChat, else when that is certain.

    What WeChat has taken on by then goes its way. Repeated, it changes nothing.
    """
    now = clock.now()
    async with db.transaction() as tx:
        refund = await _lock_staffs(tx, refund_id, caller)
        if refund.state is RefundState.FROZEN:
            made = await thaw(tx, refund, "cancelled", now, staff_id=caller.staff_id, note=note)
        elif refund.state is RefundState.SENT:
            made = await stop(tx, refund, "cancelled", now, staff_id=caller.staff_id, note=note)
        elif refund.state in (RefundState.STOPPING, RefundState.FAILED):
            return refund
        else:
            raise RefundNotMovable(extra={"state": str(refund.state)})
    tell(made)
    return made


async def again(refund_id: str, caller: StaffCaller) -> RechargeRefund:
    """Have WeChat asked once more, as often as at first: somebody has looked after what was in the way."""
    now = clock.now()
    async with db.transaction() as tx:
        refund = await _lock_staffs(tx, refund_id, caller)
        if refund.state is not RefundState.SENT:
            raise RefundNotMovable(extra={"state": str(refund.state)})
        made = step(refund, refund.state, "again", now, staff_id=caller.staff_id, tries=0, due_at=now)
        await queries.update(tx, made)
        await jobs.defer(tx, JOB, refund_id=refund.id)
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
    made = step(refund, state, name, clock.now(), staff_id=staff_id, note=note, due_at=None)
    await queries.update(tx, made)
    await events.publish(tx, _moved(made))
    return made


# -- the books


async def freeze(
    tx: Tx, refund: RechargeRefund, now: datetime, *, staff_id: int | None, note: str = ""
) -> RechargeRefund:
    """Hold a locked refund's value and have the worker ask WeChat; raises what refuses it."""
    holder_id = await members.current_id(refund.member_id)
    await (
        ledger.hold(tx, refund.member_id)
        if holder_id == refund.member_id
        else ledger.hold_both(tx, refund.member_id, holder_id)
    )
    document = await ledger_queries.find_document(refund.member_id, refund.recharge_id)
    assert document is not None
    terms = await terms_of(document, refund.amount_fen)
    made = step(
        refund,
        RefundState.FROZEN,
        "freeze",
        now,
        staff_id=staff_id,
        note=note,
        bonus_fen=terms.bonus_fen,
        withheld_fen=terms.withheld_fen,
        due_at=now,
    )
    if holder_id != refund.member_id:
        await refund_lots.bring_back(tx, made, document)
    lots = await _lots(refund.member_id, refund.recharge_id)
    await queries.update(tx, made)
    await ledger.post_in(tx, refund_plans.freeze(made, lots, now=now, on=_on(now), events=[_moved(made)]))
    await jobs.defer(tx, JOB, refund_id=refund.id)
    log.info("wallet.refund_frozen", refund_id=refund.id, amount_fen=refund.amount_fen)
    return made


async def thaw(
    tx: Tx, refund: RechargeRefund, failure: str, now: datetime, *, staff_id: int | None = None, note: str = ""
) -> RechargeRefund:
    """Give a locked refund's value back to its lots: it is certain that WeChat pays nothing of it."""
    await ledger.hold(tx, refund.member_id)
    made = step(refund, RefundState.FAILED, "thaw", now, staff_id=staff_id, note=note, failure=failure, due_at=None)
    held = await _held(refund)
    lots = await _lots(refund.member_id, refund.recharge_id)
    await queries.update(tx, made)
    await ledger.post_in(tx, refund_plans.thaw(made, held, lots, now=now, on=_on(now), events=[_moved(made)]))
    log.info("wallet.refund_failed", refund_id=refund.id, failure=failure)
    return made


async def deduct(tx: Tx, refund: RechargeRefund, psp_refund_id: str, now: datetime) -> RechargeRefund:
    """End a locked refund whose payer has the money: what was held leaves the books, the gift of points is taken."""
    await ledger.hold(tx, refund.member_id)
    document = await ledger_queries.find_document(refund.member_id, refund.recharge_id)
    assert document is not None
    points = await _points_to_claw(document, _on(now))
    open_lots = await ledger_queries.list_open_lots(refund.member_id, ledger_plans.POINTS)
    good = [lot for lot in open_lots if lot.expires_on is None or lot.expires_on >= _on(now)]
    own_first = sorted(good, key=lambda lot: lot.source != document.id)
    claw = rules.claw_points(points, [(lot.lot_id, lot.remaining) for lot in own_first])
    debt = (await ledger_queries.get_balances(refund.member_id)).get(ledger_plans.POINTS_DEBT, 0)
    made = step(
        refund, RefundState.DONE, "done", now, points=points, psp_refund_id=psp_refund_id, failure=None, due_at=None
    )
    await queries.update(tx, made)
    plan = refund_plans.deduct(
        made, document, await _held(refund), claw, debt=debt, now=now, on=_on(now), events=[_moved(made)]
    )
    await ledger.post_in(tx, plan)
    log.info("wallet.refund_done", refund_id=refund.id, amount_fen=refund.amount_fen)
    return made


async def stop(
    tx: Tx, refund: RechargeRefund, failure: str, now: datetime, *, staff_id: int | None = None, note: str = ""
) -> RechargeRefund:
    """Ask WeChat for a locked refund no more; in a minute, when no request can be on its way, see whether one came."""
    due_at = now + timedelta(seconds=rules.STOPPING_S)
    made = step(refund, RefundState.STOPPING, "stop", now, staff_id=staff_id, note=note, failure=failure, due_at=due_at)
    await queries.update(tx, made)
    return made


def step(
    refund: RechargeRefund,
    state: RefundState,
    name: str,
    now: datetime,
    *,
    staff_id: int | None = None,
    note: str = "",
    **changed: Any,
) -> RechargeRefund:
    """The refund after a step that is written down."""
    steps = (*refund.steps, RefundStep(step=name, at=now, staff_id=staff_id, note=note))
    return msgspec.structs.replace(refund, state=state, steps=steps, updated_at=now, **changed)


async def _held(refund: RechargeRefund) -> list[Lot]:
    lots = await ledger_queries.list_lots_of(refund.member_id, refund.id)
    return [lot for lot in lots if lot.kind == ledger_plans.STORED_HELD and lot.remaining]


async def _points_to_claw(document: Document, on: date) -> int:
    """The gift of points goes whole with the first refund, as the bonus does; what of it expired is lost already."""
    progress = plans.progress_of(document)
    if progress.refunded_fen or not progress.points:
        return 0
    lost = 0
    for lot in await ledger_queries.list_lots_of(document.member_id, document.id):
        if lot.kind == ledger_plans.POINTS:
            lost -= await queries.moved(document.member_id, lot.lot_id, (plans.EXPIRY,))
            lost += lot.remaining if lot.expires_on is not None and lot.expires_on < on else 0
    return progress.points - lost


def _on(now: datetime) -> date:
    return clock.local_date(now, settings().timezone)


def _moved(refund: RechargeRefund) -> RechargeRefundMoved:
    return RechargeRefundMoved(
        member_id=refund.member_id,
        refund_id=refund.id,
        recharge_id=refund.recharge_id,
        state=str(refund.state),
        amount_fen=refund.amount_fen,
        bonus_fen=refund.bonus_fen,
        withheld_fen=refund.withheld_fen,
    )


def tell(refund: RechargeRefund) -> None:
    """Tell the member's open phones where a refund stands."""
    live.push(
        refund.member_id,
        "recharge_refund",
        {
            "id": refund.id,
            "recharge_id": refund.recharge_id,
            "status": str(refund.state),
            "amount_fen": refund.amount_fen,
        },
    )
