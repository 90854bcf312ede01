"""How documents look to the till and the phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from backend.coupons.rules.quoting import Quoted
from backend.coupons.rules.refusals import numbers, refused
from backend.coupons.types import Combination, Held, Verdict
from backend.ledger.types import Document
from backend.sales import plans as sale_plans
from backend.sales.types import PricedLine, Refund, RefundTender, ReturnedCoupon, SaleBody, SaleProgress, Tender

from .schemas import (
    BalancesOut,
    HeldCoupon,
    QuotedCoupon,
    SaleLineOut,
    SaleOut,
    SuggestedCoupon,
    Suggestion,
    TenderOut,
)
from .types import SaleStatus

_REFUNDED = frozenset({SaleStatus.PARTLY_REFUNDED, SaleStatus.REFUNDED})


def balances_out(balances: Mapping[str, int]) -> BalancesOut:
    """The balances a receipt shows: points are less what is owed."""
    return BalancesOut(balances.get("stored", 0), balances.get("points", 0) - balances.get("points_debt", 0))


def tenders_out(tenders: Sequence[Tender]) -> list[TenderOut]:
    """Tenders as the till sees them."""
    return [TenderOut(str(t.type), t.amount_fen, t.points or None, t.reference, t.coupon_id) for t in tenders]


def lines_out(lines: Sequence[PricedLine], progress: SaleProgress | None = None) -> list[SaleLineOut]:
    """Lines as the till sees them, both kinds of discount together; with ``progress``, what was refunded of each."""
    qty = progress.line_qty if progress and progress.line_qty else (0,) * len(lines)
    fen = progress.line_fen if progress and progress.line_fen else (0,) * len(lines)
    return [
        SaleLineOut(
            line.line_no,
            line.sku,
            line.qty,
            line.unit_price_fen,
            line.discount_fen + line.member_discount_fen,
            line.payable_fen,
            line.name,
            refunded_qty=pieces,
            refunded_fen=refunded,
        )
        for line, pieces, refunded in zip(lines, qty, fen, strict=True)
    ]


def sale_out(
    sale_id: str,
    body: SaleBody,
    *,
    status: str,
    balances: Mapping[str, int],
    at: datetime | None = None,
    progress: SaleProgress | None = None,
) -> SaleOut:
    """A sale as the till sees it; without ``progress`` as it was first answered."""
    earned = body.points_earned
    if progress is not None and progress.points_earned is not None:
        earned = progress.points_earned
    waiting = status == SaleStatus.AWAITING
    return SaleOut(
        id=sale_id,
        status=status,
        order_no=body.order_no,
        expires_at=datetime.fromisoformat(body.waits_until) if waiting and body.waits_until else None,
        total_fen=body.total_fen,
        discount_fen=body.discount_fen,
        payable_fen=body.payable_fen,
        tenders=tenders_out(body.tenders),
        points_earned=earned,
        balances=balances_out(balances),
        lines=lines_out(body.lines, progress),
        at=at,
        refunded_fen=progress.refunded_fen if progress is not None and status in _REFUNDED else None,
        override_id=body.override_id,
    )


def document_out(document: Document, balances: Mapping[str, int]) -> SaleOut:
    """A stored sale as it stands."""
    return sale_out(
        document.id,
        sale_plans.sale_body(document),
        status=document.state,
        balances=balances,
        at=document.at,
        progress=sale_plans.sale_progress(document),
    )


def refund_out(document: Document) -> Refund:
    """A stored refund."""
    body = document.body
    return Refund(
        id=document.id,
        refund_fen=body["refund_fen"],
        by_tender=msgspec.convert(body["by_tender"], list[RefundTender]),
        points_clawed_back=body["points_clawed_back"],
        points_returned=body["points_returned"],
        coupons_returned=msgspec.convert(body["coupons_returned"], list[ReturnedCoupon]),
        sale_id=body["sale_id"],
        at=document.at,
        passes_ended=body.get("passes_ended", []),
    )


def held_coupon(held: Held, title: str, obstacle: Verdict | None) -> HeldCoupon:
    """A coupon as a scan shows it; ``obstacle`` is why it is of no use here and now."""
    return HeldCoupon(**_coupon(held, title, obstacle))


def quoted_coupons(quoted: Quoted, helds: Sequence[Held], titles: Mapping[str, str]) -> list[QuotedCoupon]:
    """Every coupon that a quote looked at, those in use first, then in the order of their last days."""
    by_id = {held.id: held for held in helds}
    taken = {use.coupon_id: use.amount_fen for use in quoted.uses}
    verdicts = {verdict.coupon_id: verdict for verdict in quoted.others}
    unknown = [coupon_id for coupon_id in verdicts if coupon_id not in by_id]
    shown = [
        QuotedCoupon(
            used=held.id in taken,
            amount_fen=taken.get(held.id) or verdicts[held.id].amount_fen,
            **_coupon(held, titles[held.id], verdicts.get(held.id)),
        )
        for held in sorted(helds, key=lambda held: held.id not in taken)
    ]
    return shown + [
        QuotedCoupon(id=coupon_id, title="", used=False, amount_fen=0, **_obstacle(verdicts[coupon_id]))
        for coupon_id in unknown
    ]


def suggestion(best: Combination) -> Suggestion:
    """The best set of coupons."""
    chosen = [SuggestedCoupon(use.coupon_id, use.amount_fen) for use in best.uses]
    return Suggestion(chosen, best.amount_fen, best.exact, best.most)


def _coupon(held: Held, title: str, verdict: Verdict | None) -> dict[str, Any]:
    terms = held.terms
    return {
        "id": held.id,
        "title": title,
        "kind": terms.kind,
        "face_fen": terms.face_fen,
        "rate_bp": terms.rate_bp,
        "cap_fen": terms.cap_fen,
        "min_spend_fen": terms.min_spend_fen,
        "balance_fen": held.balance if terms.partial_use else None,
        "expires_on": held.expires_on,
    } | _obstacle(verdict)


def _obstacle(verdict: Verdict | None) -> dict[str, Any]:
    """Why a coupon is not used, as the refusal of a sale would say it."""
    if verdict is None or verdict.reason is None:
        return {"usable": True}
    refusal = refused(verdict)
    return {"usable": False, "code": refusal.code, "detail": refusal.detail} | numbers(verdict)
