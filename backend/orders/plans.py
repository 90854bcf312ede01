"""Plans of orders: pure. An order's document is a purchase's, so statements and refunds read both alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.coupons.rules.booking import use_legs
from backend.kernel.events import encode as encode_event
from backend.ledger import plans as ledger
from backend.ledger.events import StoredReturned
from backend.ledger.plans import DocumentUpdate, Guard, Leg, NewDocument, Plan
from backend.ledger.types import Document, Lot
from backend.passes.plans import count_use
from backend.points.plans import count_caps
from backend.sales import plans as sales
from backend.sales.rules.settling import Priced
from backend.sales.types import SaleBody, SaleProgress, TenderType
from backend.wallet.types import PspMovement
from backend.wechat.types import BillKind

from .types import OrderState, Owed, PaymentBody, PaymentProgress, PaymentState

ORDER = "order"
PREFIX = "D"
"""Of an order's id."""

HELD = "order_held"
RELEASED = "order_released"
PAYMENT = "order_payment"
PAYMENT_PREFIX = "Q"
"""Of a payment's id, which is its order number at WeChat."""

REFUNDING, POSTED, FAILED = "refunding", "posted", "refund_failed"
"""How WeChat's part of a refund stands."""

TERMINAL = "mall"
"""What stands for a till in an order's document."""

PARTLY_REFUNDED, REFUNDED = "partly_refunded", "refunded"
"""States of an order's document besides those of the order."""


def order_body(order_id: str, priced: Priced) -> SaleBody:
    """The value part of an order's document."""
    return SaleBody(
        order_no=order_id,
        terminal_id=TERMINAL,
        lines=priced.price.lines,
        tenders=priced.tenders,
        total_fen=priced.price.total_fen,
        discount_fen=priced.price.discount_fen,
        payable_fen=priced.price.payable_fen,
        points_earned=priced.earned,
        multiplier_bp=priced.benefit.points_multiplier_bp,
        paid=priced.paid,
        coupons=priced.coupons,
        passes=priced.passes,
        card_id=priced.benefit.card_id,
        earned_by=priced.earning.kept,
    )


class Placed(msgspec.Struct, frozen=True):
    """What the plan of a new order is made under: its id, the request's key, the store and the time.

    ``day_cap_fen``: up to so much a day a member pays without confirming it, this order included; None where they did,
    or need not.
    """

    order_id: str
    scope: str
    key: str
    request_hash: str
    store_id: str
    now: datetime
    day_cap_fen: int | None = None


def place_paid(
    placed: Placed, body: SaleBody, priced: Priced, *, points_dates: tuple[date | None, date | None]
) -> Plan:
    """The whole order as one plan: all of it is paid by what the member has.

    ``points_dates``: when points that are earned now expire, and when they become available.
    """
    member_id = priced.card.member_id
    legs = sales.payment_legs(
        body,
        placed.store_id,
        bonus_fen=priced.bonus_fen,
        debt=priced.debt,
        expires_on=points_dates[0],
        matures_on=points_dates[1],
        earned=priced.earned,
    )
    return msgspec.structs.replace(
        _place(placed, body, priced, ORDER, OrderState.PAID, legs),
        saw=sales.saw_debt(priced.debt),
        events=sales.completed_events(member_id, placed.order_id, placed.store_id, body, placed.now),
    )


def _place(placed: Placed, body: SaleBody, priced: Priced, kind: str, state: OrderState, legs: tuple[Leg, ...]) -> Plan:
    return Plan(
        member_id=priced.card.member_id,
        kind=kind,
        at=placed.now,
        on=priced.on,
        scope=placed.scope,
        key=placed.key,
        hash=placed.request_hash,
        active=True,
        guards=_guards(placed, body, priced),
        document=NewDocument(placed.order_id, ORDER, state, sales.encode_body(body), store_id=placed.store_id),
        legs=legs,
    )


def _guards(placed: Placed, body: SaleBody, priced: Priced) -> tuple[Guard, ...]:
    guards = count_caps(priced.earning, placed.now)
    if body.card_id:
        guards = (count_use(body.card_id), *guards)
    if placed.day_cap_fen is None or not priced.value_fen:
        return guards
    return (*guards, sales.day_guard(priced.on, priced.value_fen, placed.now, cap_fen=placed.day_cap_fen))


# -- an order that waits for WeChat: what pays the rest of it is held


def hold(placed: Placed, body: SaleBody, priced: Priced) -> Plan:
    """Place an order of which WeChat pays a part: hold the member's part, so that nobody can spend it meanwhile."""
    legs = _hold_legs(body, placed.store_id, priced.bonus_fen)
    return _place(placed, body, priced, HELD, OrderState.AWAITING_PAYMENT, legs)


def _hold_legs(body: SaleBody, store_id: str, bonus_fen: int) -> tuple[Leg, ...]:
    legs: list[Leg] = []
    for tender in body.tenders:
        if tender.type is TenderType.STORED:
            legs.append(Leg(ledger.STORED, ledger.FEN, -tender.amount_fen, bonus=bonus_fen))
        elif tender.type is TenderType.REBATE:
            legs.append(Leg(ledger.REBATE, ledger.FEN, -tender.amount_fen))
        elif tender.type is TenderType.GIFT_CARD:
            # The card's own books give it, in the same transaction.
            legs.append(Leg(ledger.HOUSE_GIFT_CLEARING, ledger.FEN, -tender.amount_fen, ref=store_id))
        elif tender.type is TenderType.POINTS:
            legs.append(Leg(ledger.POINTS, ledger.POINT, -tender.points))
            legs.append(Leg(ledger.HOUSE_ORDER_POINTS_HELD, ledger.POINT, tender.points, ref=store_id))
    if fen := held_fen(body):
        legs.append(Leg(ledger.HOUSE_ORDER_HELD, ledger.FEN, fen, ref=store_id))
    for coupon in body.coupons:
        legs.extend(ledger.hold_coupon(coupon.id, coupon.template, coupon.unit, coupon.taken))
    return tuple(legs)


_HELD = (TenderType.STORED, TenderType.REBATE, TenderType.GIFT_CARD)


def held_fen(body: SaleBody) -> int:
    """How much of a member's money, gift cards' among it, an order holds while it waits."""
    return sum(body.paid.get(kind, 0) for kind in _HELD)


def _held_points(body: SaleBody) -> int:
    return sum(tender.points for tender in body.tenders)


def wechat_fen(body: SaleBody) -> int:
    """How much of an order WeChat pays."""
    return body.paid.get(TenderType.WECHAT, 0)


def pay_held(
    document: Document,
    *,
    held: int | None,
    earned: int,
    debt: int,
    points_dates: tuple[date | None, date | None],
    now: datetime,
    on: date,
) -> Plan:
    """Complete an order that WeChat has paid: what was held, and what WeChat took, are the store's sales now.

    ``held`` is the transfer that held it, ``debt`` the points that the plan saw owed.
    """
    body, store_id = sales.sale_body(document), document.store_id or ""
    legs: list[Leg] = []
    if fen := held_fen(body):
        legs.append(Leg(ledger.HOUSE_ORDER_HELD, ledger.FEN, -fen, ref=store_id))
    if fen := wechat_fen(body):
        legs.append(Leg(ledger.HOUSE_PSP, ledger.FEN, -fen))
    if fen := held_fen(body) + wechat_fen(body):
        legs.append(Leg(ledger.HOUSE_SALES, ledger.FEN, fen, ref=store_id))
    if points := _held_points(body):
        legs.append(Leg(ledger.HOUSE_ORDER_POINTS_HELD, ledger.POINT, -points, ref=store_id))
        legs.append(Leg(ledger.HOUSE_POINTS_REDEEMED, ledger.POINT, points))
    for coupon in body.coupons:
        legs.extend(use_legs(coupon, store_id, account=ledger.COUPON_HELD))
    earn = sales.earned_legs(earned, debt, expires_on=points_dates[0], matures_on=points_dates[1])
    return Plan(
        member_id=document.member_id,
        kind=ORDER,
        at=now,
        on=on,
        scope="order-paid",
        key=document.id,
        hash=ledger.job_hash("paid", document.id),
        reverses=held,
        saw=sales.saw_debt(debt),
        update=DocumentUpdate(
            document.id,
            document.version,
            state=OrderState.PAID,
            progress=sales.encode_progress(SaleProgress(points_earned=earned)),
        ),
        legs=(*legs, *earn),
        events=sales.completed_events(document.member_id, document.id, store_id, body, now),
    )


def release(document: Document, *, held: int | None, moves: Sequence[tuple[Lot, int]], now: datetime, on: date) -> Plan:
    """Give back what an order held, to the very lots; ``moves`` are what the transfer ``held`` did to them.

    What goes back to gift cards' own books is posted with it.
    """
    body, store_id = sales.sale_body(document), document.store_id or ""
    legs: list[Leg] = []
    for account, unit in ((ledger.STORED, ledger.FEN), (ledger.REBATE, ledger.FEN), (ledger.POINTS, ledger.POINT)):
        lots = tuple((lot.lot_id, -amount) for lot, amount in moves if lot.kind == account and amount < 0)
        if lots:
            legs.append(Leg(account, unit, sum(amount for _, amount in lots), lots=lots))
    if fen := held_fen(body):
        legs.append(Leg(ledger.HOUSE_ORDER_HELD, ledger.FEN, -fen, ref=store_id))
    if fen := body.paid.get(TenderType.GIFT_CARD, 0):
        legs.append(Leg(ledger.HOUSE_GIFT_CLEARING, ledger.FEN, fen, ref=store_id))
    if points := _held_points(body):
        legs.append(Leg(ledger.HOUSE_ORDER_POINTS_HELD, ledger.POINT, -points, ref=store_id))
    lot_of = {lot.ref: lot.lot_id for lot, amount in moves if lot.kind == ledger.COUPON and amount < 0}
    bonus = any(lot.kind == ledger.STORED and lot.part != "principal" and amount < 0 for lot, amount in moves)
    returned = StoredReturned(member_id=document.member_id, by=document.id)
    for coupon in body.coupons:
        legs.extend(ledger.release_coupon(coupon.id, coupon.unit, coupon.taken, lot_id=lot_of[coupon.id]))
    return Plan(
        member_id=document.member_id,
        kind=RELEASED,
        at=now,
        on=on,
        scope="order-released",
        key=document.id,
        hash=ledger.job_hash("released", document.id),
        reverses=held,
        update=DocumentUpdate(document.id, document.version, state=OrderState.CLOSED),
        legs=tuple(legs),
        events=(encode_event(returned),) if bonus else (),
    )


# -- the payment: what WeChat is to pay for a checkout


def payment_body(document: Document) -> PaymentBody:
    """What was agreed when a payment was opened."""
    return msgspec.convert(document.body, PaymentBody)


def payment_progress(document: Document) -> PaymentProgress:
    """What became of a payment so far."""
    return msgspec.convert(document.progress, PaymentProgress)


def open_payment(
    payment_id: str, body: PaymentBody, *, member_id: int, now: datetime, on: date, due_at: datetime
) -> Plan:
    """Store that WeChat is to be asked for the money; nothing moves."""
    return Plan(
        member_id=member_id,
        kind="order_payment_opened",
        at=now,
        on=on,
        scope="order-payment",
        key=payment_id,
        hash=ledger.job_hash(payment_id),
        document=NewDocument(payment_id, PAYMENT, PaymentState.PENDING, sales.encode_body(body), due_at=due_at),
    )


def change_payment(
    document: Document,
    what: str,
    *,
    now: datetime,
    on: date,
    state: PaymentState | None = None,
    progress: PaymentProgress | None = None,
    due_at: datetime | None = None,
    guards: tuple[Guard, ...] = (),
) -> Plan:
    """Change a payment's document from where it stands; ``due_at`` is when the clock looks again, None is never."""
    return Plan(
        member_id=document.member_id,
        kind=f"order_payment_{what}",
        at=now,
        on=on,
        scope=f"order-payment/{what}",
        key=f"{document.id}:{document.version}",
        hash=ledger.job_hash(what, document.id),
        guards=guards,
        update=DocumentUpdate(
            document.id,
            document.version,
            state=state,
            progress=None if progress is None else msgspec.to_builtins(progress),
            due_at=due_at,
        ),
    )


def paid_once(transaction_id: str) -> Guard:
    """A payment of WeChat's counts once, also where two orders would claim it."""
    return Guard(f"psp:{transaction_id}", "once", 1, "payment_used")


def late_refund_no(payment_id: str) -> str:
    """WeChat's number of the refund of a late payment: of each payment there is one."""
    return f"{payment_id}L"


def psp_movements(document: Document) -> tuple[PspMovement, ...]:
    """What a document of a payment or a refund says that WeChat Pay took or gave back; nothing for other documents."""
    if document.kind == PAYMENT:
        return _paid(document)
    if document.kind != sales.REFUND or "psp_fen" not in document.progress:
        return ()
    part = msgspec.convert(document.progress, Owed)
    back = PspMovement(
        kind=BillKind.REFUND,
        number=document.id,
        fen=part.psp_fen,
        source="refund",
        since=document.at,
        done_at=document.updated_at if document.state == POSTED else None,
    )
    return (back,)


def _paid(document: Document) -> tuple[PspMovement, ...]:
    state, fen = PaymentState(document.state), payment_body(document).pay_fen
    late = state in (PaymentState.REFUNDING, PaymentState.REFUNDED)
    if state is not PaymentState.PAID and not late:
        return ()
    paid = PspMovement(
        kind=BillKind.PAYMENT,
        number=document.id,
        fen=fen,
        source="late" if late else "order",
        since=document.at,
        done_at=document.updated_at,
        transaction_id=payment_progress(document).transaction_id,
    )
    if not late:
        return (paid,)
    back = PspMovement(
        kind=BillKind.REFUND,
        number=late_refund_no(document.id),
        fen=fen,
        source="late",
        since=document.at,
        done_at=document.updated_at if state is PaymentState.REFUNDED else None,
    )
    return paid, back
