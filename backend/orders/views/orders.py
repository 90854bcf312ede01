"""How quotes and orders look to the phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from backend.coupons.rules.quoting import Quoted
from backend.coupons.rules.refusals import refused
from backend.coupons.types import DELIVERY_LINE, Combination, Held
from backend.giftcards.types import GiftCard
from backend.kernel.config import settings
from backend.kernel.errors import DomainError
from backend.ledger.types import Document
from backend.points import service as points
from backend.sales import plans as sales
from backend.sales.types import SaleBody, SaleProgress, Tender, TenderType

from ..schemas.orders import LineOut, OfferedCard, OfferedCoupon, OrderBrief, OrderOut, QuoteOut, QuotesOut, TenderOut
from ..types import Order, OrderLine, OrderState, Part


def lines_out(lines: Sequence[OrderLine]) -> list[LineOut]:
    """Lines with what led to their prices."""
    return [
        LineOut(
            line.line_no,
            line.sku,
            line.qty,
            line.product_id,
            line.name,
            line.spec,
            line.picture,
            line.list_fen,
            line.payable_fen,
            list(line.steps),
        )
        for line in lines
    ]


def _tenders_out(tenders: Sequence[Tender]) -> list[TenderOut]:
    return [
        TenderOut(str(one.type), one.amount_fen, one.points or None, one.coupon_id, one.reference) for one in tenders
    ]


Offered = tuple[list[OfferedCoupon], Combination | None]
"""The coupons that were looked at, and the best set; None where none was looked for."""


def offered_out(quoted: Quoted, helds: Sequence[Held], titles: Mapping[str, str]) -> Offered:
    """Every coupon that a quote looked at, with why it cannot be used where it cannot."""
    taken = {use.coupon_id: use.amount_fen for use in quoted.uses}
    verdicts = {verdict.coupon_id: verdict for verdict in quoted.others}
    shown = []
    for held in helds:
        verdict = verdicts.get(held.id)
        refusal = refused(verdict) if verdict is not None and verdict.reason is not None else None
        shown.append(
            OfferedCoupon(
                id=held.id,
                title=titles[held.id],
                used=held.id in taken,
                usable=refusal is None,
                amount_fen=taken.get(held.id) or (verdict.amount_fen if verdict else 0),
                code=refusal.code if refusal else None,
                detail=refusal.detail if refusal else None,
            )
        )
    return shown, quoted.best


def offered_card(card: GiftCard, amount_fen: int, refused: DomainError | None) -> OfferedCard:
    """A gift card that a quote looked at."""
    return OfferedCard(
        id=str(card.id),
        title=card.title,
        number_masked=card.number_masked,
        balance_fen=card.balance_fen,
        amount_fen=amount_fen,
        usable=refused is None,
        code=refused.code if refused else None,
    )


def quotes_out(
    parts: Sequence[Part],
    offered: Sequence[Offered] = (),
    cards: Sequence[OfferedCard] = (),
    *,
    pin_required: bool = False,
) -> QuotesOut:
    """What a checkout costs; with what coupons and gift cards would do, where that was looked at."""
    offers: Sequence[Offered] = offered or [([], None)] * len(parts)
    quotes = [quote_out(part, *offer) for part, offer in zip(parts, offers, strict=True)]
    payable = sum(part.priced.price.payable_fen for part in parts)
    return QuotesOut(payable, due_fen(parts), quotes, settings().point_value_fen_bp, list(cards), pin_required)


def due_fen(parts: Sequence[Part]) -> int:
    """What coupons leave of a checkout."""
    return sum(part.priced.price.payable_fen - part.priced.paid.get(TenderType.COUPON, 0) for part in parts)


def quote_out(part: Part, coupons: list[OfferedCoupon], best: Combination | None) -> QuoteOut:
    """What one store's part of it costs."""
    price = part.priced.price
    return QuoteOut(
        store_id=part.store_id,
        lines=lines_out(part.lines),
        freight_fen=sum(line.payable_fen for line in price.lines if line.line_no == DELIVERY_LINE),
        total_fen=price.total_fen,
        discount_fen=price.discount_fen,
        payable_fen=price.payable_fen,
        tenders=_tenders_out(part.priced.tenders),
        points_earned=part.priced.earned,
        earned=points.explained(part.priced.earning, part.priced.rules),
        freight=part.sending.freight if part.sending else None,
        coupons=coupons,
        best_coupon_ids=[use.coupon_id for use in best.uses] if best else [],
        best_exact=best.exact if best else None,
        best_most=best.most if best else None,
    )


def order_out(
    order: Order, body: SaleBody, progress: SaleProgress | None = None, *, state: OrderState | None = None
) -> OrderOut:
    """An order with what its document says; ``state`` where it is shown as it was."""
    return OrderOut(
        id=order.id,
        checkout_id=order.checkout_id,
        store_id=order.store_id,
        status=state or order.state,
        delivery=order.delivery,
        lines=lines_out(order.lines),
        freight_fen=sum(line.payable_fen for line in body.lines if line.line_no == DELIVERY_LINE),
        total_fen=body.total_fen,
        discount_fen=body.discount_fen,
        payable_fen=body.payable_fen,
        refunded_fen=progress.refunded_fen if progress else 0,
        tenders=_tenders_out(body.tenders),
        points_earned=body.points_earned,
        note=order.note,
        placed_at=order.placed_at,
        pay_until=_pay_until(order, state or order.state),
        paid_at=order.paid_at,
        ended_at=order.ended_at,
        spot=order.spot_name,
    )


def _pay_until(order: Order, state: OrderState) -> datetime | None:
    """Until when the phone counts down: of an order that waits for its payment."""
    return order.pay_until if state is OrderState.AWAITING_PAYMENT else None


def due_of(document: Document) -> int:
    """What an order came to after its coupons: what was, or is, to be paid for it."""
    body = sales.sale_body(document)
    return body.payable_fen - sum(one.amount_fen for one in body.tenders if one.type is TenderType.COUPON)


def order_brief(order: Order, document: Document) -> OrderBrief:
    """An order in a list."""
    return OrderBrief(
        id=order.id,
        store_id=order.store_id,
        status=order.state,
        delivery=order.delivery,
        payable_fen=order.payable_fen,
        due_fen=due_of(document),
        pieces=sum(line.qty for line in order.lines),
        lines=lines_out(order.lines),
        placed_at=order.placed_at,
        pay_until=_pay_until(order, order.state),
        spot=order.spot_name,
    )
