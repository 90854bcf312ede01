"""What giving a recharge back does to the books: what it comes to now, freeze, thaw, deduct, and the step each leaves.

The caller has locked the refund's row. Each holds the member's books before it reads them: what it reads is still so
when it posts, a sale comes before or after, and a lot is never promised twice.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from backend.kernel import clock, jobs, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.types import Document, Lot
from backend.members import queries as members
from backend.merging import service as merging

from .. import plans, refund_plans, rules
from .. import refund_queries as queries
from ..errors import RechargeNotRefundable
from ..events import RechargeRefundMoved
from ..rules import RefundTerms
from ..types import RechargeRefund, RechargeStatus, RefundState, RefundStep
from . import refund_lots

log = logging.get(__name__)

JOB = "wallet.pay_back"
FORFEIT_JOB = "wallet.forfeit_bonus"

NOT_SPENT = (plans.EXPIRY, refund_plans.FROZEN, refund_plans.THAWED, refund_plans.FORFEITED, merging.KIND)
"""Transfers that take from a lot of bonus, or give back to it, without its having bought anything."""


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
    await ledger.post_in(tx, refund_plans.freeze(made, lots, now=now, on=_on(now), events=[moved(made)]))
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
    await ledger.post_in(tx, refund_plans.thaw(made, held, lots, now=now, on=_on(now), events=[moved(made)]))
    if refund.withheld_fen:
        await _look_at_bonus(tx, made)  # nothing pays for it now, and an earlier refund may have given it up
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
        made, document, await _held(refund), claw, debt=debt, now=now, on=_on(now), events=[moved(made)]
    )
    await ledger.post_in(tx, plan)
    if plans.body_of(document).bonus_fen:
        await _look_at_bonus(tx, made)
    log.info("wallet.refund_done", refund_id=refund.id, amount_fen=refund.amount_fen)
    return made


async def _look_at_bonus(tx: Tx, refund: RechargeRefund) -> None:
    """Have the worker take what came back of the bonus while the refund was under way, where it is given up now."""
    await jobs.defer(tx, FORFEIT_JOB, member_id=str(refund.member_id), by=refund.id)


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


def moved(refund: RechargeRefund) -> RechargeRefundMoved:
    """What a refund's member hears of where it stands."""
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
