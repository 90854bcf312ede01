"""What WeChat says of money: a payment is credited once, or, where its order was closed before, given back."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import clock, ids, live, logging
from backend.kernel.config import settings
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, IdempotencyConflict, Stale
from backend.ledger.plans import Plan
from backend.ledger.types import Document
from backend.wechat.errors import CallbackRefused
from backend.wechat.types import CURRENCY, Payment

from .. import plans, queries
from ..events import RechargeGivenBack
from ..types import PointsSource, RechargeProgress, RechargeStatus

log = logging.get(__name__)

MAX_TIMES_PLANNED = 4
LATE = "late"


async def settle_payment(payment: Payment) -> None:
    """Credit a payment, or note that it came too late; once, however often and by whichever way it is heard of.

    Raises ``CallbackRefused`` for an order that is not ours and for what does not match ours; that moves nothing.
    """
    for _ in range(MAX_TIMES_PLANNED):
        document = await _get(payment)
        if document.state == RechargeStatus.PENDING:
            work = _credit
        elif document.state == RechargeStatus.CLOSED:
            work = _note_late
        else:
            _check_same(document, payment)
            return
        try:
            await work(document, payment)
        except Stale:
            continue
        except IdempotencyConflict:
            _alarm(payment, "order_paid_twice")
            raise CallbackRefused("transaction") from None
        return
    raise Stale


async def _get(payment: Payment) -> Document:
    member_id = ids.member_of(payment.out_trade_no, "R")
    document = await ledger_queries.find_document(member_id, payment.out_trade_no) if member_id else None
    if document is None or document.kind != plans.RECHARGE:
        _alarm(payment, "order_unknown")
        raise CallbackRefused("order")
    if (payment.amount_fen, payment.currency) != (plans.body_of(document).pay_fen, CURRENCY):
        _alarm(payment, "amount_wrong")
        raise CallbackRefused("amount")
    return document


def _check_same(document: Document, payment: Payment) -> None:
    """A payment that is known already is accepted again; another one for the same order must not be lost in silence."""
    if plans.progress_of(document).transaction_id not in (None, payment.transaction_id):
        _alarm(payment, "order_paid_twice")
        raise CallbackRefused("transaction")


async def _credit(document: Document, payment: Payment) -> None:
    try:
        await _post_credit(document, payment, with_gift=True)
    except GuardRefused as refused:
        if refused.refusal == plans.NOT_FIRST:
            # Another recharge was the first one: the gift is lost, the money never.
            await _credit_paid_only(document, payment)
        else:
            await _refused(document, payment, refused)


async def _credit_paid_only(document: Document, payment: Payment) -> None:
    try:
        await _post_credit(document, payment, with_gift=False)
    except GuardRefused as refused:
        await _refused(document, payment, refused)


async def _refused(document: Document, payment: Payment, refused: GuardRefused) -> None:
    """Money that must not be credited: what another recharge of its member left no room for goes back to the payer."""
    if refused.refusal not in (plans.STORED_LIMIT, plans.DAY_LIMIT):
        _alarm(payment, "transaction_used_twice")
        raise CallbackRefused("transaction") from refused
    log.warning("wallet.recharge_over_limit", recharge_id=document.id, limit=refused.refusal)
    await ledger.post(give_back(document, payment.transaction_id, refused.refusal, clock.now()))


async def _post_credit(document: Document, payment: Payment, *, with_gift: bool) -> None:
    now, rules = clock.now(), settings()
    on = clock.local_date(now, rules.timezone)
    debt = (await ledger_queries.get_balances(document.member_id)).get(ledger_plans.POINTS_DEBT, 0)
    plan = plans.credit(
        document,
        transaction_id=payment.transaction_id,
        with_gift=with_gift,
        debt=debt,
        now=now,
        on=on,
        points_expire_on=await queries.points_expire_on(PointsSource.RECHARGE, on),
        limits=rules,
    )
    posted = await ledger.post(plan)
    if not posted.replayed:
        body = plans.body_of(document)
        given = {"bonus_fen": body.bonus_fen, "points": body.points} if with_gift else {"bonus_fen": 0, "points": 0}
        log.info("wallet.recharged", recharge_id=document.id, pay_fen=body.pay_fen, **given)
        live.push(document.member_id, "recharged", {"id": document.id, "pay_fen": body.pay_fen, **given})


async def _note_late(document: Document, payment: Payment) -> None:
    """The order was closed here and is paid all the same: the money goes back, the clock sees to it."""
    log.warning("wallet.recharge_paid_late", recharge_id=document.id)
    await ledger.post(give_back(document, payment.transaction_id, LATE, clock.now()))


def give_back(document: Document, transaction_id: str, why: str, now: datetime) -> Plan:
    """The plan that marks a recharge to be given back: a closed one, or one that is over a limit."""
    pay_params = plans.progress_of(document).pay_params
    progress = RechargeProgress(pay_params=pay_params, transaction_id=transaction_id, given_back=why)
    told = RechargeGivenBack(
        member_id=document.member_id, recharge_id=document.id, pay_fen=plans.body_of(document).pay_fen, why=why
    )
    return plans.change(
        document,
        "late",
        now=now,
        on=clock.local_date(now, settings().timezone),
        state=RechargeStatus.REFUNDING,
        progress=progress,
        due_at=now,
        events=(told,),
    )


def _alarm(payment: Payment, what: str) -> None:
    """Somebody must look: WeChat says that money came which our books cannot take."""
    log.error("wallet.payment_refused", what=what, out_trade_no=payment.out_trade_no, amount_fen=payment.amount_fen)
