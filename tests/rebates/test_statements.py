"""A scheme from its first day to its members' rebate accounts, with what comes back, late and twice."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.ledger import queries as ledger
from backend.ledger.events import SaleCompleted, SaleRefunded
from backend.members import service as members
from backend.rebates import handlers
from backend.rebates.commands import runs
from tests.support.books import fingerprint
from tests.support.levels import buy, give_back
from tests.support.members import register
from tests.support.rebates import (
    MINE,
    RUNS,
    again,
    draft,
    look,
    mine,
    over,
    plant_purchase,
    settle,
    start_scheme,
    work,
)

pytestmark = pytest.mark.usefixtures("a_month_of_its_own")


async def test_a_month_is_counted_closed_paid_and_used(client, office, chain, phone, books):
    admin = await again(office, chain, phone)
    scheme = await start_scheme(admin)
    first = await buy(client, chain.till, phone, 60_000)
    kernel_clock.shift(timedelta(minutes=11))  # at another store within ten minutes the phone would be asked
    await buy(client, chain.tills["S2"][0], phone, 90_000)
    await give_back(client, chain.till, first, 20_000)

    running = (await mine(phone))["running"]
    admin, month = await over(office, chain, phone)
    run = await draft(admin, month)
    before = await mine(phone)
    closed = await admin.post(f"{RUNS}/{run['id']}/close", {}, key=uuid.uuid4().hex)
    await admin.post(f"{RUNS}/{run['id']}/pay")
    await work()
    paid = await mine(phone)

    assert [(one["base_fen"], one["fen"], one["tier"], one["missing_fen"]) for one in running] == [
        (130_000, 3_500, 1, None)
    ]
    assert (run["state"], run["statements"], run["amount_fen"], run["payout_fen"]) == ("draft", 1, 3_500, 3_500)
    assert (before["rebate_fen"], before["statements"], closed.json()["state"]) == (0, [], "closed")
    assert (paid["rebate_fen"], paid["waiting_fen"], paid["statements"][0]["state"]) == (3_500, 0, "paid")
    statement_id = paid["statements"][0]["id"]
    detail = (await phone.call("GET", f"{MINE}/statements/{statement_id}")).json()
    (part,) = detail["parts"]
    assert (part["scheme_id"], part["stores"]) == (scheme, {"S1": 1_077, "S2": 2_423})
    assert sorted(line["fen"] for line in part["lines"]) == [40_000, 90_000]
    lots = await ledger.list_open_lots(phone.member_id, "rebate")
    assert sorted((lot.part, lot.remaining, lot.source) for lot in lots) == [
        (f"{scheme}/S1", 1_077, statement_id),
        (f"{scheme}/S2", 2_423, statement_id),
    ]
    costs = await db.fetch(
        "SELECT ref, sum(amount)::int AS fen FROM ledger_entry WHERE kind = 'house.rebate_cost' AND member_id = $1"
        " GROUP BY ref ORDER BY ref",
        phone.member_id,
    )
    assert [tuple(row) for row in costs] == [("S1", -1_077), ("S2", -2_423)]
    letters = (await phone.call("GET", "/v1/member/inbox")).json()["items"]
    assert [one["title"] for one in letters][:1] == ["返利到账"]
    entries = (await phone.call("GET", "/v1/member/wallet/entries?account=rebate")).json()["items"]
    assert [(one["title"], one["amount"], one["reference"]) for one in entries] == [("返利到账", 3_500, statement_id)]


async def test_facts_told_twice_and_out_of_order_come_to_the_same(client, office, chain, books):
    in_order, mixed = await register(client), await register(client)
    admin = await again(office, chain, in_order, mixed)
    await start_scheme(admin)
    for phone in (in_order, mixed):
        bought = await buy(client, chain.till, phone, 50_000)
        await give_back(client, chain.till, bought, 10_001)
    rows = await db.fetch("SELECT sale_id, refund_id FROM rebate_return WHERE member_id = $1", mixed.member_id)
    sale_id, refund_id = rows[0]
    for table in ("rebate_purchase", "rebate_return"):
        await db.pool().execute(f"DELETE FROM {table} WHERE member_id = $1", mixed.member_id)

    member = {"member_id": mixed.member_id, "sale_id": sale_id}
    for _ in range(2):
        async with db.transaction() as tx:
            await handlers.note_refund(SaleRefunded(**member, refund_id=refund_id, refund_fen=10_001), tx)
        async with db.transaction() as tx:
            await handlers.note_sale(SaleCompleted(**member, store_id="S1", payable_fen=50_000), tx)

    first, second = [(await mine(phone))["running"] for phone in (in_order, mixed)]
    assert first == second
    assert [(one["base_fen"], one["fen"], one["missing_fen"]) for one in second] == [(39_999, 799, 60_001)]


async def test_what_reaches_a_closed_month_is_a_correction_in_the_next_and_never_lowers_a_balance(
    client, office, chain, books
):
    phone, other = await register(client), await register(client)
    admin = await again(office, chain, phone, other)
    await start_scheme(admin)
    first = await buy(client, chain.till, phone, 100_000)
    await buy(client, chain.till, other, 1_000)
    admin, month = await over(office, chain, phone, other)
    november = await settle(admin, month)
    spent = (await mine(phone))["rebate_fen"]
    await give_back(client, chain.till, first, 100_000)
    await buy(client, chain.till, phone, 50_000)
    kept = (await mine(phone))["rebate_fen"]
    admin, month = await over(office, chain, phone, other)
    december = await settle(admin, month)
    owing = await mine(phone)
    await buy(client, chain.till, phone, 75_000)
    admin, month = await over(office, chain, phone, other)
    january = await settle(admin, month)
    after = await mine(phone)

    assert (november["payout_fen"], spent, kept) == (2_020, 2_000, 2_000)
    assert (december["amount_fen"], december["payout_fen"], december["statements"]) == (-1_000, 0, 1)
    assert (owing["rebate_fen"], owing["waiting_fen"]) == (2_000, -1_000)
    detail = (await phone.call("GET", f"{MINE}/statements/{owing['statements'][0]['id']}")).json()
    assert (detail["amount_fen"], detail["corrected_fen"], detail["carried_fen"], detail["state"]) == (
        *(1_000, -2_000, -1_000),
        "carried",
    )
    assert [(one["was_fen"], one["now_fen"], one["fen"]) for one in detail["corrections"]] == [(2_000, 0, -2_000)]
    assert (january["payout_fen"], after["rebate_fen"], after["waiting_fen"]) == (500, 2_500, 0)
    assert after["statements"][0]["brought_fen"] == -1_000


async def test_an_offline_sale_told_after_the_closing_is_paid_with_the_next(client, office, chain, phone, books):
    """By its lines, as any other: those that the scheme is about, at what they cost after the till's discount."""
    admin = await again(office, chain, phone)
    await start_scheme(admin, categories=["drinks"])
    number = (await phone.call("GET", "/v1/member/profile")).json()["member_no"]
    admin, month = await over(office, chain, phone)
    empty = await settle(admin, month)
    at = kernel_clock.now() - timedelta(days=3)
    body = {
        "member_no": number,
        "order_no": uuid.uuid4().hex[:12],
        "total_fen": 16_000,
        "lines": [
            {"sku": "X", "qty": 2, "unit_price_fen": 5_500, "category": "drinks", "discount_fen": 1_000},
            {"sku": "Y", "qty": 1, "unit_price_fen": 5_000, "category": "fruit"},
        ],
        "occurred_at": at.isoformat(),
    }
    told = await chain.till.post(client, "/v1/pos/accruals", body)
    await outbox.drain()
    admin, month = await over(office, chain, phone)
    run = await settle(admin, month)

    assert (told.status_code, empty["statements"], run["payout_fen"]) == (201, 0, 200)
    (statement,) = (await mine(phone))["statements"]
    assert (statement["corrected_fen"], statement["payout_fen"]) == (200, 200)


async def test_less_than_the_least_waits_and_the_last_statement_pays_it(client, office, chain, phone, books):
    admin = await again(office, chain, phone)
    scheme = await start_scheme(admin, min_payout_fen=300)
    await buy(client, chain.till, phone, 10_000)
    admin, month = await over(office, chain, phone)
    first = await settle(admin, month)
    waiting = await mine(phone)
    closed = await admin.post(f"/v1/admin/rebates/schemes/{scheme}/close", {})
    admin, month = await over(office, chain, phone)
    last = await settle(admin, month)

    assert (first["amount_fen"], first["payout_fen"], waiting["waiting_fen"]) == (200, 0, 200)
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert (last["amount_fen"], last["payout_fen"], (await mine(phone))["rebate_fen"]) == (0, 200, 200)


async def test_a_cancelled_draft_leaves_everything_as_it_was(client, office, chain, phone, books):
    admin = await again(office, chain, phone)
    await start_scheme(admin, min_payout_fen=300)
    first = await buy(client, chain.till, phone, 10_000)
    admin, month = await over(office, chain, phone)
    await settle(admin, month)
    await give_back(client, chain.till, first, 5_000)
    await buy(client, chain.till, phone, 40_000)
    admin, month = await over(office, chain, phone)
    run = await draft(admin, month)
    second = await admin.post(RUNS, {"period": "month", "first_on": month.isoformat()})
    cancelled = await admin.post(f"{RUNS}/{run['id']}/cancel")
    closed = await admin.post(f"{RUNS}/{run['id']}/close", {}, key=uuid.uuid4().hex)
    once_more = await settle(admin, month)

    assert (second.status_code, second.json()["code"]) == (409, "rebate_period_done")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (closed.status_code, closed.json()["code"]) == (409, "rebate_run_conflict")
    assert (run["payout_fen"], once_more["payout_fen"]) == (900, 900)
    assert (await mine(phone))["rebate_fen"] == 900


async def test_a_purchase_that_is_being_noted_while_statements_are_made_is_in_them(client, office, chain, phone):
    admin = await again(office, chain, phone)
    await start_scheme(admin)
    admin, month = await over(office, chain, phone)

    noted, over_with_it = asyncio.Event(), asyncio.Event()

    async def note() -> None:
        async with db.transaction() as tx:
            await members.lock(tx, phone.member_id)
            await plant_purchase(phone.member_id, month, 60_000, tx)
            noted.set()
            await over_with_it.wait()

    noting = asyncio.create_task(note())
    await noted.wait()
    made = await admin.post(RUNS, {"period": "month", "first_on": month.isoformat()})
    working = asyncio.create_task(work())
    await asyncio.sleep(0.5)
    over_with_it.set()
    await asyncio.gather(noting, working)

    run = await look(admin, made.json()["id"])
    cancelled = await admin.post(f"{RUNS}/{run['id']}/cancel")
    assert (run["amount_fen"], cancelled.status_code) == (1_200, 200)


async def test_two_who_pay_and_two_jobs_pay_each_statement_once(client, office, chain, books, settings, monkeypatch):
    phones = [await register(client) for _ in range(5)]
    admin = await again(office, chain, *phones)
    await start_scheme(admin)
    for phone in phones:
        await buy(client, chain.till, phone, 10_000)
    admin, month = await over(office, chain, *phones)
    run = await draft(admin, month)
    await admin.post(f"{RUNS}/{run['id']}/close", {}, key=uuid.uuid4().hex)
    monkeypatch.setattr("backend.rebates.commands.paying.AT_ONCE", 2)

    await asyncio.gather(*(admin.post(f"{RUNS}/{run['id']}/pay") for _ in range(2)))
    await runs._step()
    stopped = await admin.post(f"{RUNS}/{run['id']}/cancel")
    await outbox.drain()
    resting = await fingerprint(settings)
    await work()
    still = await fingerprint(settings)
    await admin.post(f"{RUNS}/{run['id']}/pay")
    await asyncio.gather(*(runs.go_on() for _ in range(3)))
    await work()
    done = await look(admin, run["id"])

    assert (stopped.json()["state"], stopped.json()["paid"], resting == still) == ("closed", 2, True)
    assert (done["state"], done["paid"], done["paid_fen"], done["refused"]) == ("paid", 5, 1_000, 0)
    assert [(await mine(phone))["rebate_fen"] for phone in phones] == [200] * 5
    all_paid = await admin.post(f"{RUNS}/{run['id']}/pay")
    assert (all_paid.status_code, all_paid.json()["code"]) == (409, "rebate_run_conflict")


async def test_a_step_that_is_cut_short_pays_nothing_and_the_next_pays_all_once(
    client, office, chain, books, settings, monkeypatch
):
    phones = [await register(client) for _ in range(3)]
    admin = await again(office, chain, *phones)
    await start_scheme(admin)
    for phone in phones:
        await buy(client, chain.till, phone, 10_000)
    admin, month = await over(office, chain, *phones)
    run = await draft(admin, month)
    await admin.post(f"{RUNS}/{run['id']}/close", {}, key=uuid.uuid4().hex)
    await admin.post(f"{RUNS}/{run['id']}/pay")
    before = await fingerprint(settings)

    with monkeypatch.context() as patch:  # the books have taken it, and nothing is committed
        patch.setattr("backend.rebates.commands.paying.plans.first_end", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await runs.go_on()
    cut_short = await fingerprint(settings)
    await work()

    assert cut_short == before
    assert [(await mine(phone))["rebate_fen"] for phone in phones] == [200] * 3
    assert (await look(admin, run["id"]))["paid_fen"] == 600


async def test_a_purchase_that_is_noted_while_the_run_begins_is_in_it_or_in_the_next(
    client, office, chain, phone, books
):
    admin = await again(office, chain, phone)
    await start_scheme(admin)
    sold = await buy(client, chain.till, phone, 10_000)
    await db.pool().execute("DELETE FROM rebate_purchase WHERE sale_id = $1", sold)
    admin, month = await over(office, chain, phone)

    noted, over_now = asyncio.Event(), asyncio.Event()

    async def note() -> None:
        event = SaleCompleted(member_id=phone.member_id, sale_id=sold, store_id="S1", payable_fen=10_000)
        async with db.transaction() as tx:
            await handlers.note_sale(event, tx)
            noted.set()  # it saw no run, and is not over yet
            await over_now.wait()

    noting = asyncio.create_task(note())
    await noted.wait()
    made = await admin.post(RUNS, {"period": "month", "first_on": month.isoformat()})
    working = asyncio.create_task(runs.go_on())
    await asyncio.sleep(0.3)
    waiting = await look(admin, made.json()["id"])
    over_now.set()
    await asyncio.gather(noting, working)
    await work()

    run = await look(admin, made.json()["id"])
    assert (waiting["state"], waiting["done"]) == ("building", 0)
    assert (run["state"], run["statements"], run["payout_fen"]) == ("draft", 1, 200)
    await admin.post(f"{RUNS}/{run['id']}/cancel")
