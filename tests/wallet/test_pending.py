"""Orders nobody paid are closed; what is paid afterwards goes back to the payer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import config
from backend.ledger import queries as ledger
from backend.wallet import plans
from backend.wallet.commands import pending
from backend.wechat import service as wechat
from backend.wechat.errors import CallbackRefused
from backend.wechat.types import Refund
from tests.support import recharge

pytestmark = pytest.mark.usefixtures("books")

LIFE = timedelta(minutes=30, seconds=1)


async def total(phone) -> int:
    return (await ledger.get_balances(phone.member_id)).get("stored", 0)


async def closed(phone, clock) -> str:
    """A recharge that was not paid in time."""
    order = await recharge.begin(phone, amount_fen=1_000)
    clock.shift(LIFE)
    await pending.advance_due(clock.now())
    found = await recharge.document(phone, order["id"])
    assert found.state == "closed"
    return order["id"]


async def test_a_stale_order_is_closed_at_wechat_and_here(client, phone, clock):
    recharge_id = await closed(phone, clock)

    order = await wechat.query_order(recharge_id)

    assert order.state == "CLOSED"
    refused = await recharge.pay(client, recharge_id)
    assert refused.status_code >= 400
    clock.reset()
    assert await recharge.status(phone, recharge_id) == "closed"


async def test_an_order_that_turns_out_to_be_paid_at_closing_is_credited(client, phone, clock):
    await recharge.faults(client, drop=True)
    order = await recharge.begin(phone, amount_fen=1_000)
    await recharge.pay(client, order["id"])
    clock.shift(LIFE)

    await pending.advance_due(clock.now())

    assert (await recharge.document(phone, order["id"])).state == "paid"
    assert await total(phone) == 1_000


async def test_a_payment_after_closing_is_refunded_and_never_credited(client, phone, clock):
    recharge_id = await closed(phone, clock)

    await recharge.faults(client, duplicate=3)
    await recharge.pay(client, recharge_id, force=True)
    sent = await recharge.all_answered(client, recharge_id, 4)
    assert {item["last_status"] for item in sent} == {204}
    late = await recharge.document(phone, recharge_id)
    assert late.state == "refunding"
    for _ in range(3):
        await pending.advance_due(clock.now())

    assert await total(phone) == 0
    refund = await wechat.query_refund(plans.refund_no(recharge_id))
    assert (refund.amount_fen, refund.total_fen) == (1_000, 1_000)
    # The platform is done after a moment; its notification ends it.
    done = await recharge.in_state(phone, recharge_id, "refunded")
    assert done.due_at is None
    clock.reset()
    assert await recharge.status(phone, recharge_id) == "refunded"
    assert await total(phone) == 0


async def test_a_refund_whose_notification_never_comes_is_finished_by_asking(client, phone, clock):
    recharge_id = await closed(phone, clock)
    await recharge.pay(client, recharge_id, force=True)
    await recharge.in_state(phone, recharge_id, "refunding")
    await recharge.faults(client, drop=True)

    async def refunded() -> bool:
        clock.shift(timedelta(minutes=10))
        await pending.advance_due(clock.now())
        return (await recharge.document(phone, recharge_id)).state == "refunded"

    await recharge.until(refunded)
    assert (await wechat.query_refund(plans.refund_no(recharge_id))).status == "SUCCESS"
    assert await total(phone) == 0


async def test_a_payment_after_closing_of_which_nobody_told_us_is_found_by_asking_and_refunded(client, phone, clock):
    recharge_id = await closed(phone, clock)
    await recharge.faults(client, drop=True)
    await recharge.pay(client, recharge_id, force=True)

    clock.shift(timedelta(minutes=10))
    await pending.advance_due(clock.now())

    assert (await recharge.document(phone, recharge_id)).state == "refunding"

    async def refunded() -> bool:
        clock.shift(timedelta(minutes=10))
        await pending.advance_due(clock.now())
        return (await recharge.document(phone, recharge_id)).state == "refunded"

    await recharge.until(refunded)
    assert await total(phone) == 0


async def test_an_order_that_is_closed_days_late_is_asked_about_all_the_same(phone, clock):
    order = await recharge.begin(phone, amount_fen=1_000)
    clock.shift(timedelta(days=3))
    await pending.advance_due(clock.now())

    found = await recharge.document(phone, order["id"])

    assert (found.state, found.due_at) == ("closed", found.updated_at + timedelta(minutes=10))


async def test_a_closed_order_is_asked_about_three_times_and_then_left_alone(phone, clock):
    recharge_id = await closed(phone, clock)
    asked = []

    while (found := await recharge.document(phone, recharge_id)).due_at is not None:
        asked.append(found.due_at - found.updated_at)
        clock.shift(found.due_at - clock.now())
        await pending.advance_due(clock.now())

    assert asked == [timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)]
    assert found.state == "closed"
    assert await total(phone) == 0


async def test_a_payment_and_the_closing_at_once_end_in_one_of_both(client, phone, clock):
    """Credited, or given back: never both, never neither."""
    orders = [await recharge.begin(phone, amount_fen=1_000) for _ in range(6)]
    documents = [await recharge.document(phone, order["id"]) for order in orders]
    clock.shift(LIFE)

    await asyncio.gather(
        *(recharge.pay(client, order["id"], force=True) for order in orders),
        *(pending.close(document, clock.now()) for document in documents),
        return_exceptions=True,
    )
    for order in orders:
        await recharge.all_answered(client, order["id"], 1)
    ends = []
    for order in orders:
        found = await recharge.document(phone, order["id"])
        if found.state == "refunding":
            await pending.advance_due(clock.now())
            found = await recharge.in_state(phone, order["id"], "refunded")
        ends.append(found.state)

    assert set(ends) <= {"paid", "refunded"}
    assert await total(phone) == 1_000 * ends.count("paid")


async def test_an_order_that_never_reached_wechat_is_closed_here(phone, settings, clock):
    await wechat.open_client(msgspec.structs.replace(settings, wechat_pay_url="http://127.0.0.1:9/mock/wechat"))
    try:
        await phone.call("POST", "/v1/member/recharges", {"amount_fen": 1_000}, key="never")
        (begun,) = await ledger.list_documents(phone.member_id, "recharge", states=["pending"], limit=2)
        clock.shift(timedelta(seconds=61))
        await pending.advance_due(clock.now())
    finally:
        await wechat.open_client(settings)
    failed = await recharge.document(phone, begun.id)
    assert failed.state == "pending"
    assert failed.due_at is not None
    assert failed.due_at > clock.now()

    clock.shift(LIFE)
    await pending.advance_due(clock.now())

    assert (await recharge.document(phone, begun.id)).state == "closed"


async def test_the_shortest_life_that_can_be_set_is_long_enough_to_pay(client, phone, settings, clock):
    config.use(msgspec.structs.replace(settings, recharge_close_after_s=60, recharge_query_after_s=90))
    try:
        paid, left = [await recharge.begin(phone, amount_fen=1_000) for _ in range(2)]
        await recharge.pay(client, paid["id"])
        await recharge.in_state(phone, paid["id"], "paid")
        clock.shift(timedelta(seconds=61))
        await pending.advance_due(clock.now())
    finally:
        config.use(settings)

    assert (await recharge.document(phone, left["id"])).state == "closed"


async def test_refuses_the_refund_of_something_else(phone, clock):
    recharge_id = await closed(phone, clock)
    other = Refund(
        out_trade_no=recharge_id, out_refund_no="X1", refund_id="503", amount_fen=1_000, status="SUCCESS",
        success_at=kernel_clock.now(), total_fen=1_000,
    )  # fmt: skip

    with pytest.raises(CallbackRefused):
        await pending.settle_refund(other)

    assert (await recharge.document(phone, recharge_id)).state == "closed"


async def test_refuses_a_refund_of_another_amount(client, phone, clock):
    recharge_id = await closed(phone, clock)
    await recharge.pay(client, recharge_id, force=True)
    await recharge.in_state(phone, recharge_id, "refunding")
    less = Refund(
        out_trade_no=recharge_id, out_refund_no=plans.refund_no(recharge_id), refund_id="503", amount_fen=1,
        status="SUCCESS", success_at=kernel_clock.now(), total_fen=1_000,
    )  # fmt: skip

    with pytest.raises(CallbackRefused):
        await pending.settle_refund(less)

    assert (await recharge.document(phone, recharge_id)).state == "refunding"
