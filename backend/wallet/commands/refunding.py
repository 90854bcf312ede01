"""Recharges that are given back, at WeChat: ask for the refund, hear of its end, deduct or thaw.

A refund's number at WeChat is its id, stored before anything is asked, so asking again is the same refund. Every step
commits where it stands before it calls; a crash between any two leaves it due.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec

from backend.kernel import clock, db, logging
from backend.kernel.errors import DomainError, NotFound
from backend.wechat import service as wechat
from backend.wechat.errors import CallbackRefused, NotEnough, PayRefused, RefundNotFound
from backend.wechat.types import Refund, RefundStatus

from .. import refund_queries as queries
from .. import rules
from ..types import HOLDING, RechargeRefund, RefundState
from . import refund_books, refunds

log = logging.get(__name__)

BATCH = 100
BATCHES = 10
AT_ONCE = 8
REASON = "储值退款"
_ASKING = frozenset({RefundState.FROZEN, RefundState.SENT})


async def advance_due(now: datetime, *, batch: int = BATCH, batches: int = BATCHES) -> int:
    """Do for every refund whose time has come what is next for it; returns how many were looked at."""
    gate, seen = asyncio.Semaphore(AT_ONCE), 0

    async def one(refund: RechargeRefund) -> None:
        async with gate:
            await _advance(refund, now)

    for _ in range(batches):
        due = await queries.list_due(now, batch)
        await asyncio.gather(*(one(refund) for refund in due))
        seen += len(due)
        if len(due) < batch:
            break
    return seen


async def pay_back(refund_id: str) -> None:
    """Do what is next for one refund, if its time has come."""
    refund = await queries.find(refunds.member_of(refund_id), refund_id)
    if refund is not None and refund.due_at is not None:
        await _advance(refund, clock.now())


async def _advance(refund: RechargeRefund, now: datetime) -> None:
    """The next step of one refund; raises nothing: what fails is due again, and holds nothing else up."""
    try:
        if refund.state is RefundState.STOPPING:
            await _look(refund, now)
        elif await _begin(refund, now):
            await _ask(refund)
    except Exception as error:
        log.warning("wallet.refund_not_advanced", refund_id=refund.id, error=type(error).__name__)


async def _begin(refund: RechargeRefund, now: datetime) -> bool:
    """Write down that WeChat is asked now, and when again; False where it is not to be asked any more."""
    async with db.transaction() as tx:
        locked = await queries.lock(tx, refund.member_id, refund.id)
        if locked.state not in _ASKING or locked.due_at is None or locked.due_at > now:
            return False
        due_at = rules.ask_refund_at(locked.tries, now=now)
        changed = {"tries": locked.tries + 1, "due_at": due_at, "updated_at": now}
        if locked.state is RefundState.FROZEN:
            made = refund_books.step(locked, RefundState.SENT, "send", now, tries=1, due_at=due_at)
        else:
            made = msgspec.structs.replace(locked, **changed)
        if due_at is None:
            log.error("wallet.refund_given_up", refund_id=refund.id)
            made = msgspec.structs.replace(made, failure="given_up")
        await queries.update(tx, made)
    if locked.state is not made.state:
        refund_books.tell(made)
    return True


async def _ask(refund: RechargeRefund) -> None:
    """Ask for the refund. A refusal that is final stops it, anything else is asked again."""
    try:
        answer = await wechat.refund(
            refund.recharge_id, refund.id, amount_fen=refund.amount_fen, total_fen=refund.total_fen, reason=REASON
        )
    except NotEnough as refused:
        await _note(refund, refused.code)
    except PayRefused as refused:
        log.error("wallet.refund_refused", refund_id=refund.id, error=refused.wechat_code)
        await _stop(refund, refused.wechat_code[:40] or refused.code)
    else:
        await _settle(refund, answer)


async def _note(refund: RechargeRefund, failure: str) -> None:
    """Write down what keeps WeChat from paying, for staff to see."""
    log.error("wallet.refund_held_up", refund_id=refund.id, failure=failure)
    async with db.transaction() as tx:
        locked = await queries.lock(tx, refund.member_id, refund.id)
        if locked.state is RefundState.SENT and locked.failure != failure:
            await queries.update(tx, msgspec.structs.replace(locked, failure=failure))


async def _stop(refund: RechargeRefund, failure: str) -> None:
    async with db.transaction() as tx:
        locked = await queries.lock(tx, refund.member_id, refund.id)
        if locked.state is RefundState.SENT:
            await refund_books.stop(tx, locked, failure, clock.now())


async def _look(refund: RechargeRefund, now: datetime) -> None:
    """Whether a refund that is not asked for any more had arrived: it goes its way there, or is thawed here."""
    try:
        answer = await wechat.query_refund(refund.id)
    except RefundNotFound:
        async with db.transaction() as tx:
            locked = await queries.lock(tx, refund.member_id, refund.id)
            if locked.state is not RefundState.STOPPING:
                return
            made = await refund_books.thaw(tx, locked, locked.failure or "refused", now)
        refund_books.tell(made)
    except DomainError as error:
        log.warning("wallet.refund_not_asked", refund_id=refund.id, error=error.code)
        await _postpone(refund, now)
    else:
        if not await _settle(refund, answer):
            await _postpone(refund, now)


async def _postpone(refund: RechargeRefund, now: datetime) -> None:
    async with db.transaction() as tx:
        locked = await queries.lock(tx, refund.member_id, refund.id)
        if locked.state is RefundState.STOPPING:
            due_at = rules.repeat_at(locked.tries, now=now)
            await queries.update(tx, msgspec.structs.replace(locked, tries=locked.tries + 1, due_at=due_at))


async def settle_refund(answer: Refund) -> None:
    """Take the end of a refund that WeChat reports; ``CallbackRefused`` for one that we did not ask for like that."""
    try:
        refund = await queries.find(refunds.member_of(answer.out_refund_no), answer.out_refund_no)
    except NotFound:
        refund = None
    if refund is None:
        log.error("wallet.refund_unknown", out_refund_no=answer.out_refund_no)
        raise CallbackRefused("refund")
    if (answer.out_trade_no, answer.amount_fen) != (refund.recharge_id, refund.amount_fen):
        log.error("wallet.refund_amount_wrong", out_refund_no=answer.out_refund_no)
        raise CallbackRefused("amount")
    await _settle(refund, answer)


async def _settle(refund: RechargeRefund, answer: Refund) -> bool:
    """Act on what WeChat says of a refund, once; whether that was its end."""
    now = clock.now()
    async with db.transaction() as tx:
        locked = await queries.lock(tx, refund.member_id, refund.id)
        if locked.state not in HOLDING:
            if answer.status == RefundStatus.SUCCESS and locked.state is not RefundState.DONE:
                # Somebody must look: the payer has money that the member can spend here once more.
                log.error("wallet.refund_paid_after_its_end", refund_id=refund.id, state=str(locked.state))
                paid = msgspec.structs.replace(locked, failure="paid_after_end", psp_refund_id=answer.refund_id)
                await queries.update(tx, paid)
            return True
        if answer.status == RefundStatus.SUCCESS:
            made = await refund_books.deduct(tx, locked, answer.refund_id, now)
        elif answer.status == RefundStatus.CLOSED:
            made = await refund_books.thaw(tx, locked, "closed", now)
        else:
            failure = locked.failure
            if answer.status == RefundStatus.ABNORMAL:
                log.error("wallet.refund_abnormal", refund_id=refund.id)
                failure = "abnormal"
            await queries.update(tx, msgspec.structs.replace(locked, psp_refund_id=answer.refund_id, failure=failure))
            return False
    refund_books.tell(made)
    return True
