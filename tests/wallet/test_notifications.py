"""Whatever becomes of WeChat's notifications, a payment is credited once, and a forged one never."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from backend.kernel import clock as kernel_clock
from backend.ledger import queries as ledger
from backend.wallet.commands import payments, pending
from backend.wechat.errors import CallbackRefused
from backend.wechat.types import Payment
from tests.support import recharge

pytestmark = pytest.mark.usefixtures("books")

FORGERIES = (
    "unsigned", "signature", "body", "serial", "timestamp", "probe", "ciphertext",
    "amount", "mchid", "appid", "currency", "order",
)  # fmt: skip


async def total(phone) -> int:
    return (await ledger.get_balances(phone.member_id)).get("stored", 0)


def payment(recharge_id: str, **other) -> Payment:
    made = Payment(
        out_trade_no=recharge_id,
        transaction_id="4200001",
        amount_fen=1_000,
        currency="CNY",
        success_at=kernel_clock.now(),
        openid="openid-x",
        trade_state="SUCCESS",
    )
    return msgspec.structs.replace(made, **other)


async def test_duplicates_credit_once_and_all_are_accepted(client, phone):
    order = await recharge.begin(phone, amount_fen=1_000)
    await recharge.faults(client, duplicate=7)

    await recharge.pay(client, order["id"])

    sent = await recharge.all_answered(client, order["id"], 8)
    assert [item["last_status"] for item in sent] == [204] * 8
    assert await total(phone) == 1_000


async def test_a_late_notification_credits_what_was_paid(client, phone):
    order = await recharge.begin(phone, amount_fen=1_000)
    await recharge.faults(client, delay_s=0.4)
    await recharge.pay(client, order["id"])
    assert await total(phone) == 0

    await recharge.in_state(phone, order["id"], "paid")

    assert await total(phone) == 1_000


async def test_notifications_in_another_order_credit_each_once(client, phone):
    orders = [await recharge.begin(phone, amount_fen=fen) for fen in (1_000, 2_000)]
    await recharge.faults(client, reorder=True, duplicate=1)

    for order in orders:
        await recharge.pay(client, order["id"])

    for order in orders:
        await recharge.in_state(phone, order["id"], "paid")
        sent = await recharge.all_answered(client, order["id"], 2)
        assert {item["last_status"] for item in sent} == {204}
    assert await total(phone) == 3_000


async def test_forged_notifications_are_refused_and_move_nothing(client, phone):
    order = await recharge.begin(phone, amount_fen=1_000)
    before = await recharge.document(phone, order["id"])
    await recharge.faults(client, drop=True, forge=True)

    await recharge.pay(client, order["id"])

    sent = await recharge.all_answered(client, order["id"], len(FORGERIES))
    answers = {item["kind"]: item["last_status"] for item in sent if item["kind"] != "genuine"}
    assert set(answers) == set(FORGERIES)
    assert {status // 100 for status in answers.values()} == {4}
    assert await total(phone) == 0
    assert await recharge.document(phone, order["id"]) == before


async def test_forged_ones_beside_the_true_one_change_nothing_of_it(client, phone):
    order = await recharge.begin(phone, amount_fen=1_000)
    await recharge.faults(client, duplicate=2, forge=True)

    await recharge.pay(client, order["id"])

    sent = await recharge.all_answered(client, order["id"], len(FORGERIES) + 3)
    assert {item["last_status"] for item in sent if item["kind"] == "genuine"} == {204}
    assert {item["last_status"] // 100 for item in sent if item["kind"] != "genuine"} == {4}
    assert await total(phone) == 1_000


async def test_dropped_notifications_are_made_up_for_by_asking(client, phone, clock):
    order = await recharge.begin(phone, amount_fen=1_000)
    await recharge.faults(client, drop=True)
    await recharge.pay(client, order["id"])
    await pending.advance_due(clock.now())
    assert await total(phone) == 0

    clock.shift(timedelta(seconds=61))
    await pending.advance_due(clock.now())

    assert await total(phone) == 1_000
    assert (await recharge.document(phone, order["id"])).state == "paid"


async def test_a_payment_without_any_notification_is_credited_within_six_minutes(client, phone, clock):
    """Whenever in the life of the order it is paid, with the clock's jobs a minute apart."""
    await recharge.faults(client, drop=True)
    for paid_after_min in (0, 5, 27):
        order = await recharge.begin(phone, amount_fen=1_000)
        minutes = 0
        paid = False
        while (await recharge.document(phone, order["id"])).state != "paid":
            if minutes >= paid_after_min and not paid:
                await recharge.pay(client, order["id"])
                paid = True
            assert minutes <= paid_after_min + 6
            clock.shift(timedelta(minutes=1))
            minutes += 1
            await pending.advance_due(clock.now())
        clock.reset()
    assert await total(phone) == 3_000


async def test_a_look_at_a_waiting_recharge_asks_wechat(client, phone, clock):
    order = await recharge.begin(phone, amount_fen=1_000)
    await recharge.faults(client, drop=True)
    await recharge.pay(client, order["id"])
    assert await recharge.status(phone, order["id"]) == "pending"

    clock.shift(timedelta(seconds=21))

    assert await recharge.status(phone, order["id"]) == "paid"
    assert await total(phone) == 1_000


@pytest.mark.parametrize(
    "wrong", [{"amount_fen": 999}, {"amount_fen": 1_001}, {"currency": "USD"}, {"out_trade_no": "R" + "0" * 26}]
)
async def test_refuses_a_payment_that_is_not_the_orders(phone, wrong):
    order = await recharge.begin(phone, amount_fen=1_000)

    with pytest.raises(CallbackRefused):
        await payments.settle_payment(payment(order["id"], **wrong))

    assert await total(phone) == 0
    assert (await recharge.document(phone, order["id"])).state == "pending"


async def test_a_second_payment_of_a_paid_order_is_refused_loudly(phone, capsys):
    order = await recharge.begin(phone, amount_fen=1_000)
    await payments.settle_payment(payment(order["id"]))

    await payments.settle_payment(payment(order["id"]))
    with pytest.raises(CallbackRefused):
        await payments.settle_payment(payment(order["id"], transaction_id="4200002"))

    assert "order_paid_twice" in "".join(capsys.readouterr())  # logs go to stdout until something configures them
    assert await total(phone) == 1_000


async def test_one_transaction_pays_one_recharge(phone):
    first, second = [await recharge.begin(phone, amount_fen=1_000) for _ in range(2)]
    await payments.settle_payment(payment(first["id"], transaction_id="4200003"))

    with pytest.raises(CallbackRefused):
        await payments.settle_payment(payment(second["id"], transaction_id="4200003"))

    assert await total(phone) == 1_000
    assert (await recharge.document(phone, second["id"])).state == "pending"


async def test_many_hear_of_one_payment_at_once(phone):
    order = await recharge.begin(phone, amount_fen=1_000)

    await asyncio.gather(*(payments.settle_payment(payment(order["id"], transaction_id="4200004")) for _ in range(20)))

    assert await total(phone) == 1_000
