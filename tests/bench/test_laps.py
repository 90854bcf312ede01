"""The function with a clock between its parts still posts, and every part is timed."""

from __future__ import annotations

import pytest

from backend.bench import laps
from backend.kernel.config import Settings
from tests.support.value import findings


async def test_every_part_of_ledger_post_is_timed(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.bench.laps.MEMBERS", 50)
    monkeypatch.setattr("backend.bench.laps.PLANS", 32)

    parts = await laps.measure(database, lambda _: None)

    assert [part.name for part in parts][:2] == ["reads the plan", "locks the head, looks the key up"]
    assert len(parts) == 17
    assert all(part.alone_us > 0 for part in parts)
    assert all(part.batched_us >= 0 for part in parts)
    assert await findings(database) == []
