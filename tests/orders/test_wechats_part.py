"""What WeChat is asked for and told after an order: refunds it owes, goods on their way. Against the simulator."""

from __future__ import annotations

import itertools
import uuid
from datetime import timedelta
from typing import Any

import pytest

from backend.kernel import clock, db, ids
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.plans import NewDocument, Plan
from backend.orders import queries
from backend.orders.commands import notices, psp_refunds
from backend.orders.queries import afterwards
from backend.orders.types import PspPayment
from backend.sales.types import Refund, RefundTender
from backend.wechat import service as wechat
from backend.wechat.errors import CallbackRefused
from backend.wechat.types import Refund as PspRefund
from tests.orders.test_fulfilment import buy
from tests.support.mall import put
from tests.support.members import Phone
from tests.support.recharge import until
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

SENT = {"carrier": "YTO", "tracking_no": "YT1000001"}


async def paid_at_wechat(phone: Phone, amount_fen: int = 500) -> PspPayment:
    """A payment of the member's, made in the simulator under a number of its own."""
    out_trade_no = f"Q{uuid.uuid4().hex[:24]}"
    await wechat.create_order(
        out_trade_no,
        amount_fen=amount_fen,
        description="商城订单",
        openid=phone.openid,
        expires_at=clock.now() + timedelta(minutes=30),
    )
    assert (await phone.client.post(f"/mock/wechat/pay/{out_trade_no}/pay")).status_code == 200
    return PspPayment(out_trade_no, amount_fen)


async def owe(phone: Phone, payment: PspPayment, fen: int) -> str:
    """A refund whose part of WeChat's was booked and not asked for yet; its id."""
    now = clock.now()
    refund_id = ids.new_document_id("F", phone.member_id)
    made = Refund(refund_id, fen, [RefundTender("wechat", fen)], 0, 0, [], "D1", now)
    plan = Plan(
        member_id=phone.member_id,
        kind="refund",
        at=now,
        on=clock.local_date(now, "Asia/Shanghai"),
        scope="test",
        key=refund_id,
        hash=ledger_plans.job_hash(refund_id),
        document=NewDocument(refund_id, "refund", "posted", {"sale_id": "D1", "by_tender": []}, store_id="S1"),
    )
    owed = psp_refunds.owed(plan, made, payment, now)
    assert sum(leg.amount for leg in owed.legs) == 0
    await ledger.post(owed)
    return refund_id


async def state(phone: Phone, refund_id: str) -> str:
    document = await ledger_queries.find_document(phone.member_id, refund_id)
    assert document is not None
    return document.state


async def test_a_refund_that_was_cut_short_between_asking_and_recording_heals(phone, monkeypatch):
    payment = await paid_at_wechat(phone)
    refund_id = await owe(phone, payment, 200)

    with monkeypatch.context() as cut:
        cut.setattr(psp_refunds, "_settle", _killed)
        cut.setattr(psp_refunds, "_try_later", _nothing)
        await psp_refunds.pay_back(refund_id)
    assert await state(phone, refund_id) == "refunding"

    days = itertools.count(1)

    async def healed() -> bool:
        await psp_refunds.advance_due(clock.now() + timedelta(days=next(days)))
        return await state(phone, refund_id) == "posted"

    await until(healed)
    assert await state(phone, refund_id) == "posted"
    done = await wechat.query_refund(refund_id)
    assert (done.amount_fen, done.total_fen) == (200, 500)
    await psp_refunds.pay_back(refund_id)
    assert (await ledger_queries.list_due("refund", before=clock.now(), limit=10)) == []


async def _killed(*_: Any) -> bool:
    raise ConnectionError


async def _nothing(*_: Any) -> None:
    return None


async def test_a_notification_settles_what_was_owed_and_nothing_else(phone):
    payment = await paid_at_wechat(phone)
    refund_id = await owe(phone, payment, 200)
    told: dict[str, Any] = {
        "out_trade_no": payment.out_trade_no,
        "out_refund_no": refund_id,
        "refund_id": "5",
        "status": "SUCCESS",
    }

    for changed in ({"amount_fen": 201}, {"amount_fen": 200, "out_trade_no": "Q2"}):
        with pytest.raises(CallbackRefused):
            await psp_refunds.settle_refund(PspRefund(**(told | changed)))
    assert await state(phone, refund_id) == "refunding"
    assert not await psp_refunds.settle_refund(PspRefund(**told | {"out_refund_no": "F1", "amount_fen": 200}))
    for _ in range(2):
        assert await psp_refunds.settle_refund(PspRefund(**told, amount_fen=200))
    assert await state(phone, refund_id) == "posted"


async def test_what_wechat_refuses_for_long_is_given_up_and_taken_up_again_by_hand(phone, admin, manager, monkeypatch):
    refund_id = await owe(phone, PspPayment("Q-nobody-paid", 500), 200)
    monkeypatch.setattr(psp_refunds, "MAX_TRIES", 2)
    for hours in (0, 7):
        await psp_refunds.advance_due(clock.now() + timedelta(hours=hours))

    assert await state(phone, refund_id) == "refund_failed"
    assert (await manager.post(f"/v1/admin/order-refunds/{refund_id}/retry")).status_code == 204
    assert await state(phone, refund_id) == "refunding"
    monkeypatch.setattr(psp_refunds, "MAX_TRIES", 1)
    await psp_refunds.advance_due(clock.now())
    assert await state(phone, refund_id) == "refund_failed"


async def test_wechat_is_told_once_when_the_last_goods_have_left(phone, manager, monkeypatch):
    await give(phone.member_id, principal=10_000)
    await put("S1", "6902", 4, 4)
    payment = await paid_at_wechat(phone)
    order_id = await buy(phone, 2, express=True)

    async def payment_of(order: Any) -> PspPayment | None:
        return payment if order.id == order_id else None

    async def of_payment(member_id: int, out_trade_no: str) -> list[Any]:
        found = await queries.find_order(member_id, order_id)
        return [found] if found and out_trade_no == payment.out_trade_no else []

    monkeypatch.setattr(afterwards, "find_payment", payment_of)
    monkeypatch.setattr(afterwards, "list_of_payment", of_payment)
    assert not (await wechat.shipping_state(payment.out_trade_no)).finished

    await manager.post(f"/v1/admin/orders/{order_id}/parcels", SENT | {"lines": [{"line_no": 1, "qty": 1}]})
    await notices.tell_due(clock.now())
    half = await afterwards.find_notice(phone.member_id, payment.out_trade_no)
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", SENT | {"tracking_no": "YT1000002"})
    with monkeypatch.context() as cut:  # told, and killed before it was written down
        cut.setattr(notices, "_record", _nothing)
        await notices.tell_due(clock.now())
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE orders_notice SET tries = 1 WHERE out_trade_no = $1", payment.out_trade_no)
    await notices.tell_due(clock.now())
    shown = (await manager.get(f"/v1/admin/orders/{order_id}")).json()

    assert half is None
    assert shown["notice"]["status"] == "told"
    assert (await wechat.shipping_state(payment.out_trade_no)).finished
    assert await notices.tell_due(clock.now() + timedelta(days=1)) == 0


async def test_what_wechat_refuses_is_shown_to_staff_who_have_it_told_again(phone, manager, monkeypatch):
    await give(phone.member_id, principal=10_000)
    await put("S1", "6902", 4, 4)
    payment = await paid_at_wechat(phone)
    order_id = await buy(phone, 1, express=True)

    async def payment_of(order: Any) -> PspPayment | None:
        return payment if order.id == order_id else None

    async def of_payment(member_id: int, out_trade_no: str) -> list[Any]:
        found = await queries.find_order(member_id, order_id)
        return [found] if found and out_trade_no == payment.out_trade_no else []

    monkeypatch.setattr(afterwards, "find_payment", payment_of)
    monkeypatch.setattr(afterwards, "list_of_payment", of_payment)
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", SENT | {"carrier": "SF"})  # without a number to mask
    await notices.tell_due(clock.now())
    refused = (await manager.get(f"/v1/admin/orders/{order_id}")).json()["notice"]
    again = (await manager.post(f"/v1/admin/orders/{order_id}/notice")).json()["notice"]

    assert refused == {"status": "failed", "tries": 1, "errcode": 268485228}
    assert again["status"] == "due"
