"""Filling and asking, small: what is loaded balances, and the same members are asked before and after."""

from __future__ import annotations

import asyncio
import io

import msgspec
import pytest
from rich.console import Console

from backend.bench import growth, growth_report
from backend.bench.fill import Filled
from backend.bench.growth import Bench, Options, Outcome, Stage
from backend.bench.history import HEAVY, History
from backend.bench.population import Population
from backend.kernel import clock, config, db
from backend.kernel.config import Settings
from backend.ledger import audit
from tests.support.value import findings

OPTIONS = Options(members=90, entries=4000, few=30, seconds=0.3, rounds=1, connections=4, heavy_transfers=120)


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """Two members who read their long statements all the time are not held up."""
    made = msgspec.structs.replace(settings, rate_member_per_minute=1_000_000, log_level="warning")
    config.use(made)
    return made


def silent(_: str) -> None:
    return None


@pytest.fixture
def bench(system, monkeypatch) -> Bench:
    """Its trial runs are short: here nobody looks for the right number of requests."""
    monkeypatch.setattr(growth, "TRY_S", 0.3)
    monkeypatch.setattr(growth, "GUESS_PER_S", 400.0)
    return Bench(system, OPTIONS)


async def test_it_fills_measures_and_says_what_it_found(bench, server):
    few, many = Stage(members=30), Stage(members=90)
    outcome = Outcome(options=OPTIONS, cpus=2, workers=1, few=few, many=many, filled=Filled())
    said: list[str] = []

    with bench.filling():
        async with asyncio.timeout(60):  # a session hears of new settings when it is idle next
            while await db.fetchval("SHOW autovacuum") != "off":
                await asyncio.sleep(0.01)
        first = await bench.load_few(silent)
    await asyncio.to_thread(bench.measure, few, "wallet", silent)
    with bench.filling():
        rest = await bench.load_many(said.append)
    for name in ("wallet", "entries", "entries-deep"):
        await asyncio.to_thread(bench.measure, many, name, silent)
    await bench.sizes(outcome)
    await bench.audit(outcome, silent)

    assert (first.members, rest.members) == (30, 60)
    assert 0.7 < (first.entries + rest.entries) / OPTIONS.entries < 1.5
    assert said[-1].startswith("60 of 60 members, ")
    assert (few.failures, many.failures) == (0, 0), many.first_failure
    assert min(many.rate(name) for name in ("wallet", "entries", "entries-deep")) > 0
    assert outcome.ratio("wallet") > 0
    assert {"ledger_entry", "ledger_transfer"} < {size.name for size in outcome.sizes}
    assert (outcome.findings, outcome.audited, outcome.failed) == (0, 90, False)
    assert await findings(server.settings) == []
    console = Console(record=True, width=100, file=io.StringIO())
    growth_report.show(outcome, console)
    assert "Requests a second with 30 and with 90 members" in console.export_text()


async def test_postgresql_has_its_usual_settings_after_filling(bench):
    with bench.filling():
        pass

    async with asyncio.timeout(60):
        while await db.fetchval("SELECT count(*) FROM pg_settings WHERE sourcefile LIKE '%auto.conf'"):
            await asyncio.sleep(0.05)


def test_the_past_is_as_long_as_asked_for_and_the_same_every_time():
    people, now = Population("seed"), clock.now()
    history = History(people, now, entries=20, heavy_transfers=50)

    plans = [plan for number in range(HEAVY, 400) for plan in history.plans(people.member(number))]

    assert 17 < sum(len(plan.legs) for plan in plans) / (400 - HEAVY) < 23
    assert len(list(history.plans(people.member(0)))) == 50
    again = History(people, now, entries=20, heavy_transfers=50).plans(people.member(7))
    assert list(again) == list(history.plans(people.member(7)))
    assert all(plan.at < now for plan in plans)


async def test_a_sample_of_the_audit_proves_one_chunk_in_so_many(database, monkeypatch):
    monkeypatch.setattr(audit, "CHUNK", 10)
    total, seen = await db.fetchval("SELECT count(*) FROM ledger_head"), []

    found = await audit.audit(
        db.connect_args(database.migrate_database_url), lambda done, _: seen.append(done), every=3
    )

    assert found == []
    assert 10 <= seen[-1] < total
