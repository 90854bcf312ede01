"""A coupon in the books: an account of its own, counted in uses or kept in fen, and refusals that say which one."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from backend.kernel import clock, db
from backend.ledger import errors, plans, queries, service
from backend.ledger.plans import COUPON, COUPON_HELD, FEN, USES, Issue, Leg, encode
from backend.ledger.types import Holding, Posted
from tests.support.books import connected, fingerprint, open_books, plan, points, stored
from tests.support.value import findings

TODAY = clock.local_date(clock.now(), "Asia/Shanghai")
LAST_DAY, YESTERDAY = TODAY + timedelta(days=30), TODAY - timedelta(days=1)
COUNTED, VALUE = (USES, 1), (FEN, 5_000)


async def post(member_id: int, *legs: Leg, **more) -> Posted:
    return await service.post(plan(member_id, *legs, **more))


async def issued(member_id: int, coupon_id: str, unit: str = USES, amount: int = 1, *, until=LAST_DAY) -> int:
    """A coupon of template T1; returns the id of its lot."""
    posted = await post(member_id, *plans.issue_coupon(coupon_id, "T1", unit, amount, expires_on=until))
    ((_, lot_id, _, _),) = posted.lots
    return lot_id


async def held(settings, member_id: int) -> dict[tuple[str, str, str], int]:
    """Every account with a reference: what it holds."""
    async with connected(settings, "huiyuan_owner") as owner:
        rows = await owner.fetch(
            "SELECT kind, ref, unit, balance FROM ledger_account WHERE member_id = $1 AND ref <> ''", member_id
        )
    return {tuple(row)[:3]: row[3] for row in rows}


async def house(settings, member_id: int) -> dict[tuple[str, str, str], int]:
    """The other side of it all."""
    async with connected(settings, "huiyuan_owner") as owner:
        rows = await owner.fetch(
            "SELECT kind, ref, unit, sum(amount)::int FROM ledger_entry WHERE member_id = $1 AND kind LIKE 'house.%'"
            " GROUP BY 1, 2, 3",
            member_id,
        )
    return {tuple(row)[:3]: row[3] for row in rows}


@pytest.mark.parametrize(("unit", "amount"), [COUNTED, VALUE])
async def test_a_coupon_is_issued_used_returned_and_used_again(settings, member_id, unit, amount):
    lot = await issued(member_id, "C1", unit, amount)
    await post(member_id, *plans.use_coupon("C1", "T1", unit, amount))
    await post(member_id, *plans.return_coupon("C1", "T1", unit, amount, lot_id=lot))
    again = await post(member_id, *plans.use_coupon("C1", "T1", unit, amount))

    assert again.lots == ((COUPON, lot, -amount, "coupon"),)
    assert again.balances == {}
    assert await held(settings, member_id) == {(COUPON, "C1", unit): 0}
    assert await house(settings, member_id) == {
        ("house.coupons_issued", "T1", unit): -amount,
        ("house.coupons_used", "T1", unit): amount,
    }
    assert await findings(settings) == []


async def test_a_value_coupon_is_used_up_bit_by_bit(settings, member_id):
    lot = await issued(member_id, "C1", *VALUE)

    for amount in (2_000, 2_999, 1):
        await post(member_id, *plans.use_coupon("C1", "T1", FEN, amount))
    await post(member_id, *plans.return_coupon("C1", "T1", FEN, 300, lot_id=lot))

    assert await held(settings, member_id) == {(COUPON, "C1", FEN): 300}
    with pytest.raises(errors.Stale):
        await post(member_id, *plans.return_coupon("C1", "T1", FEN, 4_701, lot_id=lot))
    assert await findings(settings) == []


async def test_a_held_coupon_is_released_to_its_lot_or_used_from_where_it_is_held(settings, member_id):
    lot = await issued(member_id, "C1")
    await post(member_id, *plans.hold_coupon("C1", "T1", USES, 1))
    assert await held(settings, member_id) == {(COUPON, "C1", USES): 0, (COUPON_HELD, "C1", USES): 1}
    await post(member_id, *plans.release_coupon("C1", USES, 1, lot_id=lot))
    assert await held(settings, member_id) == {(COUPON, "C1", USES): 1, (COUPON_HELD, "C1", USES): 0}
    await post(member_id, *plans.hold_coupon("C1", "T1", USES, 1))

    used = plans.use_coupon("C1", "T1", USES, 1, account=COUPON_HELD)
    await post(member_id, *used, on=LAST_DAY + timedelta(days=1))  # the order was in time

    assert await held(settings, member_id) == {(COUPON, "C1", USES): 0, (COUPON_HELD, "C1", USES): 0}
    assert await findings(settings) == []


async def test_what_is_over_ends_as_expired_or_void(settings, member_id):
    lot = await issued(member_id, "C1", until=YESTERDAY)
    await issued(member_id, "C2", *VALUE)
    await post(member_id, *plans.use_coupon("C2", "T1", FEN, 1_000))

    await post(member_id, *plans.expire_coupon("C1", "T1", USES, 1, lot_id=lot))
    await post(member_id, *plans.void_coupon("C2", "T1", FEN, 4_000))

    assert await held(settings, member_id) == {(COUPON, "C1", USES): 0, (COUPON, "C2", FEN): 0}
    assert await house(settings, member_id) == {
        ("house.coupons_issued", "T1", USES): -1,
        ("house.coupons_expired", "T1", USES): 1,
        ("house.coupons_issued", "T1", FEN): -5_000,
        ("house.coupons_used", "T1", FEN): 1_000,
        ("house.coupons_voided", "T1", FEN): 4_000,
    }
    assert await findings(settings) == []


# What cannot be used, of a member who holds C1 (used), C2 (expired), C3 (5,000 fen) and C4 (held for an order).
UNUSABLE: dict[str, tuple[tuple[str, str], tuple[Leg, ...]]] = {
    "used": ((COUPON, "C1"), plans.use_coupon("C1", "T1", USES, 1)),
    "expired": ((COUPON, "C2"), plans.use_coupon("C2", "T1", USES, 1)),
    "with too little left": ((COUPON, "C3"), plans.use_coupon("C3", "T1", FEN, 5_001)),
    "held for an order": ((COUPON, "C4"), plans.use_coupon("C4", "T1", USES, 1)),
    "held no more than once": ((COUPON, "C4"), plans.hold_coupon("C4", "T1", USES, 1)),
    "not held": ((COUPON_HELD, "C3"), plans.use_coupon("C3", "T1", FEN, 1, account=COUPON_HELD)),
    "somebody else's": ((COUPON, "C9"), plans.use_coupon("C9", "T1", USES, 1)),
    "used twice in one sale": (
        (COUPON, "C3"),
        (*plans.use_coupon("C3", "T1", FEN, 3_000), *plans.use_coupon("C3", "T1", FEN, 2_001)),
    ),
    "the second of two": (
        (COUPON, "C2"),
        (*plans.use_coupon("C3", "T1", FEN, 1), *plans.use_coupon("C2", "T1", USES, 1)),
    ),
    "no coupon but stored value": (
        (plans.STORED, ""),
        (*plans.use_coupon("C3", "T1", FEN, 1), *stored(-101)),
    ),
}


async def with_coupons(member_id: int) -> None:
    await post(member_id, *stored(100))
    await issued(member_id, "C1")
    await post(member_id, *plans.use_coupon("C1", "T1", USES, 1))
    await issued(member_id, "C2", until=YESTERDAY)
    await issued(member_id, "C3", *VALUE)
    await issued(member_id, "C4")
    await post(member_id, *plans.hold_coupon("C4", "T1", USES, 1))


@pytest.mark.parametrize("what", UNUSABLE)
async def test_a_refusal_names_the_account_and_changes_nothing(settings, member_id, what):
    named, legs = UNUSABLE[what]
    await with_coupons(member_id)
    before = await fingerprint(settings)
    bad = plan(member_id, *legs)

    with pytest.raises(errors.InsufficientBalance) as batched:
        await service.post(bad)
    with pytest.raises(errors.InsufficientBalance) as inside:
        async with db.transaction() as tx:
            await service.post_in(tx, bad)
    async with connected(settings, "huiyuan_owner") as owner:
        with pytest.raises(asyncpg.PostgresError) as offline:
            await owner.execute("SELECT ledger_load($1, $2::text[]::jsonb[])", [member_id], [encode(bad)])

    assert [(refused.value.account, refused.value.ref) for refused in (batched, inside)] == [named, named]
    context = msgspec.json.decode(offline.value.detail)
    assert (offline.value.args[0], context["account"], context["ref"]) == ("insufficient_balance", *named)
    assert batched.value.extra == {}
    assert await fingerprint(settings) == before


IN_ANOTHER_UNIT = {
    "a value coupon as a use": plans.use_coupon("C3", "T1", USES, 1),
    "a use as fen": plans.use_coupon("C5", "T1", FEN, 1),
    "a held use as fen": plans.use_coupon("C4", "T1", FEN, 1, account=COUPON_HELD),
    "a second issue in fen": plans.issue_coupon("C5", "T1", FEN, 1, expires_on=None),
}


@pytest.mark.parametrize("what", IN_ANOTHER_UNIT)
async def test_an_account_is_kept_in_one_unit(settings, member_id, what):
    await with_coupons(member_id)
    await issued(member_id, "C5")
    before = await fingerprint(settings)

    with pytest.raises(errors.PlanInvalid, match="another unit"):
        await post(member_id, *IN_ANOTHER_UNIT[what])

    assert await fingerprint(settings) == before


async def test_of_many_who_use_a_coupon_at_once_one_does(settings, member_id):
    await issued(member_id, "C1")

    answers = await asyncio.gather(
        *(post(member_id, *plans.use_coupon("C1", "T1", USES, 1)) for _ in range(20)), return_exceptions=True
    )

    refused = [answer for answer in answers if isinstance(answer, errors.InsufficientBalance)]
    assert len(refused) == 19
    assert {(answer.account, answer.ref) for answer in refused} == {(COUPON, "C1")}
    assert await held(settings, member_id) == {(COUPON, "C1", USES): 0}
    assert await findings(settings) == []


async def test_what_a_member_holds_is_listed_by_its_last_day_with_its_unit_lot_and_template(database):
    member_id, other = await open_books(), await open_books()
    await with_coupons(member_id)
    forever = await issued(member_id, "C5", until=None)
    await post(member_id, *plans.use_coupon("C3", "T1", FEN, 1_999))
    await issued(other, "C9")

    listed, held_for, others = await asyncio.gather(
        queries.list_refs(member_id, COUPON),
        queries.list_refs(member_id, COUPON_HELD),
        queries.list_refs(other, COUPON),
    )

    assert listed == [
        Holding(COUPON, "C2", USES, 1, 3, "T1", YESTERDAY),
        Holding(COUPON, "C3", FEN, 3_001, 4, "T1", LAST_DAY),
        Holding(COUPON, "C5", USES, 1, forever, "T1", None),
    ]
    assert held_for == [Holding(COUPON_HELD, "C4", USES, 1, 6, "T1", None)]
    assert [found.ref for found in others] == ["C9"]


async def test_named_ones_are_found_also_where_nothing_is_left(database):
    member_id, other = await open_books(), await open_books()
    await with_coupons(member_id)
    await issued(other, "C9")

    found, nothing, others = await asyncio.gather(
        queries.find_refs(member_id, COUPON, ["C1", "C3", "C9"]),
        queries.find_refs(member_id, COUPON, []),
        queries.find_refs(other, COUPON, ["C9", "C1"]),
    )

    assert found == {
        "C1": None,
        "C3": Holding(COUPON, "C3", FEN, 5_000, 4, "T1", LAST_DAY),
    }
    assert nothing == {}
    assert list(others) == ["C9"]


async def test_a_list_of_what_is_held_is_bounded(member_id, monkeypatch):
    monkeypatch.setattr(queries.holdings, "MOST_REFS", 2)
    for number in range(4):
        await issued(member_id, f"C{number}", until=LAST_DAY - timedelta(days=number))

    assert [found.ref for found in await queries.list_refs(member_id, COUPON)] == ["C3", "C2"]


async def test_coupons_that_were_used_long_ago_are_not_read(settings, member_id):
    """Two thousand of them lie in no index that the list goes through, whatever the tables' size."""
    spent = []
    for ref in (f"old-{number}" for number in range(2_000)):
        spent.append(plan(member_id, *plans.issue_coupon(ref, "T1", USES, 1, expires_on=None)))
        spent.append(plan(member_id, *plans.use_coupon(ref, "T1", USES, 1)))
    async with connected(settings, "huiyuan_owner") as owner:
        await owner.execute(
            "SELECT ledger_load($1, $2::text[]::jsonb[])", [member_id] * len(spent), [encode(one) for one in spent]
        )
    await issued(member_id, "new")
    async with connected(settings, "postgres") as postgres:
        await postgres.execute("VACUUM ANALYZE ledger_lot, ledger_account")
        explained = await postgres.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {queries.LIST_REFS}", [member_id], [COUPON], 500
        )

    (root,) = msgspec.json.decode(explained)
    read = root["Plan"]["Shared Hit Blocks"] + root["Plan"]["Shared Read Blocks"]
    assert read < 20  # of some hundred in which the old ones lie
    assert [found.ref for found in await queries.list_refs(member_id, COUPON)] == ["new"]


async def test_the_kinds_that_are_asked_for_expire_and_no_other(database):
    """One run passes each lot once; a member who cannot be dealt with is passed, too."""
    ended = TODAY - timedelta(days=400)
    members = [await open_books() for _ in range(3)]
    for member_id in members:
        await issued(member_id, "C1", until=ended)
        await issued(member_id, "C2", until=ended + timedelta(days=1))
        await post(member_id, *points(5, issue=(Issue("gift", 5, expires_on=ended),)))
    without = await open_books()
    await post(without, *points(5, issue=(Issue("gift", 5, expires_on=ended),)))
    asked: list[queries.Cursor] = []

    async def due(after: queries.Cursor, limit: int) -> list[queries.Cursor]:
        asked.append(after)
        return await queries.list_expired_lots(
            (COUPON, COUPON_HELD), ended + timedelta(days=1), after=after, limit=limit
        )

    async def expire(member_id: int) -> int:
        if member_id == members[0]:
            raise errors.MemberUnknown
        over = [one for one in await queries.list_refs(member_id, COUPON) if one.expires_on == ended]
        for one in over:
            legs = plans.expire_coupon(one.ref, one.source, one.unit, one.balance, lot_id=one.lot_id)
            await post(member_id, *legs)
        return len(over)

    moved = await service.sweep(due, expire, batch=1)

    assert moved == 2
    assert asked == [queries.BEGINNING, *((ended, member_id) for member_id in sorted(members))]
    left = [[one.ref for one in await queries.list_refs(member_id, COUPON)] for member_id in members]
    assert left == [["C1", "C2"], ["C2"], ["C2"]]
    assert [(await queries.get_balances(member_id))["points"] for member_id in members] == [5, 5, 5]


async def test_house_accounts_are_summed_by_template_and_unit(settings, member_id):
    before = await totals()
    await issued(member_id, "C1")
    await issued(member_id, "C2", *VALUE)
    await post(member_id, *plans.issue_coupon("C3", "T2", USES, 1, expires_on=None))
    await post(member_id, *plans.use_coupon("C3", "T2", USES, 1), *plans.use_coupon("C2", "T1", FEN, 700))

    after = await totals()

    assert {key: amount - before.get(key, 0) for key, amount in after.items() if amount != before.get(key, 0)} == {
        ("house.coupons_issued", "T1", USES): -1,
        ("house.coupons_issued", "T1", FEN): -5_000,
        ("house.coupons_issued", "T2", USES): -1,
        ("house.coupons_used", "T2", USES): 1,
        ("house.coupons_used", "T1", FEN): 700,
    }
    assert await findings(settings) == []


async def totals() -> dict[tuple[str, str, str], int]:
    await service.roll_up("Asia/Shanghai")
    found = await queries.list_house_totals("Asia/Shanghai", TODAY, LAST_DAY)
    return {(total.kind, total.ref, total.unit): total.amount for total in found}
