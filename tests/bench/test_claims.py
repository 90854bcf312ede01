"""The benchmark of claims, small: real sockets, the real server, exact counts."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from backend.bench.claims import Bench, Issued, Outcome
from backend.kernel import config
from backend.kernel.config import Settings
from tests.support.value import findings


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """The module's settings; all phones of the benchmark are at one address."""
    made = msgspec.structs.replace(settings, rate_anonymous_per_minute=100_000, log_level="warning")
    config.use(made)
    return made


async def test_as_many_are_issued_as_there_are_and_the_books_balance(server, system):
    bench = Bench(system, claims=300, members=120, total=20, connections=40)
    await bench.load(lambda _: None)

    driven = await asyncio.to_thread(bench.run, lambda _: None)

    issued = await bench.issued()
    outcome = Outcome(claims=300, members=120, total=20, connections=40, workers=1, driven=driven, issued=issued)
    assert (driven.answered, driven.accepted, driven.statuses) == (300, 20, {"409": 280})
    assert issued == Issued(booked=20, rows=20, counted=20, most=1)
    assert outcome.exact
    assert outcome.refused_otherwise == 0
    assert await findings(server.settings) == []
