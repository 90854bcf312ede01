"""How documents look to the till and the phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from backend.ledger.types import Document

from . import plans
from .schemas import BalancesOut, RefundOut, RefundTenderOut, SaleLineOut, SaleOut, TenderOut
from .types import PricedLine, SaleBody, SaleProgress, SaleStatus, Tender

_REFUNDED = frozenset({SaleStatus.PARTLY_REFUNDED, SaleStatus.REFUNDED})


def balances_out(balances: Mapping[str, int]) -> BalancesOut:
    """The balances a receipt shows: points are less what is owed."""
    return BalancesOut(balances.get("stored", 0), balances.get("points", 0) - balances.get("points_debt", 0))


def tenders_out(tenders: Sequence[Tender]) -> list[TenderOut]:
    """Tenders as the till sees them."""
    return [TenderOut(str(t.type), t.amount_fen, t.points or None, t.reference) for t in tenders]


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
    )


def document_out(document: Document, balances: Mapping[str, int]) -> SaleOut:
    """A stored sale as it stands."""
    return sale_out(
        document.id,
        plans.sale_body(document),
        status=document.state,
        balances=balances,
        at=document.at,
        progress=plans.sale_progress(document),
    )


def refund_out(document: Document) -> RefundOut:
    """A stored refund."""
    body = document.body
    return RefundOut(
        id=document.id,
        refund_fen=body["refund_fen"],
        by_tender=[RefundTenderOut(item["type"], item["amount_fen"]) for item in body["by_tender"]],
        points_clawed_back=body["points_clawed_back"],
        points_returned=body["points_returned"],
        coupons_returned=[],
        sale_id=body["sale_id"],
        at=document.at,
    )
