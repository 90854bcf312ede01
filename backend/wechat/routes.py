"""Where WeChat calls: message push, payment and refund notifications. Open to all, believed only when signed."""

from __future__ import annotations

from backend.kernel.http import Reply, Request, Router, public

from . import service
from .errors import CallbackRefused, CallbackUnverified, WechatUnavailable
from .notify import MAX_BODY_BYTES

router = Router(tag="wechat")

_REFUSALS = (CallbackUnverified, CallbackRefused, WechatUnavailable)


def _plain(text: str) -> Reply:
    return Reply(text.encode(), "text/plain; charset=utf-8", 200, {"cache-control": "no-store"})


@router.get("/v1/wechat/push", guard=public, errors=_REFUSALS, rate_limited=False, summary="消息推送：验证服务器地址")
async def check_push(request: Request) -> Reply:
    """Answer WeChat's check of the push address with its ``echostr``."""
    return _plain(service.echo(request.query))


@router.post(
    "/v1/wechat/push",
    guard=public,
    errors=_REFUSALS,
    rate_limited=False,
    body_limit=MAX_BODY_BYTES,
    summary="消息推送：接收消息和事件",
)
async def receive_push(request: Request, body: bytes) -> Reply:
    """Take a customer's message or an event; an answer means that it need not come again.

    It is ``success``, or ``transfer_customer_service`` (written and sealed as the message was) where WeChat's own
    customer service is to go on.
    """
    content, media_type = await service.accept_push(request.query, body)
    return Reply(content, media_type, 200, {"cache-control": "no-store"})


@router.post(
    "/v1/wechat/pay/notify",
    guard=public,
    errors=_REFUSALS,
    rate_limited=False,
    body_limit=MAX_BODY_BYTES,
    summary="微信支付：支付成功通知",
)
async def receive_payment(request: Request, body: bytes) -> None:
    """Take a payment notification; 204 means that it is credited."""
    await service.accept_payment(request.headers, body)


@router.post(
    "/v1/wechat/pay/refund-notify",
    guard=public,
    errors=_REFUSALS,
    rate_limited=False,
    body_limit=MAX_BODY_BYTES,
    summary="微信支付：退款结果通知",
)
async def receive_refund(request: Request, body: bytes) -> None:
    """Take a refund notification; 204 means that it is recorded."""
    await service.accept_refund(request.headers, body)
