"""The whole of ``bench attack``, small: an honest shop, attackers who do what they say, and a table of it."""

from __future__ import annotations

import asyncio

import pytest
from rich.console import Console

from backend.bench import attack, attack_report
from tests.support.value import findings


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attack, "MEMBERS", 50)
    monkeypatch.setattr(attack, "LEAD_S", 0.3)


@pytest.mark.usefixtures("small")
async def test_an_honest_shop_is_served_while_garbage_comes_in(server, system):
    bench = attack.Bench(system, seconds=1)
    await bench.load(lambda _: None)

    idle = await asyncio.to_thread(bench.alone)
    row = await asyncio.to_thread(bench.under, "garbage")

    assert (idle.asked, idle.errors) == (attack.PER_SECOND, {})
    assert (row.honest.asked, row.honest.errors) == (attack.PER_SECOND, {})
    assert row.attacked.counts["400"] > 0
    assert 0 < row.memory.before <= row.memory.peak
    assert await findings(server.settings) == []
    outcome = attack.Outcome(seconds=1, workers=1, idle=[idle], rows=[row])
    console = Console(width=100)
    with console.capture() as printed:
        attack_report.show(outcome, console)
    assert "garbage" in printed.get()
    assert "0 errors of honest clients; goal 0: reached" in printed.get()
