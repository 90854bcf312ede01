"""What WeChat says of payments, and what the clock does with them: ask, close stale ones, give late ones back.

Every step reads where the payment stands, asks WeChat, and records; a crash between any two leaves it due again.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import clock, ids, logging
from backend.kernel.config import settings
from backend.kernel.errors import DomainError
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, Stale
from backend.ledger.types import Document
from backend.wallet import rules
from backend.wechat import service as wechat
from backend.wechat.errors import CallbackRefused
from backend.wechat.types import CURRENCY, Payment, Refund, RefundStatus, TradeState

from .. import plans
from ..types import OrderState, PaymentProgress, PaymentState
from . import pay

log = logging.get(__name__)

MAX_TIMES_PLANNED = 4

_OVER = frozenset({TradeState.CLOSED, TradeState.REVOKED, TradeState.REFUND})


async def settle_payment(payment: Payment) -> None:
    """Complete what was paid, or note that it came too late; once, however often and by whichever way it is heard of.

    Raises ``CallbackRefused`` for a payment that is not ours and for what does not match ours; that moves nothing.
    """
    for _ in range(MAX_TIMES_PLANNED):
        document = await _get(payment)
        try:
            if document.state == PaymentState.PENDING:
                await pay.complete(document, payment)
            elif document.state == PaymentState.CLOSED:
                await _note_late(document, payment)
            elif plans.payment_progress(document).transaction_id not in (None, payment.transaction_id):
                _alarm(payment, "paid_twice")
                raise CallbackRefused("transaction")
        except Stale:
            continue
        except GuardRefused as refused:
            _alarm(payment, "transaction_used_twice")
            raise CallbackRefused("transaction") from refused
        return
    raise Stale


async def _get(payment: Payment) -> Document:
    document = await _find(payment.out_trade_no)
    if document is None:
        _alarm(payment, "unknown")
        raise CallbackRefused("order")
    if (payment.amount_fen, payment.currency) != (plans.payment_body(document).pay_fen, CURRENCY):
        _alarm(payment, "amount_wrong")
        raise CallbackRefused("amount")
    return document


async def _find(payment_id: str) -> Document | None:
    member_id = ids.member_of(payment_id, plans.PAYMENT_PREFIX)
    document = await ledger_queries.find_document(member_id, payment_id) if member_id else None
    return document if document is not None and document.kind == plans.PAYMENT else None


def _alarm(payment: Payment, what: str) -> None:
    """Somebody must look: WeChat says that money came which our books cannot take."""
    log.error("orders.payment_refused", what=what, out_trade_no=payment.out_trade_no, amount_fen=payment.amount_fen)


async def _note_late(document: Document, payment: Payment) -> None:
    """The orders were closed and are paid all the same: the money goes back, the clock sees to it."""
    log.warning("orders.paid_late", payment_id=document.id)
    now = clock.now()
    progress = msgspec.structs.replace(plans.payment_progress(document), transaction_id=payment.transaction_id, tries=0)
    await _change(document, "late", now, state=PaymentState.REFUNDING, progress=progress, due_at=now)


# -- by the clock


async def advance_due(now: datetime) -> int:
    """Do for every payment whose time has come what is next for it; returns how many were looked at."""
    return await ledger.advance_due(plans.PAYMENT, advance, _try_later, now=now)


async def advance(document: Document, now: datetime) -> None:
    """The next step of one payment."""
    if document.state == PaymentState.REFUNDING:
        await _refund(document, now)
    elif document.state == PaymentState.CLOSED:
        await ask(document, now)
    elif document.state != PaymentState.PENDING:
        await _change(document, "settled", now)
    elif now >= plans.payment_body(document).pay_until:
        await close(document, OrderState.CLOSED, now)
    else:
        await ask(document, now)


async def ask(document: Document, now: datetime) -> None:
    """Ask WeChat how a payment stands, and act on it; one that is not made is asked about later."""
    order = await wechat.look_up(document.id)
    tries = plans.payment_progress(document).tries
    if order.payment is not None and order.state is not TradeState.REFUND:
        await settle_payment(order.payment)
    elif document.state == PaymentState.CLOSED:
        await _count(document, now, rules.next_doubt(tries + 1, now=now))
    elif order.state in _OVER:  # closed there, or paid back at the merchant's platform before it was heard of
        await pay.give_up(document, OrderState.CLOSED, now)
    else:
        pay_until = plans.payment_body(document).pay_until
        await _count(document, now, rules.next_question(tries, now=now, pay_until=pay_until))


async def close(document: Document, state: OrderState, now: datetime) -> None:
    """Close a payment at WeChat first, then its orders; one that turns out to be made is completed."""
    if await wechat.close_unpaid(document.id):
        await pay.give_up(document, state, now)
    else:
        await ask(document, now)


async def _refund(document: Document, now: datetime) -> None:
    """Give a late payment back to its payer: the same refund however often it is asked for."""
    pay_fen = plans.payment_body(document).pay_fen
    answer = await wechat.refund(
        document.id,
        plans.late_refund_no(document.id),
        amount_fen=pay_fen,
        total_fen=pay_fen,
        reason="订单已关闭，原路退回",
    )
    if not await _settle_refund(document, answer, now):
        await _try_later(document, now)


async def settle_late_refund(refund: Refund) -> None:
    """Take the end of the refund of a late payment; ``CallbackRefused`` for one that is none."""
    document = await _find(refund.out_trade_no)
    if document is None or refund.out_refund_no != plans.late_refund_no(document.id):
        log.error("orders.refund_unknown", out_refund_no=refund.out_refund_no)
        raise CallbackRefused("refund")
    if refund.amount_fen != plans.payment_body(document).pay_fen:
        log.error("orders.refund_amount_wrong", out_refund_no=refund.out_refund_no)
        raise CallbackRefused("amount")
    if document.state == PaymentState.REFUNDING:
        await _settle_refund(document, refund, clock.now())


async def _settle_refund(document: Document, refund: Refund, now: datetime) -> bool:
    if refund.status == RefundStatus.SUCCESS:
        await _change(document, "refunded", now, state=PaymentState.REFUNDED)
        return True
    if refund.status != RefundStatus.PROCESSING:
        log.error("orders.late_refund_failed", out_refund_no=refund.out_refund_no, status=refund.status)
    return False


async def _try_later(document: Document, now: datetime) -> None:
    """After a failure: later, and for a refund not for ever; what is not paid stays due until it is decided."""
    tries = plans.payment_progress(document).tries
    due_at: datetime | None = rules.repeat_at(tries, now=now)
    if document.state == PaymentState.REFUNDING and tries >= rules.MAX_REFUND_TRIES:
        log.error("orders.late_refund_given_up", payment_id=document.id)
        due_at = None
    elif document.state == PaymentState.CLOSED:
        due_at = rules.next_doubt(tries + 1, now=now)
    elif document.state == PaymentState.PENDING:
        due_at = rules.next_question(tries, now=now, pay_until=plans.payment_body(document).pay_until)
    try:
        await _count(document, now, due_at)
    except DomainError as error:
        log.warning("orders.payment_not_postponed", payment_id=document.id, error=error.code)


async def _count(document: Document, now: datetime, due_at: datetime | None) -> None:
    progress = plans.payment_progress(document)
    await _change(
        document, "asked", now, progress=msgspec.structs.replace(progress, tries=progress.tries + 1), due_at=due_at
    )


async def _change(
    document: Document,
    what: str,
    now: datetime,
    *,
    state: PaymentState | None = None,
    progress: PaymentProgress | None = None,
    due_at: datetime | None = None,
) -> None:
    on = clock.local_date(now, settings().timezone)
    await ledger.post(
        plans.change_payment(document, what, now=now, on=on, state=state, progress=progress, due_at=due_at)
    )
