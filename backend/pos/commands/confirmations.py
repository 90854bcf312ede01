"""The member's answer to a waiting sale, given on the phone."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.kernel import clock, ids, live
from backend.kernel.config import settings
from backend.kernel.errors import DomainError, NotFound
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, Stale
from backend.ledger.plans import DocumentUpdate, Plan
from backend.ledger.types import Document, Posted
from backend.members import service as members
from backend.passes import plans as pass_plans
from backend.passes import service as passes
from backend.points import plans as points
from backend.points import service as point_rules
from backend.sales import plans as sale_plans
from backend.sales.rules import settling
from backend.sales.rules.coupons import line_shares
from backend.sales.rules.pricing import check_sufficient, member_value_fen
from backend.sales.types import Price, SaleProgress, TenderType
from backend.wallet import queries as wallet
from backend.wallet.types import PointsSource

from .. import plans, views
from ..errors import SaleAlreadyCompleted, SaleNotWaiting
from ..schemas import ConfirmationOut, DecisionOut
from ..types import SaleStatus
from . import sales

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
        payable, coupon = int(document.body["payable_fen"]), int(document.body["paid"].get("coupon", 0))
        items.append(ConfirmationOut(document.id, document.id, payable, shop, document.due_at, coupon))
    return items


async def decide(sale_id: str, member_id: int, decision: str, pin: str | None) -> DecisionOut:
    """Approve (post the prices of then) or reject a waiting sale; the same answer again is no error.

    Raises ``PinRequired``, ``PinInvalid``, ``PinLocked``; ``InsufficientBalance``, ``CouponUnavailable`` and what
    refuses a gift card that pays nothing any more, or the discount card of its prices, leave the sale waiting.
    """
    document = await _own_sale(sale_id, member_id)
    if document.state in _DECIDED[decision]:
        return DecisionOut(sale_id, document.state)
    _check_waiting(document)
    if decision == "approve":
        await members.check_pin(member_id, pin, spends_fen=member_value_fen(sale_plans.sale_body(document).tenders))
    capped = False
    for _ in range(sales.MAX_TIMES_PLANNED):
        try:
            posted = await _post(document, decision, capped=capped)
        except DomainError as refused:
            # The same answer a moment before may be what took the value that is missing now.
            document = await _own_sale(sale_id, member_id)
            if document.state in _DECIDED[decision]:
                return DecisionOut(sale_id, document.state)
            _check_waiting(document)
            if isinstance(refused, GuardRefused) and refused.refusal == points.CAP:
                capped = True  # again, too: another sale of the day may have come between
                continue
            if isinstance(refused, Stale):
                continue
            sale_plans.raise_if_coupon_gone(refused)
            if isinstance(refused, GuardRefused):
                raise passes.refusal_of(refused) or refused from refused
            raise
        status = posted.state or document.state
        await _tell(document, status, posted.balances)
        return DecisionOut(sale_id, status)
    raise Stale


async def _post(document: Document, decision: str, *, capped: bool) -> Posted:
    plan = await _plan(document, decision, capped=capped)
    if decision == "approve":
        return await sales.post_paid(plan, document.id, sale_plans.sale_body(document), document.store_id or "")
    return await ledger.post(plan)


async def _plan(document: Document, decision: str, *, capped: bool) -> Plan:
    now = clock.now()
    store = await auth.get_store(document.store_id or "")
    if decision == "reject":
        return sales.close_plan(document, SaleStatus.REJECTED, now, on_zone=store.timezone)
    body = sale_plans.sale_body(document)
    on = clock.local_date(now, store.timezone)
    snapshot = await ledger_queries.get_snapshot(document.member_id, on)
    debt = snapshot.balances.get("points_debt", 0)
    available = {kind: snapshot.spendable(kind) for kind in ("stored", "rebate", "points")}
    available["points"] -= debt
    # How the gift cards stand, and whether enough is on them, is judged where they are locked.
    check_sufficient([one for one in body.tenders if one.type is not TenderType.GIFT_CARD], available)
    bonus = settling.stored_bonus(body.tenders, snapshot)
    price = Price(body.lines, body.total_fen, body.discount_fen, body.payable_fen)
    earning = await point_rules.earning_again(
        document.member_id, body.multiplier_bp, store=store, at=document.at, capped=capped
    )
    earned = settling.earned_points(price, body.tenders, earning, bonus_fen=bonus, coupon_fen=line_shares(body.coupons))
    expires_on, matures_on = settling.lot_dates(on, settings(), await wallet.points_expiry(PointsSource.SALE))
    return Plan(
        member_id=document.member_id,
        kind=plans.SALE,
        at=now,
        on=on,
        scope="sale-approve",
        key=f"{document.id}:{document.version}",
        hash=plans.job_hash("approve", document.id, document.version),
        active=True,
        guards=(
            *((pass_plans.count_use(body.card_id),) if body.card_id else ()),
            *points.count_caps(earned, now),
        ),
        saw=sale_plans.saw_debt(debt),
        update=DocumentUpdate(
            document.id,
            document.version,
            state=SaleStatus.COMPLETED,
            progress=sale_plans.encode_progress(SaleProgress(points_earned=earned.points, earned_by=earned.kept)),
        ),
        legs=sale_plans.payment_legs(
            body,
            store.id,
            bonus_fen=bonus,
            debt=debt,
            expires_on=expires_on,
            matures_on=matures_on,
            earned=earned.points,
        )
        + pass_plans.sale_legs(body.passes, store.id, passes.today(now)),
        events=sale_plans.completed_events(document.member_id, document.id, store.id, body, now),
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
