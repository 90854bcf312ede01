"""The contact card's benchmark, small: it fills, asks over HTTP, replays, and says what it found."""

from __future__ import annotations

import io
from contextlib import nullcontext

from rich.console import Console

from backend.bench import contact
from backend.bench.contact import Options
from backend.cli import contact as command


async def test_it_asks_for_the_card_of_a_busy_member_and_says_how_long_it_took(system, monkeypatch):
    options = Options(entries=300, members=6, requests=20)

    outcome = await contact.measure(system, options, lambda _: None, opened=lambda _: nullcontext())

    assert 300 <= outcome.entries < 400
    assert 40 < outcome.purchases < 80
    assert 20 < outcome.statements < 60
    assert [(row.name, row.requests) for row in outcome.rows] == [
        ("card over HTTP", 20),
        ("look-up by number over HTTP", 20),
        ("floor", 20),
    ]
    assert all(0 < row.p50_ms <= row.p95_ms <= row.p99_ms <= row.most_ms for row in outcome.rows)
    assert (outcome.said.letters, outcome.said.cases, outcome.said.messages, outcome.said.tasks) == (60, 6, 60, 15)
    console = Console(record=True, width=100, file=io.StringIO())
    monkeypatch.setattr(command, "out", console)
    command.show(outcome)
    assert "95 of 100 cards within 30 ms" in console.export_text()
