"""The member's answer to a waiting sale, given on the phone."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.kernel import clock, ids, live
from backend.kernel.errors import NotFound
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.ledger.plans import DocumentUpdate, Plan
from backend.ledger.types import Document
from backend.members import service as members

from .. import plans, views
from ..errors import SaleAlreadyCompleted, SaleNotWaiting
from ..rules.pricing import check_sufficient
from ..schemas import ConfirmationOut, DecisionOut
from ..types import Price, SaleProgress, SaleStatus
from . import pricing, sales

_DECIDED = {
    "approve": (SaleStatus.COMPLETED, SaleStatus.PARTLY_REFUNDED, SaleStatus.REFUNDED),
    "reject": (SaleStatus.REJECTED,),
}


async def list_waiting(member_id: int) -> list[ConfirmationOut]:
    """The member's sales that wait for an answer now."""
    now = clock.now()
    documents = await ledger_queries.list_documents(member_id, plans.SALE, states=[SaleStatus.AWAITING], limit=20)
    items = []
    for document in documents:
        if document.due_at is None or document.due_at <= now:
            continue
        store = await auth.get_store(document.store_id or "")
        shop = {"id": store.id, "name": store.name}
        payable = int(document.body["payable_fen"])
        items.append(ConfirmationOut(document.id, document.id, payable, shop, document.due_at))
    return items


async def decide(sale_id: str, member_id: int, decision: str, pin: str | None) -> DecisionOut:
    """Approve (post the prices of then) or reject a waiting sale; the same answer again is no error.

    Raises ``PinRequired``, ``PinInvalid``, ``PinLocked``; ``InsufficientBalance`` leaves the sale waiting.
    """
    document = await _own_sale(sale_id, member_id)
    if document.state in _DECIDED[decision]:
        return DecisionOut(sale_id, document.state)
    _check_waiting(document)
    if decision == "approve":
        await members.check_pin(member_id, pin)
    for _ in range(sales.MAX_TIMES_PLANNED):
        plan = await _plan(document, decision)
        try:
            posted = await ledger.post(plan)
        except Stale:
            document = await _own_sale(sale_id, member_id)
            if document.state in _DECIDED[decision]:
                return DecisionOut(sale_id, document.state)
            _check_waiting(document)
            continue
        status = posted.state or document.state
        await _tell(document, status, posted.balances)
        return DecisionOut(sale_id, status)
    raise Stale


async def _plan(document: Document, decision: str) -> Plan:
    now = clock.now()
    store = await auth.get_store(document.store_id or "")
    if decision == "reject":
        return sales.close_plan(document, SaleStatus.REJECTED, now, on_zone=store.timezone)
    body = plans.sale_body(document)
    on = clock.local_date(now, store.timezone)
    snapshot = await ledger_queries.get_snapshot(document.member_id, on)
    debt = snapshot.balances.get("points_debt", 0)
    available = {kind: snapshot.spendable(kind) for kind in ("stored", "rebate", "points")}
    available["points"] -= debt
    check_sufficient(body.tenders, available)
    bonus = pricing.stored_bonus(body.tenders, snapshot)
    price = Price(body.lines, body.total_fen, body.discount_fen, body.payable_fen)
    earned = pricing.earned_points(price, body.tenders, bonus_fen=bonus, multiplier_bp=body.multiplier_bp)
    expires_on, matures_on = pricing.lot_dates(on)
    return Plan(
        member_id=document.member_id,
        kind=plans.SALE,
        at=now,
        on=on,
        scope="sale-approve",
        key=f"{document.id}:{document.version}",
        hash=plans.job_hash("approve", document.id, document.version),
        active=True,
        saw=sales.saw_debt(debt),
        update=DocumentUpdate(
            document.id,
            document.version,
            state=SaleStatus.COMPLETED,
            progress=plans.encode_progress(SaleProgress(points_earned=earned)),
        ),
        legs=plans.payment_legs(
            body,
            store.id,
            bonus_fen=bonus,
            debt=debt,
            expires_on=expires_on,
            matures_on=matures_on,
            earned=earned,
        ),
        events=(sales.completed_event(document.member_id, document.id, store.id, body.payable_fen),),
    )


async def _own_sale(sale_id: str, member_id: int) -> Document:
    if ids.member_of(sale_id, "S") != member_id:
        raise NotFound("there is no such confirmation")
    document = await ledger_queries.find_document(member_id, sale_id)
    if document is None or document.kind != plans.SALE:
        raise NotFound("there is no such confirmation")
    return await sales.fresh(document)


def _check_waiting(document: Document) -> None:
    if document.state in _DECIDED["approve"]:
        raise SaleAlreadyCompleted(extra={"id": document.id})
    if document.state != SaleStatus.AWAITING:
        raise SaleNotWaiting(f"the sale is {document.state}", extra={"status": document.state})


async def _tell(document: Document, status: str, balances: dict[str, int]) -> None:
    if status != SaleStatus.COMPLETED:
        live.push(document.member_id, f"sale_{status}", {"sale_id": document.id})
        return
    now_stored = await ledger_queries.find_document(document.member_id, document.id)
    store = await auth.get_store(document.store_id or "")
    sales.announce(document.member_id, store, views.document_out(now_stored or document, balances))
