"""Who is told, how often, and what WeChat hears when it takes long or fails."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio

from backend.kernel import clock, config, redis
from backend.kernel.errors import Unavailable
from backend.wechat import callbacks
from backend.wechat.errors import CallbackUnverified, WechatUnavailable
from backend.wechat.push import Push
from backend.wechat.types import Payment, PushMessage

from .platform import (
    APP_ID,
    ENCODING_AES_KEY,
    NOW,
    PUSH_TOKEN,
    headers_for,
    notification,
    push_query,
    refund_notice,
    transaction,
    trust,
)

PAID = notification(transaction())


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(callbacks, "_payment_callbacks", {})
    monkeypatch.setattr(callbacks, "_refund_callbacks", {})
    monkeypatch.setattr(callbacks, "_push_callbacks", [])
    clock.freeze(NOW)
    yield
    clock.reset()


async def accept_paid() -> None:
    await callbacks.accept_payment(trust(), headers_for(PAID), PAID)


async def test_the_longest_prefix_is_told():
    told: list[tuple[str, str]] = []

    def taker(name: str):
        async def take(payment: Payment) -> None:
            told.append((name, payment.out_trade_no))

        return take

    callbacks.on_payment(taker("all"))
    callbacks.on_payment(taker("recharges"), prefix="R")
    callbacks.on_payment(taker("orders"), prefix="M")
    body = notification(transaction(out_trade_no="X1"))

    await accept_paid()
    await callbacks.accept_payment(trust(), headers_for(body), body)

    assert told == [("recharges", "R20261123000001"), ("all", "X1")]


def test_two_callbacks_for_the_same_orders_are_a_mistake():
    async def take(payment: Payment) -> None: ...
    async def other(payment: Payment) -> None: ...

    callbacks.on_payment(take, prefix="R")
    callbacks.on_payment(take, prefix="R")
    with pytest.raises(TypeError):
        callbacks.on_payment(other, prefix="R")


async def test_without_anybody_to_tell_wechat_must_come_again():
    refunded = notification(refund_notice(), "REFUND.SUCCESS")

    with pytest.raises(Unavailable):
        await accept_paid()
    with pytest.raises(Unavailable):
        await callbacks.accept_refund(trust(), headers_for(refunded), refunded)


async def test_a_slow_callback_goes_on_and_wechat_finds_it_done(monkeypatch):
    monkeypatch.setattr(callbacks, "ANSWER_S", 0.01)
    go = asyncio.Event()
    done: list[str] = []

    async def take(payment: Payment) -> None:
        if not done:
            await go.wait()
            done.append(payment.out_trade_no)

    callbacks.on_payment(take)

    with pytest.raises(WechatUnavailable):
        await accept_paid()
    go.set()
    await callbacks.drain(1)
    await accept_paid()

    assert done == ["R20261123000001"]


async def test_a_callback_survives_the_end_of_its_request():
    go = asyncio.Event()
    done: list[str] = []

    async def take(payment: Payment) -> None:
        await go.wait()
        done.append(payment.out_trade_no)

    callbacks.on_payment(take)
    request = asyncio.create_task(accept_paid())
    await asyncio.sleep(0.01)
    request.cancel()
    go.set()
    await callbacks.drain(1)

    assert done == ["R20261123000001"]


async def test_a_failing_callback_is_not_accepted():
    async def take(payment: Payment) -> None:
        raise ZeroDivisionError

    callbacks.on_payment(take)

    with pytest.raises(ZeroDivisionError):
        await accept_paid()


BODY = (
    b"<xml><FromUserName>o</FromUserName><CreateTime>1795435200</CreateTime>"
    b"<MsgType>text</MsgType><MsgId>%d</MsgId></xml>"
)


def inbox() -> Push:
    return Push(PUSH_TOKEN, ENCODING_AES_KEY, APP_ID)


@pytest.fixture
def pushed():
    got: list[str] = []

    async def take(message: PushMessage) -> None:
        got.append(message.fields["MsgId"])
        if message.fields["MsgId"] == "13" and got.count("13") == 1:
            raise ZeroDivisionError

    callbacks.on_push_message(take)
    return got


@pytest_asyncio.fixture(loop_scope="session")
async def shared(engines):
    await redis.open_client(config.Settings(database_url="x", master_keys="x", redis_url=engines.urls("x")["redis"]))
    engines.valkey.flush()
    yield
    await redis.close_client()


async def test_a_message_that_comes_again_is_handed_on_once(shared, pushed):
    for nonce in ("1", "2", "2"):
        await callbacks.accept_push(inbox(), push_query(nonce=nonce), BODY % 7)
    await callbacks.accept_push(inbox(), push_query(nonce="3"), BODY % 8)

    assert pushed == ["7", "8"]


async def test_a_message_whose_callback_failed_is_handed_on_again(shared, pushed):
    with pytest.raises(ZeroDivisionError):
        await callbacks.accept_push(inbox(), push_query(), BODY % 13)
    await callbacks.accept_push(inbox(), push_query(), BODY % 13)

    assert pushed == ["13", "13"]


async def test_a_seen_signature_carries_no_other_body(shared, pushed):
    await callbacks.accept_push(inbox(), push_query(), BODY % 21)

    with pytest.raises(CallbackUnverified):
        await callbacks.accept_push(inbox(), push_query(), BODY % 22)

    assert pushed == ["21"]


async def test_without_redis_messages_still_arrive(pushed):
    await redis.close_client()

    await callbacks.accept_push(inbox(), push_query(), BODY % 31)
    await callbacks.accept_push(inbox(), push_query(), BODY % 31)

    assert pushed == ["31", "31"]
