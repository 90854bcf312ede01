"""Lots age: pending points become available, and what was not used in time expires."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest

from backend.kernel import clock as kernel_clock
from backend.ledger import plans as ledger_plans
from backend.ledger import queries as ledger
from backend.ledger import service
from backend.ledger.plans import Issue, Leg, Plan
from backend.wallet import plans, queries
from backend.wallet.commands import lots
from tests.support.members import register
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")


def today() -> date:
    return kernel_clock.local_date(kernel_clock.now(), "Asia/Shanghai")


async def post(member_id: int, *legs: Leg) -> None:
    plan = Plan(
        member_id=member_id, kind="gift", at=kernel_clock.now(), on=today(), scope="test", key=uuid.uuid4().hex,
        hash="00" * 32, legs=legs,
    )  # fmt: skip
    await service.post(plan)


async def pend(member_id: int, *issues: Issue) -> None:
    amount = sum(issue.amount for issue in issues)
    await post(
        member_id,
        Leg(ledger_plans.POINTS_PENDING, "points", amount, issue=issues),
        Leg(ledger_plans.HOUSE_POINTS_ISSUED, "points", -amount),
    )


async def owe(member_id: int, points: int) -> None:
    await post(
        member_id,
        Leg(ledger_plans.POINTS_DEBT, "points", points),
        Leg(ledger_plans.HOUSE_POINTS_RECEIVABLE, "points", -points),
    )


async def entries(member_id: int, account: str):
    found = await queries.list_entries(member_id, account, before=None, limit=50)
    return [(entry.kind, entry.amount, entry.balance_after) for entry in found]


async def test_what_expired_yesterday_goes_and_what_ends_today_stays(phone):
    member_id, on = phone.member_id, today()
    await give(member_id, principal=1_000, bonus=300, bonus_until=on - timedelta(days=1))
    await give(member_id, bonus=200, bonus_until=on)
    await give(member_id, points=70, points_until=on - timedelta(days=2))
    await give(member_id, points=30, points_until=on - timedelta(days=1))
    await give(member_id, points=50, points_until=on)

    moved = await lots.expire_lots(kernel_clock.now())

    assert moved == 2
    assert await ledger.get_balances(member_id) == {"stored": 1_200, "points": 50}
    assert (await entries(member_id, "stored"))[0] == ("expiry", -300, 1_200)
    assert (await entries(member_id, "points"))[0] == ("expiry", -100, 50)
    assert await lots.expire_lots(kernel_clock.now()) == 0


async def test_of_a_lot_that_was_spent_from_the_rest_expires(phone):
    await give(phone.member_id, bonus=300, bonus_until=today())
    await post(
        phone.member_id,
        Leg(ledger_plans.STORED, "fen", -100),
        Leg(ledger_plans.HOUSE_SALES, "fen", 100),
    )

    await lots.expire_lots(kernel_clock.now() + timedelta(days=1))

    assert (await entries(phone.member_id, "stored"))[0] == ("expiry", -200, 0)


async def test_coupons_that_expired_are_left_to_their_own_domain_and_hold_nobody_up(client, phone, chain):
    """Not even where so many of them are due that whole lists of the sweep hold nothing else."""
    on, other = today(), await register(client)
    for number in range(3):
        legs = ledger_plans.issue_coupon(f"C{number}", "T1", "uses", 1, expires_on=on - timedelta(days=9))
        await post(other.member_id, *legs)
    await give(phone.member_id, points=70, points_until=on - timedelta(days=1))

    assert await lots.expire_lots(kernel_clock.now(), batch=2) == 1

    assert (await ledger.get_balances(phone.member_id))["points"] == 0
    assert [held.balance for held in await ledger.list_refs(other.member_id, "coupon")] == [1, 1, 1]


async def test_one_whose_lots_cannot_be_moved_holds_nobody_up(client, phone, chain, monkeypatch):
    members = [phone.member_id, *[(await register(client)).member_id for _ in range(2)]]
    for member_id in members:
        await give(member_id, points=10, points_until=today() - timedelta(days=1))
    first = min(members)
    expire = plans.expire
    monkeypatch.setattr(
        plans,
        "expire",
        lambda member_id, *rest, **more: expire(-1 if member_id == first else member_id, *rest, **more),
    )

    assert await lots.expire_lots(kernel_clock.now(), batch=1) == 2

    assert sorted([(await ledger.get_balances(member_id))["points"] for member_id in members]) == [0, 0, 10]
    monkeypatch.undo()
    assert await lots.expire_lots(kernel_clock.now()) == 1


async def test_what_the_run_left_half_done_is_taken_up_again(client, phone, chain):
    members = [phone.member_id, *[(await register(client)).member_id for _ in range(2)]]
    for member_id in members:
        await give(member_id, points=10, points_until=today() - timedelta(days=1))

    assert await lots.expire_lots(kernel_clock.now(), batch=1, batches=2) == 2
    assert await lots.expire_lots(kernel_clock.now(), batch=1, batches=9) == 1

    assert [(await ledger.get_balances(member_id))["points"] for member_id in members] == [0, 0, 0]


async def test_points_given_back_to_an_expired_lot_expire_too(phone):
    member_id, on = phone.member_id, today()
    await give(member_id, points=10, points_until=on - timedelta(days=1))
    await lots.expire_lots(kernel_clock.now())
    (lot,) = await ledger.list_lots_of(member_id, (await ledger.list_lots(member_id, [1]))[1].source)
    await post(
        member_id,
        Leg(ledger_plans.POINTS, "points", 4, lots=((lot.lot_id, 4),)),
        Leg(ledger_plans.HOUSE_POINTS_REDEEMED, "points", -4),
    )

    assert await lots.expire_lots(kernel_clock.now()) == 1

    assert (await ledger.get_balances(member_id))["points"] == 0


async def test_stored_value_that_a_refund_brings_back_to_an_ended_lot_is_not_spent_again(client, phone, chain, clock):
    on = today()
    await give(phone.member_id, bonus=300, bonus_until=on, principal=1_000)
    sold = (await chain.till.sell(client, phone.code(), fen=400)).json()
    clock.shift(timedelta(days=1, hours=1))

    back = await chain.till.post(
        client, f"/v1/pos/sales/{sold['id']}/refunds", {"amount_fen": 400, "reason": "退货"}, key=uuid.uuid4().hex
    )
    held = [(lot.part, lot.remaining) for lot in await ledger.list_open_lots(phone.member_id, ledger_plans.STORED)]
    seen = await queries.get_wallet(phone.member_id, today())
    dear = await chain.till.sell(client, phone.code(), fen=1_001)
    moved = await lots.expire_lots(kernel_clock.now())

    assert back.status_code == 201, back.text
    assert sorted(held) == [("bonus", 300), ("principal", 1_000)]
    assert (seen.stored.total_fen, seen.stored.bonus_fen) == (1_000, 0)  # what has ended is not shown as money to spend
    assert dear.json()["code"] == "insufficient_balance"
    assert moved == 1
    assert (await ledger.get_balances(phone.member_id))["stored"] == 1_000
    assert await entries(phone.member_id, "stored") == [
        ("expiry", -300, 1_000), ("refund", 400, 1_300), ("sale", -400, 900), ("gift", 1_300, 1_300),
    ]  # fmt: skip


async def test_pending_points_become_available_on_their_day_with_their_source_and_end(phone):
    member_id, on = phone.member_id, today()
    end = on + timedelta(days=300)
    await pend(
        member_id,
        Issue("earned", 40, expires_on=end, matures_on=on, source="S1"),
        Issue("earned", 60, expires_on=end, matures_on=on + timedelta(days=1), source="S2"),
    )

    assert await lots.mature_points(kernel_clock.now()) == 1

    assert await ledger.get_balances(member_id) == {"points": 40, "points_pending": 60}
    (lot,) = await ledger.list_open_lots(member_id, "points")
    assert (lot.part, lot.source, lot.remaining, lot.expires_on) == ("earned", "S1", 40, end)
    assert await entries(member_id, "points") == [("maturity", 40, 40)]
    assert await lots.mature_points(kernel_clock.now()) == 0


async def test_maturing_points_pay_what_is_owed_first(phone):
    member_id, on = phone.member_id, today()
    await owe(member_id, 50)
    await pend(
        member_id,
        Issue("earned", 30, expires_on=on + timedelta(days=10), matures_on=on, source="S1"),
        Issue("earned", 45, expires_on=on + timedelta(days=20), matures_on=on, source="S2"),
    )

    await lots.mature_points(kernel_clock.now())

    assert await ledger.get_balances(member_id) == {"points": 25, "points_debt": 0, "points_pending": 0}
    (lot,) = await ledger.list_open_lots(member_id, "points")
    assert (lot.source, lot.remaining) == ("S2", 25)
    assert await entries(member_id, "points") == [("maturity", 75, 25), ("gift", -50, -50)]


async def test_a_debt_larger_than_what_matures_takes_all_of_it(phone):
    await owe(phone.member_id, 50)
    await pend(phone.member_id, Issue("earned", 20, matures_on=today(), source="S1"))

    await lots.mature_points(kernel_clock.now())

    assert await ledger.get_balances(phone.member_id) == {"points_debt": 30, "points_pending": 0}
    wallet = await phone.wallet()
    assert wallet["points"] == {"available": -30, "pending": 0, "expiring": []}


async def test_the_months_ahead_have_their_tables(database):
    await service.make_partitions(date(2031, 1, 1), 2)

    assert await service.make_partitions(date(2031, 1, 1), 2) == 0
    assert await service.make_partitions(date(2031, 2, 1), 2) == 2
