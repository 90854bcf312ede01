"""Statements with many uses, small: what is loaded is what is told, counted or not."""

from __future__ import annotations

import asyncio
import io

from rich.console import Console

from backend.bench import coupon_uses
from backend.bench.coupon_uses import DAYS, Options
from backend.cli import coupon_uses as command


async def test_it_fills_counts_reads_and_says_what_it_found(settings, monkeypatch):
    monkeypatch.setattr(coupon_uses, "CHUNK", 1_000)
    said: list[str] = []

    outcome = await asyncio.to_thread(
        asyncio.run, coupon_uses.measure(settings, Options(uses=3_600, rounds=1), said.append)
    )

    sales = {read.name: read.sales for read in outcome.reads}
    assert said[:4] == [f"{count:,} of 3,600 uses" for count in (1_000, 2_000, 3_000, 3_600)]
    assert DAYS - 3 <= outcome.counted_days <= DAYS
    assert 3_580 <= sales["year, by campaign"] <= 3_600
    assert sales["month, by campaign"] == sales["month, by store"] == sales["month, by supplier and counter"] > 290
    assert 0 < sales["month, one store's"] < 20
    assert "ledger_entry" in outcome.plan
    console = Console(record=True, width=100, file=io.StringIO())
    monkeypatch.setattr(command, "out", console)
    command.show(outcome)
    assert "3,600 uses loaded" in console.export_text()
