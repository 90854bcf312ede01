"""The benchmark of orders, small: real sockets, the real server, exact counts."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from backend.bench.order import Bench, Sold
from backend.kernel import config
from backend.kernel.config import Settings
from tests.support.value import findings


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """The module's settings; all phones of the benchmark are at one address."""
    made = msgspec.structs.replace(settings, rate_anonymous_per_minute=100_000, log_level="warning")
    config.use(made)
    return made


async def test_carts_become_orders_and_a_flash_sale_sells_what_there_is(server, system):
    bench = Bench(system, members=60, connections=8, watch_s=0.3)
    await bench.load(lambda _: None, flash=7)

    placed = (await asyncio.to_thread(bench.place, lambda _: None, seconds=20, expected=2)).driven
    flash = await asyncio.to_thread(bench.flash, lambda _: None, buyers=40, total=7, connections=20, within_s=0)

    assert (placed.answered, placed.accepted, placed.first_failure) == (40, 40, None)
    assert (flash.driven.accepted, flash.driven.statuses) == (7, {"409": 33})
    assert flash.exact
    assert flash.sold == Sold(7, 0, 7, flash.sold.booked_fen, flash.sold.booked_fen)
    for watched in (flash.page, flash.tills):
        assert watched.idle.accepted == watched.idle.answered > 0
        assert watched.meanwhile.accepted == watched.meanwhile.answered == len(watched.meanwhile.moments) > 0
    assert await findings(server.settings) == []
