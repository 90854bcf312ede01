"""Stock alone, on the module's database."""

from __future__ import annotations

import itertools

import pytest

from backend.stock import queries

_numbers = itertools.count(1)


@pytest.fixture
def place(database) -> str:
    """A place in which nothing lies yet."""
    return f"P{next(_numbers)}"


@pytest.fixture(autouse=True)
def _nobody_knows_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stock's tests promise to orders that nobody placed."""
    monkeypatch.setattr(queries, "_open_orders", {})
