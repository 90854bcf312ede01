"""Fixtures of every test; the engines come up at the first test that asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.kernel import clock as kernel_clock


@pytest.fixture
def clock() -> Iterator[object]:
    """The clock to shift or freeze; back to the machine's time afterwards."""
    yield kernel_clock
    kernel_clock.reset()
