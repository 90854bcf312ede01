"""What the clock does with recharges: ask about unpaid orders, close stale ones, give late payments back.

Every step reads where the recharge stands, asks WeChat, and records; a crash between any two leaves it due again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from backend.kernel import clock, ids, logging
from backend.kernel.config import settings
from backend.kernel.errors import DomainError
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.types import Document
from backend.wechat import service as wechat
from backend.wechat.errors import CallbackRefused
from backend.wechat.types import Refund, RefundStatus, TradeState

from .. import plans, rules
from ..types import RechargeStatus
from . import payments, refunding

log = logging.get(__name__)

BATCH = 100
BATCHES = 10

_OVER = frozenset({TradeState.CLOSED, TradeState.REVOKED})


def ends_at(document: Document) -> datetime:
    """When the order is closed unless it was paid."""
    return plans.pay_until(document, timedelta(seconds=settings().recharge_close_after_s))


async def advance_due(now: datetime, *, batch: int = BATCH, batches: int = BATCHES) -> int:
    """Do for every recharge whose time has come what is next for it; returns how many were looked at.

    What fails is tried again later and holds nothing else up.
    """
    return await ledger.advance_due(plans.RECHARGE, advance, _try_later, now=now, batch=batch, batches=batches)


async def advance(document: Document, now: datetime) -> None:
    """The next step of one recharge."""
    if document.state == RechargeStatus.REFUNDING:
        await refund(document, now)
    elif document.state == RechargeStatus.CLOSED:
        await ask_closed(document, now)
    elif document.state != RechargeStatus.PENDING:
        await _change(document, "settled", now)
    elif now >= ends_at(document):
        await close(document, now)
    else:
        await ask(document, now)


async def ask(document: Document, now: datetime, *, postpone: bool = True) -> None:
    """Ask WeChat how an unpaid order stands, and act on it; with ``postpone`` an unpaid one is asked about later."""
    order = await wechat.look_up(document.id)
    if order.payment is not None and order.state is TradeState.REFUND:
        # Somebody paid it back at the merchant's platform before it was ever credited here.
        log.error("wallet.recharge_refunded_elsewhere", recharge_id=document.id)
        await _change(document, "refunded", now, state=RechargeStatus.REFUNDED)
    elif order.payment is not None:
        await payments.settle_payment(order.payment)
    elif order.state in _OVER:
        await _close_here(document, now)
    elif postpone:
        tries = plans.progress_of(document).tries
        await _count(document, now, rules.next_question(tries, now=now, pay_until=ends_at(document)))


async def close(document: Document, now: datetime) -> None:
    """Close a stale order at WeChat first, then here; one that turns out to be paid is credited."""
    if await wechat.close_unpaid(document.id):
        await _close_here(document, now)
    else:
        await ask(document, now)


async def ask_closed(document: Document, now: datetime) -> None:
    """Ask once more about a closed order: one that was paid at the last moment, and nobody told us, is given back."""
    order = await wechat.look_up(document.id)
    if order.payment is not None and order.state is not TradeState.REFUND:
        await payments.settle_payment(order.payment)
    else:
        await _count(document, now, rules.next_doubt(plans.progress_of(document).tries + 1, now=now))


async def _close_here(document: Document, now: datetime) -> None:
    plan = plans.change(
        document,
        "closed",
        now=now,
        on=clock.local_date(now, settings().timezone),
        state=RechargeStatus.CLOSED,
        progress=msgspec.structs.replace(plans.progress_of(document), tries=0),
        due_at=rules.next_doubt(0, now=now),
    )
    await ledger.post(plan)


async def refund(document: Document, now: datetime) -> None:
    """Give a payment back that is not to be credited: the same refund however often it is asked for."""
    why = plans.progress_of(document).given_back
    reason = "充值订单已关闭，原路退回" if why in (None, payments.LATE) else "超过储值限额，原路退回"
    pay_fen = plans.body_of(document).pay_fen
    answer = await wechat.refund(
        document.id, plans.refund_no(document.id), amount_fen=pay_fen, total_fen=pay_fen, reason=reason
    )
    if not await _settle_refund(document, answer, now):
        await _try_later(document, now)


async def settle_refund(refund: Refund) -> None:
    """Take the end of a refund that WeChat reports: of a late payment, or of a credited one that is given back.

    ``CallbackRefused`` for any other.
    """
    member_id = ids.member_of(refund.out_trade_no, "R")
    document = await ledger_queries.find_document(member_id, refund.out_trade_no) if member_id else None
    if document is not None and refund.out_refund_no != plans.refund_no(document.id):
        await refunding.settle_refund(refund)
        return
    if document is None or document.kind != plans.RECHARGE:
        log.error("wallet.refund_unknown", out_refund_no=refund.out_refund_no)
        raise CallbackRefused("refund")
    if refund.amount_fen != plans.body_of(document).pay_fen:
        log.error("wallet.refund_amount_wrong", out_refund_no=refund.out_refund_no)
        raise CallbackRefused("amount")
    if document.state == RechargeStatus.REFUNDING:
        await _settle_refund(document, refund, clock.now())


async def _settle_refund(document: Document, refund: Refund, now: datetime) -> bool:
    if refund.status == RefundStatus.SUCCESS:
        await _change(document, "refunded", now, state=RechargeStatus.REFUNDED)
        return True
    if refund.status != RefundStatus.PROCESSING:
        log.error("wallet.refund_failed", out_refund_no=refund.out_refund_no, status=refund.status)
    return False


async def _try_later(document: Document, now: datetime) -> None:
    """After a failure: later, and for a refund not for ever; an unpaid order stays due until it is decided."""
    tries = plans.progress_of(document).tries
    due_at: datetime | None = rules.repeat_at(tries, now=now)
    if document.state == RechargeStatus.REFUNDING:
        if tries >= rules.MAX_REFUND_TRIES:
            log.error("wallet.refund_given_up", recharge_id=document.id)
            due_at = None
    elif document.state == RechargeStatus.CLOSED:
        due_at = rules.next_doubt(tries + 1, now=now)
    else:
        due_at = rules.next_question(tries, now=now, pay_until=ends_at(document))
    try:
        await _count(document, now, due_at)
    except DomainError as error:
        log.warning("wallet.recharge_not_postponed", recharge_id=document.id, error=error.code)


async def _count(document: Document, now: datetime, due_at: datetime | None) -> None:
    progress = plans.progress_of(document)
    plan = plans.change(
        document,
        "asked",
        now=now,
        on=clock.local_date(now, settings().timezone),
        progress=msgspec.structs.replace(progress, tries=progress.tries + 1),
        due_at=due_at,
        each_version=True,
    )
    await ledger.post(plan)


async def _change(
    document: Document,
    what: str,
    now: datetime,
    *,
    state: RechargeStatus | None = None,
) -> None:
    """Bring a recharge to where the clock has nothing more to do with it."""
    on = clock.local_date(now, settings().timezone)
    await ledger.post(plans.change(document, what, now=now, on=on, state=state, each_version=state is None))
