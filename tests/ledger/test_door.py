"""What the door refuses, and that a refusal leaves every table as it was, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from backend.kernel import clock, db
from backend.kernel.errors import DomainError
from backend.ledger import errors, plans, queries, service
from backend.ledger.plans import Cap, Claim, CodeUse, DocumentUpdate, Guard, Issue, Leg, NewDocument, Plan, Saw
from tests.support.books import changed, connected, fingerprint, open_books, plan, points, sale_document, stored
from tests.support.value import findings

GONE = timedelta(days=1)


async def prepared() -> int:
    """A member with 500 fen in two lots, 20 points, debt 3, a document, a mark, a counter and a claim."""
    member_id = await open_books()
    await service.post(plan(member_id, *stored(300), *points(20), key=f"first-{member_id}"))
    lots = (Issue("bonus", 200, expires_on=(clock.now() + GONE).date()),)
    await service.post(
        plan(
            member_id,
            Leg(plans.STORED, plans.FEN, 200, issue=lots),
            Leg(plans.HOUSE_BONUS, plans.FEN, -200),
            Leg(plans.POINTS_DEBT, plans.POINT, 3),
            Leg(plans.HOUSE_POINTS_RECEIVABLE, plans.POINT, -3),
            document=NewDocument(f"D{member_id}", "note", "open", {"a": 1}),
            claim=Claim("order/S1", f"N{member_id}"),
            guards=(
                Guard("device:1", "above", 100, "code_used"),
                Guard("scan:1", "once", 1, "code_used", expires_at=clock.now()),
                Guard("day", "add", 60, "over", cap=100, expires_at=clock.now()),
            ),
            use=CodeUse("S1"),
        )
    )
    return member_id


def other_hash(member_id: int) -> Plan:
    return plan(member_id, *stored(1), key=f"first-{member_id}", hash=hashlib.sha256(b"other").hexdigest())


def of_leg(**fields: Any) -> Callable[[int], Plan]:
    def make(member_id: int) -> Plan:
        mine, house = stored(-10)
        return plan(member_id, msgspec.structs.replace(mine, **fields), house)

    return make


def with_guard(guard: Guard) -> Callable[[int], Plan]:
    return lambda member_id: plan(member_id, *stored(1), guards=(guard,))


def with_legs(*legs: Leg, **more: Any) -> Callable[[int], Plan]:
    return lambda member_id: plan(member_id, *legs, **more)


def update(member_id: int, version: int) -> Plan:
    return plan(member_id, *stored(1), update=DocumentUpdate(f"D{member_id}", version, state="closed"))


def used_elsewhere(member_id: int) -> Plan:
    return plan(member_id, *stored(1), use=CodeUse("S2", 600, "two_stores"))


def taken_order(member_id: int) -> Plan:
    document = sale_document(f"X{member_id}", {})
    return plan(member_id, *stored(1), document=document, claim=Claim("order/S1", f"N{member_id}"))


FEN, POINT, USES = plans.FEN, plans.POINT, plans.USES
A_LOT = (Issue("principal", 10),)

REFUSED: dict[str, tuple[type[DomainError], Callable[[int], Plan]]] = {
    "more than there is": (errors.InsufficientBalance, with_legs(*stored(-501))),
    "more points than there are": (errors.InsufficientBalance, with_legs(*points(-21))),
    "from an account never used": (
        errors.InsufficientBalance,
        with_legs(Leg(plans.REBATE, FEN, -1), Leg(plans.HOUSE_SALES, FEN, 1)),
    ),
    "more debt than is owed": (
        errors.InsufficientBalance,
        with_legs(Leg(plans.POINTS_DEBT, POINT, -4), Leg(plans.HOUSE_POINTS_RECEIVABLE, POINT, 4)),
    ),
    "what has expired by that day": (
        errors.InsufficientBalance,
        lambda m: plan(m, *stored(-301), on=(clock.now() + GONE + GONE).date()),
    ),
    "the second leg only": (errors.InsufficientBalance, with_legs(*stored(-100), *points(-21))),
    "a key with another hash": (errors.IdempotencyConflict, other_hash),
    "a document that moved": (errors.Stale, lambda m: update(m, 2)),
    "a document that is not there": (
        errors.Stale,
        lambda m: plan(m, *stored(1), update=DocumentUpdate("nothing", 1)),
    ),
    "a balance that moved": (errors.Stale, with_legs(*stored(1), saw=(Saw(plans.POINTS_DEBT, 2),))),
    "a balance that was never there": (errors.Stale, with_legs(*stored(1), saw=(Saw(plans.REBATE, 1),))),
    "another share of bonus": (errors.Stale, of_leg(bonus=9)),
    "a lot with too little": (errors.Stale, of_leg(amount=-10, lots=((1, -301), (2, 291)))),
    "more of its lots than there is": (errors.Stale, with_legs(*stored(-501, lots=((1, -301), (2, -200))))),
    "a lot above what it was": (errors.Stale, with_legs(*stored(1, lots=((1, 1),)))),
    "a lot of another account": (errors.Stale, of_leg(lots=((2, -10),))),
    "a lot that is not there": (errors.Stale, of_leg(lots=((99, -10),))),
    "a step not above the last": (errors.GuardRefused, with_guard(Guard("device:1", "above", 100, "code_used"))),
    "a step below the last": (errors.GuardRefused, with_guard(Guard("device:1", "above", 99, "code_used"))),
    "a mark that is there": (errors.GuardRefused, with_guard(Guard("scan:1", "once", 2, "code_used"))),
    "a counter above its cap": (errors.GuardRefused, with_guard(Guard("day", "add", 41, "over", cap=100))),
    "a new counter above its cap": (errors.GuardRefused, with_guard(Guard("new", "add", 101, "over", cap=100))),
    "a code used at another store": (errors.GuardRefused, used_elsewhere),
    "more than may be held": (
        errors.GuardRefused,
        with_legs(*stored(10, issue=(Issue("principal", 10),)), caps=(Cap((plans.STORED,), 509, "full"),)),
    ),
    "more than accounts may hold together": (
        errors.GuardRefused,
        with_legs(
            Leg(plans.STORED, FEN, -10),
            Leg(plans.STORED_HELD, FEN, 10, issue=(Issue("principal", 10),)),
            caps=(Cap((plans.STORED, plans.STORED_HELD), 499, "full"),),
        ),
    ),
    "an order number that is taken": (errors.Claimed, taken_order),
    "legs that do not sum to zero": (errors.PlanInvalid, with_legs(stored(10)[0])),
    "units that make up for each other": (
        errors.PlanInvalid,
        with_legs(Leg(plans.STORED, FEN, 10, issue=A_LOT), Leg(plans.HOUSE_POINTS_ISSUED, POINT, -10)),
    ),
    "points kept as fen": (
        errors.PlanInvalid,
        with_legs(Leg(plans.STORED, POINT, 10, issue=A_LOT), Leg(plans.HOUSE_POINTS_ISSUED, POINT, -10)),
    ),
    "fen taken as points": (
        errors.PlanInvalid,
        with_legs(Leg(plans.STORED, POINT, -10), Leg(plans.HOUSE_POINTS_REDEEMED, POINT, 10)),
    ),
    "uses that make up for fen": (
        errors.PlanInvalid,
        with_legs(Leg(plans.COUPON, USES, 10, ref="C1", issue=A_LOT), Leg(plans.HOUSE_SALES, FEN, -10)),
    ),
    "uses that do not sum to zero": (
        errors.PlanInvalid,
        with_legs(*stored(10), Leg(plans.HOUSE_COUPONS_USED, USES, 1, ref="T1")),
    ),
    "a unit that is none": (
        errors.PlanInvalid,
        with_legs(Leg(plans.HOUSE_PSP, "gold", -10), Leg(plans.HOUSE_SALES, "gold", 10)),
    ),
    "a credit without lots": (
        errors.PlanInvalid,
        with_legs(Leg(plans.STORED, FEN, 10), Leg(plans.HOUSE_PSP, FEN, -10)),
    ),
    "lots of less than the leg": (errors.PlanInvalid, with_legs(*stored(10, issue=(Issue("principal", 9),)))),
    "lots of more than the leg": (errors.PlanInvalid, with_legs(*stored(10, issue=(Issue("principal", 11),)))),
    "named lots of less than the leg": (errors.PlanInvalid, of_leg(lots=((1, -9),))),
    "a taking that also issues": (errors.PlanInvalid, of_leg(issue=A_LOT)),
    "a lot of less than nothing": (
        errors.PlanInvalid,
        with_legs(*stored(10, issue=(Issue("principal", 11), Issue("bonus", -1)))),
    ),
    "nothing": (errors.PlanInvalid, with_legs(Leg(plans.HOUSE_PSP, FEN, 0))),
    "too much at once": (errors.PlanInvalid, with_legs(*stored(10**11 + 1))),
    "a document that is there": (
        errors.PlanInvalid,
        lambda m: plan(m, *stored(1), document=NewDocument(f"D{m}", "note", "open", {})),
    ),
    "a lot moved twice in one transfer": (
        errors.PlanInvalid,
        with_legs(*stored(-10, lots=((1, -4), (1, -6)))),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal_changes_nothing(settings, database, name):
    refusal, make = REFUSED[name]
    member_id = await prepared()
    before = await fingerprint(settings)

    with pytest.raises(refusal) as alone:
        await service.post(make(member_id))
    with pytest.raises(refusal) as inside:
        async with db.transaction() as tx:
            await service.post_in(tx, make(member_id))

    assert type(alone.value) is type(inside.value) is refusal
    assert await fingerprint(settings) == before


async def test_a_refused_plan_may_be_tried_again_with_its_key(database):
    member_id = await open_books()
    wish = plan(member_id, *stored(-50), key="again")
    with pytest.raises(errors.InsufficientBalance):
        await service.post(wish)

    await service.post(plan(member_id, *stored(50)))

    assert (await service.post(wish)).balances == {"stored": 0}


async def test_a_key_gives_its_first_answer_whatever_the_plan_says_now(settings, database):
    member_id = await prepared()
    wish = plan(member_id, *stored(-50), key="sold")
    first = await service.post(wish)
    await service.post(plan(member_id, *stored(-100)))
    before = await fingerprint(settings)

    again = await service.post(changed(wish, legs=stored(-400), guards=(Guard("device:1", "above", 1, "code_used"),)))

    assert again == msgspec.structs.replace(first, replayed=True)
    assert await fingerprint(settings) == before


async def test_a_key_belongs_to_one_member(settings, database):
    one, other = await open_books(), await open_books()
    await service.post(plan(one, *stored(10), key="mine"))
    before = await fingerprint(settings)

    with pytest.raises(errors.IdempotencyConflict):
        await service.post(plan(other, *stored(10), key="mine"))

    assert await fingerprint(settings) == before


@pytest.mark.parametrize("version", [None, 0, 2, "x"])
async def test_refuses_another_format_version(settings, member_id, version):
    fields = msgspec.json.decode(plans.encode(plan(member_id, *stored(10))))
    document = msgspec.json.encode(fields | {"v": version}).decode()
    before = await fingerprint(settings)

    with pytest.raises(asyncpg.PostgresError):
        await db.fetchval("SELECT ledger_post($1, $2::text::jsonb)", member_id, document)

    assert await fingerprint(settings) == before


async def test_refuses_a_member_without_books(settings, database):
    before = await fingerprint(settings)

    with pytest.raises(errors.MemberUnknown):
        await service.post(plan(4711, *stored(10)))

    assert await fingerprint(settings) == before


async def test_refuses_a_plan_for_an_active_member_where_the_member_is_not(settings, member_id):
    async with db.transaction() as tx:
        await service.set_member_status(tx, member_id, active=False)
    before = await fingerprint(settings)

    with pytest.raises(errors.MemberInactive):
        await service.post(plan(member_id, *stored(10), active=True))
    assert await fingerprint(settings) == before

    await service.post(plan(member_id, *stored(10)))  # a refund is for a frozen member too


async def test_a_refusal_inside_a_transaction_takes_the_caller_s_rows_with_it(settings, member_id):
    before = await fingerprint(settings)

    async def write_and_post() -> None:
        async with db.transaction() as tx:
            await db.raw(tx).execute(
                "INSERT INTO outbox (member_id, name, body, at) VALUES ($1, 'x', '{}', $2)", member_id, clock.now()
            )
            await service.post_in(tx, plan(member_id, *stored(-1)))

    with pytest.raises(errors.InsufficientBalance):
        await write_and_post()

    assert await fingerprint(settings) == before


async def test_a_release_frees_its_own_name_and_no_other_of_the_store(settings, database):
    """An order number that was sold stays taken when another order of the same member is given up."""
    member_id = await prepared()
    waiting, order = f"W{member_id}", Claim("order/S1", f"W{member_id}")
    await service.post(plan(member_id, document=NewDocument(waiting, "sale", "awaiting", {}), claim=order))

    await service.post(plan(member_id, update=DocumentUpdate(waiting, 1, state="cancelled", release=order)))

    again = NewDocument(f"V{member_id}", "sale", "awaiting", {})
    await service.post(plan(member_id, document=again, claim=order))
    before = await fingerprint(settings)
    with pytest.raises(errors.Claimed):
        await service.post(taken_order(member_id))
    assert await fingerprint(settings) == before


async def test_a_revoked_device_has_no_step_above_it(settings, member_id):
    async with db.transaction() as tx:
        await service.seed_device(tx, member_id, 5, last_step=10)
        await service.revoke_device(tx, member_id, 5)
        await service.seed_device(tx, member_id, 5, last_step=11)
    before = await fingerprint(settings)

    with pytest.raises(errors.GuardRefused):
        await service.post(plan(member_id, *stored(1), guards=(Guard("device:5", "above", 2**61, "code_used"),)))

    assert await fingerprint(settings) == before


async def test_lots_are_spent_by_earliest_expiry_then_never_expiring_then_oldest(member_id):
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    lots = (
        Issue("principal", 10),
        Issue("principal", 10),
        Issue("bonus", 10, expires_on=today + timedelta(days=9)),
        Issue("bonus", 10, expires_on=today),
        Issue("bonus", 10, expires_on=today - timedelta(days=1)),
    )
    await service.post(plan(member_id, Leg(plans.STORED, FEN, 50, issue=lots), Leg(plans.HOUSE_PSP, FEN, -50)))

    posted = await service.post(plan(member_id, *stored(-35)))

    assert [(lot, amount) for _, lot, amount, _ in posted.lots] == [(4, -10), (3, -10), (1, -10), (2, -5)]
    assert posted.balances == {"stored": 15}
    with pytest.raises(errors.InsufficientBalance):
        await service.post(plan(member_id, *stored(-6)))


async def test_what_one_lot_can_pay_comes_from_the_one_that_expires_first(member_id):
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    lots = (
        Issue("principal", 10),
        Issue("bonus", 10, expires_on=today + timedelta(days=9)),
        Issue("bonus", 10, expires_on=today),
        Issue("bonus", 10, expires_on=today - timedelta(days=1)),
    )
    await service.post(plan(member_id, Leg(plans.STORED, FEN, 40, issue=lots), Leg(plans.HOUSE_PSP, FEN, -40)))

    taken = [(await service.post(plan(member_id, *stored(-amount)))).lots for amount in (5, 5, 10, 10)]

    assert [[(lot, amount) for _, lot, amount, _ in moves] for moves in taken] == [
        [(3, -5)],
        [(3, -5)],
        [(2, -10)],
        [(1, -10)],
    ]


async def test_a_lot_s_rank_goes_before_its_last_day(member_id):
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    lots = (
        Issue("bonus", 10, expires_on=today, rank=1),
        Issue("bonus", 10, expires_on=today + timedelta(days=9)),
        Issue("principal", 10),
        Issue("bonus", 10, rank=-1),
        Issue("bonus", 10, expires_on=today - timedelta(days=1), rank=-1),
    )
    await service.post(plan(member_id, Leg(plans.STORED, FEN, 50, issue=lots), Leg(plans.HOUSE_PSP, FEN, -50)))

    one = await service.post(plan(member_id, *stored(-5)))
    rest = await service.post(plan(member_id, *stored(-30)))

    assert [(lot, amount) for _, lot, amount, _ in one.lots] == [(4, -5)]
    assert [(lot, amount) for _, lot, amount, _ in rest.lots] == [(4, -5), (2, -10), (3, -10), (1, -5)]


async def test_a_cap_counts_what_is_good_and_of_the_parts_it_names(member_id):
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    lots = (
        Issue("principal", 60),
        Issue("bonus", 40),
        Issue("bonus", 500, expires_on=today - timedelta(days=1)),
    )
    legs = Leg(plans.STORED, FEN, 600, issue=lots), Leg(plans.HOUSE_PSP, FEN, -600)
    both = plans.STORED, plans.STORED_HELD
    for most, parts in ((99, ()), (59, ("principal",))):
        with pytest.raises(errors.GuardRefused) as refused:
            await service.post(plan(member_id, *legs, caps=(Cap(both, most, "full", parts),)))
        assert refused.value.refusal == "full"

    posted = await service.post(
        plan(member_id, *legs, caps=(Cap(both, 100, "full"), Cap(both, 60, "x", ("principal",))))
    )

    assert posted.balances == {"stored": 600}


async def test_everything_a_plan_carries_is_stored_with_it(settings, database):
    member_id = await prepared()

    posted = await service.post(
        plan(
            member_id,
            *stored(-10),
            kind="sale",
            document=sale_document(f"S{member_id}", {"stored": 10}),
            events=({"name": "SaleCompleted", "body": {"member_id": member_id}},),
        )
    )

    document = await queries.find_document(member_id, f"S{member_id}")
    async with connected(settings, "huiyuan_app") as app:
        events = await app.fetch("SELECT name FROM outbox WHERE member_id = $1", member_id)
    assert (document.state, document.version, posted.document_id) == ("completed", 1, f"S{member_id}")
    assert [row[0] for row in events] == ["SaleCompleted"]
    assert await findings(settings) == []


async def test_the_door_bounds_its_wait_for_a_lock_itself(database):
    """A session's setting would be lost behind a pooler, and plans on an open transaction never had one."""
    found = await db.fetchval("SELECT proconfig FROM pg_proc WHERE proname = 'ledger_post'")

    assert "lock_timeout=3s" in found
