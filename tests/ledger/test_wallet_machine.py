"""Random lives of a wallet over HTTP and by the clock, compared lot by lot with a model after every step."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import httpx
import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backend.kernel import clock, config, db
from backend.kernel.config import Settings
from backend.ledger import plans, queries, service
from backend.ledger.plans import Issue, Leg, Saw
from backend.ledger.types import Snapshot
from backend.wallet.commands import lots
from tests.ledger.model import Refused, Sale, Wallet
from tests.support.books import plan
from tests.support.members import Phone, register
from tests.support.seed import Chain, seed_chain
from tests.support.value import findings

T = TypeVar("T")
Run = Callable[[Awaitable[T]], T]

PENDING_DAYS = 2
ZONE = "Asia/Shanghai"


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """Points wait two days, and no sale waits for the phone."""
    made = msgspec.structs.replace(
        settings,
        points_pending_days=PENDING_DAYS,
        points_valid_months=1,
        password_free_sale_fen=10**10,
        password_free_day_fen=10**10,
        rate_anonymous_per_minute=100_000,
        log_level="warning",
    )
    config.use(made)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(server) -> Chain:
    return await seed_chain(server.base_url)


class WalletMachine(RuleBasedStateMachine):
    """One member's life. The loop of the server runs elsewhere; every step is handed over to it."""

    run: Any
    client: httpx.AsyncClient
    chain: Chain

    @initialize()
    def register(self) -> None:
        clock.freeze(datetime(2026, 12, 1, 4, tzinfo=UTC))
        self.phone: Phone = self.run(register(self.client))
        self.model = Wallet(self.today())

    def today(self) -> date:
        return clock.local_date(clock.now(), ZONE)

    @rule(
        principal=st.integers(0, 3_000),
        bonus=st.sampled_from([0, 0, 1, 500]),
        points=st.sampled_from([0, 0, 7, 300]),
        days=st.integers(0, 8),
        rank=st.sampled_from([0, 0, 1, -1]),
    )
    def recharge(self, principal: int, bonus: int, points: int, days: int, rank: int = 0) -> None:
        principal = principal if bonus or points else principal + 1
        until = self.today() + timedelta(days=days)
        self.run(credit(self.phone.member_id, self.today(), principal, bonus, points, until, rank))
        self.model.credit(principal, bonus, points, until, until, rank)

    @rule(
        stored=st.sampled_from([0.0, 0.01, 0.5, 0.9, 1.0, 1.2]),
        points=st.sampled_from([0.0, 0.3, 1.0, 1.0, 1.1]),
        cash=st.sampled_from([0, 0, 1, 999, 20_000]),
        little=st.booleans(),
    )
    def sell(self, stored: float, points: float, cash: int, little: bool) -> None:
        """Shares of what is there, a little or all of it or more."""
        part = 4 if little else 1
        wanted = {
            "stored": int(self.model.held("stored") * stored) // part,
            "points": int(max(0, self.model.held("points") - self.model.debt) * points) // part,
            "cash": cash,
        }
        tenders = {name: amount for name, amount in wanted.items() if amount}
        tenders = tenders or {"cash": 30_000}
        clock.freeze(clock.now() + timedelta(seconds=15))
        answer = self.run(sell(self, tenders))
        on = self.today()
        try:
            sale = self.model.sell(
                answer.json().get("id", ""),
                tenders,
                expires_on=clock.end_of_month(on, 1),
                matures_on=on + timedelta(days=PENDING_DAYS),
            )
        except Refused:
            assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_balance")
            return
        assert answer.status_code == 201, answer.text
        assert answer.json()["points_earned"] == sale.earned

    @precondition(lambda self: self.model.sales)
    @rule(which=st.integers(0, 99), share=st.floats(0.01, 1.1), all_of_it=st.booleans())
    def refund(self, which: int, share: float, all_of_it: bool) -> None:
        sale = self.model.sales[which % len(self.model.sales)]
        left = sale.payable - sale.refunded
        amount = left if all_of_it and left else max(1, int(sale.payable * share))
        answer = self.run(
            self.chain.till.post(
                self.client, f"/v1/pos/sales/{sale.id}/refunds", {"amount_fen": amount, "reason": "退"}
            )
        )
        if amount > left:
            expected = "refund_exceeds_paid" if left else "sale_not_refundable"
            assert (answer.status_code, answer.json()["code"]) == (409, expected)
            return
        assert answer.status_code == 201, answer.text
        given = {tender["type"]: tender["amount_fen"] for tender in answer.json()["by_tender"]}
        check_shares(sale, amount, given)
        assert answer.json()["points_clawed_back"] == self.model.refund(sale, amount, given)

    @rule(days=st.sampled_from([1, 2, 2, 2, 5, 30]))
    def wait(self, days: int) -> None:
        clock.freeze(clock.now() + timedelta(days=days))
        self.run(lots.mature_points(clock.now()))
        self.run(lots.expire_lots(clock.now()))
        self.model.age(self.today())

    @rule(cash=st.sampled_from([9_900, 20_000]))
    def owe(self, cash: int) -> None:
        """Earn, wait, spend what was earned, and bring the goods back."""
        self.sell(stored=0.0, points=0.0, cash=cash, little=False)
        which = len(self.model.sales) - 1
        self.wait(days=PENDING_DAYS)
        self.sell(stored=0.0, points=1.0, cash=0, little=False)
        self.refund(which=which, share=1.0, all_of_it=True)

    @rule(days=st.sampled_from([2, 5]))
    def lapse(self, days: int) -> None:
        """Pay with points that are over when the goods come back; what was earned has been spent by then."""
        self.recharge(principal=0, bonus=0, points=300, days=1)
        self.sell(stored=0.0, points=1.0, cash=20_000, little=False)
        which = len(self.model.sales) - 1
        self.wait(days=days)
        self.sell(stored=0.0, points=1.0, cash=0, little=False)
        self.refund(which=which, share=1.0, all_of_it=True)

    @invariant()
    def the_books_are_the_model_s(self) -> None:
        if not hasattr(self, "phone"):
            return
        rows, debt, snapshot = self.run(look(self.phone.member_id, self.today()))
        assert sorted(rows, key=repr) == self.model.open_lots()
        assert debt == self.model.debt
        assert snapshot.spendable("stored") == self.model.held("stored")
        assert snapshot.spendable("points") == self.model.held("points")

    def teardown(self) -> None:
        clock.reset()


def check_shares(sale: Sale, amount: int, given: dict[str, int]) -> None:
    """Shares are whole, add up, exceed no tender, and are less than one fen from their proportion."""
    assert sum(given.values()) == amount
    left = {name: paid - sale.given.get(name, 0) for name, paid in sale.tenders.items()}
    for name, rest in left.items():
        part = given.get(name, 0)
        assert 0 <= part <= rest
        assert abs(part - amount * rest / sum(left.values())) < 1
    sale.given = {name: sale.given.get(name, 0) + given.get(name, 0) for name in sale.tenders}


async def credit(member_id: int, on: date, principal: int, bonus: int, points: int, until: date, rank: int = 0) -> None:
    """What a recharge with an offer posts."""
    debt = (await queries.get_balances(member_id)).get("points_debt", 0)
    legs: list[Leg] = []
    issues = [Issue("principal", principal)] if principal else []
    issues += [Issue("bonus", bonus, expires_on=until, rank=rank)] if bonus else []
    if issues:
        legs.append(Leg(plans.STORED, plans.FEN, principal + bonus, issue=tuple(issues)))
        legs += [Leg(plans.HOUSE_PSP, plans.FEN, -principal)] if principal else []
        legs += [Leg(plans.HOUSE_BONUS, plans.FEN, -bonus)] if bonus else []
    legs += plans.earn_points(points, debt, Issue("gift", 0, expires_on=until))
    await service.post(plan(member_id, *legs, kind="recharge", saw=(Saw(plans.POINTS_DEBT, debt),)))


async def sell(machine: WalletMachine, tenders: dict[str, int]) -> httpx.Response:
    """A sale of one article, paid so."""
    given = [
        {"type": name} | ({"points": amount} if name == "points" else {"amount_fen": amount})
        for name, amount in tenders.items()
    ]
    return await machine.chain.till.sell(
        machine.client, machine.phone.code(), fen=sum(tenders.values()), tenders=given, key=uuid.uuid4().hex
    )


async def look(member_id: int, on: date) -> tuple[list[tuple[str, str, int, date | None]], int, Snapshot]:
    """What the ledger holds: open lots, points owed, and what a sale would be priced with."""
    rows, balances, snapshot = await asyncio.gather(
        db.fetch("SELECT kind, part, remaining, expires_on FROM ledger_lot WHERE member_id = $1 AND open", member_id),
        queries.get_balances(member_id),
        queries.get_snapshot(member_id, on),
    )
    lots = [(row["kind"], row["part"], row["remaining"], row["expires_on"]) for row in rows]
    return lots, balances.get(plans.POINTS_DEBT, 0), snapshot


async def test_a_wallet_is_at_every_moment_what_the_model_says(client, chain, settings):
    loop = asyncio.get_running_loop()

    def run(awaitable: Awaitable[T]) -> T:
        async def wrapped() -> T:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(wrapped(), loop).result(20)

    class Machine(WalletMachine):
        pass

    Machine.run, Machine.client, Machine.chain = staticmethod(run), client, chain

    bounds = hypothesis_settings(
        max_examples=25,
        stateful_step_count=15,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Machine, settings=bounds)

    assert await findings(settings) == []
