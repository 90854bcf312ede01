"""The whole benchmark, small: the tills' process against the real server, pgbench against the same database."""

from __future__ import annotations

import asyncio

from backend.bench.settle import Bench, Options
from tests.support.value import findings


async def test_server_and_floor_settle_the_same_sales_and_the_books_balance(server, system, monkeypatch):
    monkeypatch.setattr("backend.bench.settle.FIRST_MEMBERS", 150)
    bench = Bench(system, Options(seconds=1, rounds=1, connections=(4,)))
    await bench.load_first(lambda _: None)

    served = await asyncio.to_thread(bench.serve, lambda _: None, seconds=1, expected=100)
    floor = await bench.post(lambda _: None, clients=2, seconds=1, expected=200)

    half = await asyncio.to_thread(bench.half, lambda _: None, rate=40, clients=2, windows=2)

    assert served.driven.accepted == served.driven.answered > 0, served.driven.first_failure
    assert served.used.batches.plans == served.driven.accepted
    assert floor.posted > 0
    assert [len(half.served), len(half.floors)] == [2, 2]
    for window in half.served:
        assert window.driven.accepted == window.driven.answered > 0, window.driven.first_failure
    assert all(window.posted > 0 for window in half.floors)
    assert half.times > 0
    assert await findings(server.settings) == []
