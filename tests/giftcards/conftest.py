"""A chain, its head office, and members; every test tries cards from the beginning."""

from __future__ import annotations

import pytest

from backend.engines.embedded import Engines
from backend.kernel import limits
from tests.support.one_chain import *  # noqa: F403 - fixtures, by name
from tests.support.pos import Till
from tests.support.seed import Chain


@pytest.fixture
def till(chain: Chain) -> Till:
    """A till of the first store."""
    return chain.till


@pytest.fixture(autouse=True)
def _fresh_limits(engines: Engines) -> None:
    """No card was tried yet, by what every server remembers too."""
    assert engines.valkey is not None
    engines.valkey.flush()
    limits.forget()
