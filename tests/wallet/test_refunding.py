"""Refunds of recharges at WeChat: answers that are lost, refusals, crashes between any two steps, forged reports."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from backend.kernel import db, outbox
from backend.ledger import queries as ledger
from backend.wallet.commands import refunding
from backend.wallet.commands.pending import settle_refund
from backend.wechat import service as wechat
from backend.wechat.errors import CallbackRefused
from backend.wechat.types import Refund
from tests.support import recharge, refunds
from tests.support.books import fingerprint

pytestmark = pytest.mark.usefixtures("books")

FEN = 8_000


async def frozen(client, phone, admin) -> tuple[str, str]:
    """A recharge and its refund, of which WeChat has not heard."""
    recharge_id = await refunds.paid(client, phone, amount_fen=FEN)
    return recharge_id, await refunds.asked(admin, recharge_id)


async def held(phone) -> tuple[int, int]:
    """What can be spent, and what is held."""
    balances = await ledger.get_balances(phone.member_id)
    return balances.get("stored", 0), balances.get("stored_held", 0)


def report(recharge_id: str, refund_id: str, status: str = "SUCCESS", fen: int = FEN) -> Refund:
    return Refund(
        out_trade_no=recharge_id,
        out_refund_no=refund_id,
        refund_id="5030",
        amount_fen=fen,
        total_fen=FEN,
        status=status,
    )


async def test_a_report_that_never_comes_is_made_up_for_by_asking(client, phone, admin, clock):
    _, refund_id = await frozen(client, phone, admin)
    await recharge.faults(client, drop=True)

    done = await refunds.until_state(clock, refund_id, "done")

    assert await held(phone) == (0, 0)
    assert done.tries >= 2


async def test_a_report_that_comes_four_times_deducts_once(client, phone, admin, clock):
    await recharge.faults(client, duplicate=3)
    recharge_id, refund_id = await frozen(client, phone, admin)
    await refunding.advance_due(clock.now())

    await refunds.until_state(clock, refund_id, "done")

    # The payment's four and the refund's four.
    sent = await recharge.all_answered(client, recharge_id, 8)
    assert {item["last_status"] for item in sent} == {204}
    moves = [entry.kind for entry in await ledger.list_statement(phone.member_id, "stored", before=None, limit=9)]
    assert moves == ["recharge_refund_frozen", "recharge"]


async def test_a_crash_between_any_two_steps_is_taken_up_by_the_next_run(client, phone, admin, clock):
    recharge_id, refund_id = await frozen(client, phone, admin)
    now = clock.now()
    assert await refunding._begin(await refunds.stored(refund_id), now)  # and then the process died, before it asked
    sent = await refunds.stored(refund_id)
    assert (sent.state, sent.tries, sent.due_at) == ("sent", 1, now + timedelta(minutes=1))
    # Or it died after WeChat had the request, before the answer was written down.
    await wechat.refund(recharge_id, refund_id, amount_fen=FEN, total_fen=FEN)

    await refunds.until_state(clock, refund_id, "done")

    assert await held(phone) == (0, 0)
    assert (await wechat.query_refund(refund_id)).amount_fen == FEN


async def test_a_refund_that_wechat_refuses_is_thawed_when_nothing_can_have_arrived(client, phone, admin, clock):
    recharge_id, refund_id = await frozen(client, phone, admin)
    # Somebody gave it back at the merchant's platform: WeChat takes no more of it.
    await wechat.refund(recharge_id, "at-the-platform", amount_fen=FEN, total_fen=FEN)

    await refunding.advance_due(clock.now())

    stopping = await refunds.stored(refund_id)
    assert (stopping.state, stopping.failure, await held(phone)) == ("stopping", "INVALIDREQUEST", (0, FEN))
    await refunding.advance_due(clock.now())  # a minute is not over
    assert await held(phone) == (0, FEN)
    failed = await refunds.until_state(clock, refund_id, "failed")
    assert (failed.failure, failed.due_at, await held(phone)) == ("INVALIDREQUEST", None, (FEN, 0))
    lots = await ledger.list_open_lots(phone.member_id, "stored")
    assert [(lot.source, lot.part, lot.remaining) for lot in lots] == [(recharge_id, "principal", FEN)]


async def test_one_that_had_arrived_before_it_was_refused_goes_its_way(client, phone, admin, clock):
    recharge_id, refund_id = await frozen(client, phone, admin)
    await refunding._begin(await refunds.stored(refund_id), clock.now())
    await wechat.refund(recharge_id, refund_id, amount_fen=FEN, total_fen=FEN)  # the answer was lost
    assert (await refunds.decide(admin, refund_id, "cancel", note="会员改变主意")).json()["status"] == "stopping"

    await refunds.until_state(clock, refund_id, "done")

    assert await held(phone) == (0, 0)


async def test_a_frozen_one_is_cancelled_at_once_and_a_sent_one_when_it_is_certain(client, phone, admin, clock):
    _, first = await frozen(client, phone, admin)
    assert (await refunds.decide(admin, first, "cancel", note="误操作")).json()["status"] == "failed"
    assert await held(phone) == (FEN, 0)
    await refunding.advance_due(clock.now())
    assert ((await refunds.stored(first)).state, await held(phone)) == ("failed", (FEN, 0))
    recharge_id = (await refunds.stored(first)).recharge_id
    second = await refunds.asked(admin, recharge_id)
    await refunding._begin(await refunds.stored(second), clock.now())

    assert (await refunds.decide(admin, second, "cancel", note="误操作")).json()["status"] == "stopping"

    assert await held(phone) == (0, FEN)
    await refunds.until_state(clock, second, "failed")
    assert await held(phone) == (FEN, 0)
    with pytest.raises(Exception, match="refund"):
        await wechat.query_refund(second)


async def test_a_closed_refund_thaws_and_an_abnormal_one_waits_for_somebody(client, phone, admin, clock):
    recharge_id, refund_id = await frozen(client, phone, admin)
    await refunding._begin(await refunds.stored(refund_id), clock.now())

    await settle_refund(report(recharge_id, refund_id, "ABNORMAL"))
    assert (await refunds.stored(refund_id)).failure == "abnormal"
    assert await held(phone) == (0, FEN)
    await settle_refund(report(recharge_id, refund_id, "CLOSED"))

    failed = await refunds.stored(refund_id)
    assert (failed.state, failed.failure, await held(phone)) == ("failed", "closed", (FEN, 0))


async def test_a_report_of_another_amount_or_order_moves_nothing(client, phone, admin, settings):
    recharge_id, refund_id = await frozen(client, phone, admin)
    other = await refunds.paid(client, phone, amount_fen=FEN)
    before = await fingerprint(settings)

    for lie in (
        report(recharge_id, refund_id, fen=FEN - 1),
        report(other, refund_id),
        report(recharge_id, "Y" + "1" * 26),
        report(recharge_id, "made-up"),
    ):
        with pytest.raises(CallbackRefused):
            await settle_refund(lie)

    assert await fingerprint(settings) == before
    assert (await refunds.stored(refund_id)).state == "frozen"


async def test_a_payment_after_the_end_is_flagged_and_takes_nothing(client, phone, admin):
    recharge_id, refund_id = await frozen(client, phone, admin)
    await refunds.decide(admin, refund_id, "cancel", note="误操作")

    await settle_refund(report(recharge_id, refund_id))

    flagged = await refunds.stored(refund_id)
    assert (flagged.state, flagged.failure, flagged.psp_refund_id) == ("failed", "paid_after_end", "5030")
    assert await held(phone) == (FEN, 0)


async def test_reports_and_the_clock_at_once_deduct_once(client, phone, admin, clock):
    recharge_id, refund_id = await frozen(client, phone, admin)
    await refunding._begin(await refunds.stored(refund_id), clock.now())
    await wechat.refund(recharge_id, refund_id, amount_fen=FEN, total_fen=FEN)
    clock.shift(timedelta(minutes=2))

    await asyncio.gather(
        *(settle_refund(report(recharge_id, refund_id)) for _ in range(5)), refunding.advance_due(clock.now())
    )

    assert (await refunds.stored(refund_id)).state == "done"
    assert await held(phone) == (0, 0)


async def test_one_that_was_given_up_is_asked_for_again_when_somebody_says_so(client, phone, admin, clock):
    _, refund_id = await frozen(client, phone, admin)
    found = await refunds.stored(refund_id)
    await db.pool().execute("UPDATE wallet_refund SET tries = 60, state = 'sent' WHERE id = $1", refund_id)
    assert await refunding._begin(msgspec.structs.replace(found), clock.now())
    given_up = await refunds.stored(refund_id)
    assert (given_up.failure, given_up.due_at) == ("given_up", None)
    await refunding.advance_due(clock.now() + timedelta(days=1))
    assert await refunds.stored(refund_id) == given_up

    again = await refunds.decide(admin, refund_id, "again")

    assert again.status_code == 200, again.text
    await refunds.until_state(clock, refund_id, "done")


async def test_the_members_letters_tell_how_it_went(client, phone, admin, clock):
    _, refund_id = await frozen(client, phone, admin)
    await refunds.until_state(clock, refund_id, "done")
    await outbox.drain()

    letters = (await phone.call("GET", "/v1/member/inbox")).json()["items"]

    assert [letter["title"] for letter in letters[:2]] == ["充值退款成功", "充值退款处理中"]
    assert "¥80.00" in letters[0]["body"]
