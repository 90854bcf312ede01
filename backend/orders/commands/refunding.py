"""Give back what a request comes to: goods to their shelf, value to where it came from, WeChat's part by WeChat.

All of the books move in one transaction; what went through WeChat is owed from then on, and ``psp_refunds`` pays it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.coupons.types import DELIVERY_LINE
from backend.giftcards import service as giftcards
from backend.kernel import clock, db, events, ids, live, logging
from backend.kernel.db import Tx
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, Stale
from backend.ledger.plans import Plan, job_hash
from backend.ledger.types import Document
from backend.passes import service as passes
from backend.passes.errors import PassRefundByLine
from backend.sales import plans as sales
from backend.sales import queries as sale_queries
from backend.sales.plans import Sold
from backend.sales.rules import gift_cards, refunds
from backend.sales.rules.refunds import RefundShares
from backend.sales.types import Refund
from backend.stock import service as stock
from backend.stock.types import Piece

from .. import locks, plans, queries, service
from ..errors import AfterSaleConflict
from ..events import AfterSaleMoved
from ..queries import afterwards, requests
from ..rules import after_sales as rules
from ..rules import fulfilment
from ..schemas.requests import DecisionIn
from ..types import Order, OrderState, PspPayment
from ..types.after import AfterSale, AfterSaleKind, AfterSaleState, AfterSaleStep
from . import invoices, psp_refunds, shipping

log = logging.get(__name__)

MAX_TIMES_PLANNED = 3
SCOPE = "after-sale"


class Seen(msgspec.Struct, frozen=True):
    """An order as it was read for a refund; ``Stale`` where it is another one under the lock."""

    order: Order
    after_sales: tuple[AfterSale, ...]


async def give_back(asked: AfterSale, said: DecisionIn, caller: StaffCaller) -> None:
    """Pay a request, once; repeated, it changes nothing. What it may give is capped by what was paid for its lines.

    Raises ``AfterSaleConflict`` for one that is not to be paid now, ``RefundExceedsPaid`` for more than is left,
    ``RefundLimitReached`` where WeChat takes no more refunds of the payment.
    """
    store = await auth.get_store(asked.store_id)
    for _ in range(MAX_TIMES_PLANNED):
        # The document first: a request that is seen unpaid after it was paid by none of it. The other way round,
        # whoever approves a moment after somebody else would be told that nothing is left.
        document = await ledger_queries.find_document(asked.member_id, asked.order_id)
        found = await requests.find_after_sale(asked.member_id, asked.id)
        assert found is not None
        if found.state is AfterSaleState.REFUNDED:
            return
        rules.move(found.kind, found.state, AfterSaleStep.REFUND)
        found = msgspec.structs.replace(
            found,
            agreed_fen=said.amount_fen or found.agreed_fen or found.asked_fen,
            decided_fault=said.fault or found.decided_fault,
        )
        try:
            if await _try(found, document, said.note, caller, zone=store.timezone):
                return
        except Stale:
            continue
        except GuardRefused as refused:
            raise passes.refusal_of(refused) or psp_refunds.refusal_of(refused) or refused from refused
    raise Stale


async def _try(found: AfterSale, document: Document | None, note: str, caller: StaffCaller, *, zone: str) -> bool:
    """One attempt on the order's document as it was read; False where somebody else paid the request meanwhile."""
    now = clock.now()
    if document is None or document.kind != plans.ORDER:
        raise AfterSaleConflict(extra={"state": str(found.state)})
    sold = await sale_queries.read_sold(document)
    seen = await _look(found)
    bought = {line.line_no: line.qty for line in sold.body.lines}
    all_back = _all_back(found, seen, bought)
    shares = _shares(sold, found, all_back=all_back, bought=bought)
    payment = await afterwards.find_payment(seen.order)
    plan, made = _plan(sold, shares, found, payment, now, zone=zone) if shares else (None, None)
    returns = gift_cards.returned(sold.body, sold.progress, made) if made else []
    async with giftcards.in_turn(one.card_id for one in returns), db.transaction() as tx:
        order = await locks.lock_order(tx, found.member_id, found.order_id)
        locked = await requests.lock_after_sale(tx, found.member_id, found.id)
        if locked.state is AfterSaleState.REFUNDED:
            return False
        if Seen(order, tuple(await requests.after_sales_in(tx, order.member_id, order.id))) != seen:
            raise Stale
        state = rules.move(locked.kind, locked.state, AfterSaleStep.REFUND)
        await _restock(tx, order, found, now)
        if plan is not None and made is not None:
            if returns:
                await giftcards.give_back(
                    tx, plan, returns, sale_id=order.id, refund_id=made.id, store_id=order.store_id
                )
            else:
                await ledger.post_in(tx, plan)
            await psp_refunds.wake(tx, plan)
            await invoices.lower(tx, order, made, now)
        moved = await requests.change_after_sale(tx, found, state, at=now, refund_id=made.id if made else None)
        await requests.note_step(tx, moved, AfterSaleStep.REFUND, staff_id=caller.staff_id, note=note, at=now)
        await _settle_order(tx, order, moved, all_back=all_back, now=now)
        await events.publish(
            tx,
            AfterSaleMoved(
                member_id=order.member_id,
                after_sale_id=moved.id,
                order_id=order.id,
                store_id=order.store_id,
                state=str(state),
            ),
        )
    _tell(moved, made)
    return True


async def _look(found: AfterSale) -> Seen:
    order = await queries.find_order(found.member_id, found.order_id)
    assert order is not None
    whole = tuple(await requests.list_of_order(found.member_id, found.order_id))
    return Seen(msgspec.structs.replace(order, lines=()), whole)


def _all_back(found: AfterSale, seen: Seen, bought: Mapping[int, int]) -> bool:
    """Whether this one gives the last of an order's goods back."""
    others = [one.pieces for one in seen.after_sales if one.state is AfterSaleState.REFUNDED and one.id != found.id]
    goods = {line_no: qty for line_no, qty in bought.items() if line_no != DELIVERY_LINE}
    left = rules.left(goods, [*others, found.pieces])
    return not any(left.values())


def _shares(sold: Sold, found: AfterSale, *, all_back: bool, bought: Mapping[int, int]) -> RefundShares | None:
    """What goes back: what its pieces cost, or the amount agreed on for them; None where they cost nothing."""
    lines = dict(found.pieces)
    freight = DELIVERY_LINE in bought and rules.freight_goes_back(
        dispatched=found.dispatched, all_back=all_back, fault=found.decided_fault
    )
    if freight:
        lines[DELIVERY_LINE] = 1
    if found.agreed_fen is not None:
        return refunds.by_agreement(sold.body, sold.progress, found.pieces, found.agreed_fen, sold.terms)
    paid = {line.line_no: line.payable_fen for line in sold.body.lines}
    if not any(paid.get(line_no) for line_no in lines):
        return None
    return refunds.by_agreement(sold.body, sold.progress, lines, None, sold.terms)


def _plan(
    sold: Sold, shares: RefundShares, found: AfterSale, payment: PspPayment | None, now: datetime, *, zone: str
) -> tuple[Plan, Refund]:
    if sold.body.passes and found.agreed_fen is not None:
        raise PassRefundByLine
    plan, made = sales.refund(
        sold,
        shares,
        passes.taken_back(sold.body.passes, sold.passes, found.pieces) if sold.body.passes else (),
        refund_id=ids.new_document_id(sales.REFUND_PREFIX, found.member_id),
        states=(plans.PARTLY_REFUNDED, plans.REFUNDED),
        reason=found.reason,
        now=now,
        zone=zone,
    )
    plan = msgspec.structs.replace(plan, scope=SCOPE, key=found.id, hash=job_hash(SCOPE, found.id))
    return psp_refunds.owed(plan, made, payment, now), made


async def _restock(tx: Tx, order: Order, found: AfterSale, now: datetime) -> None:
    """Put on the shelf what never left it, or came back fit to be sold."""
    if found.dispatched and not (found.kind is AfterSaleKind.RETURN and found.restock):
        return
    bought = await afterwards.bought_in(tx, order.member_id, order.id)
    pieces = [Piece(order.store_id, bought[line_no][0], qty) for line_no, qty in found.pieces.items()]
    exchanges = rules.exchanges(await requests.after_sales_in(tx, order.member_id, order.id))
    await stock.take_back(tx, order.id, found.id, pieces, at=now, exchanges=exchanges)


async def _settle_order(tx: Tx, order: Order, moved: AfterSale, *, all_back: bool, now: datetime) -> None:
    """End an order of which nothing is left to send; one whose rest was given back has left whole."""
    if moved.dispatched:
        return
    parcels = await afterwards.parcels_in(tx, order.member_id, order.id)
    if all_back and not parcels:
        await service.change_state(tx, order.member_id, order.id, OrderState.CANCELLED, at=now, ended=True)
        return
    if order.state is OrderState.SHIPPED:
        bought = {no: qty for no, (_, qty) in (await afterwards.bought_in(tx, order.member_id, order.id)).items()}
        known = await requests.after_sales_in(tx, order.member_id, order.id)
        if not fulfilment.to_send(bought, rules.given_back(known), fulfilment.own(parcels)):
            await shipping.note_sent(tx, order, now, whole=True)


def _tell(moved: AfterSale, made: Refund | None) -> None:
    log.info("orders.refunded", after_sale_id=moved.id, refund_fen=made.refund_fen if made else 0)
    data = {"id": moved.id, "order_id": moved.order_id, "status": str(moved.state)}
    live.push(moved.member_id, "after_sale", data | {"refund": msgspec.to_builtins(made) if made else None})
