"""Members who are merged, leave, or are noted while a period's statements are made and paid."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest
import pytest_asyncio

from backend.kernel import clock as kernel_clock
from backend.kernel import db, outbox
from backend.ledger import queries as ledger
from backend.ledger.events import SaleCompleted
from backend.members import service as members
from backend.privacy.commands import erasing
from backend.rebates import handlers, service
from backend.rebates.commands import building, clockwork, runs
from tests.support.coupons import log_in_again
from tests.support.levels import buy, give_back
from tests.support.members import register
from tests.support.merging import another, merge
from tests.support.rebates import (
    RUNS,
    SCHEMES,
    again,
    draft,
    end_the_month,
    look,
    mine,
    over,
    settle,
    start_scheme,
    this_month,
    today,
    work,
)
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("a_month_of_its_own")


@pytest_asyncio.fixture(loop_scope="session")
async def two(client):
    """Two members, in the order in which runs look at them."""
    return sorted([await register(client), await register(client)], key=lambda phone: phone.member_id)


async def close_and_pay(admin, run) -> None:
    await admin.post(f"{RUNS}/{run['id']}/close", {}, key=uuid.uuid4().hex)
    await admin.post(f"{RUNS}/{run['id']}/pay")
    await work()


async def test_who_is_merged_between_two_steps_of_a_run_is_given_for_once(
    client, office, chain, two, books, monkeypatch
):
    """The source's statement is made, the target's is not: theirs says what both come to, less what is said already."""
    source, target = two
    admin = await again(office, chain, *two)
    await start_scheme(admin)
    await buy(client, chain.till, source, 60_000)
    await buy(client, chain.till, target, 50_000)
    await another(office, chain, admin)
    admin, month = await over(office, chain, *two)
    second = await log_in(office, chain, "second")
    monkeypatch.setattr(building, "AT_ONCE", 1)
    made = (await admin.post(RUNS, {"period": "month", "first_on": month.isoformat()})).json()

    while not await db.fetchval("SELECT count(*) FROM rebate_statement WHERE run_id = $1", made["id"]):
        await runs._step()
    await merge(admin, second, source, target)
    await work()
    run = await look(admin, made["id"])
    await close_and_pay(admin, run)

    said = await db.fetch(
        "SELECT member_id, holder_id, amount_fen, corrected_fen, payout_fen FROM rebate_statement WHERE run_id = $1"
        " ORDER BY member_id",
        made["id"],
    )
    assert [tuple(row)[2:] for row in said] == [(1_200, 0, 1_200), (0, 1_300, 1_300)]  # 5 % of the ¥100 above ¥1,000
    assert {row["holder_id"] for row in said} == {target.member_id}
    await log_in_again(target)
    assert (await mine(target))["rebate_fen"] == run["payout_fen"] == 2_500


async def test_a_purchase_whose_member_is_merged_while_it_waits_is_not_lost_to_a_run(
    client, office, chain, two, books, monkeypatch
):
    """It is noted for the target, and holds the target: a run that begins then waits for it."""
    target, source = two
    monkeypatch.setattr(building, "AT_ONCE", 1)
    admin = await again(office, chain, *two)
    await start_scheme(admin)
    sold = await buy(client, chain.till, source, 10_000)
    await db.pool().execute("DELETE FROM rebate_purchase WHERE sale_id = $1", sold)
    admin, month = await over(office, chain, *two)
    held, noted, over_now = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def note() -> None:
        await held.wait()
        event = SaleCompleted(member_id=source.member_id, sale_id=sold, store_id="S1", payable_fen=10_000)
        async with db.transaction() as tx:
            await handlers.note_sale(event, tx)
            noted.set()
            await over_now.wait()

    noting = asyncio.create_task(note())
    async with db.transaction() as tx:
        await members.lock_held(tx, [source.member_id, target.member_id])
        held.set()
        await asyncio.sleep(0.1)  # it waits for the source
        await service.move(tx, source.member_id, target.member_id)
    async with asyncio.timeout(10):
        await noted.wait()
    made = (await admin.post(RUNS, {"period": "month", "first_on": month.isoformat()})).json()
    working = asyncio.create_task(runs.go_on())
    await asyncio.sleep(0.3)
    over_now.set()
    await asyncio.gather(noting, working)
    await work()

    run = await look(admin, made["id"])
    assert (run["state"], run["statements"], run["payout_fen"]) == ("draft", 1, 200)
    await admin.post(f"{RUNS}/{run['id']}/cancel")
    for sql in (
        "UPDATE rebate_purchase SET member_id = $1 WHERE member_id = $2",
        "DELETE FROM rebate_late WHERE member_id IN ($1, $2)",
        "DELETE FROM rebate_moved WHERE member_id = $1 AND target_id = $2",
    ):
        await db.pool().execute(sql, source.member_id, target.member_id)


async def test_who_leaves_gives_up_what_is_there_and_what_would_have_come(client, office, chain, phone, books):
    admin = await again(office, chain, phone)
    await start_scheme(admin)
    await buy(client, chain.till, phone, 60_000)
    admin, month = await over(office, chain, phone)
    paid = await settle(admin, month)
    await buy(client, chain.till, phone, 50_000)
    admin, month = await over(office, chain, phone)
    unpaid = await draft(admin, month)
    await admin.post(f"{RUNS}/{unpaid['id']}/close", {}, key=uuid.uuid4().hex)
    await buy(client, chain.till, phone, 40_000)
    assert (await phone.call("PUT", "/v1/member/pin", {"pin": "135791"})).status_code == 204

    wish = await phone.call("POST", "/v1/member/privacy/erasure", {"pin": "135791", "give_up": True})
    kernel_clock.shift(timedelta(days=7))
    await erasing.run(wish.json()["id"])
    await outbox.drain()
    admin = await again(office, chain)
    await admin.post(f"{RUNS}/{unpaid['id']}/pay")
    await work()
    end_the_month()
    admin = await again(office, chain)
    after = await settle(admin, (this_month() - timedelta(days=1)).replace(day=1))
    await clockwork.roll_up()

    stakes = {one["code"]: one["amount"] for one in wish.json()["given_up"]}
    assert (stakes["rebate"], stakes["rebate_waiting"], paid["paid_fen"]) == (1_200, 1_000, 1_200)
    assert await db.fetchval("SELECT status FROM member WHERE id = $1", phone.member_id) == "erased"
    refused = await look(admin, unpaid["id"])
    assert (refused["state"], refused["paid"], refused["refused"]) == ("paid", 0, 1)
    listed = (await admin.get(f"{RUNS}/{unpaid['id']}/statements?refused=true")).json()["items"]
    assert [one["refusal"] for one in listed] == ["member_erased"]
    assert (after["statements"], after["payout_fen"]) == (0, 0)
    assert (await ledger.get_balances(phone.member_id)).get("rebate", 0) == 0
    cost = "SELECT sum(amount)::int FROM ledger_entry WHERE kind = 'house.rebate_cost' AND member_id = $1"
    assert await db.fetchval(cost, phone.member_id) == 0
    report = (await admin.get(f"/v1/admin/rebates/report?from={paid['first_on']}&to={paid['first_on']}")).json()
    assert [(one["paid_fen"], one["expired_fen"], one["left_fen"]) for one in report["items"]] == [(1_200, 1_200, 0)]


async def test_what_a_groups_people_buy_counts_for_its_owner_where_a_scheme_says_so(client, office, chain, two, books):
    """Also what comes back after the closing, and after they have left the group."""
    owner, person = two
    admin = await again(office, chain, *two)
    await start_scheme(admin, for_owner=True)
    group = (await admin.post("/v1/admin/groups", {"number": uuid.uuid4().hex[:12], "name": "一号公司"})).json()
    people = f"/v1/admin/groups/{group['id']}/members"
    roles = {"owner": owner, "member": person}
    joined = [
        await admin.post(people, {"member_no": one.member["member_no"], "role": role}) for role, one in roles.items()
    ]
    assert [one.status_code for one in joined] == [201, 201]
    await buy(client, chain.till, owner, 50_000)
    bought = await buy(client, chain.till, person, 60_000)

    running = [(await mine(phone))["running"] for phone in two]
    admin, month = await over(office, chain, *two)
    first = await settle(admin, month)
    left = await admin.post(f"{people}/{joined[1].json()['id']}/remove")
    await give_back(client, chain.till, bought, 60_000)
    admin, month = await over(office, chain, *two)
    second = await settle(admin, month)

    assert [[one["base_fen"] for one in shown] for shown in running] == [[110_000], []]
    assert (first["statements"], first["payout_fen"]) == (1, 2_500)  # 2 % of ¥1,000, 5 % of the rest
    assert left.status_code == 204, left.text
    assert (second["statements"], second["amount_fen"], second["payout_fen"]) == (1, -1_500, 0)
    assert [(await mine(phone))["rebate_fen"] for phone in two] == [2_500, 0]
    assert (await mine(owner))["waiting_fen"] == -1_500


async def test_a_quarters_statement_does_not_pay_what_waits_for_a_months_least(client, office, chain, phone, books):
    while this_month().month % 3:
        end_the_month()
    admin = await again(office, chain, phone)
    await start_scheme(admin, min_payout_fen=3_000)
    quarter = today().replace(month=today().month - 2, day=1)
    terms = {"tiers": [{"from_fen": 10**9, "rate_bp": 100}]}
    body = {"title": "季度返利", "period": "quarter", "first_on": quarter.isoformat(), "terms": terms}
    made = await admin.post(SCHEMES, body)
    assert (await admin.post(f"{SCHEMES}/{made.json()['id']}/activate")).status_code == 200
    await buy(client, chain.till, phone, 10_000)
    admin, month = await over(office, chain, phone)

    monthly = await settle(admin, month)
    begun = await admin.post(RUNS, {"period": "quarter", "first_on": quarter.isoformat()})
    await work()
    run = await look(admin, begun.json()["id"])
    await close_and_pay(admin, run)

    assert (monthly["amount_fen"], monthly["payout_fen"], run["payout_fen"]) == (200, 0, 0)
    shown = await mine(phone)
    assert (shown["rebate_fen"], shown["waiting_fen"]) == (0, 200)
