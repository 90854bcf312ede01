"""What WeChat tells us, handed to the domain that registered for it; WeChat hears "accepted" when that is done.

A callback must be idempotent: WeChat repeats what was not accepted within 5 s, and sometimes what was. One that takes
longer is not stopped: it goes on, WeChat is told to come again, and by then finds it done.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from backend.kernel import clock, logging, redis
from backend.kernel.redis import RedisDown

from . import notify, shipping
from .errors import CallbackRefused, CallbackUnverified, WechatUnavailable
from .notify import Trust
from .push import Push
from .types import Payment, PushAnswer, PushMessage, Receipt, Refund

log = logging.get(__name__)

ANSWER_S = 4.0
"""WeChat waits 5 s; what is left is for the network."""

REMEMBER_S = 600

Work = Coroutine[Any, Any, None]
PaymentCallback = Callable[[Payment], Work]
RefundCallback = Callable[[Refund], Work]
ReceiptCallback = Callable[[Receipt], Work]
PushCallback = Callable[[PushMessage], Coroutine[Any, Any, PushAnswer | None]]
C = TypeVar("C", bound=Callable[..., Work])
R = TypeVar("R")
E = TypeVar("E", Payment, Refund)
N = TypeVar("N", Payment, Refund, Receipt)

_payment_callbacks: dict[str, PaymentCallback] = {}
_refund_callbacks: dict[str, RefundCallback] = {}
_receipt_callbacks: dict[str, ReceiptCallback] = {}
_push_callbacks: list[PushCallback] = []
_running: set[asyncio.Task[Any]] = set()


def on_payment(callback: PaymentCallback, *, prefix: str = "") -> PaymentCallback:
    """Hand payments of orders whose number begins with ``prefix`` to ``callback``; the longest prefix wins.

    It compares the amount with its order's and raises ``CallbackRefused`` for an order or an amount it does not know.
    """
    _register(_payment_callbacks, prefix, callback)
    return callback


def on_refund(callback: RefundCallback, *, prefix: str = "") -> RefundCallback:
    """Hand ends of refunds to ``callback``, by the prefix of the *order's* number."""
    _register(_refund_callbacks, prefix, callback)
    return callback


def on_receipt(callback: ReceiptCallback, *, prefix: str = "") -> ReceiptCallback:
    """Hand receipts that were confirmed inside WeChat to ``callback``, by the prefix of the order's number.

    It is told of an order more than once, and of orders that are no longer to be received: those change nothing.
    """
    _register(_receipt_callbacks, prefix, callback)
    return callback


def on_push_message(callback: PushCallback) -> PushCallback:
    """Hand customers' messages and events to ``callback``, after those registered before it.

    It stores what came and returns; the work is a job's. One that returns ``PushAnswer.TRANSFER`` gives the message to
    WeChat's own customer service, and returns the same when the message comes again.
    """
    if callback not in _push_callbacks:
        _push_callbacks.append(callback)
    return callback


def _register(callbacks: dict[str, C], prefix: str, callback: C) -> None:
    if callbacks.setdefault(prefix, callback) is not callback:
        raise TypeError(f"two callbacks for order numbers that begin with {prefix!r}")


async def accept_payment(trust: Trust, headers: Mapping[str, str], body: bytes) -> None:
    """Verify a payment notification and have it credited; returning means accepted."""
    payment = _verified("payment", notify.verify_payment, trust, headers, body)
    await _finish("payment", _callback_for(_payment_callbacks, payment)(payment))
    log.info("wechat.payment_accepted", out_trade_no=payment.out_trade_no, amount_fen=payment.amount_fen)


async def accept_refund(trust: Trust, headers: Mapping[str, str], body: bytes) -> None:
    """Verify a refund notification and have it recorded; returning means accepted."""
    refund = _verified("refund", notify.verify_refund, trust, headers, body)
    await _finish("refund", _callback_for(_refund_callbacks, refund)(refund))
    log.info("wechat.refund_accepted", out_refund_no=refund.out_refund_no, status=refund.status)


async def accept_push(
    push: Push, query: Mapping[str, Any], body: bytes, *, mch_id: str = ""
) -> tuple[PushAnswer, PushMessage]:
    """Verify a push and hand its message on, once as far as Redis remembers; returning means accepted.

    ``mch_id`` is the merchant whose payments' receipts are taken; without one none are.
    """
    try:
        push.verify(query, clock.now())
        if query.get("encrypt_type", "raw") != "raw":
            await asyncio.to_thread(push.load_cipher)
        message = push.open(query, body, clock.now())
        receipt = shipping.receipt_of(message, mch_id) if mch_id else None
    except (CallbackUnverified, CallbackRefused) as refusal:
        _log_refusal("push", refusal)
        raise
    await _refuse_other_body(query, body)
    seen = f"wechat:push:{message.key}"
    before = await _remembered(seen)
    if before is not None:
        return PushAnswer.TRANSFER if before == PushAnswer.TRANSFER.encode() else PushAnswer.TAKEN, message
    answer = await _finish("push", _deliver(message, receipt))
    await _remember(seen, answer.encode())
    log.info("wechat.push_accepted", kind=message.kind, about=message.event[:64], answer=answer.value)
    return answer, message


async def drain(timeout_s: float) -> None:
    """Wait for callbacks that outlived their answer."""
    if _running:
        await asyncio.wait(set(_running), timeout=timeout_s)


async def _deliver(message: PushMessage, receipt: Receipt | None) -> PushAnswer:
    if receipt is not None and (take := _fitting(_receipt_callbacks, receipt)):
        await take(receipt)
    answers = [await callback(message) for callback in _push_callbacks]
    return PushAnswer.TRANSFER if PushAnswer.TRANSFER in answers else PushAnswer.TAKEN


def _verified(
    what: str,
    verify: Callable[[Trust, Mapping[str, str], bytes, Any], E],
    trust: Trust,
    headers: Mapping[str, str],
    body: bytes,
) -> E:
    try:
        return verify(trust, headers, body, clock.now())
    except (CallbackUnverified, CallbackRefused) as refusal:
        _log_refusal(what, refusal)
        raise


def _log_refusal(what: str, refusal: CallbackUnverified | CallbackRefused) -> None:
    log.warning("wechat.callback_refused", what=what, refusal=refusal.code, reason=refusal.reason)


def _callback_for(callbacks: dict[str, Callable[[E], Work]], event: E) -> Callable[[E], Work]:
    found = _fitting(callbacks, event)
    if found is None:
        log.error("wechat.callback_missing", out_trade_no=event.out_trade_no)
        raise WechatUnavailable("nobody is here yet to take this notification", retry_after_s=15)
    return found


def _fitting(callbacks: dict[str, Callable[[N], Work]], event: N) -> Callable[[N], Work] | None:
    fitting = [prefix for prefix in callbacks if event.out_trade_no.startswith(prefix)]
    return callbacks[max(fitting, key=len)] if fitting else None


async def _finish(what: str, work: Coroutine[Any, Any, R]) -> R:
    """The result of the work, or ``WechatUnavailable`` when it takes longer than WeChat waits."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    try:
        await asyncio.wait({task}, timeout=ANSWER_S)
    finally:
        if not task.done():  # too slow, or WeChat hung up: nobody here will ask for its result
            task.add_done_callback(lambda late: _log_late(what, late))
    if not task.done():
        log.error("wechat.callback_slow", what=what)
        raise WechatUnavailable("this takes longer than WeChat waits; come again", retry_after_s=15)
    return task.result()


def _log_late(what: str, task: asyncio.Task[Any]) -> None:
    failed = None if task.cancelled() else task.exception()
    log.warning("wechat.callback_late", what=what, error=type(failed).__name__ if failed else None)


async def _refuse_other_body(query: Mapping[str, Any], body: bytes) -> None:
    """In plain mode a signature does not cover the body: who saw one could send other bodies with it. One each."""
    signed = "\n".join(str(query.get(name)) for name in ("signature", "timestamp", "nonce"))
    mark = f"wechat:push:signed:{hashlib.sha256(signed.encode()).hexdigest()}"
    digest = hashlib.sha256(body).hexdigest().encode()
    try:
        if await redis.call("SET", mark, digest, "NX", "EX", REMEMBER_S):
            return
    except RedisDown:
        return
    before = await _remembered(mark)
    if before is not None and before != digest:
        refusal = CallbackUnverified("another body")
        _log_refusal("push", refusal)
        raise refusal


async def _remembered(key: str) -> bytes | None:
    try:
        found: bytes | None = await redis.call("GET", key)
    except RedisDown:
        return None
    return found


async def _remember(key: str, value: bytes) -> None:
    try:
        await redis.call("SET", key, value, "EX", REMEMBER_S)
    except RedisDown:
        return
