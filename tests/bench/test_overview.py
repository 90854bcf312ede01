"""``bench all``, small: every path's requests and floor against the real server, one path through the whole of it."""

from __future__ import annotations

import asyncio
import io

import pytest
import pytest_asyncio
from rich.console import Console

from backend.auth import codes
from backend.bench import bare, generator, overview, overview_report, paths, statements
from backend.bench.generator import Driven
from backend.bench.overview import Bench, Measured, Options, Outcome
from backend.bench.requests import Requests
from backend.bench.runs import Served
from backend.bench.system import Used
from backend.kernel import clock
from tests.support.value import findings

MEMBERS = 40
EACH = 5


@pytest.fixture(scope="module")
def small():
    """Few requests, and a short past for those who have a long one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.bench.overview.COUNTED", EACH)
        patch.setattr("backend.bench.overview.FIRST_S", 0.2)
        patch.setattr("backend.bench.overview.GUESS_PER_S", 100)
        patch.setattr("backend.bench.paths.wallet.PAST", 60)
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bench(small, system):
    made = Bench(system, Options(seconds=1, connections=2, members=MEMBERS, sockets=(0, 4, 8)))
    await made.load(lambda _: None)
    return made


async def test_every_path_is_accepted_has_a_floor_and_leaves_books_that_balance(bench, server):
    for position, path in enumerate(bench.chosen()):
        requests = Requests(
            bench._population,
            members=MEMBERS,
            host="h",
            run=path.name,
            step=codes.step_at(clock.now().timestamp()),
            timestamp=clock.unix(),
        )
        order = generator.Order(
            path=path.name,
            seed="",
            run="",
            host=bench.system.host,
            port=bench.system.port,
            members=MEMBERS,
            count=EACH,
            connections=1,
            seconds=30,
        )
        # Phones of other members for each path: a code is good once.
        first = 0 if path.most is not None and not path.needs_code else position * EACH
        made = [path.request(requests, first + n) for n in range(EACH)]
        driver, _ = await asyncio.to_thread(generator.drive, order, made, str(path.accepted).encode())
        assert (len(driver.latencies), driver.first_failure) == (EACH, None), path.name
        if path.floor is not None:
            ground = paths.Ground(
                population=bench._population, members=MEMBERS, plans=bench._plans, run="f", now=clock.now()
            )
            await bare.fill(bench.system, path.floor, ground, 0, EACH, lambda _: None)
            floor = await asyncio.to_thread(bare.measure, bench.system, path.floor, seconds=0, filled=EACH)
            assert floor.posted == EACH, path.name

    assert await findings(server.settings) == []


async def test_one_path_is_counted_timed_and_shown(bench):
    wallet = paths.every()["wallet"]
    outcome = Outcome(options=bench._options, workers=1, cpus=2, idle=bench.memory())

    measured = await asyncio.to_thread(bench.measure, wallet, lambda _: None)
    measured.floor_per_second = await bench.floor_of(wallet, measured, lambda _: None)
    outcome.measured.append(measured)
    outcome.listening = await asyncio.to_thread(bench.listen, lambda _: None)

    assert measured.failures == 0
    assert measured.served.driven.accepted > 0
    assert any("ledger_head" in text for text in measured.statements)
    assert 2 <= measured.statements_per_request < 6
    assert [(step.sockets, step.alive) for step in outcome.listening] == [(0, 0), (4, 4), (8, 8)]
    assert not outcome.failed
    shown = io.StringIO()
    overview_report.show(outcome, Console(file=shown, width=100))
    assert f"{measured.served.per_second:,.0f}" in shown.getvalue()
    assert max(len(line) for line in shown.getvalue().splitlines()) <= 100


def test_an_answer_that_is_not_the_accepted_one_fails_the_run(bench):
    refused = Driven(
        answered=5, accepted=4, seconds=1, latencies_ms=(1, 1, 1, 1), statuses={"409": 1}, first_failure="HTTP/1.1 409",
        prepared=5, ran_out=False, prepare_cpu_s=0, drive_cpu_s=0,
    )  # fmt: skip
    run = Served(driven=refused, used=Used())
    path = Measured(name="sale", call="", accepted=201, alone=run, served=run, statements={})

    outcome = Outcome(options=bench._options, workers=1, cpus=2, measured=[path])

    assert outcome.failed
    shown = io.StringIO()
    overview_report.show(outcome, Console(file=shown, width=100))
    assert "2 answers other than 201" in shown.getvalue()


def test_names_of_paths_are_checked():
    assert overview.chosen_names(["sale,scan", "wallet"]) == ("sale", "scan", "wallet")
    with pytest.raises(ValueError, match="no path is called prayer"):
        overview.chosen_names(["sale,prayer"])


def test_statements_are_read_from_the_log_of_one_database():
    log = (
        "shop LOG:  statement: BEGIN;\n"
        "shop LOG:  execute __asyncpg_stmt_1__: SELECT a\n\t  FROM t\n"
        "other LOG:  execute x: SELECT 1\n"
        "shop LOG:  execute __asyncpg_stmt_1__: SELECT a\n\t  FROM t\n"
        "shop LOG:  statement: COMMIT;\n"
    )

    assert statements.read(log, "shop") == {"BEGIN;": 1, "SELECT a FROM t": 2, "COMMIT;": 1}
