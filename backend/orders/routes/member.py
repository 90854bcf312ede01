"""The phone's cart and orders."""

from __future__ import annotations

from backend.auth.guards import member
from backend.auth.types import MemberCaller
from backend.coupons.errors import REFUSALS, CouponUnavailable
from backend.giftcards.errors import OF_A_TENDER
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router
from backend.ledger.errors import IdempotencyConflict, InsufficientBalance, MemberInactive, Stale
from backend.members.errors import PinAllowance, PinInvalid, PinLocked, PinRequired, PinResetRequired
from backend.sales.errors import RefundExceedsPaid, TendersMismatch
from backend.stock.errors import OutOfStock
from backend.wechat.errors import PayRefused

from ..commands import cancel, cart, pay, place, quote, show
from ..errors import (
    AddressOutOfRange,
    AfterSaleOpen,
    CartFull,
    NotOnSale,
    OrderNotCancellable,
    OrderNotPayable,
    PriceChanged,
)
from ..schemas.orders import (
    CartLineIn,
    CartLineOut,
    CartOut,
    OrderOut,
    OrdersOut,
    OrdersQuery,
    PaymentOut,
    PlacedOut,
    PlaceIn,
    QuoteIn,
    QuotesOut,
)

router = Router(tag="orders")

_CART = "/v1/member/cart"
_ORDERS = "/v1/member/orders"
_ORDER = f"{_ORDERS}/{{order_id}}"


@router.get(_CART, guard=member, summary="购物车")
async def get_cart(caller: MemberCaller) -> CartOut:
    """What is in the cart, with today's prices; the same on every device."""
    return await cart.show(caller.member_id)


@router.put(
    f"{_CART}/{{store_id}}/{{sku}}",
    guard=member,
    lane=cart.LANE,
    summary="放入购物车",
    errors=(NotFound, NotOnSale, CartFull),
)
async def put_cart_line(caller: MemberCaller, store_id: str, sku: str, body: CartLineIn) -> CartLineOut:
    """Let so many pieces of an article be in the cart, whatever was there."""
    return await cart.put_line(caller.member_id, store_id, sku, body.qty)


@router.delete(f"{_CART}/{{store_id}}/{{sku}}", guard=member, summary="移出购物车")
async def drop_cart_line(caller: MemberCaller, store_id: str, sku: str) -> None:
    """Take an article out of the cart."""
    await cart.drop_line(caller.member_id, store_id, sku)


@router.delete(_CART, guard=member, summary="清空购物车")
async def empty_cart(caller: MemberCaller) -> None:
    """Take everything out of the cart."""
    await cart.empty(caller.member_id)


_PRICING = (
    NotFound,
    NotOnSale,
    AddressOutOfRange,
    TendersMismatch,
    ValidationFailed,
    *REFUSALS.values(),
    *OF_A_TENDER,
)


@router.post(f"{_ORDERS}/quote", guard=member, summary="结算试算", errors=_PRICING)
async def quote_order(caller: MemberCaller, body: QuoteIn) -> QuotesOut:
    """What a checkout would cost, and why, step by step; binds nothing."""
    return await quote.quote(body, caller.member_id)


@router.post(
    _ORDERS,
    guard=member,
    status=201,
    idempotent=True,
    lane=place.LANE,
    summary="下单",
    errors=(
        *_PRICING,
        OutOfStock,
        PriceChanged,
        InsufficientBalance,
        OrderNotPayable,
        PayRefused,
        CouponUnavailable,
        PinRequired,
        PinInvalid,
        PinLocked,
        PinResetRequired,
        PinAllowance,
        IdempotencyConflict,
        MemberInactive,
        Stale,
        Unavailable,
    ),
)
async def place_order(caller: MemberCaller, body: PlaceIn, idem: Idempotency) -> Answer[PlacedOut]:
    """Place a checkout: all of it, or nothing. What it costs is priced again; what the phone saw must be the same."""
    return await place.place(body, caller, idem)


@router.post(
    f"{_ORDER}/pay",
    guard=member,
    summary="支付订单",
    errors=(NotFound, OrderNotPayable, Stale, PayRefused, Unavailable),
)
async def pay_order(caller: MemberCaller, order_id: str) -> PaymentOut:
    """How WeChat is paid for an order that waits for it: ready for ``wx.requestPayment``."""
    return await pay.pay(caller, order_id)


@router.get(_ORDERS, guard=member, summary="我的订单", errors=(ValidationFailed,))
async def list_orders(caller: MemberCaller, query: OrdersQuery) -> OrdersOut:
    """A page of the member's orders, newest first, or of those in one state; also of numbers that became theirs."""
    return await show.list_orders(caller.member_id, query)


@router.get(_ORDER, guard=member, summary="订单详情", errors=(NotFound,))
async def get_order(caller: MemberCaller, order_id: str) -> OrderOut:
    """One order; another member's is not found."""
    return await show.get_order(await show.books_of(caller.member_id, show.owner_of(order_id)), order_id)


@router.post(
    f"{_ORDER}/cancel",
    guard=member,
    summary="取消订单",
    errors=(NotFound, OrderNotCancellable, AfterSaleOpen, RefundExceedsPaid, Stale, Unavailable),
)
async def cancel_order(caller: MemberCaller, order_id: str) -> OrderOut:
    """Cancel an order that has not been sent or packed: everything goes back. Again it answers the same."""
    return await cancel.cancel(await show.books_of(caller.member_id, show.owner_of(order_id)), order_id)
