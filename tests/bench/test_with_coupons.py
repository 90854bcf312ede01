"""Sales with a coupon beside sales without, small: the tills' process against the real server, the books balance."""

from __future__ import annotations

import asyncio
import io

from rich.console import Console

from backend.bench import with_coupons_report
from backend.bench.with_coupons import SIDES, Bench, Options, Outcome
from tests.support.value import findings


async def test_every_sale_with_a_coupon_is_paid_in_part_by_one_of_its_own(server, system, monkeypatch):
    monkeypatch.setattr("backend.bench.with_coupons.EXPECTED", 100)
    options = Options(seconds=1, rounds=1, connections=4)
    bench = Bench(system, options)
    await bench.load(lambda _: None)

    served = {side: [await asyncio.to_thread(bench.serve, side, lambda _: None)] for side in SIDES}

    outcome = Outcome(options=options, workers=1, members=bench.members, served=served)
    assert outcome.failures == 0, [runs[0].driven.first_failure for runs in served.values()]
    assert outcome.median("with") > 0
    assert outcome.ratio > 0
    assert await findings(server.settings) == []
    text = io.StringIO()
    with_coupons_report.show(outcome, Console(file=text, width=200))
    assert "sales/s with a coupon each" in text.getvalue()
