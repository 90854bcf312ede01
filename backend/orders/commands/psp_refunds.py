"""Pay back what WeChat Pay had taken: owed since the refund was booked, asked for until WeChat has done it.

A refund's number at WeChat is its document's id, so asking again is the same refund; a crash between any two steps
leaves it due.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from backend.kernel import clock, ids, jobs, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import DomainError, NotFound
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused
from backend.ledger.plans import DocumentUpdate, Guard, Leg, Plan, job_hash
from backend.ledger.types import Document
from backend.sales import plans as sales
from backend.sales.types import Refund, TenderType
from backend.wechat import service as wechat
from backend.wechat.errors import CallbackRefused
from backend.wechat.types import Refund as PspRefund
from backend.wechat.types import RefundStatus

from ..errors import RefundLimitReached
from ..plans import FAILED, POSTED, REFUNDING
from ..types import Owed, PspPayment

log = logging.get(__name__)

JOB = "orders.pay_back"
FIRST_S, MOST_S = 60, 6 * 3600
MAX_TRIES = 60
"""Over two weeks; then a person must act."""

MOST_REFUNDS = 50
"""Of one payment: WeChat takes no more. Source: pay.weixin.qq.com, 申请退款, 一笔订单最多支持 50 次部分退款."""


def owed(plan: Plan, made: Refund, payment: PspPayment | None, now: datetime) -> Plan:
    """The refund's plan with WeChat's part: out of the store's sales, owed to the payer from now on.

    It counts the payment's refunds: the door refuses one more than WeChat takes (``refusal_of``).
    """
    fen = sum(tender.amount_fen for tender in made.by_tender if tender.type == TenderType.WECHAT)
    if not fen:
        return plan
    assert payment is not None, "a purchase that WeChat paid for has a payment"
    assert plan.document is not None
    store_id = plan.document.store_id or ""
    document = msgspec.structs.replace(
        plan.document,
        state=REFUNDING,
        progress=msgspec.to_builtins(Owed(fen, payment.out_trade_no, payment.total_fen)),
        due_at=now,
    )
    legs = (
        Leg(ledger_plans.HOUSE_SALES, ledger_plans.FEN, -fen, ref=store_id),
        Leg(ledger_plans.HOUSE_PSP, ledger_plans.FEN, fen),
    )
    count = Guard(f"psp-refunds:{payment.out_trade_no}", "add", 1, RefundLimitReached.code, cap=MOST_REFUNDS)
    return msgspec.structs.replace(plan, document=document, legs=plan.legs + legs, guards=(*plan.guards, count))


def refusal_of(refused: GuardRefused) -> DomainError | None:
    """What the door's refusal means where a count of refunds made it, or None."""
    return RefundLimitReached() if refused.refusal == RefundLimitReached.code else None


async def wake(tx: Tx, plan: Plan) -> None:
    """Have the worker ask WeChat at once, if this plan owes something; the clock would within a minute."""
    if plan.document is not None and plan.document.state == REFUNDING:
        await jobs.defer(tx, JOB, refund_id=plan.document.id)


async def advance_due(now: datetime) -> int:
    """Ask WeChat for every refund whose time has come; what fails is tried again later and holds nothing else up."""
    return await ledger.advance_due(sales.REFUND, _ask, _try_later, now=now)


async def pay_back(refund_id: str) -> None:
    """Ask WeChat for one refund, if it is still owed."""
    document = await _find(refund_id)
    if document is not None and document.state == REFUNDING:
        await ledger.advance(document, _ask, _try_later, now=clock.now())


async def _find(refund_id: str) -> Document | None:
    member_id = ids.member_of(refund_id, sales.REFUND_PREFIX)
    document = await ledger_queries.find_document(member_id, refund_id) if member_id else None
    return document if document is not None and document.kind == sales.REFUND else None


async def _ask(document: Document, now: datetime) -> None:
    part = msgspec.convert(document.progress, Owed)
    answer = await wechat.refund(
        part.out_trade_no, document.id, amount_fen=part.psp_fen, total_fen=part.total_fen, reason="商城订单退款"
    )
    if not await _settle(document, answer, now):
        await _try_later(document, now)


async def settle_refund(refund: PspRefund) -> bool:
    """Take the end of a refund that WeChat reports; False for a number that is none of ours.

    ``CallbackRefused`` for another payment or amount than was owed; that moves nothing.
    """
    document = await _find(refund.out_refund_no)
    if document is None or not document.progress:
        return False
    part = msgspec.convert(document.progress, Owed)
    if (refund.out_trade_no, refund.amount_fen) != (part.out_trade_no, part.psp_fen):
        log.error("orders.psp_refund_differs", refund_id=document.id)
        raise CallbackRefused("amount")
    if document.state != POSTED:
        await _settle(document, refund, clock.now())
    return True


async def _settle(document: Document, refund: PspRefund, now: datetime) -> bool:
    if refund.status == RefundStatus.SUCCESS:
        await ledger.post(_change(document, "refunded", now, state=POSTED))
        log.info("orders.psp_refunded", refund_id=document.id)
        live.push(document.member_id, "refund_paid", {"id": document.id, "order_id": document.body.get("sale_id")})
        return True
    if refund.status != RefundStatus.PROCESSING:
        log.error("orders.psp_refund_failed", refund_id=document.id, status=refund.status)
    return False


async def _try_later(document: Document, now: datetime) -> None:
    part = msgspec.convert(document.progress, Owed)
    pause_s = min(FIRST_S * 2 ** min(part.tries, 10), MOST_S)
    over = part.tries + 1 >= MAX_TRIES
    if over:
        log.error("orders.psp_refund_given_up", refund_id=document.id)
    progress = msgspec.to_builtins(msgspec.structs.replace(part, tries=part.tries + 1))
    plan = _change(
        document,
        "asked",
        now,
        state=FAILED if over else None,
        progress=progress,
        due_at=None if over else now + timedelta(seconds=pause_s),
    )
    try:
        await ledger.post(plan)
    except DomainError as error:
        log.warning("orders.psp_refund_not_postponed", refund_id=document.id, error=error.code)


async def ask_again(refund_id: str, store_reached: Any) -> None:
    """Begin anew with a refund that was given up: somebody has looked after it. Repeated, it changes nothing."""
    document = await _find(refund_id)
    if document is None or not store_reached(document.store_id):
        raise NotFound("there is no such refund")
    if document.state != FAILED:
        return
    now = clock.now()
    part = msgspec.structs.replace(msgspec.convert(document.progress, Owed), tries=0)
    await ledger.post(_change(document, "again", now, state=REFUNDING, progress=msgspec.to_builtins(part), due_at=now))


def _change(
    document: Document,
    what: str,
    now: datetime,
    *,
    state: str | None,
    progress: dict[str, Any] | None = None,
    due_at: datetime | None = None,
) -> Plan:
    return Plan(
        member_id=document.member_id,
        kind=f"refund_{what}",
        at=now,
        on=clock.local_date(now, settings().timezone),
        scope=f"refund/{what}",
        key=f"{document.id}:{document.version}",
        hash=job_hash(what, document.id),
        update=DocumentUpdate(document.id, document.version, state=state, progress=progress, due_at=due_at),
    )
