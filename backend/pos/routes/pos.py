"""The POS API: signed by terminals."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from backend.auth import queries as auth
from backend.auth.errors import CodeExpired, CodeInvalid, CodeUsed
from backend.auth.guards import terminal
from backend.auth.types import TerminalCaller
from backend.coupons.errors import REFUSALS, CouponUnavailable
from backend.giftcards import errors as gift
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, RateLimited, ValidationFailed
from backend.kernel.http import Answer, Body, Idempotency, Router
from backend.ledger.errors import (
    Claimed,
    IdempotencyConflict,
    InsufficientBalance,
    MemberInactive,
    OutcomeUnknown,
    Stale,
)
from backend.mall import queries as mall
from backend.overrides.errors import OF_A_SALE
from backend.passes.errors import PassExpired, PassRefundByLine, PassTooMany, PassUsed, PassVoid
from backend.sales.errors import RefundExceedsPaid, TendersMismatch, TenderUnsupported
from backend.sales.types import Refund

from .. import errors
from ..batch_schemas import AccrualBatchIn, AccrualBatchOut
from ..commands import accrual_batches, accruals, quotes, refunds, sales, scan
from ..schemas import (
    AccrualIn,
    AccrualOut,
    ArticleOut,
    ArticlesOut,
    CancelIn,
    ContextOut,
    NamedOut,
    OrderNo,
    QuoteIn,
    QuoteOut,
    RefundIn,
    SaleIn,
    SaleOut,
    ScanIn,
    ScanOut,
)

router = Router(tag="pos")

CODE = (CodeInvalid, CodeExpired, CodeUsed, RateLimited)
COUPON = (CouponUnavailable, *REFUSALS.values())
MONEY = (IdempotencyConflict, Stale, OutcomeUnknown)


class OrderQuery(Body):
    """Which sale."""

    order_no: OrderNo


class ArticleQuery(Body):
    """Which articles: part of a name, a SKU or a barcode."""

    query: Annotated[str, Meta(max_length=64)] = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


@router.post(
    "/v1/pos/sales",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="结算一笔销售",
    errors=(
        *CODE,
        *MONEY,
        *COUPON,
        InsufficientBalance,
        Claimed,
        MemberInactive,
        TendersMismatch,
        TenderUnsupported,
        *gift.OF_A_TENDER,
        PassTooMany,
        *OF_A_SALE,
    ),
)
async def create_sale(caller: TerminalCaller, body: SaleIn, idem: Idempotency) -> Answer[SaleOut]:
    """Settle a sale in one call, or let it wait for the member's phone (``awaiting_confirmation``)."""
    return await sales.complete_sale(body, caller, idem)


@router.post("/v1/pos/scan", guard=terminal, summary="扫会员码", errors=(*CODE, MemberInactive))
async def scan_code(caller: TerminalCaller, body: ScanIn) -> ScanOut:
    """Spend a code and learn who stands there."""
    return await scan.scan(body.code, caller)


@router.post(
    "/v1/pos/quotes",
    guard=terminal,
    summary="试算价格",
    errors=(*CODE, *gift.OF_A_TENDER, TendersMismatch, TenderUnsupported),
)
async def quote(caller: TerminalCaller, body: QuoteIn) -> QuoteOut:
    """The prices that the sale would have; spends and binds nothing."""
    return await quotes.quote(body, caller)


@router.get("/v1/pos/sales/{sale_id}", guard=terminal, summary="查询销售", errors=(NotFound,))
async def get_sale(caller: TerminalCaller, sale_id: str) -> SaleOut:
    """A sale of this terminal's store as it stands."""
    return await sales.show(await sales.get_store_sale(sale_id, caller.store_id))


@router.get("/v1/pos/sales", guard=terminal, summary="按单号查询销售", errors=(NotFound,))
async def get_sale_by_order(caller: TerminalCaller, query: OrderQuery) -> SaleOut:
    """The sale that holds this order number in this terminal's store."""
    return await sales.show(await sales.find_by_order(query.order_no, caller.store_id))


@router.post(
    "/v1/pos/sales/{sale_id}/cancel",
    guard=terminal,
    idempotent=True,
    summary="取消待确认的销售",
    errors=(*MONEY, NotFound, errors.SaleAlreadyCompleted, errors.SaleNotWaiting),
)
async def cancel_sale(
    caller: TerminalCaller, sale_id: str, idem: Idempotency, body: CancelIn | None = None
) -> Answer[SaleOut]:
    """Cancel a sale while it waits."""
    return await sales.cancel_sale(sale_id, caller, idem)


@router.post(
    "/v1/pos/sales/{sale_id}/refunds",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="退款",
    errors=(
        *MONEY,
        NotFound,
        RefundExceedsPaid,
        errors.SaleNotRefundable,
        PassUsed,
        PassExpired,
        PassVoid,
        PassRefundByLine,
    ),
)
async def refund_sale(caller: TerminalCaller, sale_id: str, body: RefundIn, idem: Idempotency) -> Answer[Refund]:
    """Give back pieces of lines or an amount; cash and external tenders are paid by the till."""
    return await refunds.refund_sale(sale_id, body, caller, idem)


@router.post(
    "/v1/pos/accruals",
    guard=terminal,
    status=201,
    idempotent=True,
    summary="离线销售补积分",
    errors=(*CODE, *MONEY, NotFound, Claimed, MemberInactive, errors.AccrualLimit, errors.OccurredOutOfRange),
)
async def accrue(caller: TerminalCaller, body: AccrualIn, idem: Idempotency) -> Answer[AccrualOut]:
    """Credit points for a sale that was taken offline; never spends value."""
    return await accruals.accrue(body, caller, idem)


@router.post("/v1/pos/accruals/batch", guard=terminal, summary="批量补积分", errors=(ValidationFailed,))
async def accrue_all(caller: TerminalCaller, body: AccrualBatchIn) -> AccrualBatchOut:
    """Credit many sales that were taken offline, each for itself; needs no key, for each order number counts once."""
    return await accrual_batches.accrue_all(body, caller)


@router.get("/v1/pos/articles", guard=terminal, summary="查找商品")
async def list_articles(caller: TerminalCaller, query: ArticleQuery) -> ArticlesOut:
    """Articles by part of a name, SKU or barcode."""
    found = await mall.search_articles(query.query, query.limit, store_id=caller.store_id)
    return ArticlesOut([ArticleOut(a.sku, a.name, a.category_name, a.unit_price_fen, a.barcode) for a in found])


@router.get("/v1/pos/context", guard=terminal, summary="终端信息")
async def get_context(caller: TerminalCaller) -> ContextOut:
    """Where this terminal stands and the limits it should know."""
    rules = settings()
    store = await auth.get_store(caller.store_id)
    return ContextOut(
        NamedOut(caller.terminal_id, (await auth.get_terminal(caller.terminal_id)).name),
        NamedOut(store.id, store.name),
        rules.chain_name,
        {
            "password_free_sale_fen": rules.password_free_sale_fen,
            "password_free_day_fen": rules.password_free_day_fen,
            "confirmation_ttl_s": rules.confirmation_ttl_s,
            "point_value_fen_bp": rules.point_value_fen_bp,
        },
    )
