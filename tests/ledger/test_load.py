"""The offline door leaves the rows that the first door would have left, hashes included, and refuses what that does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from backend.kernel import ids
from backend.ledger import plans
from backend.ledger.plans import Claim, Guard, Issue, Leg, NewDocument, Plan, Saw, encode
from tests.support.books import changed, connected, plan, points, stored
from tests.support.value import findings

TABLES = ("head", "account", "lot", "transfer", "entry", "lot_move", "document", "guard", "key", "key_home")
BEGAN = datetime(2026, 3, 1, 4, tzinfo=UTC)
LOAD = "SELECT ledger_load($1, $2::text[]::jsonb[])"
POST = "SELECT ledger_post($1, $2::text::jsonb)"


@pytest_asyncio.fixture(loop_scope="session")
async def owner(settings, database) -> AsyncIterator[asyncpg.Connection]:
    """The owner in a transaction that is rolled back."""
    async with connected(settings, "huiyuan_owner") as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield connection
        await transaction.rollback()


async def rows(owner: asyncpg.Connection, members: list[int]) -> dict[str, list[str]]:
    """Every row of the books of these members, in order, as text."""
    found = {}
    for table in TABLES:
        found[table] = [
            row[0]
            for row in await owner.fetch(
                f"SELECT t::text FROM ledger_{table} t WHERE member_id = ANY($1) ORDER BY 1", members
            )
        ]
    events = await owner.fetch(
        "SELECT member_id, name, body::text, at FROM outbox WHERE member_id = ANY($1) ORDER BY member_id, id", members
    )
    return found | {"outbox": [str(tuple(row)) for row in events]}


async def load(owner: asyncpg.Connection, given: list[Plan]) -> None:
    await owner.execute(LOAD, [plan.member_id for plan in given], [encode(plan) for plan in given])


class Lives:
    """Members who live at random: every sort of leg, lot and document; some plans cannot be paid and are refused."""

    def __init__(self, seed: int, members: int) -> None:
        self.random = Random(seed)
        self.members = [ids.new_bigint() for _ in range(members)]
        self.at = BEGAN
        self.number = 0

    def next(self) -> Plan:
        self.number += 1
        self.at += timedelta(minutes=self.random.randrange(1, 900))
        member_id = self.random.choice(self.members)
        make = self.random.choice(
            (
                self._recharge,
                self._recharge,
                self._sale,
                self._sale,
                self._sale,
                self._return,
                self._named,
                self._debt,
                self._coupon,
                self._note,
            )
        )
        made = make(member_id)
        return changed(made, at=self.at, on=self.at.date())

    def _until(self) -> date | None:
        return self.random.choice((None, self.at.date() + timedelta(days=self.random.randrange(0, 60))))

    def _plan(self, member_id: int, *legs: Leg, **more: Any) -> Plan:
        return plan(member_id, *legs, key=f"k{self.number}", **more)

    def _recharge(self, member_id: int) -> Plan:
        pay, bonus, gift = self.random.randrange(1, 900), self.random.randrange(1, 90), self.random.randrange(1, 50)
        ref = self.random.choice(("", "", "card-1"))
        rank, spend = self.random.choice(((0, "by_expiry"), (1, "principal_first"), (-1, "bonus_first")))
        lots = (Issue("principal", pay), Issue("bonus", bonus, expires_on=self._until(), rank=rank))
        return self._plan(
            member_id,
            Leg(plans.STORED, plans.FEN, pay + bonus, ref=ref, issue=lots),
            Leg(plans.HOUSE_PSP, plans.FEN, -pay),
            Leg(plans.HOUSE_BONUS, plans.FEN, -bonus),
            *plans.earn_points(gift, 0, Issue("gift", 0, expires_on=self._until(), source="campaign")),
            kind="recharge",
            document=NewDocument(
                f"R{self.number}",
                "recharge",
                "paid",
                {"pay_fen": pay, "bonus_fen": bonus, "spend": spend},
                memo={"by": "hand"},
            ),
        )

    def _sale(self, member_id: int) -> Plan:
        fen, taken, earned = self.random.randrange(1, 300), self.random.randrange(1, 20), self.random.randrange(1, 30)
        matures = self._until()
        return self._plan(
            member_id,
            *stored(-fen),
            *points(-taken),
            Leg(plans.HOUSE_POINTS_ISSUED, plans.POINT, -earned),
            Leg(plans.POINTS_PENDING if matures else plans.POINTS, plans.POINT, earned,
                issue=(Issue("earned", earned, expires_on=self._until(), matures_on=matures),)),
            kind="sale",
            active=True,
            claim=Claim("order/S1", f"o{self.number}"),
            document=NewDocument(
                f"S{self.number}", "sale", "completed", {"paid": {"stored": fen}, "b": 1.5, "aa": "é"}, store_id="S1"
            ),
            events=({"name": "SaleCompleted", "body": {"sale_id": f"S{self.number}"}}, {"name": "Other", "body": {}}),
        )  # fmt: skip

    def _return(self, member_id: int) -> Plan:
        """Something back into the first lots, as far as there is room for it."""
        back = self.random.randrange(1, 5)
        return self._plan(
            member_id,
            Leg(plans.STORED, plans.FEN, 2 * back, lots=((1, back), (2, back))),
            Leg(plans.HOUSE_SALES, plans.FEN, -2 * back, ref="S1"),
            kind="refund",
            about=f"S{self.number - 1}",
            reverses=1,
        )

    def _named(self, member_id: int) -> Plan:
        """A taking from named lots, whatever their age, and twice from one account."""
        return self._plan(member_id, *points(-3, lots=((3, -3),)), *points(-2), kind="expiry")

    def _debt(self, member_id: int) -> Plan:
        amount = self.random.choice((5, 5, -5))
        return self._plan(
            member_id,
            Leg(plans.POINTS_DEBT, plans.POINT, amount),
            Leg(plans.HOUSE_POINTS_RECEIVABLE, plans.POINT, -amount),
            kind="clawback",
        )

    def _coupon(self, member_id: int) -> Plan:
        """A coupon is made, used, held, given free or returned, in its turn or not."""
        number = self.random.randrange(4)
        coupon, template, lot_id = f"C{number}", f"T{number % 2}", self.random.randrange(1, 12)
        unit, amount = ((plans.USES, 1), (plans.FEN, 500))[number % 2]
        make = self.random.choice(
            (
                lambda: plans.issue_coupon(coupon, template, unit, amount, expires_on=self._until()),
                lambda: plans.use_coupon(coupon, template, unit, amount - amount // 3),
                lambda: plans.hold_coupon(coupon, template, unit, amount),
                lambda: plans.use_coupon(coupon, template, unit, amount, account=plans.COUPON_HELD),
                lambda: plans.release_coupon(coupon, unit, amount, lot_id=lot_id),
                lambda: plans.return_coupon(coupon, template, unit, amount - amount // 3, lot_id=lot_id),
                lambda: plans.expire_coupon(coupon, template, unit, amount, lot_id=lot_id),
                lambda: plans.void_coupon(coupon, template, unit, amount),
            )
        )
        return self._plan(member_id, *make(), kind="coupon")

    def _note(self, member_id: int) -> Plan:
        """A document without legs: no transfer, but a stored answer with balances."""
        due = self.at + timedelta(minutes=2)
        document = NewDocument(
            f"W{self.number}", "sale", "awaiting_confirmation", {"n": 1}, progress={"x": [1]}, due_at=due
        )
        return self._plan(member_id, kind="sale", document=document)


async def lived(owner: asyncpg.Connection, lives: Lives, count: int) -> list[Plan]:
    """So many plans through the first door, one by one; those that it took."""
    await owner.execute("INSERT INTO ledger_head (member_id) SELECT unnest($1::bigint[])", lives.members)
    taken = []
    for _ in range(count):
        made = lives.next()
        try:
            async with owner.transaction():
                await owner.execute(POST, made.member_id, encode(made))
            taken.append(made)
        except asyncpg.PostgresError as error:
            if error.sqlstate not in {"HY001", "23505"}:  # refused, or a lot would move twice
                raise
    return taken


@pytest.mark.parametrize("pieces", [1, 7])
async def test_the_two_doors_leave_the_same_rows(owner, pieces):
    lives = Lives(7, members=6)
    first_door = owner.transaction()
    await first_door.start()
    taken = await lived(owner, lives, 600)
    wanted = await rows(owner, lives.members)
    await first_door.rollback()
    assert await rows(owner, lives.members) == {name: [] for name in wanted}

    for piece in range(pieces):
        await load(owner, taken[piece * len(taken) // pieces : (piece + 1) * len(taken) // pieces])

    assert len(taken) > 300
    assert {made.kind for made in taken} == {"recharge", "sale", "refund", "expiry", "clawback", "coupon"}
    assert any("uses" in row for row in wanted["account"])
    assert all(wanted[table] for table in wanted if table != "guard")
    found = await rows(owner, lives.members)
    for table in wanted:
        assert found[table] == wanted[table], table


async def test_plans_that_depend_on_their_turn_are_posted_one_by_one_beside_the_others(owner):
    lives = Lives(8, members=4)
    first_door = owner.transaction()
    await first_door.start()
    taken = await lived(owner, lives, 80)
    guarded = taken[0].member_id
    guard = Guard("device:1", "above", 5, "code_used")
    taken = [changed(made, guards=(guard,)) if made is taken[0] else made for made in taken]
    await first_door.rollback()
    await first_door_again(owner, taken, lives.members)
    wanted = await rows(owner, lives.members)
    await owner.execute("ROLLBACK TO SAVEPOINT before_posting")

    await load(owner, taken)

    found = await rows(owner, lives.members)
    assert found == wanted
    assert [row for row in found["guard"] if str(guarded) in row]


async def first_door_again(owner: asyncpg.Connection, given: list[Plan], members: list[int]) -> None:
    await owner.execute("SAVEPOINT before_posting")
    await owner.execute("INSERT INTO ledger_head (member_id) SELECT unnest($1::bigint[])", members)
    for made in given:
        await owner.execute(POST, made.member_id, encode(made))


async def test_a_load_that_is_done_again_does_nothing(owner):
    lives = Lives(9, members=3)
    taken = await lived(owner, lives, 60)
    before = await rows(owner, lives.members)

    await load(owner, taken)
    await load(owner, [*taken[:5], *taken[:5]])

    assert await rows(owner, lives.members) == before


def credited(member_id: int, key: str = "first") -> Plan:
    """A member who has 1000 fen and 50 points, until the last of March."""
    return plan(
        member_id,
        *stored(1000),
        *points(50, issue=(Issue("gift", 50, expires_on=date(2026, 3, 31)),)),
        key=f"{key}-{member_id}",
    )


def refused_plans(member_id: int) -> dict[str, tuple[str, Plan]]:
    """What each is refused with, and a plan on top of ``credited``."""

    def legs(*made: Leg, **more: Any) -> Plan:
        return plan(member_id, *made, **more)

    def both(account: str, unit: str, amount: int) -> tuple[Leg, Leg]:
        return Leg(account, unit, -amount), Leg(plans.HOUSE_SALES, unit, amount)

    first = f"first-{member_id}"
    return {
        "too little": ("insufficient_balance", legs(*stored(-1001))),
        "an account that is not there": ("insufficient_balance", legs(*both(plans.REBATE, plans.FEN, 1))),
        "expired points": ("insufficient_balance", legs(*points(-1), on=date(2026, 4, 1))),
        "one leg": ("plan_invalid", legs(stored(5)[0])),
        "lots that are not the leg": ("plan_invalid", legs(*stored(5, issue=(Issue("principal", 4),)))),
        "a leg of nothing": ("plan_invalid", legs(Leg(plans.HOUSE_SALES, plans.FEN, 0))),
        "a leg of too much": ("plan_invalid", legs(*stored(10**11 + 1))),
        "another unit": ("plan_invalid", legs(*both(plans.STORED, plans.POINT, 1))),
        "no such unit": ("plan_invalid", legs(*both(plans.HOUSE_PSP, "kg", 1))),
        "uses for fen": (
            "plan_invalid",
            legs(Leg(plans.HOUSE_COUPONS_USED, plans.USES, 1), Leg(plans.HOUSE_SALES, plans.FEN, -1)),
        ),
        "a coupon that is not there": ("insufficient_balance", legs(*plans.use_coupon("C1", "T1", plans.USES, 1))),
        "another bonus share": ("stale", legs(*stored(-5, bonus=1))),
        "no such lot": ("stale", legs(*stored(-5, lots=((9, -5),)))),
        "more than was in the lot": ("stale", legs(*stored(1, lots=((1, 1),)))),
        "the key of another plan": ("idempotency_conflict", legs(*stored(-1), key=first, hash="11" * 32)),
        "a document's name that is taken": ("claimed", legs(*stored(-1), claim=Claim("order/S1", "taken"))),
    }


@pytest.mark.parametrize("what", refused_plans(0))
@pytest.mark.parametrize("together", [True, False])
async def test_what_the_first_door_refuses_refuses_the_load_and_nothing_moves(owner, what, together):
    member_id, other = ids.new_bigint(), ids.new_bigint()
    code, bad = refused_plans(member_id)[what]
    taken = changed(credited(other), claim=Claim("order/S1", "taken"))
    await load(owner, [taken] if together else [taken, credited(member_id)])
    before = await rows(owner, [member_id, other])

    with pytest.raises(asyncpg.PostgresError) as raised:
        async with owner.transaction():
            await load(owner, [credited(member_id), bad, credited(ids.new_bigint())])

    assert (raised.value.sqlstate, raised.value.args[0]) == ("HY001", code)
    assert await rows(owner, [member_id, other]) == before


async def test_an_inactive_member_s_sale_and_another_member_s_key_are_refused(owner):
    member_id, other = ids.new_bigint(), ids.new_bigint()
    await load(owner, [credited(member_id), credited(other)])
    await owner.execute("SELECT ledger_set_active($1, false)", member_id)
    for bad, code in (
        (changed(plan(member_id, *stored(-1)), active=True), "member_inactive"),
        (plan(member_id, *stored(-1), key=f"first-{other}"), "idempotency_conflict"),
    ):
        with pytest.raises(asyncpg.PostgresError) as raised:
            async with owner.transaction():
                await load(owner, [bad])
        assert raised.value.args[0] == code


async def test_the_books_balance_after_a_load_and_the_hot_path_goes_on_from_there(settings, database):
    from backend.ledger import service

    members = [ids.new_bigint() for _ in range(40)]
    async with connected(settings, "huiyuan_owner") as owner:
        await load(owner, [credited(member_id) for member_id in members])
    posted = [await service.post(plan(member_id, *stored(-10), saw=(Saw("stored", 1000),))) for member_id in members]

    assert {(answer.transfer, answer.balances["stored"], answer.lots[0][:3]) for answer in posted} == {
        (2, 990, ("stored", 1, -10))
    }
    assert await findings(settings) == []
